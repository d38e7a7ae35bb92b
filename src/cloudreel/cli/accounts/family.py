"""Accounts with Telestream and Panda: videos, and encodings that have files."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar, Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from cloudreel import panda, telestream
from cloudreel.cli.accounts.account import (
    Account,
    Item,
    Outcome,
    StoredFile,
    UploadObserver,
    UploadOrder,
    Work,
)
from cloudreel.downloads import download
from cloudreel.downloads.download import DownloadCallback
from cloudreel.errors import CloudReelError, NotFoundError
from cloudreel.panda.family import FamilyClient
from cloudreel.panda.jobs import EncodingObject, VideoObject
from cloudreel.panda.models import FAIL, PROCESSING, SUCCESS, EncodingFields
from cloudreel.panda.outputs import output_size, output_url
from cloudreel.panda.waiting import JobProgress, percent_of
from cloudreel.uploads import AsyncUploadSession, Ticket, open_source, upload_many

VideoT = TypeVar("VideoT", bound=VideoObject)

DEFAULT_PROFILE = "h264"
RESUMED = "going on where it broke off"
UNFINISHED = "beginning anew, though an earlier upload of it is unfinished: --resume goes on with that one"


class FetchingClient(FamilyClient):
    """A facade that fetches any file below a cloud's or factory's ``url``."""

    async def fetch(
        self, url: str, destination: Path, *, size: int | None, progress: DownloadCallback | None
    ) -> int:
        """Download a file and return how many bytes it has."""

        async def ask_url() -> str:
            return url

        return await download(self._transport, ask_url, destination, size=size, progress=progress)


class TelestreamClient(FetchingClient, telestream.AsyncTelestream):
    """Telestream, with files."""


class PandaClient(FetchingClient, panda.AsyncPanda):
    """Panda, with files."""


class FamilyAccount(Account, Generic[VideoT]):
    """What the two have in common."""

    resumable: ClassVar[bool] = True

    def __init__(self, client: FetchingClient, scope: str, folder: str | None, *, originals: bool) -> None:
        self._client = client
        self._scope = scope
        self._folder = folder
        self._originals = originals

    @abstractmethod
    def _videos(self) -> AsyncIterator[VideoT]: ...

    @abstractmethod
    async def _video(self, id: str) -> VideoT: ...

    @abstractmethod
    async def _encodings(self, video: VideoT) -> Sequence[EncodingObject]: ...

    @abstractmethod
    async def _processing(self) -> Sequence[EncodingObject]: ...

    @abstractmethod
    async def _open(self, path: Path, order: UploadOrder) -> AsyncUploadSession[VideoT]: ...

    @abstractmethod
    async def _continue(
        self, ticket: Ticket, path: Path, order: UploadOrder
    ) -> AsyncUploadSession[VideoT]: ...

    async def items(self) -> AsyncIterator[Item]:
        """Iterate over all videos."""
        async for video in self._videos():
            yield _item(video)

    async def find(self, id: str) -> Item:
        """Return one video."""
        return _item(await self._video(id))

    async def remove(self, id: str) -> None:
        """Delete a video and its encodings."""
        await (await self._video(id)).delete()

    async def files(self, id: str) -> list[StoredFile]:
        """Return the source, where the service shows it, and the files of all good encodings."""
        if self._folder is None:
            raise CloudReelError(f"{self.service} {self._scope} has no url: nobody knows where its files are")
        video = await self._video(id)
        good = [encoding for encoding in await self._encodings(video) if encoding.status == SUCCESS]
        found: list[StoredFile] = []
        if self._originals and video.status == SUCCESS and video.path:
            where = f"{video.path}{video.extname or ''}"
            name = f"source/{video.original_filename or PurePosixPath(where).name}"
            found.append(self._file(name, where, video.file_size, str(video.updated_at)))
        for encoding, folder in zip(good, folders_of(good), strict=True):
            for where in (*encoding.files, *encoding.screenshots):
                size = output_size(encoding, where)
                name = f"{folder}/{PurePosixPath(where).name}"
                found.append(self._file(name, where, size, f"{encoding.id} {encoding.updated_at}"))
        return found

    def _file(self, name: str, where: str, size: int | None, version: str) -> StoredFile:
        assert self._folder is not None
        url = output_url(self._folder, where)

        async def fetch(destination: Path, progress: DownloadCallback | None) -> int:
            return await self._client.fetch(url, destination, size=size, progress=progress)

        return StoredFile(name, size, None, version, fetch)

    async def busy(self) -> list[str]:
        """Return the ids of the videos with encodings under way."""
        return list(dict.fromkeys(encoding.video_id or "" for encoding in await self._processing()))

    async def watch(self, id: str, poll: float | None) -> AsyncIterator[list[Work]]:
        """Iterate over the encodings of a video whenever they have changed."""
        video = await self._video(id)
        async for progress in video.watch(poll):
            yield works_of(id, progress)

    async def upload(
        self, paths: Sequence[Path], order: UploadOrder, observer: UploadObserver
    ) -> list[Outcome]:
        """Upload files in sessions whose tickets are kept."""
        resumed: dict[Path, Ticket] = {}

        async def opened(path: Path, group: TaskGroup) -> AsyncUploadSession[VideoT]:
            ticket = await self._ticket(path, order)
            if ticket is not None and order.resume and path not in resumed:
                session = await self._continue(ticket, path, order)
                resumed[path] = ticket
                observer.begun(path, RESUMED)
            else:
                session = await self._open(path, order)
                observer.begun(path, UNFINISHED if ticket is not None else None)
            group.start_soon(_observe, session, path, observer)
            return session

        async def uploaded(paths: Sequence[Path]) -> dict[Path, Outcome]:
            videos: list[VideoT | CloudReelError | OSError] = []
            async with anyio.create_task_group() as group:
                openings = (opened(path, group) for path in paths)
                videos = await upload_many(openings, limit=order.jobs, collect=True)
            return dict(zip(paths, map(_outcome, videos), strict=True))

        outcomes = await uploaded(paths)
        gone = [path for path in resumed if isinstance(outcomes[path], NotFoundError)]
        for path in gone:  # the service has forgotten the upload, and the ticket leads nowhere
            await order.store.remove(resumed[path].key)
        if gone:
            outcomes |= await uploaded(gone)
        return [outcomes[path] for path in paths]

    async def _ticket(self, path: Path, order: UploadOrder) -> Ticket | None:
        """Return the ticket of the newest unfinished upload of a file."""
        async with await open_source(path) as source:
            found = await order.store.find(self.service, self._scope, source.fingerprint)
        return found[0] if found else None


class TelestreamAccount(FamilyAccount[telestream.AsyncVideo]):
    """A factory of Telestream."""

    service: ClassVar[str] = "telestream"

    def __init__(self, client: TelestreamClient, factory: telestream.AsyncFactory) -> None:
        originals = factory.upload_original_video is True
        super().__init__(client, _id(factory), factory.url, originals=originals)
        self._factory = factory

    def _videos(self) -> AsyncIterator[telestream.AsyncVideo]:
        return aiter(self._factory.videos.iterate())

    async def _video(self, id: str) -> telestream.AsyncVideo:
        return await self._factory.videos.find(id)

    async def _encodings(self, video: telestream.AsyncVideo) -> Sequence[EncodingObject]:
        return await video.encodings.all()

    async def _processing(self) -> Sequence[EncodingObject]:
        return await self._factory.encodings.all(status=PROCESSING)

    async def _open(self, path: Path, order: UploadOrder) -> AsyncUploadSession[telestream.AsyncVideo]:
        return await self._factory.upload_session(
            path, order.threads, order.profiles or DEFAULT_PROFILE, store=order.store
        )

    async def _continue(
        self, ticket: Ticket, path: Path, order: UploadOrder
    ) -> AsyncUploadSession[telestream.AsyncVideo]:
        return await self._factory.resume_upload(ticket, path, order.threads, store=order.store)


class PandaAccount(FamilyAccount[panda.AsyncVideo]):
    """A cloud of Panda."""

    service: ClassVar[str] = "panda"

    def __init__(self, client: PandaClient, cloud: panda.AsyncCloud) -> None:
        super().__init__(client, _id(cloud), cloud.url, originals=True)
        self._panda = client.for_cloud(_id(cloud))

    def _videos(self) -> AsyncIterator[panda.AsyncVideo]:
        return aiter(self._panda.videos.iterate())

    async def _video(self, id: str) -> panda.AsyncVideo:
        return await self._panda.videos.find(id)

    async def _encodings(self, video: panda.AsyncVideo) -> Sequence[EncodingObject]:
        return await video.encodings()

    async def _processing(self) -> Sequence[EncodingObject]:
        return await self._panda.encodings.all(status=PROCESSING)

    async def _open(self, path: Path, order: UploadOrder) -> AsyncUploadSession[panda.AsyncVideo]:
        return await self._panda.upload_session(path, order.profiles or DEFAULT_PROFILE, store=order.store)

    async def _continue(
        self, ticket: Ticket, path: Path, order: UploadOrder
    ) -> AsyncUploadSession[panda.AsyncVideo]:
        return await self._panda.resume_upload(ticket, path, store=order.store)


async def _observe(session: AsyncUploadSession[VideoT], path: Path, observer: UploadObserver) -> None:
    async for progress in session.events():
        observer.moved(path, progress)
    if session.video is not None:
        observer.stored(path, _id(session.video))


def _outcome(video: VideoObject | CloudReelError | OSError) -> Outcome:
    return _id(video) if isinstance(video, VideoObject) else video


def folders_of(encodings: Iterable[EncodingFields]) -> list[str]:
    """Return the folder of each encoding's files: its profile's name, with the id where two have it."""
    encodings = list(encodings)
    names = Counter(encoding.profile_name for encoding in encodings)
    return [
        name
        if (name := encoding.profile_name) and names[name] == 1
        else f"{name or 'encoding'}-{encoding.id}"
        for encoding in encodings
    ]


def works_of(id: str, progress: JobProgress) -> list[Work]:
    """Return what a video and its encodings have come to, the video only where it failed or is alone."""
    works = [
        Work(
            id,
            encoding.profile_name or encoding.id or "",
            encoding.status or "",
            percent_of(encoding),
            _good(encoding.status),
            encoding.error_message,
        )
        for encoding in progress.encodings
    ]
    video = progress.video
    if works and video.status != FAIL:
        return works
    percent = 100.0 if video.status == SUCCESS else 0.0
    return [Work(id, "source", video.status or "", percent, _good(video.status), video.error_message), *works]


def _good(status: str | None) -> bool | None:
    return {SUCCESS: True, FAIL: False}.get(status or "")


def _item(video: VideoObject) -> Item:
    return Item(
        _id(video),
        video.original_filename or "",
        video.status or "",
        video.file_size,
        video.created_at,
        video.details,
    )


def _id(found: VideoObject | telestream.AsyncFactory | panda.AsyncCloud) -> str:
    assert found.id is not None
    return found.id
