"""``python -m cloudreel``: the command line."""

from __future__ import annotations

from cloudreel.cli import main

main()
