"""Videos and encodings of Telestream Cloud on asyncio and trio."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Self

from cloudreel.core.failures import ErrorFamily
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.core.waiting import until
from cloudreel.panda import listing, waiting
from cloudreel.panda import protocol as family
from cloudreel.panda.models import FAIL, EncodingFields, Metadata, VideoFields, is_final
from cloudreel.panda.objects import ServiceObject
from cloudreel.panda.protocol import PER_PAGE, Param, Params
from cloudreel.panda.waiting import JobProgress
from cloudreel.telestream.errors import FAMILY, BadRequest, EncodingFailed, RecordNotFound, WaitTimedOut
from cloudreel.telestream.profiles import AsyncProfile
from cloudreel.uploads.multipart import MultipartBody
from cloudreel.uploads.sources import SourceLike, open_source


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
        if (source_url is None) == (file is None):
            raise BadRequest("Give a video exactly one of source_url= and file=")
        sent: dict[str, Param] = {**params, "source_url": source_url, "profiles": profiles}
        if file is None:
            return AsyncVideo(self._transport, await self._transport.send(family.create_video(sent)))
        async with await open_source(file) as source:
            body = MultipartBody(source, boundary=secrets.token_hex(16))
            call = family.create_video(sent, body, body.content_type)
            return AsyncVideo(self._transport, await self._transport.send(call))

    async def delete(self, video_id: str) -> bool:
        """Delete a video and its encodings; return whether the service says it did."""
        return await self._transport.send(family.delete_video(video_id))


class AsyncVideo(ServiceObject, VideoFields):
    """A source video; its fields are what the service said last."""

    _kind: ClassVar[str] = "Video"
    _errors: ClassVar[ErrorFamily] = FAMILY

    def __init__(self, transport: Transport, record: VideoFields) -> None:
        super().__init__(record)
        self._transport = transport

    @property
    def encodings(self) -> AsyncVideoEncodings:
        """The encodings of this video."""
        return AsyncVideoEncodings(self._transport, self._id())

    async def reload(self) -> None:
        """Fetch the video again."""
        self._record = await self._transport.send(family.find_video(self._id()))

    async def delete(self) -> bool:
        """Delete the video and its encodings; return whether the service says it did."""
        return await self._transport.send(family.delete_video(self._id()))

    async def delete_source_file(self) -> bool:
        """Delete the source file, keep the encodings; return whether the service says it did."""
        return await self._transport.send(family.delete_source(self._id()))

    async def metadata(self) -> Metadata:
        """Return what the service's analyser found in the source file."""
        return await self._transport.send(family.video_metadata(self._id()))

    async def wait(self, timeout: float | None = None, poll: float | None = None) -> Self:
        """Wait until the video and all its encodings are final and good, and return the video, reloaded.

        Args:
            timeout: seconds in all, None for no limit.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.

        Raises:
            JobFailed: the video or an encoding failed; ``job`` is it.
            TimedOut: it took longer than ``timeout``.
        """
        state = await until(
            self._look,
            lambda state: state.final or state.failed is not None,
            timeout=timeout,
            poll=poll,
            late=lambda: WaitTimedOut(f"{self} was not ready after {timeout:g} s"),
        )
        self._record = state.video
        if isinstance(failed := state.failed, EncodingFields):
            raise EncodingFailed(
                waiting.failure_text("Encoding", failed), job=AsyncEncoding(self._transport, failed)
            )
        if failed is not None:
            raise EncodingFailed(waiting.failure_text("Video", failed), job=self)
        return self

    def watch(self, poll: float | None = None) -> AsyncIterator[JobProgress]:
        """Return an async iterator over the progress of the video and its encodings, until final.

        Args:
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
        """
        return waiting.watch(self._look, poll)

    async def _look(self) -> JobProgress:
        video = await self._transport.send(family.find_video(self._id()))
        encodings = await listing.everything(self._encodings_page, {})
        return JobProgress(video, tuple(encodings))

    async def _encodings_page(self, filters: Params) -> list[EncodingFields]:
        return await self._transport.send(family.video_encodings(self._id(), filters))


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


class AsyncEncoding(ServiceObject, EncodingFields):
    """One output of a video; its fields are what the service said last."""

    _kind: ClassVar[str] = "Encoding"
    _errors: ClassVar[ErrorFamily] = FAMILY

    def __init__(self, transport: Transport, record: EncodingFields) -> None:
        super().__init__(record)
        self._transport = transport

    async def video(self) -> AsyncVideo:
        """Return the video that this is an output of."""
        video_id = self._needed(self.video_id, "video_id")
        return AsyncVideo(self._transport, await self._transport.send(family.find_video(video_id)))

    async def profile(self) -> AsyncProfile:
        """Return the profile that this was made with."""
        key = self._needed(self.profile_id or self.profile_name, "profile_id and no profile_name")
        return AsyncProfile(self._transport, await self._transport.send(family.find_profile(key)))

    async def reload(self) -> None:
        """Fetch the encoding again."""
        self._record = await self._transport.send(family.find_encoding(self._id()))

    async def retry(self) -> bool:
        """Start a failed encoding again; return whether the service says it did."""
        return await self._transport.send(family.retry_encoding(self._id()))

    async def cancel(self) -> bool:
        """Stop the encoding; return whether the service says it did."""
        return await self._transport.send(family.cancel_encoding(self._id()))

    async def delete(self) -> bool:
        """Delete the encoding and its files; return whether the service says it did."""
        return await self._transport.send(family.delete_encoding(self._id()))

    async def wait(self, timeout: float | None = None, poll: float | None = None) -> Self:
        """Wait until the encoding has succeeded, and return it, reloaded.

        Args:
            timeout: seconds in all, None for no limit.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.

        Raises:
            JobFailed: it failed; ``job`` is this encoding.
            TimedOut: it took longer than ``timeout``.
        """
        self._record = state = await until(
            lambda: self._transport.send(family.find_encoding(self._id())),
            is_final,
            timeout=timeout,
            poll=poll,
            late=lambda: WaitTimedOut(f"{self} was not ready after {timeout:g} s"),
        )
        if state.status == FAIL:
            raise EncodingFailed(waiting.failure_text("Encoding", state), job=self)
        return self

    def _needed(self, value: str | None, name: str) -> str:
        if not value:
            raise BadRequest(f"{self} has no {name}")
        return value
