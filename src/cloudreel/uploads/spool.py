"""Copying to disk what can be read only once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import AsyncExitStack, aclosing
from functools import partial
from inspect import isasyncgen
from typing import Protocol

import anyio

from cloudreel.errors import UploadError
from cloudreel.uploads.files import SpooledReader
from cloudreel.uploads.readers import CHUNK, HOP, BinaryFile, in_thread, only_bytes

SPOOL_LIMIT = 4 * 2**30  # bytes: a request that never ends must not fill the disk


class AsyncReadable(Protocol):
    """An object with an async ``read``: an uploaded file of an ASGI request, an anyio file."""

    async def read(self, size: int = ..., /) -> bytes:
        """Read at most ``size`` bytes."""
        ...


async def pieces_of_file(file: BinaryFile) -> AsyncGenerator[bytes]:
    """Yield what a file object gives, read in a worker thread."""
    while piece := await in_thread(partial(file.read, HOP)):
        yield piece


async def pieces_of_reader(source: AsyncReadable) -> AsyncGenerator[bytes]:
    """Yield what an async ``read`` gives."""
    while piece := await source.read(CHUNK):
        yield piece


async def pieces_of_iterable(source: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    """Yield what an async iterable gives; a generator is closed, as nobody could go on with it."""
    async with AsyncExitStack() as stack:
        if isasyncgen(source):
            stack.push_async_callback(source.aclose)
        async for piece in source:
            yield piece


async def spool(pieces: AsyncGenerator[bytes], limit: int | None) -> SpooledReader:
    """Return a reader of a temporary copy of everything that is yielded.

    Args:
        pieces: the source, which is read to its end.
        limit: bytes that may be copied, None for no limit.

    Raises:
        TypeError: a piece is no bytes.
        UploadError: the source is larger than ``limit``.
    """
    copy = await in_thread(SpooledReader)
    try:
        size = 0
        waiting = bytearray()
        async with aclosing(pieces):
            async for piece in pieces:
                fresh = only_bytes(piece)
                waiting += fresh
                size += len(fresh)
                if limit is not None and size > limit:
                    raise too_large(limit)
                if len(waiting) >= HOP:
                    await in_thread(partial(copy.append, bytes(waiting)))
                    waiting.clear()
        await in_thread(partial(copy.append, bytes(waiting)))
    except BaseException:
        with anyio.CancelScope(shield=True):
            await copy.close()
        raise
    return copy


def too_large(limit: int) -> UploadError:
    """Return the error for a source of more bytes than may be copied."""
    return UploadError(
        f"The source is larger than the {limit} bytes that may be copied to disk; give a "
        "path, a seekable file or Spooled(source, limit=...)"
    )
