"""What may go wrong on request: faults, and the plan that keeps them in order. PURE."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, get_args

import attrs

from cloudreel.signing.shapes import is_mapping

Action: TypeAlias = Literal[
    "status",
    "redirect",
    "delay",
    "slow",
    "drop",
    "stall",
    "truncate",
    "reset",
    "lost",
    "half_open",
    "garbage",
    "early",
    "duplicate",
    "moved",
    "expired",
    "skew",
]
ACTIONS: tuple[Action, ...] = get_args(Action)
LONGEST = 86_400.0  # seconds of a wait, and that a clock is off

# Which statuses an action may answer with, and which it answers with unless told. 101 would end HTTP.
STATUSES: dict[Action, tuple[int, ...]] = {
    "early": (100, 102, 103),
    "redirect": tuple(range(300, 400)),
}
ANY_STATUS = tuple(range(200, 600))
STATUS: dict[Action, int] = {"early": 103, "redirect": 302}
NEEDED: dict[Action, str] = {"delay": "seconds", "skew": "seconds", "slow": "bytes_per_second"}


class BadFault(ValueError):
    """A fault was asked for that does not exist; the text says what is wrong with it."""


def _usual_status(fault: Fault) -> int:
    return STATUS.get(fault.action, 500)


@attrs.frozen
class Fault:
    """One thing that goes wrong.

    None of them is left to chance: whoever wants a random plan draws it and knows the seed.

    What the service does not get to see, or answers differently:

    * ``status`` answers with ``status`` instead of acting.
    * ``redirect`` answers with ``status`` (302) and a ``Location`` instead of acting.
    * ``expired`` forgets the upload at this location, as if it had been deleted; the service answers so.
    * ``moved`` moves the upload, as ``POST /__sandbox__/uploads/{id}/move`` does, then acts: the answer
      names the new location. An upload in parts stays where it is.
    * ``duplicate`` delivers the request twice, as a proxy does that tries again: the service acts on both,
      and the answer to the second comes back. A signature is refused the second time.
    * ``skew`` acts with a clock that is ``seconds`` off (behind if they are negative), in the ``Date`` of
      the answer, too, and in the work that the request sets off.
    * ``early`` sends an informational answer with ``status`` (103) at once, then acts.

    What happens to the line on the way there. The service sees the body up to ``after_bytes``; a body that
    ends before that is acted upon, and only the answer is lost:

    * ``drop`` resets the connection once ``after_bytes`` of the body have arrived.
    * ``stall`` holds still from there for ``seconds`` (or until the peer leaves), then resets it.
    * ``delay`` waits ``seconds``, then acts.
    * ``slow`` reads and answers no faster than ``bytes_per_second``; given ``seconds``, only for so long:
      a line that starts slowly.

    What happens on the way back, after the service has acted:

    * ``lost`` resets the connection before any byte of the answer.
    * ``truncate`` lets ``after_bytes`` bytes of the answer out, head included, then ends the connection.
    * ``reset`` lets as many out and sees them arrive, then resets the connection.
    * ``half_open`` lets as many out, then keeps the connection and says nothing, for ``seconds`` or until
      the peer leaves.
    * ``garbage`` answers with no HTTP at all, and the service does not act.

    Args:
        action: what goes wrong.
        method: the request's method; ``*`` for any.
        path: a glob over the request's path.
        times: how many requests it spoils.
        status: the status of ``status``, ``redirect`` and ``early``.
        after_bytes: bytes of the request's body, or of the answer, that get through.
        seconds: how long, or how far off; with ``status``, the answer's ``Retry-After``.
        bytes_per_second: the pace of ``slow``.
        location: where ``redirect`` leads; None for the URL that was asked.
    """

    action: Action
    path: str = "*"
    method: str = "*"
    times: int = 1
    status: int = attrs.field(default=attrs.Factory(_usual_status, takes_self=True))
    after_bytes: int = 0
    seconds: float | None = None
    bytes_per_second: int | None = None
    location: str | None = None

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """Read a fault from decoded JSON.

        Raises:
            BadFault: naming the first thing that is wrong.
        """
        if not is_mapping(value):
            raise BadFault(f"a fault is a JSON object, not {value!r}")
        given: Mapping[str, object] = {str(name): each for name, each in value.items() if each is not None}
        unknown = sorted(given.keys() - {field.name for field in attrs.fields(cls)})
        if unknown:
            raise BadFault(f"a fault has no field {unknown[0]!r}")
        action = _action(given.get("action"))
        needed = NEEDED.get(action)
        if needed is not None and needed not in given:
            raise BadFault(f"{action} needs {needed}")
        pace = "bytes_per_second"
        return cls(
            action=action,
            path=_text(given, "path", default="*"),
            method=_text(given, "method", default="*").upper(),
            times=_count(given, "times", default=1, low=1, high=1_000_000),
            status=_status(given, action),
            after_bytes=_count(given, "after_bytes", default=0, low=0, high=2**63),
            seconds=_seconds(given, low=-LONGEST if action == "skew" else 0.0),
            bytes_per_second=_count(given, pace, default=1, low=1, high=2**63) if pace in given else None,
            location=_text(given, "location", default="") if "location" in given else None,
        )

    def to_json(self) -> dict[str, object]:
        """Return the fault as plain JSON values."""
        return attrs.asdict(self)

    def matches(self, method: str, path: str) -> bool:
        """Say whether the fault spoils such a request."""
        return self.method in {"*", method} and fnmatchcase(path, self.path)


class FaultPlan:
    """The faults still to be played, in the order they were asked for."""

    def __init__(self) -> None:
        self._left: deque[Fault] = deque()

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._left))

    def add(self, *faults: Fault) -> None:
        """Put faults at the end of the plan."""
        self._left.extend(faults)

    def clear(self) -> None:
        """Forget all faults."""
        self._left.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault for such a request, one turn of it spent; None if there is none."""
        for index, fault in enumerate(self._left):
            if fault.matches(method, path):
                if fault.times > 1:
                    self._left[index] = attrs.evolve(fault, times=fault.times - 1)
                else:
                    del self._left[index]
                return fault
        return None


def _action(value: object) -> Action:
    for action in ACTIONS:
        if value == action:
            return action
    raise BadFault(f"action must be one of {', '.join(ACTIONS)}, not {value!r}")


def _text(given: Mapping[str, object], name: str, *, default: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise BadFault(f"{name} must be text, not {value!r}")
    return value


def _count(given: Mapping[str, object], name: str, *, default: int, low: int, high: int) -> int:
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadFault(f"{name} must be a whole number from {low} to {high}, not {value!r}")
    return value


def _status(given: Mapping[str, object], action: Action) -> int:
    allowed = STATUSES.get(action, ANY_STATUS)
    status = _count(given, "status", default=STATUS.get(action, 500), low=allowed[0], high=allowed[-1])
    if status not in allowed:
        raise BadFault(f"status must be one of {', '.join(map(str, allowed))}, not {status}")
    return status


def _seconds(given: Mapping[str, object], *, low: float) -> float | None:
    value = given.get("seconds")
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= LONGEST:
        raise BadFault(f"seconds must be a number from {low:g} to {LONGEST:g}, not {value!r}")
    return float(value)
