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


async def watch(look: Callable[[], Awaitable[JobProgress]], poll: float | None) -> AsyncIterator[JobProgress]:
    """Yield what ``look`` sees whenever it differs from before, until it is final."""
    pause = _pauses(poll)
    seen: object = None
    while True:
        event = await look()
        state = (event.video.status, [(e.id, e.status, e.encoding_progress) for e in event.encodings])
        if state != seen:
            seen = state
            yield event
        if event.final:
            return
        await anyio.sleep(pause())


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
