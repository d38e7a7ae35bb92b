"""Following a video and its encodings until nothing more will happen to them by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import anyio
from attrs import frozen

from cloudreel.errors import TimedOut
from cloudreel.panda.models import FAIL, SUCCESS, EncodingFields, VideoFields, is_final

State = TypeVar("State")

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 10.0
GROWTH = 1.5


@frozen
class JobProgress:
    """What a video and its encodings have come to."""

    video: VideoFields
    encodings: tuple[EncodingFields, ...]

    @property
    def percent(self) -> float:
        """The mean progress of the encodings, 0 to 100; without any, 100 once the video is stored."""
        if not self.encodings:
            return 100.0 if is_final(self.video) else 0.0
        return sum(percent_of(encoding) for encoding in self.encodings) / len(self.encodings)

    @property
    def failed(self) -> VideoFields | EncodingFields | None:
        """The video or the first encoding that has failed, if any has."""
        jobs: tuple[VideoFields | EncodingFields, ...] = (self.video, *self.encodings)
        return next((job for job in jobs if job.status == FAIL), None)

    @property
    def final(self) -> bool:
        """Whether nothing more will happen: the video failed, or it and all its encodings are through."""
        if self.video.status == FAIL:
            return True
        return is_final(self.video) and all(map(is_final, self.encodings))


def percent_of(encoding: EncodingFields) -> float:
    """Return an encoding's progress, 0 to 100; a successful one may still say 99 (panda.md 5.3)."""
    return 100.0 if encoding.status == SUCCESS else min(encoding.encoding_progress or 0.0, 100.0)


def _pauses(poll: float | None) -> Callable[[], float]:
    """Return a function that says how long to wait before the next look, in seconds."""
    pause = FIRST_PAUSE

    def next_pause() -> float:
        nonlocal pause
        if poll is not None:
            return poll
        now, pause = pause, min(pause * GROWTH, LONGEST_PAUSE)
        return now

    return next_pause


def watch(look: Callable[[], Awaitable[JobProgress]], poll: float | None) -> AsyncIterator[JobProgress]:
    """Return an iterator over what ``look`` sees whenever it differs from before, until it is final."""
    return _Watch(look, poll)


class _Watch(AsyncIterator[JobProgress]):
    """A plain iterator: an async generator that is left early waits for its loop to close it."""

    def __init__(self, look: Callable[[], Awaitable[JobProgress]], poll: float | None) -> None:
        self._look = look
        self._pause = _pauses(poll)
        self._last: JobProgress | None = None
        self._seen: object = None

    async def __anext__(self) -> JobProgress:
        while self._last is None or not self._last.final:
            if self._last is not None:
                await anyio.sleep(self._pause())
            self._last = await self._look()
            encodings = [(e.id, e.status, e.encoding_progress) for e in self._last.encodings]
            state = (self._last.video.status, encodings)
            if state != self._seen:
                self._seen = state
                return self._last
        raise StopAsyncIteration


async def until(
    look: Callable[[], Awaitable[State]],
    settled: Callable[[State], bool],
    *,
    timeout: float | None,
    poll: float | None,
    late: Callable[[], TimedOut],
) -> State:
    """Return what ``look`` sees as soon as it is ``settled``.

    Args:
        look: asks the service.
        settled: whether there is nothing left to wait for.
        timeout: seconds in all, None for no limit.
        poll: seconds between looks; None begins quickly and slows down to one look in ten seconds.
        late: makes the error for a wait that runs out of time.
    """
    pause = _pauses(poll)
    with anyio.move_on_after(timeout):
        while True:
            state = await look()
            if settled(state):
                return state
            await anyio.sleep(pause())
    raise late()


def failure_text(kind: str, job: VideoFields | EncodingFields) -> str:
    """Return what a failed job's error says."""
    name = f" ({job.profile_name})" if isinstance(job, EncodingFields) and job.profile_name else ""
    why = ": ".join(part for part in (job.error_class, job.error_message) if part) or "no reason given"
    return f"{kind} {job.id}{name} failed: {why}"
