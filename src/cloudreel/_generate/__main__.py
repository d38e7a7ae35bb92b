"""The command: ``python -m cloudreel._generate`` writes the twins, ``--check`` only compares."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cloudreel._generate.sources import PACKAGE, sources_of
from cloudreel._generate.twins import render


def outputs() -> dict[Path, str]:
    """Return what every generated file has to say."""
    entries = [*sorted(PACKAGE.glob("*/client.py")), PACKAGE / "uploads" / "session.py"]
    return {
        entry.with_name("sync.py"): render(sources_of(f"cloudreel.{entry.parent.name}.{entry.stem}"))
        for entry in entries
    }


def out_of_step() -> list[str]:
    """Return the names of generated files that differ from what their sources say."""
    wanted = outputs()
    left_over = set(PACKAGE.glob("*/sync.py")) - set(wanted)
    differing = {path for path, text in wanted.items() if not path.exists() or path.read_text() != text}
    return sorted(str(path.relative_to(PACKAGE.parent)) for path in differing | left_over)


def main(arguments: Sequence[str]) -> int:
    """Write the files, or compare them where ``--check`` is given; return the exit code."""
    if "--check" in arguments:
        if stale := out_of_step():
            sys.stderr.write(f"Out of step, run python -m cloudreel._generate: {', '.join(stale)}\n")
        return bool(stale)
    for path, text in outputs().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
