"""The command line. Nothing is imported before it is needed: ``cloudreel --help`` answers at once."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line with this process's arguments; ends the process."""
    try:
        from cloudreel.cli.commands import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print('The command line needs click: pip install "cloudreel[cli]"', file=sys.stderr)
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))
