"""Run the benchmarks and print what they found: `nox -s bench`.

Each question is a module with a function ``rows(effort)``. Every figure is a ratio of two things measured in
turn: the median of several pairs, CPU time unless its unit says otherwise. A benchmark is no test: it
prints, and writes where asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from measure import GLANCE, Effort
from table import Row, as_json, as_lines, as_rst, from_json, heading, machine

QUESTIONS = ["signing", "presigned", "objects", "calls", "paging", "waiting", "blocking", "startup", "bombs"]
QUESTIONS += ["parts", "uploads"]
BEGIN, END = ".. benchmarks: what follows is written by `nox -s bench`", ".. benchmarks: end"


def main() -> None:
    """Print the table, and write the rows where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = ", ".join(QUESTIONS)
    parser.add_argument("only", nargs="*", help=f"``only NAME ...``, of {known}; all of them by default")
    parser.add_argument("--glance", action="store_true", help="see that they run, with tiny counts")
    parser.add_argument("--load", type=Path, metavar="FILE", help="take the rows of an earlier --json")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ratios there (.svg or .png)")
    parser.add_argument("--rst", type=Path, metavar="FILE", help="put a short table between its two marks")
    chosen = parser.parse_args()
    rows, ran_on = from_json(chosen.load.read_text()) if chosen.load else ([], machine())
    print(ran_on)
    print(heading())
    print(as_lines(rows), end="\n" if rows else "")
    for name in [name for name in chosen.only if name != "only"] or ([] if chosen.load else QUESTIONS):
        answer: Callable[[Effort], Iterator[Row]] = import_module(name).rows
        for row in answer(GLANCE if chosen.glance else Effort()):
            rows.append(row)
            print(as_lines([row]), flush=True)
        if chosen.json:
            chosen.json.write_text(as_json(rows, ran_on))
    if chosen.plot:
        import_module("plot").draw(rows, ran_on, chosen.plot)
    if chosen.rst:
        text = chosen.rst.read_text()
        before, after = text.split(BEGIN, 1)[0], text.split(END, 1)[1]
        chosen.rst.write_text(f"{before}{BEGIN}\n\n{as_rst(rows, ran_on)}\n\n{END}{after}")


if __name__ == "__main__":
    main()
