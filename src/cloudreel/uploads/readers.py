"""Reading bytes by their offset, from whatever holds them.

A reader has no position of its own, so that any number of parts can be read at once. None blocks the event
loop: what may have to wait for a disk is read in a worker thread.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Protocol, TypeAlias, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")

CHUNK = 256 * 1024  # bytes of one piece of a body
HOP = 512 * 1024  # bytes read by one visit to a worker thread: each part under way holds as many
MOST_THREADS = 16  # as many as there are connections; API calls keep anyio's own threads

MemorySource: TypeAlias = "bytes | bytearray | memoryview | io.BytesIO"

_limiter: RunVar[anyio.CapacityLimiter] = RunVar("cloudreel.uploads.threads")


async def in_thread(function: Callable[[], T]) -> T:
    """Call a blocking function in one of the worker threads of uploads."""
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(MOST_THREADS)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(function, limiter=limiter)


class BinaryFile(Protocol):
    """A file object opened for reading bytes."""

    def read(self, size: int = ..., /) -> bytes | None:
        """Read at most ``size`` bytes from the position."""
        ...


class SeekableFile(BinaryFile, Protocol):
    """A binary file object whose position can be set."""

    def seek(self, offset: int, whence: int = ..., /) -> int:
        """Set the position."""
        ...

    def tell(self) -> int:
        """Return the position."""
        ...


class Reader(Protocol):
    """Bytes by their offset. `open` and `release` may follow each other any number of times."""

    in_memory: ClassVar[bool]
    """Whether `stat` never waits, so that it needs no thread."""

    async def open(self) -> None:
        """Get ready to read; do nothing when it is."""
        ...

    async def release(self) -> None:
        """Give back what `open` took."""
        ...

    async def close(self) -> None:
        """Release, and remove what exists for this reader alone."""
        ...

    def stat(self) -> tuple[int, int | None]:
        """Return, blocking, the size in bytes and, of a real file, when it last changed in nanoseconds."""
        ...

    async def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes at an offset, at least one unless there are no more."""
        ...

    def fileno(self) -> tuple[int, int] | None:
        """Return the open descriptor and where the source begins in it, None where there is no file."""
        ...


class MemoryReader:
    """Bytes that are in memory. The caller's object is not locked between reads."""

    in_memory: ClassVar[bool] = True

    def __init__(self, data: MemorySource) -> None:
        if isinstance(data, memoryview) and not data.c_contiguous:
            data = data.tobytes()
        self._data = data
        self._start = data.tell() if isinstance(data, io.BytesIO) else 0

    async def open(self) -> None:
        """Do nothing: memory is always open."""

    async def release(self) -> None:
        """Do nothing: there is nothing to give back."""

    async def close(self) -> None:
        """Do nothing: the memory is the caller's."""

    def stat(self) -> tuple[int, int | None]:
        """Return the size."""
        with self._view() as view:
            return max(view.nbytes - self._start, 0), None

    async def read(self, offset: int, size: int) -> bytes:
        """Return a copy of at most one chunk."""
        begin = self._start + offset
        with self._view() as view, view.cast("B") as flat:
            return bytes(flat[begin : begin + min(size, CHUNK)])

    def fileno(self) -> None:
        """Return None: there is no file."""

    def _view(self) -> memoryview:
        return self._data.getbuffer() if isinstance(self._data, io.BytesIO) else memoryview(self._data)


class SeekReader:
    """Any other file object with a position, which is set for each read and restored in the end."""

    in_memory: ClassVar[bool] = False

    def __init__(self, file: SeekableFile) -> None:
        self._file = file
        self._start = file.tell()
        self._lock = threading.Lock()

    async def open(self) -> None:
        """Do nothing: the file is open."""

    async def release(self) -> None:
        """Restore the position."""
        await in_thread(self._restore)

    async def close(self) -> None:
        """Restore the position."""
        await self.release()

    def stat(self) -> tuple[int, int | None]:
        """Return the size from the first position to the end."""
        with self._lock:
            return max(self._file.seek(0, os.SEEK_END) - self._start, 0), None

    async def read(self, offset: int, size: int) -> bytes:
        """Return at most one hop, read in a thread."""
        return await in_thread(partial(self._read_at, self._start + offset, min(size, HOP)))

    def fileno(self) -> None:
        """Return None: what the descriptor would give, if there is one, need not be what `read` gives."""

    def _read_at(self, offset: int, size: int) -> bytes:
        with self._lock:
            self._file.seek(offset)
            return only_bytes(self._file.read(size) or b"")

    def _restore(self) -> None:
        if not getattr(self._file, "closed", False):
            with self._lock:
                self._file.seek(self._start)


def only_bytes(piece: bytes | bytearray | memoryview) -> bytes:
    """Return a piece of a source, which must be bytes, or an object that holds bytes.

    Raises:
        TypeError: it is something else, such as text.
    """
    if isinstance(piece, bytes):
        return piece
    try:
        return memoryview(piece).tobytes()
    except TypeError:
        kind = type(piece).__name__
        hint = "; open it in binary mode ('rb')" if kind == "str" else ""
        raise TypeError(f"A source must give bytes, but it gave {kind}{hint}") from None
