"""Getting a file to the service, in one request or by a session that survives broken connections."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from anyio import CancelScope

from cloudreel.core.call import JSON
from cloudreel.core.codec import structure
from cloudreel.core.transport import Transport
from cloudreel.errors import CloudReelError, DecodeError, InvalidRequestError, UploadError
from cloudreel.panda import protocol
from cloudreel.panda.models import VideoFields
from cloudreel.panda.protocol import OpenedUpload, Param, Params
from cloudreel.uploads.dialects import Dialect, PartsDialect
from cloudreel.uploads.multipart import MultipartBody
from cloudreel.uploads.plan import count_parts
from cloudreel.uploads.ranges import RangesDialect
from cloudreel.uploads.session import AsyncUploadSession, ProgressCallback
from cloudreel.uploads.sources import Source, SourceLike, open_source
from cloudreel.uploads.stores import TicketStore
from cloudreel.uploads.ticket import Ticket

VideoT = TypeVar("VideoT")


async def create_video(
    transport: Transport,
    file: SourceLike | None,
    params: Params,
) -> VideoFields:
    """Create a video from a file in one streamed request, or from a ``source_url``, and return its fields.

    Raises:
        InvalidRequestError: not exactly one of ``source_url`` and ``file`` was given.
    """
    if (params.get("source_url") is None) == (file is None):
        raise _error(transport, InvalidRequestError, "Give a video exactly one of source_url= and file=")
    if file is None:
        return await transport.send(protocol.create_video(params))
    async with await open_source(file) as source:
        body = MultipartBody(source, boundary=secrets.token_hex(16))
        return await transport.send(protocol.create_video(params, body, body.content_type))


class Sessions(Generic[VideoT]):
    """Opens and continues the upload sessions of one cloud or factory.

    Args:
        transport: sends its calls; its service names the errors.
        scope: id of the cloud or factory.
        owner: what a message calls it.
        make_video: the service's object for a video.
    """

    def __init__(
        self,
        transport: Transport,
        scope: str | None,
        owner: str,
        make_video: Callable[[VideoFields], VideoT],
    ) -> None:
        self._transport = transport
        self._scope = scope
        self._owner = owner
        self._make_video = make_video

    async def open_parts(
        self,
        source: SourceLike,
        params: Params,
        *,
        threads: int,
        store: TicketStore | None,
        progress: ProgressCallback | None,
    ) -> AsyncUploadSession[VideoT]:
        """Open an upload in parts, as many and as large as the service says (telestream.md 8.2)."""
        if threads < 1:
            raise ValueError(f"threads must be 1 or more, not {threads}")
        opened = await open_source(source, whole=False)
        async with _closed_on_failure(opened):
            upload = await self._open(opened, {**params, "multi_chunk": True})
            ticket = self._ticket(
                opened, upload, "parts", upload.part_size, upload.parts, upload.max_connections
            )
        return self._session(opened, ticket, threads, store, progress)

    async def open_stream(
        self,
        source: SourceLike,
        params: Params,
        *,
        chunk_size: int,
        store: TicketStore | None,
        progress: ProgressCallback | None,
    ) -> AsyncUploadSession[VideoT]:
        """Open an upload in chunks, one after the other (panda.md 8.2, 8.3)."""
        if chunk_size < 1:
            raise ValueError(f"chunk_size must be 1 byte or more, not {chunk_size}")
        opened = await open_source(source, whole=False)
        async with _closed_on_failure(opened):
            upload = await self._open(opened, params)
            chunks = count_parts(opened.size, chunk_size)
            ticket = self._ticket(opened, upload, "ranges", chunk_size, chunks, 1)
        return self._session(opened, ticket, 1, store, progress)

    async def resume(
        self,
        ticket: Ticket,
        source: SourceLike,
        *,
        threads: int = 1,
        store: TicketStore | None,
        progress: ProgressCallback | None,
    ) -> AsyncUploadSession[VideoT]:
        """Return the session of an upload begun elsewhere.

        Raises:
            UploadError: the ticket is of another service or scope, or the source has changed.
        """
        if ticket.service != self._transport.service.name or ticket.scope not in (None, self._scope):
            what = f"This ticket is of {ticket.service} {ticket.scope}, not of {self._owner}"
            raise _error(self._transport, UploadError, what)
        opened = await open_source(source)
        async with _closed_on_failure(opened):
            await opened.verify(ticket.fingerprint)
        return self._session(opened, ticket, threads, store, progress, resumed=True)

    async def _open(self, source: Source, params: Params) -> OpenedUpload:
        sent: dict[str, Param] = {**params, "file_size": source.size, "file_name": source.name}
        return await self._transport.send(protocol.open_upload(sent))

    def _ticket(
        self, source: Source, upload: OpenedUpload, dialect: str, part_size: int, parts: int, connections: int
    ) -> Ticket:
        try:
            return Ticket(
                service=self._transport.service.name,
                endpoint=self._transport.service.base_url,
                scope=self._scope,
                session_id=upload.session_id,
                location=upload.location,
                dialect=dialect,
                size=source.size,
                part_size=part_size,
                parts=parts,
                max_connections=connections,
                file_name=source.name,
                fingerprint=source.fingerprint,
                created=self._transport.now(),
            )
        except DecodeError as error:
            what = f"The service opened an upload that makes no sense: {error}"
            raise _error(self._transport, DecodeError, what) from error

    def _session(
        self,
        source: Source,
        ticket: Ticket,
        threads: int,
        store: TicketStore | None,
        progress: ProgressCallback | None,
        *,
        resumed: bool = False,
    ) -> AsyncUploadSession[VideoT]:
        def make_video(details: dict[str, JSON]) -> VideoT:
            return self._make_video(structure(details, VideoFields))

        async def find_video(video_id: str) -> VideoT:
            return self._make_video(await self._transport.send(protocol.find_video(video_id)))

        return AsyncUploadSession(
            self._transport,
            source,
            ticket,
            _dialect_of(ticket),
            make_video=make_video,
            find_video=find_video,
            threads=threads,
            store=store,
            progress=progress,
            resumed=resumed,
        )


def _dialect_of(ticket: Ticket) -> Dialect:
    if ticket.dialect == "ranges":
        return RangesDialect(ticket.location, ticket.size, ticket.part_size)
    return PartsDialect(ticket.location, ticket.parts)


@asynccontextmanager
async def _closed_on_failure(source: Source) -> AsyncGenerator[None]:
    """Give a source back if no session comes of it."""
    try:
        yield
    except BaseException:
        with CancelScope(shield=True):
            await source.close()
        raise


def _error(transport: Transport, category: type[CloudReelError], text: str) -> CloudReelError:
    return transport.service.errors.leaf(category)(text)
