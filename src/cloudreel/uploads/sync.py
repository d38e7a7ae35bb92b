"""Generated from session.py by cloudreel._generate; do not edit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from cloudreel.core.portal import iterate
from cloudreel.core.twin import Twin, optional, run, through_none
from cloudreel.uploads.plan import Progress
from cloudreel.uploads.session import AsyncUploadSession, Status
from cloudreel.uploads.ticket import Ticket

AsyncVideoT = TypeVar("AsyncVideoT")
VideoT = TypeVar("VideoT")


class UploadSession(Twin[AsyncUploadSession[Any]], Generic[VideoT], of=AsyncUploadSession):
    """An upload that can be paused, aborted, and continued after any failure."""

    def __init__(self, impl: AsyncUploadSession[AsyncVideoT], wrap: Callable[[AsyncVideoT], VideoT]) -> None:
        super().__init__(impl)
        self._item = through_none(wrap)

    @property
    def status(self) -> Status:
        """Where the upload stands."""
        return self._impl.status

    @property
    def error_message(self) -> str | None:
        """Why the status is ``error``, None otherwise."""
        return self._impl.error_message

    @property
    def video(self) -> VideoT | None:
        """The video, once the status is ``uploaded``."""
        return optional(self._item, self._impl.video)

    @property
    def progress(self) -> Progress:
        """How far the upload has come."""
        return self._impl.progress

    def ticket(self) -> Ticket:
        """Return what continues this upload in another process or on another host."""
        return self._impl.ticket()

    def events(self) -> Iterator[Progress]:
        """Return an iterator over the newest progress, at most ten a second, until the upload is over.

        The first comes at once, the last tells how far it came. It only observes: it neither drives nor
        delays the upload, and may be left at any time. It ends with `start` or `resume`, however these
        end; one that begins before them waits for them.
        """
        return iterate(self._impl.events())

    def start(self) -> VideoT:
        """Send every part and return the video.

        Raises:
            UploadError: the session was started before or aborted meanwhile, the source changed, or the
                lease in the store was lost.
            CloudReelError: the first failure, as it came, once what was on the wire beside it has had a
                second to arrive; its ``ticket`` and `resume` continue.
        """
        return self._item(run(self._impl.start))

    def resume(self) -> VideoT:
        """Continue after a failure or an interruption, and return the video; or end a pause.

        The service is asked what it misses, and only that is sent. After a pause the running `start` goes
        on and returns the video; here there is none yet, and None is returned at once.

        Raises:
            UploadError: the upload is finished, aborted or under way, here or by another worker of the
                store, or the source changed.
            CloudReelError: the first failure, as it came; its ``ticket`` and `resume` continue.
        """
        return self._item(run(self._impl.resume))

    def pause(self) -> None:
        """Begin no further part; those under way are finished. `resume` goes on.

        Raises:
            UploadError: nothing is being uploaded.
        """
        run(self._impl.pause)

    def abort(self) -> None:
        """Stop sending and have the service forget the upload.

        A running `start` raises UploadError. The status is ``aborted`` once the service has confirmed;
        when this fails, the upload can still be resumed or aborted.

        Raises:
            UploadError: the upload is finished, or in the hands of another worker of the store.
            CloudReelError: the service did not confirm; its ``ticket`` continues.
        """
        run(self._impl.abort)

    def close(self) -> None:
        """Remove the temporary copy of a source that could only be read once; nothing else is kept.

        An upload that was finished or aborted has done so itself.
        """
        run(self._impl.close)
