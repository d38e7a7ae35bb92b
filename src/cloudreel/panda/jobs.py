"""What videos and encodings do, whichever service of the family they live on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Self

from cloudreel.core.call import Call
from cloudreel.core.inbox import Inbox
from cloudreel.core.waiting import until
from cloudreel.downloads import Destination, download
from cloudreel.downloads.download import DownloadCallback
from cloudreel.errors import JobFailed, TimedOut
from cloudreel.panda import listing, protocol, waiting
from cloudreel.panda.models import FAIL, EncodingFields, Metadata, ProfileFields, VideoFields, is_final
from cloudreel.panda.objects import ServiceObject
from cloudreel.panda.outputs import output_name, output_size, output_url
from cloudreel.panda.protocol import Params
from cloudreel.panda.waiting import JobProgress


class VideoObject(ServiceObject, VideoFields):
    """A source video."""

    async def delete(self) -> bool:
        """Delete the video and its encodings; return whether the service says it did."""
        return await self._transport.send(protocol.delete_video(self._id()))

    async def delete_source_file(self) -> bool:
        """Delete the source file, keep the encodings; return whether the service says it did."""
        return await self._transport.send(protocol.delete_source(self._id()))

    async def metadata(self) -> Metadata:
        """Return what the service's analyser found in the source file."""
        return await self._transport.send(protocol.video_metadata(self._id()))

    async def wait(
        self, timeout: float | None = None, poll: float | None = None, *, notified: Inbox | None = None
    ) -> Self:
        """Wait until the video and all its encodings are final and good, and return the video, reloaded.

        Args:
            timeout: seconds in all, None for no limit.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
            notified: where your application puts the notifications it receives: one about this has the
                service looked at without waiting for the pause to end. A lost one costs time only.

        Raises:
            JobFailed: the video or an encoding failed; ``job`` is it.
            TimedOut: it took longer than ``timeout``.
        """
        state = await until(
            self._look,
            lambda state: state.final or state.failed is not None,
            timeout=timeout,
            poll=poll,
            late=lambda: self._errors.leaf(TimedOut)(f"{self} was not ready after {timeout:g} s"),
            notified=notified,
            about=lambda state: state.ids,
        )
        self._reloaded(state.video)
        if (failed := state.failed) is not None:
            job = self._encoding(failed) if isinstance(failed, EncodingFields) else self
            raise self._errors.leaf(JobFailed)(waiting.failure_text(failed), job=job)
        return self

    def watch(
        self, poll: float | None = None, *, notified: Inbox | None = None
    ) -> AsyncIterator[JobProgress]:
        """Return an async iterator over the progress of the video and its encodings, until final.

        Args:
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
            notified: where your application puts the notifications it receives, as for `wait`.
        """
        return waiting.watch(self._look, poll, notified)

    @abstractmethod
    def _encoding(self, record: EncodingFields) -> object:
        """Return the service's object for one of the video's encodings."""

    def _find(self) -> Call[VideoFields]:
        return protocol.find_video(self._id())

    async def _look(self) -> JobProgress:
        video = await self._transport.send(self._find())
        encodings = await listing.everything(self._encodings_page, {})
        if not is_final(video) and any(encoding.status == FAIL for encoding in encodings):
            # The video may have failed in between, and its encodings only because of that.
            video = await self._transport.send(self._find())
        return JobProgress(video, tuple(encodings))

    async def _encodings_page(self, filters: Params) -> list[EncodingFields]:
        return await self._transport.send(protocol.video_encodings(self._id(), filters))


class EncodingObject(ServiceObject, EncodingFields):
    """One output of a video."""

    async def retry(self) -> bool:
        """Start a failed encoding again; return whether the service says it did."""
        return await self._transport.send(protocol.retry_encoding(self._id()))

    async def cancel(self) -> bool:
        """Stop the encoding; return whether the service says it did."""
        return await self._transport.send(protocol.cancel_encoding(self._id()))

    async def delete(self) -> bool:
        """Delete the encoding and its files; return whether the service says it did."""
        return await self._transport.send(protocol.delete_encoding(self._id()))

    async def wait(
        self, timeout: float | None = None, poll: float | None = None, *, notified: Inbox | None = None
    ) -> Self:
        """Wait until the encoding has succeeded, and return it, reloaded.

        Args:
            timeout: seconds in all, None for no limit.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
            notified: where your application puts the notifications it receives: one about this has the
                service looked at without waiting for the pause to end. A lost one costs time only.

        Raises:
            JobFailed: it failed; ``job`` is this encoding.
            TimedOut: it took longer than ``timeout``.
        """
        state = await until(
            lambda: self._transport.send(self._find()),
            is_final,
            timeout=timeout,
            poll=poll,
            late=lambda: self._errors.leaf(TimedOut)(f"{self} was not ready after {timeout:g} s"),
            notified=notified,
            about=lambda _: [self._id()],
        )
        self._reloaded(state)
        if state.status == FAIL:
            raise self._errors.leaf(JobFailed)(waiting.failure_text(state), job=self)
        return self

    async def download(
        self, dest: Destination, file: str | None = None, *, progress: DownloadCallback | None = None
    ) -> int:
        """Fetch a file of the encoding and return how many bytes it has.

        A download that breaks off goes on where it stopped.

        Args:
            dest: a path, whose file is replaced in one step when the download is whole; or an object with a
                sync or async ``write``, which is not closed.
            file: one of ``files`` or ``screenshots``; None for the film itself, the playlist where it comes
                in segments, and otherwise the first of several.
            progress: called with a `DownloadProgress` as it goes on; may be async, and is waited for.

        Raises:
            InvalidRequestError: the encoding has no file yet; `reload` it when it is done.
            NotFoundError: the file is not there.
            TransportError: the line broke for good, or what came is not the file, or not all of it.
            OSError: the destination cannot be written.
        """
        name = self._needed(output_name(self) if file is None else file, "file yet")
        folder = self._needed(await self._folder(), "address: its cloud or factory has no url")
        url = output_url(folder, name)

        async def ask_url() -> str:
            return url

        return await download(self._transport, ask_url, dest, size=output_size(self, name), progress=progress)

    @abstractmethod
    async def _folder(self) -> str | None:
        """Return the URL below which the outputs are."""

    def _find(self) -> Call[EncodingFields]:
        return protocol.find_encoding(self._id())

    def _find_video(self) -> Call[VideoFields]:
        return protocol.find_video(self._needed(self.video_id, "video_id"))

    def _find_profile(self) -> Call[ProfileFields]:
        key = self._needed(self.profile_id or self.profile_name, "profile_id and no profile_name")
        return protocol.find_profile(key)
