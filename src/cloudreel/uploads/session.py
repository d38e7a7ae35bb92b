"""One upload from its first byte to the video, whatever the service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import Generic, Literal, TypeAlias, TypeVar, cast

import anyio
from anyio.abc import TaskGroup
from attrs import evolve

from cloudreel.core.call import JSON
from cloudreel.core.transport import Transport
from cloudreel.errors import CloudReelError, NotFoundError, UploadError
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.dialects import Dialect
from cloudreel.uploads.events import Bell, Events
from cloudreel.uploads.failures import first_failure
from cloudreel.uploads.plan import Part, Plan, Progress
from cloudreel.uploads.sources import Source
from cloudreel.uploads.ticket import Ticket

VideoT = TypeVar("VideoT")

Status = Literal["initialized", "uploading", "paused", "error", "uploaded", "aborted", "interrupted"]
ProgressCallback: TypeAlias = Callable[[Progress], Awaitable[object] | object]

MOST_ROUNDS = 5  # of sending what the service still misses (telestream.md 11.25)


class AsyncUploadSession(Generic[VideoT]):
    """An upload that can be paused, aborted, and continued after any failure.

    Args:
        transport: sends the calls; its service names the errors.
        source: what is uploaded, see `open_source`.
        ticket: the upload as the service created it.
        dialect: how one speaks to its location.
        make_video: the video of the JSON object that completes the upload.
        find_video: fetches the video by its id, for when that object was lost.
        threads: parts under way at once, unless the service allows fewer.
        progress: called with the newest `Progress` after changes, and once at the end. It may be async;
            a slow one misses steps and delays nothing. What it raises stops the upload and is raised.
        resumed: whether the upload was begun elsewhere, so that `resume` continues it.
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
        progress: ProgressCallback | None = None,
        resumed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads must be 1 or more, not {threads}")
        self._transport = transport
        self._source = source
        self._ticket = ticket
        self._dialect = dialect
        self._make_video = make_video
        self._find_video = find_video
        self._limit = min(threads, ticket.max_connections, ticket.parts)
        self._callback = progress
        self._clock = clock
        self._plan = Plan(ticket.size, ticket.part_size)
        self._bell = Bell()
        self._status: Status = "interrupted" if resumed else "initialized"
        self._error_message: str | None = None
        self._document: dict[str, JSON] | None = None  # the completing answer
        self._video: VideoT | None = None
        self._aborting = False
        self._sending: anyio.CancelScope | None = None  # of the start() or resume() under way
        self._stopped: anyio.Event | None = None  # set when nothing of it is being sent any more
        self._pause: anyio.Event | None = None  # set when the pause is over; None outside of one

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
        return self._ticket

    def events(self) -> AsyncIterator[Progress]:
        """Return an iterator over the newest progress after each change, until the upload is over.

        It only observes: it neither drives nor delays the upload, and may be left at any time. It ends
        with `start` or `resume`, however these end; one that begins before them waits for them.
        """
        return Events(self._bell, lambda: self.progress)

    async def start(self) -> VideoT:
        """Send every part and return the video.

        Raises:
            UploadError: the session was started before or aborted meanwhile, or the source changed.
            CloudReelError: the first failure, as it came; its ``ticket`` and `resume` continue.
        """
        if self._status != "initialized":
            raise self._refusal("started")
        return await self._run(ask_first=False)

    async def resume(self) -> VideoT:
        """Continue after a failure or an interruption, and return the video; or end a pause.

        The service is asked what it misses, and only that is sent. After a pause the running `start` goes
        on and returns the video; here there is none yet, and None is returned at once.

        Raises:
            UploadError: the upload is finished, aborted or under way, or the source changed.
            CloudReelError: the first failure, as it came; its ``ticket`` and `resume` continue.
        """
        if self._pause is not None:
            self._pause.set()
            self._pause = None
            self._status = "uploading"
            self._plan.start_clock(self._clock())
            # Typed for whoever wants the video; who ends a pause has another task that waits for it.
            return cast("VideoT", self._video)
        if self._status in ("uploaded", "aborted", "uploading"):
            raise self._refusal("resumed")
        return await self._run(ask_first=True)

    async def pause(self) -> None:
        """Begin no further part; those under way are finished. `resume` goes on.

        Raises:
            UploadError: nothing is being uploaded.
        """
        if self._pause is not None:
            return
        if self._status != "uploading":
            raise self._refusal("paused")
        self._status = "paused"
        self._pause = anyio.Event()

    async def abort(self) -> None:
        """Stop sending and have the service forget the upload.

        A running `start` raises UploadError. The status is ``aborted`` once the service has confirmed;
        when this fails, the upload can still be resumed or aborted.

        Raises:
            UploadError: the upload is finished.
            CloudReelError: the service did not confirm.
        """
        self._require_unfinished()
        self._aborting = True
        try:
            if self._sending is not None and self._stopped is not None:
                self._sending.cancel()
                await self._stopped.wait()
                self._require_unfinished()  # it may have been faster
            with suppress(NotFoundError):  # the service has forgotten it already
                await self._transport.send(self._dialect.abort())
        finally:
            self._aborting = False
        self._settle("aborted")
        await self._source.close()

    async def close(self) -> None:
        """Remove the temporary copy of a source that could only be read once; nothing else is kept.

        An upload that was finished or aborted has done so itself.
        """
        await self._source.close()

    # -- one run: start() or resume() ----------------------------------------------------------------

    async def _run(self, *, ask_first: bool) -> VideoT:
        if self._aborting:
            raise self._error("is being aborted")
        self._status = "uploading"
        self._error_message = None
        self._stopped = anyio.Event()
        self._bell.over = False
        self._bell.ring()
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as reporting:
                if self._callback is not None:
                    reporting.start_soon(self._report, self._callback)
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

    async def _report(self, callback: ProgressCallback) -> None:
        async for progress in self.events():
            result = callback(progress)
            if isawaitable(result):
                await result

    async def _upload_and_settle(self, ask_first: bool) -> BaseException | None:
        """Upload, let go of the source, settle the status; return the first failure."""
        failure: BaseException | None = None
        status: Status = "interrupted"  # which it stays when cancelled
        try:
            async with anyio.create_task_group() as group:
                self._sending = group.cancel_scope
                self._video = await self._upload(group, ask_first)
                status = "uploaded"
            if self._video is None:
                failure = self._error("was stopped by abort()")
        except BaseExceptionGroup as failures:
            failure = first_failure(failures)
            status = _status_after(failure)
        finally:
            self._pause = None
            try:
                with anyio.CancelScope(shield=True):
                    await (self._source.close() if status == "uploaded" else self._source.release())
            finally:
                self._settle(status, failure)
        return failure

    def _settle(self, status: Status, failure: BaseException | None = None) -> None:
        self._status = status
        self._error_message = str(failure) if status == "error" else None
        self._sending = None
        if isinstance(failure, CloudReelError):
            failure.ticket = self._ticket
        if self._stopped is not None:
            self._stopped.set()
        self._bell.over = True
        self._bell.ring()

    async def _upload(self, group: TaskGroup, ask_first: bool) -> VideoT:
        await self._source.open()
        await self._source.verify(self._ticket.fingerprint)
        self._plan.start_clock(self._clock())
        video_id = await self._ask() if ask_first else None
        rounds = 0
        while self._plan.waiting:
            if rounds == MOST_ROUNDS:
                raise self._error(
                    f"goes on in circles: after {rounds} rounds the service still misses "
                    f"{self._plan.waiting} of {self._plan.parts} parts"
                )
            rounds += 1
            await self._send_missing(group)
            if self._document is not None:
                return self._make_video(self._document)
            video_id = await self._ask()
        return await self._recover_video(video_id)

    async def _ask(self) -> str | None:
        """Adopt the service's word on what is missing; return the id of the video once it has one."""
        missing = await self._transport.send(self._dialect.query())
        self._plan.missing_is(missing.parts)
        self._bell.ring()
        return missing.video_id

    async def _send_missing(self, group: TaskGroup) -> None:
        slots = anyio.Semaphore(self._limit)
        while (part := self._plan.next()) is not None:
            await slots.acquire()
            while self._pause is not None:
                await self._pause.wait()
            if not self._plan.waiting:
                # The last part completes the upload. What changed must not be completed.
                await self._source.verify(self._ticket.fingerprint)
            group.start_soon(self._send_in_slot, part, slots)
        for _ in range(self._limit):  # whoever holds every slot knows that no part is under way
            await slots.acquire()

    async def _send_in_slot(self, part: Part, slots: anyio.Semaphore) -> None:
        try:
            await self._send(part)
        finally:
            slots.release()

    async def _send(self, part: Part) -> None:
        body = SourceBody(self._source, part.offset, part.length, partial(self._note_sent, part.index))
        receipt = await self._transport.send(self._dialect.put(part, body))
        self._plan.confirm(part.index)
        self._bell.ring()
        if receipt.document is not None and receipt.document.get("id"):
            self._document = receipt.document
        if receipt.location is not None:
            self._ticket = evolve(self._ticket, location=receipt.location)
            self._dialect = self._dialect.moved(receipt.location)

    def _note_sent(self, index: int, count: int) -> None:
        self._plan.sent(index, count)
        self._bell.ring()

    async def _recover_video(self, video_id: str | None) -> VideoT:
        """Find the video of an upload that is complete though its completing answer is not at hand."""
        if self._document is None and video_id is not None:
            return await self._find_video(video_id)
        if self._document is None:
            # A repeated part does no harm and is answered with the video (telestream.md 8.3).
            await self._send(self._plan.smallest())
        if self._document is None:
            raise self._error("is complete, but its id is unknown; look for it among the videos")
        return self._make_video(self._document)

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
        return self._error(f"cannot be {verb}: {why[self._status]}")

    def _error(self, what: str) -> CloudReelError:
        kind = self._transport.service.errors.leaf(UploadError)
        return kind(f"The upload of {self._ticket.file_name!r} {what}", ticket=self._ticket)


def _status_after(failure: BaseException) -> Status:
    return "error" if isinstance(failure, Exception) else "interrupted"
