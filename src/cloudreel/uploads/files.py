"""Readers of regular files, by offset through a descriptor."""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
import threading
import weakref
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeAlias

from cloudreel.errors import UploadError
from cloudreel.uploads.readers import CHUNK, HOP, in_thread

SystemFile: TypeAlias = "io.FileIO | io.BufferedReader | io.BufferedRandom"


class FileReader:
    """A regular file at a path, opened for as long as it is read.

    What the page cache holds is read on the spot, which costs less than the way to a thread: on Linux,
    RWF_NOWAIT reads it or says that it would have to wait for the disk.
    """

    in_memory: ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._start = 0
        self._buffer = bytearray()
        self._nowait: int | None = getattr(os, "RWF_NOWAIT", None)
        self._lock = threading.Lock()

    async def open(self) -> None:
        """Open the file.

        Raises:
            FileNotFoundError: nothing is there.
            IsADirectoryError: a directory is there.
            UploadError: something is there that is no regular file.
        """
        if self._descriptor is None:
            self._descriptor = await in_thread(self._open)

    async def release(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            await in_thread(partial(os.close, descriptor))
        self._buffer = bytearray()

    async def close(self) -> None:
        """Close the file."""
        await self.release()

    def stat(self) -> tuple[int, int | None]:
        """Return size and time of the last change as the open file has them now."""
        found = os.fstat(self._opened())
        return max(found.st_size - self._start, 0), found.st_mtime_ns

    async def read(self, offset: int, size: int) -> bytes:
        """Return a cached piece of at most one chunk, or read at most one hop in a thread."""
        offset += self._start
        if self._nowait is not None:
            piece = self._read_cached(offset, min(size, CHUNK), self._nowait)
            if piece is not None:
                return piece
        return await in_thread(partial(self._read_at, self._opened(), offset, min(size, HOP)))

    def fileno(self) -> tuple[int, int] | None:
        """Return the descriptor while the file is open."""
        return None if self._descriptor is None else (self._descriptor, self._start)

    def _open(self) -> int:
        mode = self._path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self._path))
        if not stat.S_ISREG(mode):
            raise UploadError(
                f"{str(self._path)!r} is no regular file; open it and give the file object, which is spooled"
            )
        return os.open(self._path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))

    def _opened(self) -> int:
        if self._descriptor is None:
            raise ValueError(f"{str(self._path)!r} is not open for reading")
        return self._descriptor

    def _read_cached(self, offset: int, size: int, nowait: int) -> bytes | None:
        if not self._buffer:
            self._buffer = bytearray(CHUNK)
        with memoryview(self._buffer)[:size] as target:
            try:
                count = os.preadv(self._opened(), [target], offset, nowait)
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                    raise
                self._nowait = None  # this file system cannot say; do not ask again
                return None
            # A copy: who gets the piece may keep it while the buffer is filled again.
            return bytes(target[:count])

    def _read_at(self, descriptor: int, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(descriptor, size, offset)
        with self._lock:  # Windows: one position for all
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.read(descriptor, size)


class OpenFileReader(FileReader):
    """A regular file that the caller has opened: read from its position on, left open and unmoved."""

    def __init__(self, file: SystemFile) -> None:
        super().__init__(Path(str(file.name)))
        self._file = file
        self._start = file.tell()

    def _open(self) -> int:
        if self._file.writable():
            self._file.flush()
        return os.dup(self._file.fileno())  # of our own: the caller may close theirs at any time


class SpooledReader(FileReader):
    """A temporary copy on disk of what can only be read once.

    It goes with `close`, at the latest with this object or with the interpreter.
    """

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="cloudreel-")
        super().__init__(Path(name))
        self._remove = weakref.finalize(self, _remove, Path(name), os.getpid())
        os.close(descriptor)

    async def close(self) -> None:
        """Close and remove the copy."""
        await self.release()
        await in_thread(self._remove)

    def stat(self) -> tuple[int, int | None]:
        """Return the size; the time is that of the copy and says nothing of the source."""
        size, _ = super().stat()
        return size, None

    def append(self, data: bytes) -> None:
        """Add to the copy; blocks."""
        with self._path.open("ab") as file:
            file.write(data)


def _remove(path: Path, owner: int) -> None:
    """Remove a temporary copy, unless this is a fork of the process that made it."""
    if os.getpid() == owner:
        path.unlink(missing_ok=True)
