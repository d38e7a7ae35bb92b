"""Looking at something of the service again and again until nothing more will happen to it by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final, TypeVar

import anyio

from cloudreel.errors import CloudReelError

State = TypeVar("State")

FIRST_PAUSE: Final = 0.25  # seconds
LONGEST_PAUSE: Final = 10.0
GROWTH: Final = 1.5

_NOTHING: Final = object()


async def until(
    look: Callable[[], Awaitable[State]],
    settled: Callable[[State], bool],
    *,
    timeout: float | None,
    poll: float | None,
    late: Callable[[], CloudReelError],
) -> State:
    """Return what ``look`` sees as soon as it is ``settled``.

    Args:
        look: asks the service.
        settled: whether there is nothing left to wait for; what it raises ends the wait.
        timeout: seconds in all, None for no limit.
        poll: seconds between looks; None begins quickly and slows down to one look in ten seconds.
        late: makes the error for a wait that runs out of time.
    """
    pauses = _pauses(poll)
    with anyio.move_on_after(timeout):
        while True:
            state = await look()
            if settled(state):
                return state
            await anyio.sleep(next(pauses))
    raise late()


def watch(
    look: Callable[[], Awaitable[State]],
    final: Callable[[State], bool],
    *,
    poll: float | None,
    news: Callable[[State], object],
) -> AsyncIterator[State]:
    """Return an iterator over what ``look`` sees whenever it differs from before, until it is ``final``.

    Args:
        look: asks the service.
        final: whether nothing more will happen.
        poll: seconds between looks; None begins quickly and slows down to one look in ten seconds.
        news: what of a state is compared to what it was before.
    """
    return _Watch(look, final, _pauses(poll), news)


class _Watch(AsyncIterator[State]):
    """A plain iterator: an async generator that is left early waits for its loop to close it."""

    def __init__(
        self,
        look: Callable[[], Awaitable[State]],
        final: Callable[[State], bool],
        pauses: Iterator[float],
        news: Callable[[State], object],
    ) -> None:
        self._look = look
        self._final = final
        self._pauses = pauses
        self._news = news
        self._seen: object = _NOTHING
        self._ended = False

    async def __anext__(self) -> State:
        while not self._ended:
            if self._seen is not _NOTHING:
                await anyio.sleep(next(self._pauses))
            state = await self._look()
            self._ended = self._final(state)
            before, self._seen = self._seen, self._news(state)
            if self._seen != before:
                return state
        raise StopAsyncIteration


def _pauses(poll: float | None) -> Iterator[float]:
    """Yield how long to wait before each further look, in seconds."""
    pause = FIRST_PAUSE
    while True:
        yield pause if poll is None else poll
        pause = min(pause * GROWTH, LONGEST_PAUSE)
