"""What an upload costs, beside other clients and beside bare sockets.

Every figure comes from a process of its own. The clients take turns, so that a slower minute of the machine
strikes all of them; a ratio is the median over the rounds, ours against another client in the same round.
CPU is that of the client alone; milliseconds are for each GiB. ``python benchmarks/uploads.py --help`` tells
how to measure other cases than the usual ones.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec

import delayline
from measure import Effort
from table import Row, as_lines, heading, under, versioned
from upload_runs import GIB, MIB, Case, Run, measured

PAIRS = 5  # rounds at most: an upload takes seconds
NEEDS = {"requests": "requests", "aiohttp": "aiohttp", "pycurl": "pycurl"}
FLOOR = "sockets"
LIMITS = {"stall": 10.0, "late": 10.0}  # milliseconds


OTHERS: dict[str, float | None] = {"aiohttp": None, "pycurl": None, "ours-plain": None}
# What stands beside us in each case, and what ours by it is meant to be.
USUAL: list[tuple[Case, dict[str, float | None]]] = [
    (
        Case("http", size=1024),
        {
            "requests": 0.65,
            "httpx-bytes": 0.40,
            "aiohttp": None,
            "pycurl": None,
            "ours-plain": None,
            FLOOR: 1.30,
        },
    ),
    (
        Case("https", size=1024),
        {
            "requests": 0.62,
            "httpx-bytes": None,
            "aiohttp": None,
            "pycurl": None,
            "ours-plain": None,
            FLOOR: 1.25,
        },
    ),
    (Case("http", size=4096), {"curl": 0.80}),
    (Case("https", size=4096), {"curl": 1.00}),
    (Case("http", at_once=1), {"requests": None}),
    (Case("http", at_once=64), {"requests": None}),
    (Case("https", at_once=64), {"requests": None}),
    (Case("http", part=8), {"requests": None}),
    (Case("http", part=64), {"requests": None}),
    (Case("http", cold=True), {"requests": None}),
]
GLANCED: list[tuple[Case, dict[str, float | None]]] = [
    (Case("http", cold=True), {"requests": None, FLOOR: None, "curl": None}),
    (Case("https"), {FLOOR: None}),
]
LINE = {8: 0.45, 1: 0.065}  # threads of the old client, and what our wall time by its is meant to be


def rows(effort: Effort) -> Iterator[Row]:
    """Yield rows for every usual case."""
    if sys.platform != "linux":
        yield Row("upload", "", note="not measured: memory is told by Linux alone")
        return
    rounds = min(effort.pairs, PAIRS)
    for case, peers in USUAL if effort.largest is None else GLANCED:
        yield from case_rows(replace(case, size=effort.count(case.size)), peers, rounds)
    yield cancel_row(Case(size=256), rounds)
    if effort.largest is None:
        yield from line_rows(rounds)


def case_rows(case: Case, peers: dict[str, float | None], rounds: int) -> Iterator[Row]:
    """Measure one case."""
    lacking = {name: what for name in peers if (what := lacks(name)) is not None}
    runs = measured(case, ["ours", *(name for name in peers if name not in lacking)], rounds)
    for name, target in peers.items():
        cost = "whole process" if name == "curl" else "CPU"
        row = Row(f"upload: {cost} of a GiB, {case}", named(name, case), target=target, unit="ms")
        if name in lacking:
            yield replace(row, note=f"not measured: {lacking[name]} is not here")
            continue

        def seconds(run: Run, whole: bool = name == "curl") -> float:
            return run.process if whole else run.cpu

        pairs = [(seconds(a), seconds(b)) for a, b in zip(runs["ours"], runs[name], strict=True)]
        floor = [run.cpu for run in runs.get(FLOOR, [])] if name not in (FLOOR, "curl") else []
        each = 1000 * GIB / (case.size * MIB)
        wall = statistics.median(run.wall for run in runs["ours"])
        yield replace(
            row,
            ours=statistics.median(a for a, _ in pairs) * each,
            theirs=statistics.median(b for _, b in pairs) * each,
            ratio=statistics.median(a / b for a, b in pairs),
            floor=statistics.median(f / b for f, (_, b) in zip(floor, pairs, strict=True)) if floor else None,
            note=f"{spread(a / b for a, b in pairs)}; ours {case.size / 1024 / wall:.2f} GiB/s",
        )
    yield limited(f"upload: memory, {case}", [run.peak / MIB for run in runs["ours"]], case.peak, "MiB", runs)
    if case.cold:
        stalls = [run.stall * 1000 for run in runs["ours"]]
        yield limited(f"upload: longest stall of the loop, {case}", stalls, LIMITS["stall"], "ms")


def cancel_row(case: Case, rounds: int) -> Row:
    """Measure how long it takes to give up parts under way."""
    runs = measured(case, ["ours-cancelled"], rounds)["ours-cancelled"]
    late = [run.late * 1000 for run in runs]
    return limited(f"upload: parts given up, {case.at_once} at once", late, LIMITS["late"], "ms")


def line_rows(rounds: int) -> Iterator[Row]:
    """Measure over a long line."""
    lacking = delayline.missing()
    walls = {} if lacking else delayline.measured(rounds=rounds, size=256, threads=list(LINE))
    for threads, target in LINE.items():
        peer = f"{named('requests', Case())}, {threads} at once"
        row = Row("upload: wall time, round trip of 50 ms, http, 8 at once", peer, target=target, unit="s")
        if lacking:
            yield replace(row, note=f"not measured: it needs {', '.join(lacking)}")
            continue
        ours, theirs = walls["ours", 8], walls["requests", threads]
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        yield replace(
            row,
            ours=statistics.median(ours),
            theirs=statistics.median(theirs),
            ratio=statistics.median(ratios),
            note=spread(ratios),
        )


def limited(
    question: str, found: Sequence[float], limit: float, unit: str, runs: dict[str, list[Run]] | None = None
) -> Row:
    """Return a row whose peer is a limit; what others take is in the note."""
    others = {name: each for name, each in (runs or {}).items() if name not in ("ours", "curl")}
    notes = [
        f"{name} {statistics.median(run.peak for run in each) / MIB:.1f}" for name, each in others.items()
    ]
    return under(question, statistics.median(found), limit, unit, ", ".join(notes))


def spread(ratios: Iterator[float] | Sequence[float]) -> str:
    """Return the least and the greatest."""
    found = sorted(ratios)
    return f"{found[0]:.2f} to {found[-1]:.2f}"


def named(client: str, case: Case) -> str:
    """Return the name of a client, with its version."""
    match client:
        case "requests":
            return f"{versioned('requests')} as telestream-cloud 1.1.2 uses it"
        case "httpx-bytes":
            return f"{versioned('httpx')} content=bytes"
        case "ours-plain":
            return f"{versioned('cloudreel')} fast_path=False"
        case "sockets":
            return "bare sockets, " + ("sendfile" if case.scheme == "http" else "SSLSocket.sendall")
        case "curl":
            told = subprocess.run(
                ["curl", "--version"], stdout=subprocess.PIPE, text=True, check=False
            ).stdout
            return " ".join(told.split()[:2]) + " -T"
        case _:
            return versioned(client)


def lacks(client: str) -> str | None:
    """Return what a client needs and this machine does not have."""
    if client == "curl":
        return "curl" if shutil.which("curl") is None else None
    needed = NEEDS.get(client)
    return needed if needed is not None and find_spec(needed) is None else None


def main() -> None:
    """Measure one case and print its rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    usual = Case()
    parser.add_argument("--scheme", choices=["http", "https"], default=usual.scheme)
    parser.add_argument("--size", type=int, default=usual.size, metavar="MIB", help="of the file")
    parser.add_argument("--part", type=int, default=usual.part, metavar="MIB", help="of a part")
    parser.add_argument("--at-once", type=int, default=usual.at_once, metavar="PARTS")
    parser.add_argument("--cold", action="store_true", help="have the file come from the disk each time")
    parser.add_argument("--loop", choices=["asyncio", "uvloop", "trio"], default=usual.loop)
    parser.add_argument("--rounds", type=int, default=PAIRS)
    known = [*USUAL[0][1], "curl"]
    parser.add_argument("--client", choices=known, action="append", help="beside ours; all by default")
    chosen = parser.parse_args()
    case = Case(chosen.scheme, chosen.size, chosen.part, chosen.at_once, chosen.cold, chosen.loop)
    print(heading())
    for row in case_rows(case, dict.fromkeys(chosen.client or known), chosen.rounds):
        print(as_lines([row]), flush=True)


if __name__ == "__main__":
    main()
