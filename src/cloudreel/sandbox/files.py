"""Moving request bodies into files: bounded memory, and never a slow disk on the event loop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from anyio import to_thread

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Sink"]

_BATCH = 2**20


class Sink:
    """Write what arrives to one place of a file, a mebibyte at a time, in a worker thread.

    Args:
        path: the file; made if it is not there, never truncated.
        offset: the byte the first write goes to. Several sinks may fill one file side by side.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._descriptor = -1
        self.written_to = offset

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    async def write(self, data: bytes) -> None:
        """Take some bytes; they are in the file after `flush` at the latest."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= _BATCH:
            await self.flush()

    async def flush(self) -> None:
        """Write what is pending; ``written_to`` is the first byte not written yet."""
        if self._pending:
            await to_thread.run_sync(self.flush_now)

    def flush_now(self) -> None:
        """Do the same without giving way to anybody: the event loop waits for the disk."""
        for data in self._pending:
            rest = memoryview(data)
            while rest:
                written = os.pwrite(self._descriptor, rest, self.written_to)
                self.written_to += written
                rest = rest[written:]
        self._pending = []
        self._pending_size = 0
