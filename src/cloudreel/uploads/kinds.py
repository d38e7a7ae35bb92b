"""What kinds of sources there are, and how each is read."""

from __future__ import annotations

import inspect
import io
import os
import stat
from collections.abc import AsyncIterable
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeGuard

from attrs import frozen

from cloudreel.uploads.files import FileReader, OpenFileReader, SystemFile
from cloudreel.uploads.readers import BinaryFile, MemoryReader, Reader, SeekableFile, SeekReader, in_thread
from cloudreel.uploads.spool import AsyncReadable, pieces_of_file, pieces_of_iterable, pieces_of_reader, spool

COMPRESSED = {"gzip", "bz2", "lzma", "zipfile", "compression.zstd"}  # modules of such file objects


@frozen
class Spooled:
    """A source that may be copied to disk up to a limit of its own instead of 4 GiB.

    Args:
        source: what to upload.
        limit: bytes that may be copied, None for no limit.
    """

    source: SourceLike
    limit: int | None


SourceLike: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryFile
    | AsyncIterable[bytes]
    | AsyncReadable
    | Spooled
)


async def reader_of(source: SourceLike, limit: int | None) -> Reader:
    """Return the reader that suits a source best, or of a temporary copy.

    Args:
        source: what to read.
        limit: bytes that may be copied, None for no limit.
    """
    if isinstance(source, str | os.PathLike):
        return FileReader(Path(os.fsdecode(source)))
    if isinstance(source, bytes | bytearray | memoryview):
        return MemoryReader(source)
    if isinstance(source, io.TextIOBase):
        raise TypeError("The file was opened in text mode; open it in binary mode ('rb')")
    if isinstance(source, io.BytesIO) and type(source) is io.BytesIO:
        return MemoryReader(source)
    if _may_read_async(source) and await _reads_async(source):
        return await spool(pieces_of_reader(source), limit)
    if isinstance(source, AsyncIterable):
        return await spool(pieces_of_iterable(source), limit)
    if not _reads(source):
        raise TypeError(
            f"{type(source).__name__} is no source: give a path, bytes, a binary file object, an async "
            "iterable of bytes or an object with an async read()"
        )
    return await in_thread(partial(_reader_in_place, source)) or await _spool_file(source, limit)


async def _spool_file(file: BinaryFile, limit: int | None) -> Reader:
    """Copy a file that cannot be read by offset, or not well; leave it where it was, if it can."""
    position = await in_thread(file.tell) if _is_seekable(file) else None
    copy = await spool(pieces_of_file(file), limit)
    if position is not None and _is_seekable(file):
        await in_thread(partial(file.seek, position))
    return copy


def _reads(source: object) -> TypeGuard[BinaryFile]:
    return callable(getattr(source, "read", None))


def _may_read_async(source: object) -> TypeGuard[AsyncReadable]:
    return _reads(source) and not isinstance(source, io.IOBase)


async def _reads_async(source: AsyncReadable) -> bool:
    if inspect.iscoroutinefunction(source.read):
        return True
    nothing: object = source.read(0)  # compiled readers, such as obstore's, do not say it otherwise
    if not inspect.isawaitable(nothing):
        return False
    await nothing
    return True


def _reader_in_place(file: BinaryFile) -> Reader | None:
    if _is_system_file(file):
        return OpenFileReader(file)
    # Setting a compressed file back means unpacking it again from its start, for every piece.
    compressed = COMPRESSED.intersection(kind.__module__ for kind in type(file).__mro__)
    return SeekReader(file) if _is_seekable(file) and not compressed else None


def _is_system_file(file: object) -> TypeGuard[SystemFile]:
    """Whether the descriptor gives exactly what ``read`` gives, at any offset."""
    if type(file) not in (io.FileIO, io.BufferedReader, io.BufferedRandom) or not hasattr(os, "pread"):
        return False
    raw: object = getattr(file, "raw", file)
    return type(raw) is io.FileIO and stat.S_ISREG(os.fstat(raw.fileno()).st_mode)


def _is_seekable(file: BinaryFile) -> TypeGuard[SeekableFile]:
    seekable = getattr(file, "seekable", None)
    if callable(seekable):
        return bool(seekable())
    return hasattr(file, "seek") and hasattr(file, "tell")
