"""Videos and encodings of Telestream Cloud on asyncio and trio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cloudreel.core.failures import ErrorFamily
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.panda import listing
from cloudreel.panda import protocol as family
from cloudreel.panda.jobs import EncodingObject, VideoObject
from cloudreel.panda.models import EncodingFields
from cloudreel.panda.protocol import PER_PAGE, Param, Params
from cloudreel.panda.scopes import signer_of
from cloudreel.panda.sending import create_video
from cloudreel.telestream import protocol
from cloudreel.telestream.errors import FAMILY, RecordNotFound
from cloudreel.telestream.profiles import AsyncProfile
from cloudreel.uploads.sources import SourceLike


class AsyncVideos:
    """The videos of one factory."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, video_id: str) -> AsyncVideo:
        """Return one video."""
        return AsyncVideo(self._transport, await self._transport.send(family.find_video(video_id)))

    async def all(self, **filters: Param) -> list[AsyncVideo]:
        """Return all videos, or exactly one page where ``page`` or ``per_page`` is given.

        Args:
            filters: ``status``, ``page`` (from 1), ``per_page`` (100 at most).
        """
        return await listing.everything(self._page, filters)

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> AsyncPager[AsyncVideo]:
        """Return an async iterator over all videos, which fetches them page by page."""
        return listing.pager(self._page, filters, per_page)

    async def _page(self, filters: Params) -> list[AsyncVideo]:
        records = await self._transport.send(family.list_videos(filters))
        return [AsyncVideo(self._transport, record) for record in records]

    async def create(
        self,
        *,
        source_url: str | None = None,
        file: SourceLike | None = None,
        profiles: str | Sequence[str] | None = None,
        **params: Param,
    ) -> AsyncVideo:
        """Create a video from a URL or from a file, which is streamed in one request.

        For large files `AsyncFactory.upload_session` survives broken connections.

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

    async def delete(self, video_id: str) -> bool:
        """Delete a video and its encodings; return whether the service says it did."""
        return await self._transport.send(family.delete_video(video_id))


class AsyncVideo(VideoObject):
    """A source video; its fields are what the service said last."""

    _kind: ClassVar[str] = "Video"
    _errors: ClassVar[ErrorFamily] = FAMILY

    @property
    def encodings(self) -> AsyncVideoEncodings:
        """The encodings of this video."""
        return AsyncVideoEncodings(self._transport, self._id())

    def _encoding(self, record: EncodingFields) -> AsyncEncoding:
        return AsyncEncoding(self._transport, record)


class AsyncEncodings:
    """The encodings of all videos of one factory."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, encoding_id: str) -> AsyncEncoding:
        """Return one encoding."""
        return AsyncEncoding(self._transport, await self._transport.send(family.find_encoding(encoding_id)))

    async def all(self, **filters: Param) -> list[AsyncEncoding]:
        """Return all encodings, or exactly one page where ``page`` or ``per_page`` is given.

        Args:
            filters: ``status``, ``profile_id``, ``profile_name``, ``video_id``, ``page``, ``per_page``.
        """
        return await listing.everything(self._page, filters)

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> AsyncPager[AsyncEncoding]:
        """Return an async iterator over all encodings, which fetches them page by page."""
        return listing.pager(self._page, filters, per_page)

    async def _page(self, filters: Params) -> list[AsyncEncoding]:
        records = await self._transport.send(family.list_encodings(filters))
        return [AsyncEncoding(self._transport, record) for record in records]

    async def create(self, **params: Param) -> AsyncEncoding:
        """Encode a video with one more profile.

        Args:
            params: ``video_id``, and one of ``profile_id`` and ``profile_name``.
        """
        return AsyncEncoding(self._transport, await self._transport.send(family.create_encoding(params)))

    async def delete(self, encoding_id: str) -> bool:
        """Delete an encoding; return whether the service says it did."""
        return await self._transport.send(family.delete_encoding(encoding_id))


class AsyncVideoEncodings(AsyncEncodings):
    """The encodings of one video."""

    def __init__(self, transport: Transport, video_id: str) -> None:
        super().__init__(transport)
        self._video_id = video_id

    async def _page(self, filters: Params) -> list[AsyncEncoding]:
        records = await self._transport.send(family.video_encodings(self._video_id, filters))
        return [AsyncEncoding(self._transport, record) for record in records]

    async def find(self, encoding_id: str) -> AsyncEncoding:
        """Return one encoding of this video.

        Raises:
            NotFoundError: there is none, or it belongs to another video.
        """
        found = await super().find(encoding_id)
        if found.video_id not in (None, self._video_id):
            raise RecordNotFound(f"Encoding {encoding_id} is not of Video {self._video_id}")
        return found

    async def create(self, **params: Param) -> AsyncEncoding:
        """Encode this video with one more profile.

        Args:
            params: one of ``profile_id`` and ``profile_name``.
        """
        return await super().create(**{"video_id": self._video_id, **params})


class AsyncEncoding(EncodingObject):
    """One output of a video; its fields are what the service said last."""

    _kind: ClassVar[str] = "Encoding"
    _errors: ClassVar[ErrorFamily] = FAMILY

    async def video(self) -> AsyncVideo:
        """Return the video that this is an output of."""
        return AsyncVideo(self._transport, await self._transport.send(self._find_video()))

    async def profile(self) -> AsyncProfile:
        """Return the profile that this was made with."""
        return AsyncProfile(self._transport, await self._transport.send(self._find_profile()))

    async def _folder(self) -> str | None:
        factory_id = self._needed(signer_of(self._transport).factory_id, "factory")
        return (await self._transport.send(protocol.find_factory(factory_id))).url
