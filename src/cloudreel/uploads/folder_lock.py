"""One process at a time in a folder. The system lets go of the lock of a process that was killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Busy(Exception):
    """Another thread or process has the lock right now."""


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock that a file stands for; it is made for its owner only, and stays.

    Raises:
        Busy: somebody else holds it. Nobody waits here: a thread that does cannot be cancelled.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError):  # the latter on Windows
            raise Busy from None
        yield
    finally:
        os.close(descriptor)  # which unlocks it
