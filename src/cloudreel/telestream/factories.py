"""Factories of Telestream Cloud on asyncio and trio, and the uploads into them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

from anyio import CancelScope
from attrs import evolve

from cloudreel.core.call import JSON
from cloudreel.core.codec import structure
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.errors import DecodeError
from cloudreel.panda import listing
from cloudreel.panda import protocol as family
from cloudreel.panda.models import VideoFields
from cloudreel.panda.objects import ChangeableObject
from cloudreel.panda.protocol import Param, Params
from cloudreel.panda.signer import HmacSigner
from cloudreel.telestream import protocol
from cloudreel.telestream.errors import FAMILY, UnreadableAnswer, UploadFailed
from cloudreel.telestream.models import FactoryFields
from cloudreel.telestream.profiles import AsyncProfiles
from cloudreel.telestream.videos import AsyncEncodings, AsyncVideo, AsyncVideos
from cloudreel.uploads.dialects import PartsDialect
from cloudreel.uploads.session import AsyncUploadSession, ProgressCallback
from cloudreel.uploads.sources import Source, SourceLike, open_source
from cloudreel.uploads.ticket import Ticket


def scoped(transport: Transport, factory_id: str) -> Transport:
    """Return the transport whose calls are about one factory; the one given stays as it is."""
    signer = transport.service.sign
    assert isinstance(signer, HmacSigner)
    return transport.for_service(evolve(transport.service, sign=evolve(signer, factory_id=factory_id)))


@asynccontextmanager
async def _closed_on_failure(source: Source) -> AsyncGenerator[None]:
    """Give a source back if no session comes of it."""
    try:
        yield
    except BaseException:
        with CancelScope(shield=True):
            await source.close()
        raise


class AsyncFactories:
    """The factories of the account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, factory_id: str) -> AsyncFactory:
        """Return one factory."""
        return AsyncFactory(self._transport, await self._transport.send(protocol.find_factory(factory_id)))

    async def all(self, **filters: Param) -> list[AsyncFactory]:
        """Return all factories; the service gives them in one page."""
        return await self._page(filters)

    def iterate(self, **filters: Param) -> AsyncPager[AsyncFactory]:
        """Return an async iterator over all factories."""
        return listing.single_page(self._page, filters)

    async def _page(self, filters: Params) -> list[AsyncFactory]:
        records = await self._transport.send(protocol.list_factories(filters))
        return [AsyncFactory(self._transport, record) for record in records]

    async def create(self, **params: Param) -> AsyncFactory:
        """Create a factory.

        Args:
            params: ``name``, ``s3_videos_bucket`` and any other field of a factory.
        """
        return AsyncFactory(self._transport, await self._transport.send(protocol.create_factory(params)))

    async def delete(self, factory_id: str) -> None:
        """Ask the service to delete a factory, which Telestream v3.0 refuses with `NotFoundError`."""
        await self._transport.send(protocol.delete_factory(factory_id))


class AsyncFactory(ChangeableObject, FactoryFields):
    """A factory, to which videos, encodings and profiles belong; assign fields and `save`."""

    _kind: ClassVar[str] = "Factory"
    _errors: ClassVar[ErrorFamily] = FAMILY

    def __init__(self, transport: Transport, record: FactoryFields) -> None:
        super().__init__(record)
        self._transport = scoped(transport, self._id())

    @property
    def videos(self) -> AsyncVideos:
        """The factory's videos."""
        return AsyncVideos(self._transport)

    @property
    def encodings(self) -> AsyncEncodings:
        """The encodings of all videos of the factory."""
        return AsyncEncodings(self._transport)

    @property
    def profiles(self) -> AsyncProfiles:
        """The factory's profiles."""
        return AsyncProfiles(self._transport)

    async def save(self) -> None:
        """Send the fields that were assigned, and take over the service's answer."""
        if sent := self._changed():
            self._saved(sent, await self._transport.send(protocol.update_factory(self._id(), sent)))

    async def reload(self) -> None:
        """Fetch the factory again; what was assigned and not saved is forgotten."""
        self._reloaded(await self._transport.send(protocol.find_factory(self._id())))

    async def get_notifications(self) -> dict[str, JSON]:
        """Return the notification settings: ``url``, ``delay``, ``send_video_payload``, ``events``."""
        return await self._transport.send(family.get_notifications())

    async def update_notifications(self, conf: Mapping[str, Param]) -> dict[str, JSON]:
        """Change the notification settings given, keep the others, and return them all.

        Args:
            conf: any of ``url``, ``delay`` (seconds), ``send_video_payload`` and ``events``, a mapping
                of event name to bool; it is not modified.
        """
        return await self._transport.send(family.update_notifications(conf))

    async def upload_session(
        self,
        source: SourceLike,
        threads: int = 8,
        profiles: str | Sequence[str] | None = "h264",
        *,
        progress: ProgressCallback | None = None,
        **params: Param,
    ) -> AsyncUploadSession[AsyncVideo]:
        """Open an upload that goes out in concurrent parts and survives broken connections.

        Nothing is sent of the source before `AsyncUploadSession.start`.

        Args:
            source: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            threads: parts under way at once, unless the service allows fewer.
            profiles: names or ids of profiles to encode to; ``"none"`` for no encoding, None to leave
                the choice to the service.
            progress: called with a `Progress` as the upload goes on; may be async.
            params: ``path_format``, ``payload`` and whatever else the service takes.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the source is empty; nothing was sent.
        """
        if threads < 1:
            raise ValueError(f"threads must be 1 or more, not {threads}")
        opened = await open_source(source)
        async with _closed_on_failure(opened):
            sent: dict[str, Param] = {
                **params,
                "file_size": opened.size,
                "file_name": opened.name,
                "profiles": profiles,
                "multi_chunk": True,
            }
            ticket = self._ticket(opened, await self._transport.send(family.open_upload(sent)))
        return self._session(opened, ticket, threads, progress)

    async def resume_upload(
        self,
        ticket: Ticket,
        source: SourceLike,
        threads: int = 8,
        *,
        progress: ProgressCallback | None = None,
    ) -> AsyncUploadSession[AsyncVideo]:
        """Return the session of an upload begun elsewhere; `AsyncUploadSession.resume` continues it.

        Args:
            ticket: what `AsyncUploadSession.ticket` gave, or the ``ticket`` of an error.
            source: the same bytes as before.
            threads: parts under way at once, unless the service allows fewer.
            progress: called with a `Progress` as the upload goes on; may be async.

        Raises:
            UploadError: the ticket is of another service or factory, or the source has changed.
        """
        if ticket.service != self._transport.service.name or ticket.scope not in (None, self._id()):
            raise UploadFailed(f"This ticket is of {ticket.service} {ticket.scope}, not of {self}")
        opened = await open_source(source)
        async with _closed_on_failure(opened):
            await opened.verify(ticket.fingerprint)
        return self._session(opened, ticket, threads, progress, resumed=True)

    def _ticket(self, source: Source, upload: family.OpenedUpload) -> Ticket:
        try:
            return Ticket(
                service=self._transport.service.name,
                endpoint=self._transport.service.base_url,
                scope=self._id(),
                session_id=upload.session_id,
                location=upload.location,
                dialect="parts",
                size=source.size,
                part_size=upload.part_size,
                parts=upload.parts,
                max_connections=upload.max_connections,
                file_name=source.name,
                fingerprint=source.fingerprint,
                created=self._transport.now(),
            )
        except DecodeError as error:
            raise UnreadableAnswer(f"The service opened an upload that makes no sense: {error}") from error

    def _session(
        self,
        source: Source,
        ticket: Ticket,
        threads: int,
        progress: ProgressCallback | None,
        *,
        resumed: bool = False,
    ) -> AsyncUploadSession[AsyncVideo]:
        return AsyncUploadSession(
            self._transport,
            source,
            ticket,
            PartsDialect(ticket.location, ticket.parts),
            make_video=lambda details: AsyncVideo(self._transport, structure(details, VideoFields)),
            find_video=self.videos.find,
            threads=threads,
            progress=progress,
            resumed=resumed,
        )
