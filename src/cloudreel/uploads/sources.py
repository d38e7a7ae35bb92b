"""What can be uploaded."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Self

import anyio

from cloudreel.errors import UploadError
from cloudreel.uploads.arrivals import ArrivingReader, SizedStream
from cloudreel.uploads.kinds import SourceLike as SourceLike
from cloudreel.uploads.kinds import Spooled, reader_of
from cloudreel.uploads.readers import CHUNK, Reader, in_thread
from cloudreel.uploads.spool import SPOOL_LIMIT, too_large
from cloudreel.uploads.ticket import Fingerprint

SAMPLE = 64 * 1024  # bytes of each of the three samples in a fingerprint
DEFAULT_NAME = "upload.bin"
NOTHING = memoryview(b"")


class Source:
    """What one upload sends; made by `open_source`.

    It holds a file open between `open` and `release` only, which may follow each other. `close` also
    removes the temporary copy of what can be read only once. As an async context manager it opens and
    closes itself.

    Args:
        reader: gives the bytes.
        name: base name for the service.
        fingerprint: what the source looks like.
    """

    def __init__(self, reader: Reader, name: str, fingerprint: Fingerprint) -> None:
        self._reader = reader
        self.name = name
        self.fingerprint = fingerprint
        self._is_open = False

    @property
    def size(self) -> int:
        """Bytes from the first to the last."""
        return self.fingerprint.size

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there to be read, and the fingerprint of all of it."""
        return self.fingerprint.sha256 is not None

    async def fill(self) -> None:
        """Take in what is still to come, until the source is whole; most are from the beginning."""

    async def reach(self, end: int) -> None:
        """Wait until the first ``end`` bytes can be read, while `fill` runs."""

    async def open(self) -> None:
        """Get ready to read.

        Raises:
            OSError: the file cannot be opened any more.
        """
        await self._reader.open()
        self._is_open = True

    async def release(self) -> None:
        """Hold nothing open; `open` makes the source readable again."""
        self._is_open = False
        await self._reader.release()

    async def close(self) -> None:
        """Release the source and remove its temporary copy if there is one."""
        self._is_open = False
        await self._reader.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            await self.close()

    def read(self, offset: int, length: int) -> AsyncIterator[bytes]:
        """Return an iterator over ``length`` bytes at an offset in fresh pieces of at most 256 KiB.

        Any number of them may run at once. One ends early when the source does.
        """
        return _Pieces(self._reader, offset, length)

    def fileno(self) -> tuple[int, int] | None:
        """Return the open descriptor and the source's first byte in it, None unless it is a real file."""
        return self._reader.fileno()

    def check(self) -> None:
        """Make sure that size and time of change are the same; costs next to nothing, but may block.

        Raises:
            UploadError: the source has changed since `open_source`.
        """
        self._compare(self.fingerprint, *self._reader.stat())

    async def recheck(self) -> None:
        """Do as `check` does, without holding up the event loop."""
        self._compare(self.fingerprint, *await _stat(self._reader))

    async def verify(self, expected: Fingerprint) -> None:
        """Make sure that the source, open or not, is still the one that a fingerprint was taken of.

        Raises:
            UploadError: it has another size, time of change or content, or nobody knows: the fingerprint
                was taken before the source had come.
        """
        if expected.sha256 is None:
            raise UploadError(
                f"Nobody can tell whether {self.name!r} is what was being uploaded, as that had not come "
                "whole when its ticket was written; upload it anew"
            )
        was_open = self._is_open
        await self.open()
        try:
            found = await _take_fingerprint(self._reader)
        finally:
            if not was_open:
                with anyio.CancelScope(shield=True):
                    await self.release()
        self._compare(expected, found.size, found.mtime_ns)
        if found.sha256 != expected.sha256:
            raise self.changed("its content is another")

    def changed(self, how: str) -> UploadError:
        """Return the error that says how the source changed, and what to do."""
        return UploadError(f"{self.name!r} has changed since the upload began: {how}; upload it anew")

    def _compare(self, expected: Fingerprint, size: int, mtime_ns: int | None) -> None:
        if size != expected.size:
            raise self.changed(f"it has {size} bytes instead of {expected.size}")
        if None not in (mtime_ns, expected.mtime_ns) and mtime_ns != expected.mtime_ns:
            raise self.changed("it was written to")

    def __repr__(self) -> str:
        return f"<Source {self.name!r}, {self.size} bytes>"


class _Arriving(Source):
    """A source that is still coming when the upload begins; what has come can be read again."""

    def __init__(self, reader: ArrivingReader, name: str) -> None:
        super().__init__(reader, name, Fingerprint(reader.stat()[0], None, None))
        self._arriving = reader

    async def fill(self) -> None:
        """Take in what is still to come; then the fingerprint is that of the whole source.

        Raises:
            UploadError: it is shorter or longer than promised.
            Exception: what the stream raises.
        """
        if not self.is_whole:
            await self._arriving.fill()
            self.fingerprint = await _take_fingerprint(self._arriving)

    async def reach(self, end: int) -> None:
        """Wait until the first ``end`` bytes can be read, while `fill` runs."""
        await self._arriving.reach(end)

    async def verify(self, expected: Fingerprint) -> None:
        """Make sure that the source is still the one of a fingerprint; before it is whole there is none."""
        if self.is_whole:
            await super().verify(expected)


class _Pieces:
    """Pieces of a source. An object and not a generator, so that nobody has to close it."""

    def __init__(self, reader: Reader, offset: int, length: int) -> None:
        self._reader = reader
        self._offset = offset
        self._left = length
        self._ahead = NOTHING

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        if not self._ahead:
            if not self._left:
                raise StopAsyncIteration
            read = await self._reader.read(self._offset, self._left)
            if not read:
                raise StopAsyncIteration
            self._offset += len(read)
            self._left -= len(read)
            if len(read) <= CHUNK:
                return read
            self._ahead = memoryview(read)
        # The last piece lets go of what was read, before as much is read again.
        piece, self._ahead = bytes(self._ahead[:CHUNK]), self._ahead[CHUNK:] or NOTHING
        return piece


async def open_source(source: SourceLike, *, whole: bool = True) -> Source:
    """Return what is needed to upload a path, bytes, a binary file, an async iterable or async reader.

    The caller's file is read from its position to its end, never closed, and its position is restored.
    Paths and files are read where they are. What can be read only once, or only from front to back
    (compressed files), is copied to a temporary file first, which goes with the source: 4 GiB at most, or as
    much as `Spooled` allows.

    Args:
        source: what to upload.
        whole: whether all of it has to be there. Otherwise a `SizedStream` that knows its size gives a
            source of which nothing but the first piece has come.

    Raises:
        FileNotFoundError: nothing is at the path.
        IsADirectoryError: a directory is at the path.
        TypeError: this is no source, or it gives text.
        UploadError: it is empty, or larger than what may be copied.
    """
    limit: int | None = SPOOL_LIMIT
    if isinstance(source, Spooled):
        limit = source.limit
        source = source.source
    name = _name_of(source)
    if not whole and isinstance(source, SizedStream) and source.size:
        return await _open_arriving(source, source.size, name, limit)
    reader = await reader_of(source, limit)
    try:
        await reader.open()
        fingerprint = await _take_fingerprint(reader)
        if fingerprint.size == 0:
            raise UploadError(f"{name!r} is empty; there is nothing to upload")
    except BaseException:
        with anyio.CancelScope(shield=True):
            await reader.close()
        raise
    with anyio.CancelScope(shield=True):
        await reader.release()
    return Source(reader, name, fingerprint)


async def _open_arriving(stream: SizedStream, size: int, name: str, limit: int | None) -> Source:
    if limit is not None and size > limit:
        raise too_large(limit)
    reader = await in_thread(partial(ArrivingReader, stream, size))
    try:
        # Whoever refuses a stream that is read, or has gone already, does so before anybody hears of it.
        await reader.receive()
    except BaseException:
        with anyio.CancelScope(shield=True):
            await reader.close()
        raise
    return _Arriving(reader, name)


def _name_of(source: SourceLike) -> str:
    """Return a base name: of the path, or of the ``name`` or ``filename`` an object carries."""
    if isinstance(source, str | os.PathLike):
        name = Path(os.fsdecode(source)).name
    else:
        carried = getattr(source, "name", None) or getattr(source, "filename", None)
        # A browser may have sent a path of its own system; <stdin> is no name.
        name = re.split(r"[/\\]", carried)[-1] if isinstance(carried, str) else ""
        name = "" if name.startswith("<") else name
    return name.encode("utf-8", "replace").decode() or DEFAULT_NAME


async def _take_fingerprint(reader: Reader) -> Fingerprint:
    size, mtime_ns = await _stat(reader)
    digest = hashlib.sha256()
    for offset in sorted({0, max(0, (size - SAMPLE) // 2), max(0, size - SAMPLE)}):
        async for piece in _Pieces(reader, offset, min(SAMPLE, size - offset)):
            digest.update(piece)
    return Fingerprint(size, mtime_ns, digest.hexdigest())


async def _stat(reader: Reader) -> tuple[int, int | None]:
    return reader.stat() if reader.in_memory else await in_thread(reader.stat)
