"""What the commands ask of an account, whichever service it is with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol, TypeAlias

from attrs import frozen

from cloudreel.downloads.download import DownloadCallback
from cloudreel.errors import CloudReelError
from cloudreel.uploads import Progress, TicketStore

Outcome: TypeAlias = "str | CloudReelError | OSError"
"""The id of what an upload has become, or why it has become nothing."""


@frozen
class Item:
    """A video or a medium.

    Args:
        id: the service's.
        title: for people: the file's name, or the title.
        status: in the service's words.
        size: bytes of the source, None where they are not known.
        created: when, None where that is not told.
        details: all that the service says: JSON values.
    """

    id: str
    title: str
    status: str
    size: int | None
    created: datetime | None
    details: Mapping[str, object]


@frozen
class StoredFile:
    """A file that the service holds.

    Args:
        name: unique in its item, with ``/`` in it. The service's: `safe_path` makes a path of it.
        size: bytes, None where the service does not say.
        md5: hexadecimal digest, None where the service does not say.
        version: changes when the file does, as far as the service tells.
        fetch: downloads it to a path, and returns how many bytes it has.
    """

    name: str
    size: int | None
    md5: str | None
    version: str
    fetch: Callable[[Path, DownloadCallback | None], Awaitable[int]]


@frozen
class Work:
    """An encoding that is watched.

    Args:
        item: id of the video or medium.
        name: of the encoding: its profile or asset.
        status: in the service's words.
        percent: how far it is, 0 to 100.
        good: True once it has succeeded, False once it has failed, None until then.
        error: why it failed, where the service says so.
    """

    item: str
    name: str
    status: str
    percent: float
    good: bool | None
    error: str | None = None


@frozen
class UploadOrder:
    """How files are to be uploaded.

    Args:
        profiles: what to encode to; none for what the service does by itself.
        store: where tickets lie.
        resume: whether unfinished uploads of the same files are continued.
        jobs: files under way at once.
        threads: parts of one file under way at once.
    """

    profiles: Sequence[str]
    store: TicketStore
    resume: bool
    jobs: int
    threads: int


class UploadObserver(Protocol):
    """Who is told how uploads go on."""

    def begun(self, path: Path, remark: str | None) -> None:
        """Take note that the service knows of an upload, which can be resumed; people may want a remark."""
        ...

    def moved(self, path: Path, progress: Progress) -> None:
        """Take note of how far one has come."""
        ...

    def stored(self, path: Path, id: str) -> None:
        """Take note of what one has become."""
        ...


class Account(ABC):
    """An account's videos, whichever service it is with."""

    service: ClassVar[str]
    resumable: ClassVar[bool]
    """Whether an upload that broke off can be continued."""

    @abstractmethod
    def items(self) -> AsyncIterator[Item]:
        """Iterate over everything in the account."""

    @abstractmethod
    async def find(self, id: str) -> Item:
        """Return one item."""

    @abstractmethod
    async def remove(self, id: str) -> None:
        """Delete one item and all its files."""

    @abstractmethod
    async def files(self, id: str) -> list[StoredFile]:
        """Return the files of one item that are ready."""

    @abstractmethod
    async def busy(self) -> list[str]:
        """Return the ids of the items that are being encoded."""

    @abstractmethod
    def watch(self, id: str, poll: float | None) -> AsyncIterator[list[Work]]:
        """Iterate over the encodings of one item whenever they have changed, until all are final."""

    @abstractmethod
    async def upload(
        self, paths: Sequence[Path], order: UploadOrder, observer: UploadObserver
    ) -> list[Outcome]:
        """Upload files and return what has become of them, in their order."""
