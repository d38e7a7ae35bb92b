"""Sending one attempt in the sight of whoever wants to know: hooks and OpenTelemetry."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Protocol, TypeVar

from cloudreel.core.hooks import NO_HOOKS, Hooks, RequestEvent, ResponseEvent, RetryEvent, tell
from cloudreel.core.service import Lost
from cloudreel.core.telemetry import Sight, telemetry
from cloudreel.errors import CloudReelError


class Answered(Protocol):
    """An answer, read or not."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...


Outcome = TypeVar("Outcome", bound=Answered | Lost)


def is_watched(hooks: Hooks) -> bool:
    """Return whether anybody wants to know."""
    return hooks is not NO_HOOKS or telemetry() is not None


async def observed(event: RequestEvent, hooks: Hooks, send: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Send an attempt and return what came of it.

    Args:
        event: the attempt.
        hooks: are told.
        send: sends it.
    """
    await tell(hooks.on_request, event)
    begun = time.perf_counter()
    told = telemetry()
    with nullcontext(Sight()) if told is None else told.attempt(event) as sight:
        outcome = await send()
        if isinstance(outcome, Lost):
            sight.error = "timeout" if outcome.timed_out else type(outcome.cause).__qualname__
            return outcome
        sight.status = outcome.status_code
    seconds = time.perf_counter() - begun
    await tell(
        hooks.on_response,
        ResponseEvent(event.service, event.method, event.url, event.attempt, outcome.status_code, seconds),
    )
    return outcome


async def retrying(event: RequestEvent, hooks: Hooks, error: CloudReelError, delay: float) -> None:
    """Tell that an attempt failed with an error, and that another follows in so many seconds."""
    if (told := telemetry()) is not None:
        told.retried(event)
    await tell(
        hooks.on_retry, RetryEvent(event.service, event.method, event.url, event.attempt, error, delay)
    )
