"""Sources that are uploaded while they come."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import Self

import anyio

from cloudreel.errors import UploadError
from cloudreel.uploads.events import Bell
from cloudreel.uploads.files import SpooledReader
from cloudreel.uploads.readers import HOP, in_thread, only_bytes


class SizedStream(ABC):
    """An async iterator of bytes that may know beforehand how many there are.

    Where it does, an upload in parts sends each part as soon as it is there, while the rest is still coming.
    A cancelled ``__anext__`` must lose no bytes: after a failure, `resume` goes on with the next.
    """

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Bytes from the first to the last, None if nobody knows."""

    def __aiter__(self) -> Self:
        """Return itself: there is one stream, and it comes once."""
        return self

    @abstractmethod
    async def __anext__(self) -> bytes:
        """Return the next piece, as it comes."""


class ArrivingReader(SpooledReader):
    """A temporary copy on disk of a stream of known size, readable as far as it has come.

    Args:
        stream: what is copied by `fill`.
        size: bytes that it has promised.
    """

    def __init__(self, stream: SizedStream, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._size = size
        self._copied = 0  # bytes that stand in the file: the high-water mark
        self._fresh = bytearray()  # what has come since, at most a hop and a piece
        self._is_over = False
        self._news = Bell()

    def stat(self) -> tuple[int, int | None]:
        """Return the promised size; there is no time."""
        return self._size, None

    async def receive(self) -> None:
        """Take the next piece of the stream, for `fill` to copy.

        Raises:
            TypeError: the piece is no bytes.
            UploadError: the stream is shorter or longer than promised.
        """
        piece = await anext(self._stream, None)
        if piece is not None:
            self._fresh += only_bytes(piece)
        count = self._copied + len(self._fresh)
        if count > self._size or (piece is None and count < self._size):
            what = "gives more than" if count > self._size else f"ended after {count} of"
            raise UploadError(f"The source {what} the {self._size} bytes that it announced")
        self._is_over = piece is None
        self._news.ring()

    async def fill(self) -> None:
        """Copy all that is still to come; cancelled or failed, it goes on where it was.

        Raises:
            OSError: the disk takes no more.
            UploadError: the stream is shorter or longer than promised.
        """
        async with anyio.create_task_group() as group:
            group.start_soon(self._receive_all)
            while self._fresh or not self._is_over:
                if self._fresh:
                    await self._copy()
                else:
                    await self._news.wait()

    async def reach(self, end: int) -> None:
        """Wait until the first ``end`` bytes can be read; somebody has to `fill`."""
        while self._copied < end:
            await self._news.wait()

    async def _receive_all(self) -> None:
        while not self._is_over:
            while len(self._fresh) >= HOP:
                await self._news.wait()
            await self.receive()

    async def _copy(self) -> None:
        fresh = bytes(self._fresh)
        await in_thread(partial(self._write, self._copied, fresh))
        del self._fresh[: len(fresh)]
        self._copied += len(fresh)
        self._news.ring()

    def _write(self, offset: int, data: bytes) -> None:
        with self._path.open("r+b") as file:
            file.seek(offset)
            file.write(data)
