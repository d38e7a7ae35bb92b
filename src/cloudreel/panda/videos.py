"""Videos and encodings of Panda on asyncio and trio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import attrs

from cloudreel.core.codec import Fields
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.panda import listing, protocol
from cloudreel.panda.dicts import CreatableObject, filled
from cloudreel.panda.jobs import EncodingObject, VideoObject
from cloudreel.panda.models import EncodingFields, VideoFields
from cloudreel.panda.profiles import AsyncProfile
from cloudreel.panda.protocol import PER_PAGE, Param, Params
from cloudreel.panda.scopes import signer_of
from cloudreel.panda.sending import create_video
from cloudreel.uploads.sources import SourceLike


class AsyncVideos:
    """The videos of one cloud."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, video_id: str) -> AsyncVideo:
        """Return one video."""
        return AsyncVideo(self._transport, await self._transport.send(protocol.find_video(video_id)))

    async def all(self, **filters: Param) -> list[AsyncVideo]:
        """Return all videos, or exactly one page where ``page`` or ``per_page`` is given.

        Args:
            filters: ``status``, ``page`` (from 1), ``per_page`` (100 at most).
        """
        return await listing.everything(self._page, filters)

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> AsyncPager[AsyncVideo]:
        """Return an async iterator over all videos, which fetches them page by page."""
        return listing.pager(self._page, filters, per_page)

    async def where(self, predicate: Callable[[AsyncVideo], object]) -> list[AsyncVideo]:
        """Fetch all videos and return those of which ``predicate`` holds."""
        return [video for video in await self.all() if predicate(video)]

    def new(self, **fields: Param) -> AsyncVideo:
        """Return a video with these fields, of which only `AsyncVideo.create` tells the service.

        Args:
            fields: as for `create`; ``file`` is a path here.
        """
        return filled(AsyncVideo(self._transport, VideoFields()), fields)

    async def create(
        self,
        *,
        source_url: str | None = None,
        file: SourceLike | None = None,
        profiles: str | Sequence[str] | None = None,
        **params: Param,
    ) -> AsyncVideo:
        """Create a video from a URL or from a file, which is streamed in one request.

        For large files `AsyncPanda.upload_session` survives broken connections.

        Args:
            source_url: where the service fetches the video.
            file: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            profiles: names or ids; ``"none"`` for no encoding, None for the service's default: all.
            params: ``path_format``, ``payload``, ``pipeline`` and whatever else the service takes.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the file is empty; nothing was sent.
            InvalidRequestError: not exactly one of ``source_url`` and ``file`` was given.
        """
        sent: dict[str, Param] = {**params, "source_url": source_url, "profiles": profiles}
        record = await create_video(self._transport, file, sent)
        return AsyncVideo(self._transport, record)

    async def _page(self, filters: Params) -> list[AsyncVideo]:
        records = await self._transport.send(protocol.list_videos(filters))
        return [AsyncVideo(self._transport, record) for record in records]


class AsyncVideo(CreatableObject, VideoObject):
    """A source video."""

    _kind: ClassVar[str] = "Video"
    _fields: ClassVar[type[Fields]] = VideoFields
    _made: ClassVar[frozenset[str]] = frozenset(attrs.fields_dict(VideoFields)) - {"source_url", "payload"}

    async def encodings(self, **filters: Param) -> list[AsyncEncoding]:
        """Return the encodings of this video.

        Args:
            filters: ``status`` (``success``, ``fail`` or ``processing``), ``profile_id``, ``profile_name``.
        """
        records = await listing.everything(self._encodings_page, filters)
        return [self._encoding(record) for record in records]

    def _encoding(self, record: EncodingFields) -> AsyncEncoding:
        return AsyncEncoding(self._transport, record)

    async def _create(self, params: Params) -> VideoFields:
        file = params.get("file")
        others = {name: value for name, value in params.items() if name != "file"}
        return await create_video(self._transport, None if file is None else str(file), others)


class AsyncEncodings:
    """The encodings of all videos of one cloud."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, encoding_id: str) -> AsyncEncoding:
        """Return one encoding."""
        return AsyncEncoding(self._transport, await self._transport.send(protocol.find_encoding(encoding_id)))

    async def all(self, **filters: Param) -> list[AsyncEncoding]:
        """Return all encodings, or exactly one page where ``page`` or ``per_page`` is given.

        Args:
            filters: ``status``, ``profile_id``, ``profile_name``, ``video_id``, ``page``, ``per_page``.
        """
        return await listing.everything(self._page, filters)

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> AsyncPager[AsyncEncoding]:
        """Return an async iterator over all encodings, which fetches them page by page."""
        return listing.pager(self._page, filters, per_page)

    async def where(self, predicate: Callable[[AsyncEncoding], object]) -> list[AsyncEncoding]:
        """Fetch all encodings and return those of which ``predicate`` holds."""
        return [encoding for encoding in await self.all() if predicate(encoding)]

    def new(self, **fields: Param) -> AsyncEncoding:
        """Return an encoding with these fields, of which only `AsyncEncoding.create` tells the service."""
        return filled(AsyncEncoding(self._transport, EncodingFields()), fields)

    async def create(self, **fields: Param) -> AsyncEncoding:
        """Encode a video with one more profile.

        Args:
            fields: ``video_id``, and one of ``profile_id`` and ``profile_name``.
        """
        return AsyncEncoding(self._transport, await self._transport.send(protocol.create_encoding(fields)))

    async def _page(self, filters: Params) -> list[AsyncEncoding]:
        records = await self._transport.send(protocol.list_encodings(filters))
        return [AsyncEncoding(self._transport, record) for record in records]


class AsyncEncoding(CreatableObject, EncodingObject):
    """One output of a video."""

    _kind: ClassVar[str] = "Encoding"
    _fields: ClassVar[type[Fields]] = EncodingFields
    _made: ClassVar[frozenset[str]] = frozenset(attrs.fields_dict(EncodingFields)) - {
        "video_id",
        "profile_id",
        "profile_name",
    }

    async def video(self) -> AsyncVideo:
        """Return the video that this is an output of."""
        return AsyncVideo(self._transport, await self._transport.send(self._find_video()))

    async def profile(self) -> AsyncProfile:
        """Return the profile that this was made with."""
        return AsyncProfile(self._transport, await self._transport.send(self._find_profile()))

    async def _folder(self) -> str | None:
        cloud_id = self._needed(signer_of(self._transport).cloud_id, "cloud")
        return (await self._transport.send(protocol.find_cloud(cloud_id))).url

    async def _create(self, params: Params) -> EncodingFields:
        if params.get("profile_id"):  # one of the two is wanted, and an encoding has both
            params = {name: value for name, value in params.items() if name != "profile_name"}
        return await self._transport.send(protocol.create_encoding(params))
