"""Where a download goes: to a file that appears when it is whole, or into an object with ``write``."""

from __future__ import annotations

import errno
import io
import os
import secrets
from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutinefunction
from pathlib import Path
from typing import Protocol, TypeAlias

from anyio import to_thread


class Writer(Protocol):
    """An object with ``write``: a binary file, an anyio file, anything else that takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Take these bytes, or return how many were taken, as raw files do; may be async."""
        ...


Destination: TypeAlias = "str | os.PathLike[str] | Writer"
"""A path, whose file is replaced when the download is whole; or an object with a sync or async ``write``."""


class Target(Protocol):
    """An open destination."""

    @property
    def rewindable(self) -> bool:
        """Whether what was written can be taken back."""
        ...

    async def write(self, data: bytes) -> None:
        """Write at the end of what was written."""
        ...

    async def rewind(self) -> None:
        """Take back all that was written."""
        ...

    async def finish(self) -> None:
        """Make what was written last."""
        ...

    async def discard(self) -> None:
        """Let go of what is left over; do nothing after `finish`."""
        ...


async def open_target(destination: Destination) -> Target:
    """Return a destination that is ready to be written.

    Raises:
        OSError: there can be no file at the path; nothing was asked of the service.
        TypeError: this is no destination.
    """
    if isinstance(destination, str | os.PathLike):
        return await to_thread.run_sync(FileTarget, Path(destination))
    if not callable(getattr(destination, "write", None)):
        kind = type(destination).__name__
        raise TypeError(f"A download goes to a path or to an object with write(), and {kind} is neither")
    return WriterTarget(destination)


class FileTarget:
    """A file beside the path, which takes the path's place when it is whole. The constructor blocks.

    It is named ``.<name>.<random>.part``, and goes when the download fails.
    """

    rewindable = True

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()  # of a link, what it leads to is replaced
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if self._path.exists() and not self._path.is_file():
            text = "This is no regular file; open it and give the file object"
            raise FileExistsError(errno.EEXIST, text, str(path))
        self._part = self._path.with_name(f".{self._path.name[:40]}.{secrets.token_hex(6)}.part")
        self._file = self._part.open("xb", buffering=0)

    async def write(self, data: bytes) -> None:
        """Write at the end of the file."""
        await _write_all(lambda rest: to_thread.run_sync(self._file.write, rest), data)

    async def rewind(self) -> None:
        """Empty the file."""
        await to_thread.run_sync(self._empty)

    async def finish(self) -> None:
        """Put the file in its place, once the disk has it."""
        await to_thread.run_sync(self._replace)

    async def discard(self) -> None:
        """Remove the file, unless it is in its place."""
        await to_thread.run_sync(self._remove)

    def _empty(self) -> None:
        self._file.seek(0)
        self._file.truncate()

    def _replace(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)

    def _remove(self) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)


class WriterTarget:
    """An object with ``write``, which is the caller's and stays open.

    A sync ``write`` is called in a worker thread, one call after the other.
    """

    rewindable = False

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._is_async = iscoroutinefunction(writer.write)

    async def write(self, data: bytes) -> None:
        """Hand the bytes over and wait until they are taken."""
        await _write_all(self._write, data)

    async def _write(self, data: bytes) -> object:
        write = self._writer.write
        if self._is_async:
            result = write(data)
        else:
            (result,) = await to_thread.run_sync(lambda: (write(data),))  # trio takes nothing awaitable
        if isawaitable(result):
            result = await result
        return result

    async def rewind(self) -> None:
        """Fail: what is written is written."""
        raise io.UnsupportedOperation("rewind")

    async def finish(self) -> None:
        """Do nothing: the caller flushes and closes."""

    async def discard(self) -> None:
        """Do nothing: there is nothing of ours."""


async def _write_all(write: Callable[[bytes], Awaitable[object]], data: bytes) -> None:
    """Write until everything is taken: raw files may take less than they are given."""
    while data:
        taken = await write(data)
        if type(taken) is not int:
            return
        if taken <= 0:
            raise BlockingIOError(errno.EAGAIN, f"The destination took {taken} of {len(data)} bytes")
        data = data[taken:]
