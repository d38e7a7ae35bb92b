"""Run the benchmarks and print what they found: `nox -s bench`.

Every figure is a ratio of two things measured in turn, in one process: the median of several pairs, CPU time.
A benchmark never fails; it prints, and with ``--json FILE`` writes its rows.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

PAIRS = 7
QUESTIONS = ["signing", "bombs"]


@dataclass(frozen=True)
class Row:
    """One comparison: nanoseconds of CPU per call, ours and the peer's."""

    question: str
    peer_name: str
    ours: float
    peer: float
    ratio: float


def compare(question: str, ours: Callable[[], object], peer_name: str, peer: Callable[[], object]) -> Row:
    """Measure two functions in turn and return medians."""
    calls = max(1, int(0.05 / max(_cpu(ours, 200), 1e-9)))
    pairs = [(_cpu(ours, calls), _cpu(peer, calls)) for _ in range(PAIRS)]
    ratio = statistics.median(a / b for a, b in pairs)
    ours_ns, peer_ns = (statistics.median(side) * 1e9 for side in zip(*pairs, strict=True))
    return Row(question, peer_name, ours_ns, peer_ns, ratio)


def _cpu(function: Callable[[], object], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - began) / calls


def main() -> None:
    """Print the table, and write the rows where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help=f"of {', '.join(QUESTIONS)}; all of them by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    chosen = parser.parse_args()
    rows: list[Row] = []
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    print(f"{'question':<44}{'ours ns':>10}{'peer ns':>11}{'ratio':>8}  peer")
    for name in chosen.only or QUESTIONS:
        for row in import_module(name).rows():
            rows.append(row)
            print(f"{row.question:<44}{row.ours:>10.0f}{row.peer:>11.0f}{row.ratio:>8.3f}  {row.peer_name}")
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
