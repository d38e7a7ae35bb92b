"""Looking at something of the service again and again until nothing more will happen to it by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from typing import Final, Generic, TypeVar

import anyio

from cloudreel.core.inbox import Ear, Inbox
from cloudreel.core.telemetry import span
from cloudreel.errors import CloudReelError

State = TypeVar("State")

FIRST_PAUSE: Final = 0.25  # seconds
LONGEST_PAUSE: Final = 10.0
GROWTH: Final = 1.5

_NOTHING: Final = object()


def nothing(_: object) -> Collection[str]:
    """Return that no notification is about a state."""
    return ()


async def until(
    look: Callable[[], Awaitable[State]],
    settled: Callable[[State], bool],
    *,
    timeout: float | None,
    poll: float | None,
    late: Callable[[], CloudReelError],
    notified: Inbox | None = None,
    about: Callable[[State], Collection[str]] = nothing,
) -> State:
    """Return what ``look`` sees as soon as it is ``settled``.

    Args:
        look: asks the service.
        settled: whether there is nothing left to wait for; what it raises ends the wait.
        timeout: seconds in all, None for no limit.
        poll: seconds between looks; None begins quickly and slows down to one look in ten seconds.
        late: makes the error for a wait that runs out of time.
        notified: where notifications come in; one that concerns the state ends a pause.
        about: the ids of the objects that a state tells of.
    """
    looks = _Looks(look, poll, notified, about)
    with span("wait", {}):
        with anyio.move_on_after(timeout):
            while True:
                state = await looks.look()
                if settled(state):
                    return state
                await looks.pause()
        raise late()


def watch(
    look: Callable[[], Awaitable[State]],
    final: Callable[[State], bool],
    *,
    poll: float | None,
    news: Callable[[State], object],
    notified: Inbox | None = None,
    about: Callable[[State], Collection[str]] = nothing,
) -> AsyncIterator[State]:
    """Return an iterator over what ``look`` sees whenever it differs from before, until it is ``final``.

    Args:
        look: asks the service.
        final: whether nothing more will happen.
        poll: seconds between looks; None begins quickly and slows down to one look in ten seconds.
        news: what of a state is compared to what it was before.
        notified: where notifications come in; one that concerns the state ends a pause.
        about: the ids of the objects that a state tells of.
    """
    return _Watch(_Looks(look, poll, notified, about), final, news)


class _Looks(Generic[State]):
    """One look after the other, and the pauses between them, which a notification ends."""

    def __init__(
        self,
        look: Callable[[], Awaitable[State]],
        poll: float | None,
        notified: Inbox | None,
        about: Callable[[State], Collection[str]],
    ) -> None:
        self._look = look
        self._pauses = _pauses(poll)
        self._notified = notified
        self._about = about
        self._ear: Ear | None = None

    async def look(self) -> State:
        if self._notified is None:
            return await self._look()
        if self._ear is None:  # made here, on the event loop that looks
            self._ear = self._notified.listen()
        # What is heard during the look may not be in what it sees.
        self._ear.forget()
        state = await self._look()
        self._ear.expect(self._about(state))
        return state

    async def pause(self) -> None:
        seconds = next(self._pauses)
        await (anyio.sleep(seconds) if self._ear is None else self._ear.wait(seconds))


class _Watch(AsyncIterator[State]):
    """A plain iterator: an async generator that is left early waits for its loop to close it."""

    def __init__(
        self,
        looks: _Looks[State],
        final: Callable[[State], bool],
        news: Callable[[State], object],
    ) -> None:
        self._looks = looks
        self._final = final
        self._news = news
        self._seen: object = _NOTHING
        self._ended = False

    async def __anext__(self) -> State:
        while not self._ended:
            if self._seen is not _NOTHING:
                await self._looks.pause()
            state = await self._looks.look()
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
