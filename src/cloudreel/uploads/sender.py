"""Sending what the service still misses of an upload, until the video is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup
from attrs import evolve

from cloudreel.core.call import JSON, Call
from cloudreel.core.transport import Transport
from cloudreel.errors import CloudReelError, NotFoundError, UploadError
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.dialects import Dialect, Receipt
from cloudreel.uploads.events import Bell
from cloudreel.uploads.plan import Part, Plan
from cloudreel.uploads.sources import Source
from cloudreel.uploads.ticket import Ticket
from cloudreel.uploads.window import Window

GRACE = 1.0  # seconds that parts under way have to arrive when another one has failed
MOST_ROUNDS = 5  # of sending what the service still misses (telestream.md 11.25)


class Sender:
    """Sends one upload to its location, where it also asks what is missing.

    Args:
        transport: sends the calls; its service names the errors.
        source: what is uploaded; it is open while `upload` runs.
        ticket: the upload as the service created it.
        dialect: how one speaks to its location.
        plan: which parts are missing; it is told what becomes of each.
        limit: parts under way at once, fewer while the line or the service is in trouble.
        bell: rung after each change of the plan.
        moved: told the new ticket whenever the service has moved the upload, or its source has come whole.
    """

    def __init__(
        self,
        transport: Transport,
        source: Source,
        ticket: Ticket,
        dialect: Dialect,
        plan: Plan,
        *,
        limit: int,
        bell: Bell,
        moved: Callable[[Ticket], Awaitable[None]],
    ) -> None:
        self.ticket = ticket  # it and the dialect follow an upload that the service moves
        self._transport = transport
        self._source = source
        self._dialect = dialect
        self._plan = plan
        self._limit = limit
        self._window = Window(limit)
        self._bell = bell
        self._moved = moved
        self._document: dict[str, JSON] | None = None  # the completing answer
        self._video_id: str | None = None  # where the service tells only that
        self._standstill = 0  # answers in a row that brought the upload no further
        self._pause: anyio.Event | None = None  # set when the pause is over; None outside of one
        self._lanes = 0  # tasks that send parts
        self._under_way = 0  # parts being sent
        self._landed = Bell()  # rung whenever one of either is no more
        self._failure: CloudReelError | None = None  # the first of this run
        self._whole = anyio.Event()  # set when nothing of the source is still to come

    @property
    def paused(self) -> bool:
        """Whether no further part begins."""
        return self._pause is not None

    def pause(self) -> None:
        """Begin no further part until `go_on`; those under way are finished."""
        self._pause = anyio.Event()

    def go_on(self) -> None:
        """End the pause, if there is one."""
        if self._pause is not None:
            self._pause.set()
            self._pause = None

    async def upload(self, group: TaskGroup, *, ask_first: bool) -> dict[str, JSON] | str:
        """Send every missing part.

        Args:
            group: where the parts are sent; the first failure ends it.
            ask_first: whether the service says what is missing, rather than the plan.

        Returns:
            The answer that completed the upload, or the id of the video where only that is known.

        Raises:
            UploadError: the source changed, or the service is never content, or does not name the video.
            CloudReelError: the service could not be asked.
        """
        self._failure = None
        self._standstill = 0
        self._under_way = 0
        if self._source.is_whole:
            self._whole.set()
        else:
            group.start_soon(self._receive)
        if ask_first:
            await self._ask()
        rounds = 0
        while self._plan.waiting:
            if rounds == MOST_ROUNDS:
                raise self.error(
                    f"goes on in circles: after {rounds} rounds the service still misses "
                    f"{self._plan.waiting} of {self._plan.parts} parts"
                )
            rounds += 1
            await self._send_missing(group)
            if self._document is None:
                await self._ask()
        return await self._outcome()

    async def abort(self) -> None:
        """Have the service forget the upload; one that it does not know any more is forgotten."""
        with suppress(NotFoundError):
            await self._transport.send(self._dialect.abort())

    def error(self, what: str) -> CloudReelError:
        """Return the service's UploadError that says what became of the upload."""
        kind = self._transport.service.errors.leaf(UploadError)
        return kind(f"The upload of {self.ticket.file_name!r} {what}", ticket=self.ticket)

    async def _ask(self) -> None:
        """Adopt the service's word on what is missing."""
        await self._adopt(await self._exchange(self._dialect.query()))

    async def _send_missing(self, group: TaskGroup) -> None:
        await anyio.lowlevel.checkpoint()  # abort() comes in here, or a callback that ends the program
        self._lanes = min(self._limit, self._plan.waiting)
        for _ in range(self._lanes):
            group.start_soon(self._send_in_turn)
        while self._lanes:
            await self._landed.wait()

    async def _send_in_turn(self) -> None:
        """Send one part after the other until none is missing, beside other tasks that do the same."""
        await self._room()  # before the part is chosen, which may depend on the answer to another
        while (part := self._plan.next()) is not None:
            is_last = not self._plan.waiting
            await self._source.reach(part.offset + part.length)
            if is_last:
                await self._whole.wait()
                # The last part completes the upload. What changed must not be completed.
                await self._source.verify(self.ticket.fingerprint)
            await self._room()
            await self._send_beside_others(part)
            await self._room()
        self._lanes -= 1
        self._landed.ring()

    async def _receive(self) -> None:
        """Take in what of the source is still to come; the ticket then says what it looks like."""
        await self._source.fill()
        self.ticket = evolve(self.ticket, fingerprint=self._source.fingerprint)
        await self._moved(self.ticket)
        self._whole.set()

    async def _room(self) -> None:
        """Wait until the window has room for another part; when one has failed there is none any more."""
        await self._pause_over()
        while self._under_way >= self._window.size:
            await self._landed.wait()
            await self._pause_over()
        if self._failure is not None:
            await anyio.sleep_forever()  # whoever failed ends the group

    async def _pause_over(self) -> None:
        while self._pause is not None:
            await self._pause.wait()

    async def _all_landed(self) -> None:
        while self._under_way:
            await self._landed.wait()

    async def _send_beside_others(self, part: Part) -> None:
        failed_first = False
        mark = self._window.begin()
        self._under_way += 1
        try:
            receipt = await self._send(part)
            (self._window.arrived if receipt.attempts == 1 else self._window.troubled)(mark)
        except CloudReelError as failure:
            self._window.troubled(mark)
            failed_first = self._failure is None
            self._failure = self._failure or failure
        finally:
            self._under_way -= 1
            self._landed.ring()
        if failed_first and self._failure is not None:
            # What is on the wire might arrive after the service was asked for it, and be sent twice.
            with anyio.move_on_after(GRACE):
                await self._all_landed()
            raise self._failure

    async def _send(self, part: Part) -> Receipt:
        body = SourceBody(self._source, part.offset, part.length, partial(self._note_sent, part.index))
        before = self._plan.bytes_confirmed
        receipt = await self._exchange(self._dialect.put(part, body))
        await self._adopt(receipt, part)
        self._standstill = 0 if self._plan.bytes_confirmed > before else self._standstill + 1
        if self._dialect.in_order and self._standstill == MOST_ROUNDS:
            raise self.error(
                f"does not advance: after {MOST_ROUNDS} chunks the service still holds no more than "
                f"{before} of {self._plan.size} bytes"
            )
        return receipt

    async def _exchange(self, call: Call[Receipt]) -> Receipt:
        try:
            return await self._transport.send(call)
        except NotFoundError as error:
            if self._plan.sent_whole:
                error.message += "; if only its answer was lost, look for the upload among the videos"
            raise

    async def _adopt(self, receipt: Receipt, part: Part | None = None) -> None:
        """Take note of what the service said, when it was asked or after a part."""
        if receipt.missing is not None:
            self._plan.missing_is(receipt.missing.parts, receipt.missing.begun)
        elif part is not None:
            self._plan.confirm(part.index)
        if receipt.document is not None and receipt.document.get("id"):
            self._document = receipt.document
        self._video_id = receipt.video_id
        self._bell.ring()
        if receipt.location is not None and receipt.location != self.ticket.location:
            self._dialect = self._dialect.moved(receipt.location)
            self.ticket = evolve(self.ticket, location=receipt.location)
            await self._moved(self.ticket)

    def _note_sent(self, index: int, count: int) -> None:
        self._plan.sent(index, count)
        self._bell.ring()

    async def _outcome(self) -> dict[str, JSON] | str:
        """Return the video of an upload that is complete, also if the completing answer is not at hand."""
        if self._document is None and self._video_id is not None:
            return self._video_id
        if self._document is None and not self._dialect.in_order:
            # A repeated part does no harm and is answered with the video (telestream.md 8.3).
            await self._send(self._plan.smallest())
        if self._document is None:
            raise self.error("is complete, but its id is unknown; look for it among the videos")
        return self._document
