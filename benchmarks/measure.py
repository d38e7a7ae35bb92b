"""How the benchmarks measure: two things in turn, several times, in seconds of CPU."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec

from table import UNITS, Row, versioned

Work = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    ``pairs`` of samples are taken, each of about ``seconds``; ``largest`` cuts the counts of what a question
    is about (objects, tasks, bytes), None leaves them as they are.
    """

    pairs: int = 7
    seconds: float = 0.05
    largest: int | None = None

    def count(self, wanted: int) -> int:
        """Return a count, cut where this is but a glance."""
        return wanted if self.largest is None else min(wanted, self.largest)


GLANCE = Effort(pairs=1, seconds=0, largest=8)


@dataclass(frozen=True)
class Peer:
    """What stands beside us.

    ``make`` imports what it needs and returns the work to measure; ``package`` is whose version is named, and
    ``needs`` are the modules without which there is nothing to measure.
    """

    package: str
    make: Callable[[], Work]
    what: str = ""
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the table shows."""
        return " ".join(filter(None, [versioned(self.package), self.what]))


def compare(
    question: str,
    ours: Work,
    peer: Peer,
    effort: Effort,
    *,
    target: float | None = None,
    floor: Work | None = None,
    per: int = 1,
    collect: bool = True,
    note: str = "",
) -> Row:
    """Measure two functions in turn.

    Args:
        question: what both of them do.
        ours: our way.
        peer: the other.
        effort: how long.
        target: the most that ours by the peer's is meant to be.
        floor: what nobody gets below, measured along with them.
        per: of how many things one call takes care; figures are for one.
        collect: whether the garbage collector runs meanwhile.
        note: to show in the table.
    """
    row = Row(question, peer.name, target=target, note=note)
    missing = [module for module in peer.needs if not _installed(module)]
    if missing:
        return replace(row, note=f"not measured: {', '.join(missing)} is not installed")
    works = [ours, peer.make()] + ([floor] if floor is not None else [])
    calls = [_calls(work, effort.seconds) for work in works]
    rounds = [
        [_cpu(work, count, collect) / per for work, count in zip(works, calls, strict=True)]
        for _ in range(effort.pairs if max(calls) > 1 else min(effort.pairs, 5))  # what is slow wavers less
    ]
    medians = [statistics.median(taken) for taken in zip(*rounds, strict=True)]
    unit = next(unit for unit, many in UNITS.items() if medians[1] * many < 1000 or unit == "s")
    return replace(
        row,
        ours=medians[0] * UNITS[unit],
        theirs=medians[1] * UNITS[unit],
        ratio=_ratio(rounds, 0),
        floor=_ratio(rounds, 2) if floor is not None else None,
        unit=unit,
    )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is what it is part of
        return False


def _ratio(rounds: list[list[float]], at: int) -> float:
    return statistics.median(taken[at] / max(taken[1], 1e-9) for taken in rounds)


def _calls(work: Work, seconds: float) -> int:
    """Return how many calls take about so many seconds; what takes that long itself is called once."""
    calls = 1
    if not seconds:
        return calls
    while (taken := _cpu(work, calls, True) * calls) < seconds:
        calls = max(calls * 2, int(calls * min(seconds / max(taken, 1e-9), 100)))
    return calls


def _cpu(work: Work, calls: int, collect: bool) -> float:
    gc.collect()
    if not collect:
        gc.disable()
    try:
        began = time.process_time()
        for _ in range(calls):
            work()
        return (time.process_time() - began) / calls
    finally:
        gc.enable()
