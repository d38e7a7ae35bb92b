"""What a benchmark answers: rows, and how they are shown and kept."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

UNITS = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}
NOTHING = 5e-4
HEAD = ("question", "ours", "peer", "unit", "ratio", "target", "floor", "beside")
SHORT = ("question", "ratio", "target", "beside")  # what README shows


@dataclass(frozen=True)
class Row:
    """One comparison; what could not be measured here is None, and ``note`` says why.

    ``ours`` and ``theirs`` are in ``unit``. ``ratio`` is the median of ours by theirs over the pairs, which
    is not quite the ratio of the two medians; ``target`` is the most it is meant to be, ``floor`` what nobody
    gets below. ``peer`` names who stands beside us, with the version.
    """

    question: str
    peer: str
    ours: float | None = None
    theirs: float | None = None
    ratio: float | None = None
    target: float | None = None
    floor: float | None = None
    unit: str = "us"
    note: str = ""

    @property
    def seconds(self) -> tuple[float, float]:
        """What ours and theirs take, or nothing where that could not be measured."""
        scale = UNITS[self.unit]
        return (self.ours or 0.0) / scale, (self.theirs or 0.0) / scale

    def cells(self) -> dict[str, str]:
        """Return the row as texts by the names in `HEAD`."""
        return {
            "question": self.question,
            "ours": shown(self.ours),
            "peer": shown(self.theirs),
            "unit": self.unit if self.ours is not None else "",
            "ratio": shown(self.ratio),
            "target": shown(self.target),
            "floor": shown(self.floor),
            "beside": f"{self.peer} ({self.note})" if self.note else self.peer,
        }


def under(question: str, found: float, limit: float, unit: str, note: str = "") -> Row:
    """Return a row whose peer is a limit."""
    ours = max(found, 1e-3)
    return Row(question, "the limit", ours, limit, ours / limit, 1.0, unit=unit, note=note)


def versioned(package: str) -> str:
    """Return a package's name with its version."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def shown(number: float | None) -> str:
    """Return a number to three digits."""
    if number is None:
        return ""
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    if abs(number) < NOTHING:
        return "0"
    return f"{number:.3g}"


def machine() -> str:
    """Return what the figures were measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines_of("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    interpreter = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{interpreter}, {platform.system()} {platform.release()}, {cpu}"


def as_lines(rows: Iterable[Row]) -> str:
    """Return rows as lines of a table, for a terminal."""
    lines: list[str] = []
    for row in rows:
        cell = row.cells()
        lines.append(
            f"{cell['question']:<46}{cell['ours']:>9}{cell['peer']:>9} {cell['unit']:<8}"
            f"{cell['ratio']:>8}{cell['target']:>8}{cell['floor']:>8}  {cell['beside']}"
        )
    return "\n".join(lines)


def heading() -> str:
    """Return the line over `as_lines`."""
    names = dict(zip(HEAD, HEAD, strict=True))
    return (
        f"{names['question']:<46}{names['ours']:>9}{names['peer']:>9} {names['unit']:<8}"
        f"{names['ratio']:>8}{names['target']:>8}{names['floor']:>8}  {names['beside']}"
    )


def as_json(rows: Iterable[Row], ran_on: str) -> str:
    """Return rows and the machine as JSON."""
    return json.dumps({"machine": ran_on, "rows": [asdict(row) for row in rows]}, indent=2) + "\n"


def from_json(text: str) -> tuple[list[Row], str]:
    """Return what `as_json` wrote down."""
    kept = json.loads(text)
    return [Row(**row) for row in kept["rows"]], kept["machine"]


def as_rst(rows: Iterable[Row], ran_on: str) -> str:
    """Return the rows that have a target as a table in reStructuredText, with the machine below."""
    measured = [replace(row, note="") for row in rows if row.target is not None and row.ratio]
    table = [[row.cells()[name] for name in SHORT] for row in measured]
    widths = [max(len(line[at]) for line in [list(SHORT), *table]) for at in range(len(SHORT))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [list(SHORT), *table]
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule, "", f"{ran_on}."])


def _lines_of(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
