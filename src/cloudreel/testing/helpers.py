"""What a test does to its sandbox: have things go wrong, and move the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cloudreel.sandbox.faults import Action, Fault

if TYPE_CHECKING:
    from cloudreel.sandbox.state import Clock as SandboxClock
    from cloudreel.testing.places import Place


class Faults:
    """The faults that a test asks for; call it to add one.

    Args:
        place: the sandbox of the test.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(
        self,
        action: Action,
        *,
        path: str = "*",
        method: str = "*",
        times: int = 1,
        status: int | None = None,
        after_bytes: int = 0,
        seconds: float | None = None,
        bytes_per_second: int | None = None,
        location: str | None = None,
    ) -> None:
        """Have something go wrong with the next requests that match, as `Fault` says.

        Args:
            action: what goes wrong, such as ``"status"``, ``"drop"``, ``"delay"`` or ``"lost"``.
            path: a glob over the request's path.
            method: the request's method; ``*`` for any.
            times: how many requests it spoils.
            status: the status of ``status``, ``redirect`` and ``early``; None for the usual one.
            after_bytes: bytes of the request's body, or of the answer, that get through.
            seconds: how long, or how far off; with ``status``, the answer's ``Retry-After``.
            bytes_per_second: the pace of ``slow``.
            location: where ``redirect`` leads; None for the URL that was asked.

        Raises:
            ValueError: there is no such fault; the text says what is wrong with it.
        """
        asked = {
            "action": action,
            "path": path,
            "method": method,
            "times": times,
            "status": status,
            "after_bytes": after_bytes,
            "seconds": seconds,
            "bytes_per_second": bytes_per_second,
            "location": location,
        }
        self._place.add_fault(Fault.from_json(asked))

    @property
    def left(self) -> list[Fault]:
        """The faults that still wait for a request; a test that relies on one asserts there is none."""
        return list(self._place.sandbox.world.faults)

    def clear(self) -> None:
        """Let everything go well again."""
        self._place.clear_faults()


class Clock:
    """The clock that the sandbox goes by; after the test it is right again.

    Args:
        clock: the sandbox's.
    """

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Return the sandbox's time in epoch seconds."""
        return self._clock.now()

    def advance(self, step: float | timedelta) -> None:
        """Move the clock.

        Args:
            step: seconds or a span of time; back if it is negative.
        """
        self._clock.advance(step.total_seconds() if isinstance(step, timedelta) else step)

    def set(self, when: float | datetime) -> None:
        """Let the clock show a time now, and run on from there.

        Args:
            when: epoch seconds or an aware datetime.

        Raises:
            ValueError: the datetime has no time zone.
        """
        if isinstance(when, datetime):
            if when.tzinfo is None:
                raise ValueError(f"{when!r} has no time zone; give it one: when.replace(tzinfo=UTC)")
            when = when.timestamp()
        self._clock.set(when)
