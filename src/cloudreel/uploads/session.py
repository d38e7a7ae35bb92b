"""One upload from its first byte to the video, whatever the service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Generic, Literal, TypeVar, cast

import anyio
from anyio.abc import TaskGroup

from cloudreel.core.call import JSON
from cloudreel.core.groups import first_failure
from cloudreel.core.telemetry import span
from cloudreel.core.transport import Transport
from cloudreel.errors import CloudReelError
from cloudreel.uploads.custody import Custody
from cloudreel.uploads.dialects import Dialect
from cloudreel.uploads.events import Bell, Events, report
from cloudreel.uploads.events import ProgressCallback as ProgressCallback
from cloudreel.uploads.plan import Plan, Progress
from cloudreel.uploads.sender import Sender
from cloudreel.uploads.sources import Source
from cloudreel.uploads.stores import TicketStore
from cloudreel.uploads.ticket import Ticket

VideoT = TypeVar("VideoT")

Status = Literal["initialized", "uploading", "paused", "error", "uploaded", "aborted", "interrupted"]


class AsyncUploadSession(Generic[VideoT]):
    """An upload that can be paused, aborted, and continued after any failure.

    Args:
        transport: sends the calls; its service names the errors.
        source: what is uploaded, see `open_source`.
        ticket: the upload as the service created it.
        dialect: how one speaks to its location.
        make_video: the video of the JSON object that completes the upload.
        find_video: fetches the video by its id, for when that object was lost.
        threads: parts under way at once, unless the service or the dialect allows fewer.
        store: where the ticket lies from before the first byte until the upload is finished or aborted.
        progress: called with the newest `Progress` in the beginning, after changes at most ten times a
            second, and at the end. It may be async; a slow one misses steps and delays nothing. What it
            raises stops the upload and is raised.
        resumed: whether the upload was begun elsewhere, so that `resume` continues it and the store has it.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        transport: Transport,
        source: Source,
        ticket: Ticket,
        dialect: Dialect,
        *,
        make_video: Callable[[dict[str, JSON]], VideoT],
        find_video: Callable[[str], Awaitable[VideoT]],
        threads: int = 8,
        store: TicketStore | None = None,
        progress: ProgressCallback | None = None,
        resumed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads must be 1 or more, not {threads}")
        self._source = source
        self._make_video = make_video
        self._find_video = find_video
        self._callback = progress
        self._clock = clock
        self._plan = Plan(ticket.size, ticket.part_size)
        self._bell = Bell()
        limit = 1 if dialect.in_order else min(threads, ticket.max_connections, ticket.parts)
        self._custody = Custody(store, ticket, stored=resumed)
        self._sender = Sender(
            transport,
            source,
            ticket,
            dialect,
            self._plan,
            limit=limit,
            bell=self._bell,
            moved=self._custody.follow,
        )
        self._status: Status = "interrupted" if resumed else "initialized"
        self._error_message: str | None = None
        self._video: VideoT | None = None
        self._aborting = False
        self._sending: anyio.CancelScope | None = None  # of the start() or resume() under way
        self._stopped: anyio.Event | None = None  # set when nothing of it is being sent any more

    @property
    def status(self) -> Status:
        """Where the upload stands."""
        return self._status

    @property
    def error_message(self) -> str | None:
        """Why the status is ``error``, None otherwise."""
        return self._error_message

    @property
    def video(self) -> VideoT | None:
        """The video, once the status is ``uploaded``."""
        return self._video

    @property
    def progress(self) -> Progress:
        """How far the upload has come."""
        return self._plan.progress(self._clock())

    def ticket(self) -> Ticket:
        """Return what continues this upload in another process or on another host."""
        return self._sender.ticket

    def events(self) -> AsyncIterator[Progress]:
        """Return an iterator over the newest progress, at most ten a second, until the upload is over.

        The first comes at once, the last tells how far it came. It only observes: it neither drives nor
        delays the upload, and may be left at any time. It ends with `start` or `resume`, however these
        end; one that begins before them waits for them.
        """
        return Events(self._bell, lambda: self.progress, self._clock)

    async def start(self) -> VideoT:
        """Send every part and return the video.

        Raises:
            UploadError: the session was started before or aborted meanwhile, the source changed, or the
                lease in the store was lost.
            CloudReelError: the first failure, as it came, once what was on the wire beside it has had a
                second to arrive; its ``ticket`` and `resume` continue.
        """
        if self._status != "initialized":
            raise self._refusal("started")
        with self._span():
            return await self._run(ask_first=False)

    async def resume(self) -> VideoT:
        """Continue after a failure or an interruption, and return the video; or end a pause.

        The service is asked what it misses, and only that is sent. After a pause the running `start` goes
        on and returns the video; here there is none yet, and None is returned at once.

        Raises:
            UploadError: the upload is finished, aborted or under way, here or by another worker of the
                store, or the source changed.
            CloudReelError: the first failure, as it came; its ``ticket`` and `resume` continue.
        """
        if self._sender.paused:
            self._sender.go_on()
            self._status = "uploading"
            self._plan.start_clock(self._clock())
            # Typed for whoever wants the video; who ends a pause has another task that waits for it.
            return cast("VideoT", self._video)
        if self._status in ("uploaded", "aborted", "uploading"):
            raise self._refusal("resumed")
        with self._span():
            return await self._run(ask_first=True)

    async def pause(self) -> None:
        """Begin no further part; those under way are finished. `resume` goes on.

        Raises:
            UploadError: nothing is being uploaded.
        """
        if self._sender.paused:
            return
        if self._status != "uploading":
            raise self._refusal("paused")
        self._status = "paused"
        self._sender.pause()

    async def abort(self) -> None:
        """Stop sending and have the service forget the upload.

        A running `start` raises UploadError. The status is ``aborted`` once the service has confirmed;
        when this fails, the upload can still be resumed or aborted.

        Raises:
            UploadError: the upload is finished, or in the hands of another worker of the store.
            CloudReelError: the service did not confirm; its ``ticket`` continues.
        """
        self._require_unfinished()
        self._aborting = True
        aborted = False
        try:
            if self._sending is not None and self._stopped is not None:
                self._sending.cancel()
                await self._stopped.wait()
                self._require_unfinished()  # it may have been faster
            await self._custody.claim()
            await self._sender.abort()
            aborted = True
        except CloudReelError as failure:
            failure.ticket = self._sender.ticket
            raise
        finally:
            self._aborting = False
            await self._custody.give_back(finished=aborted)
        self._settle("aborted")
        await self._source.close()

    async def close(self) -> None:
        """Remove the temporary copy of a source that could only be read once; nothing else is kept.

        An upload that was finished or aborted has done so itself.
        """
        await self._source.close()

    # -- one run: start() or resume() ----------------------------------------------------------------

    def _span(self) -> AbstractContextManager[None]:
        ticket = self._sender.ticket
        sizes = {"cloudreel.upload.size": ticket.size, "cloudreel.upload.parts": ticket.parts}
        return span("upload", {"cloudreel.service": ticket.service, **sizes})

    async def _run(self, *, ask_first: bool) -> VideoT:
        if self._aborting:
            raise self._sender.error("is being aborted")
        self._status = "uploading"
        self._error_message = None
        self._stopped = anyio.Event()
        self._bell.begin()
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as reporting:
                if self._callback is not None:
                    reporting.start_soon(report, self.events(), self._callback)
                failure = await self._upload_and_settle(ask_first)
        except BaseExceptionGroup as group:  # the callback failed, or giving the source back
            if failure is None:
                failure = first_failure(group)
                if self._video is None:
                    self._settle(_status_after(failure), failure)
        # Raised out here, bare, the failure keeps its own cause and gets no group as context.
        if failure is not None:
            raise failure
        assert self._video is not None
        return self._video

    async def _upload_and_settle(self, ask_first: bool) -> BaseException | None:
        """Upload, let go of the source, settle the status; return the first failure."""
        failure: BaseException | None = None
        status: Status = "interrupted"  # which it stays when cancelled
        try:
            async with anyio.create_task_group() as group:
                self._sending = group.cancel_scope
                self._video = await self._upload(group, ask_first)
                status = "uploaded"
                await self._custody.give_back(finished=True)
            if self._video is None:
                failure = self._sender.error("was stopped by abort()")
        except BaseExceptionGroup as failures:
            failure = first_failure(failures)
            status = _status_after(failure)
        finally:
            self._sender.go_on()
            try:
                with anyio.CancelScope(shield=True):
                    await self._custody.give_back(finished=False)
                    await (self._source.close() if status == "uploaded" else self._source.release())
            finally:
                self._settle(status, failure)
        return failure

    def _settle(self, status: Status, failure: BaseException | None = None) -> None:
        self._status = status
        self._error_message = str(failure) if status == "error" else None
        self._sending = None
        if isinstance(failure, CloudReelError):
            failure.ticket = self._sender.ticket
        if self._stopped is not None:
            self._stopped.set()
        self._bell.end()

    async def _upload(self, group: TaskGroup, ask_first: bool) -> VideoT:
        await self._source.open()
        await self._source.verify(self._sender.ticket.fingerprint)
        await self._custody.take(self._sender.ticket, group)
        self._plan.start_clock(self._clock())
        found = await self._sender.upload(group, ask_first=ask_first)
        return await self._find_video(found) if isinstance(found, str) else self._make_video(found)

    # -- errors ------------------------------------------------------------------------------------

    def _require_unfinished(self) -> None:
        if self._status == "uploaded":
            raise self._refusal("aborted")

    def _refusal(self, verb: str) -> CloudReelError:
        why: dict[Status, str] = {
            "initialized": "it has not been started",
            "uploading": "it is under way",
            "paused": "it is paused; call resume()",
            "error": "it has failed; call resume()",
            "interrupted": "it was interrupted; call resume()",
            "uploaded": "it is already uploaded",
            "aborted": "it was aborted",
        }
        return self._sender.error(f"cannot be {verb}: {why[self._status]}")


def _status_after(failure: BaseException) -> Status:
    return "error" if isinstance(failure, Exception) else "interrupted"
