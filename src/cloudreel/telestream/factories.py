"""Factories of Telestream Cloud on asyncio and trio, and the uploads into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from cloudreel.core.call import JSON, Call
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.panda import listing
from cloudreel.panda import protocol as family
from cloudreel.panda.models import VideoFields
from cloudreel.panda.protocol import Param, Params
from cloudreel.panda.scopes import for_factory
from cloudreel.panda.sending import Sessions
from cloudreel.telestream import protocol
from cloudreel.telestream.errors import FAMILY
from cloudreel.telestream.models import FactoryFields
from cloudreel.telestream.objects import ChangeableObject
from cloudreel.telestream.profiles import AsyncProfiles
from cloudreel.telestream.videos import AsyncEncodings, AsyncVideo, AsyncVideos
from cloudreel.uploads.session import AsyncUploadSession, ProgressCallback
from cloudreel.uploads.sources import SourceLike
from cloudreel.uploads.stores import TicketStore
from cloudreel.uploads.ticket import Ticket


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
        super().__init__(transport, record)
        self._transport = for_factory(transport, self._id())

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

    async def get_notifications(self) -> dict[str, JSON]:
        """Return the notification settings: ``url``, ``delay``, ``send_video_payload``, ``events``."""
        return (await self._transport.send(family.get_notifications())).details

    async def update_notifications(self, conf: Mapping[str, Param]) -> dict[str, JSON]:
        """Change the notification settings given, keep the others, and return them all.

        Args:
            conf: any of ``url``, ``delay`` (seconds), ``send_video_payload`` and ``events``, a mapping
                of event name to bool; it is not modified.
        """
        return (await self._transport.send(family.update_notifications(conf))).details

    async def upload_session(
        self,
        source: SourceLike,
        threads: int = 8,
        profiles: str | Sequence[str] | None = "h264",
        *,
        store: TicketStore | None = None,
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
            store: where the ticket is kept from before the first byte until the upload is finished or
                aborted, so that `resume_upload` continues it after a crash; None for nowhere.
            progress: called with a `Progress` at most ten times a second, and at the end; may be async.
            params: ``path_format``, ``payload`` and whatever else the service takes.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the source is empty; nothing was sent.
        """
        sent: dict[str, Param] = {**params, "profiles": profiles}
        return await self._sessions().open_parts(
            source, sent, threads=threads, store=store, progress=progress
        )

    async def resume_upload(
        self,
        ticket: Ticket,
        source: SourceLike,
        threads: int = 8,
        *,
        store: TicketStore | None = None,
        progress: ProgressCallback | None = None,
    ) -> AsyncUploadSession[AsyncVideo]:
        """Return the session of an upload begun elsewhere; `AsyncUploadSession.resume` continues it.

        Args:
            ticket: what `AsyncUploadSession.ticket` gave, or the ``ticket`` of an error.
            source: the same bytes as before.
            threads: parts under way at once, unless the service allows fewer.
            store: where the ticket is; while the upload is sent, no other worker of the store can. None
                to continue whatever others do.
            progress: called with a `Progress` at most ten times a second, and at the end; may be async.

        Raises:
            UploadError: the ticket is of another service or factory, or the source has changed.
        """
        return await self._sessions().resume(ticket, source, threads=threads, store=store, progress=progress)

    def _find(self) -> Call[FactoryFields]:
        return protocol.find_factory(self._id())

    def _update(self, params: Params) -> Call[FactoryFields]:
        return protocol.update_factory(self._id(), params)

    def _sessions(self) -> Sessions[AsyncVideo]:
        def make_video(record: VideoFields) -> AsyncVideo:
            return AsyncVideo(self._transport, record)

        return Sessions(self._transport, self._id(), str(self), make_video)
