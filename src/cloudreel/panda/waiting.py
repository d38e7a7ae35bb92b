"""Following a video and its encodings until nothing more will happen to them by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from attrs import frozen

from cloudreel.core import waiting
from cloudreel.core.inbox import Inbox
from cloudreel.panda.models import FAIL, SUCCESS, EncodingFields, VideoFields, is_final


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
    def ids(self) -> frozenset[str]:
        """The ids of the video and its encodings."""
        ids = [self.video.id, *(encoding.id for encoding in self.encodings)]
        return frozenset(filter(None, ids))

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


def watch(
    look: Callable[[], Awaitable[JobProgress]], poll: float | None, notified: Inbox | None = None
) -> AsyncIterator[JobProgress]:
    """Return an iterator over what ``look`` sees whenever it differs from before, until it is final."""
    return waiting.watch(
        look,
        lambda progress: progress.final,
        poll=poll,
        news=_news,
        notified=notified,
        about=lambda progress: progress.ids,
    )


def _news(progress: JobProgress) -> object:
    encodings = [(e.id, e.status, e.encoding_progress) for e in progress.encodings]
    return progress.video.status, encodings


def failure_text(job: VideoFields | EncodingFields) -> str:
    """Return what a failed job's error says."""
    kind = "Encoding" if isinstance(job, EncodingFields) else "Video"
    name = f" ({job.profile_name})" if isinstance(job, EncodingFields) and job.profile_name else ""
    why = ": ".join(part for part in (job.error_class, job.error_message) if part) or "no reason given"
    return f"{kind} {job.id}{name} failed: {why}"
