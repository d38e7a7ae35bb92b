"""Being told to stop, and ending tidily."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable
from typing import TypeVar

import anyio

T = TypeVar("T")


class Terminated(BaseException):
    """SIGTERM has come; a KeyboardInterrupt by another name."""


async def unless_terminated(work: Awaitable[T]) -> T:
    """Wait for some work, which SIGTERM cancels; on asyncio, in the main thread.

    Raises:
        Terminated: the work has ended before it was done.
    """
    if sys.platform == "win32":  # which ends a process at once
        return await work
    loop = asyncio.get_running_loop()
    with anyio.CancelScope() as scope:
        loop.add_signal_handler(signal.SIGTERM, scope.cancel)
        try:
            return await work
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
    raise Terminated
