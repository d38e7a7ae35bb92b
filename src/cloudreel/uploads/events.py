"""Watching an upload without holding it up."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import isawaitable
from typing import TypeAlias

import anyio

from cloudreel.uploads.plan import Progress

INTERVAL = 0.1  # seconds between two looks at the progress of an upload that goes on

ProgressCallback: TypeAlias = Callable[[Progress], Awaitable[object] | object]


class Bell:
    """Wakes whoever waits for the next change. Who is slow finds the newest state, not a backlog."""

    def __init__(self) -> None:
        self.changes = 0
        self.over = False
        self._change: anyio.Event | None = None
        self._end: anyio.Event | None = None

    def begin(self) -> None:
        """Wake everybody who waits: the upload goes on."""
        self.over = False
        self.ring()

    def ring(self) -> None:
        """Wake everybody who waits."""
        self.changes += 1
        if self._change is not None:
            self._change.set()
            self._change = None

    def end(self) -> None:
        """Wake everybody who waits, for the last time until it begins again."""
        self.over = True
        if self._end is not None:
            self._end.set()
            self._end = None
        self.ring()

    async def wait(self) -> None:
        """Wait for the next ring."""
        if self._change is None:
            self._change = anyio.Event()
        await self._change.wait()

    async def wait_for_end(self) -> None:
        """Wait until it is over."""
        if not self.over:
            if self._end is None:
                self._end = anyio.Event()
            await self._end.wait()


class Events:
    """The newest progress: at the beginning, at most every `INTERVAL` after changes, and at the end.

    An object and not a generator: it may be dropped at any time without anything left to close.

    Args:
        bell: rung after each change.
        read: gives the newest progress.
        clock: seconds that only go forward.
    """

    def __init__(self, bell: Bell, read: Callable[[], Progress], clock: Callable[[], float]) -> None:
        self._bell = bell
        self._read = read
        self._clock = clock
        self._seen = -1
        self._seen_at = -math.inf

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> Progress:
        """Return the newest progress once it differs from the one before and is due."""
        while self._seen == self._bell.changes:
            if self._bell.over:
                raise StopAsyncIteration
            await self._bell.wait()
        left = self._seen_at + INTERVAL - self._clock()
        if left > 0:
            with anyio.move_on_after(left):
                await self._bell.wait_for_end()
        self._seen = self._bell.changes
        self._seen_at = self._clock()
        return self._read()


async def report(events: AsyncIterator[Progress], callback: ProgressCallback) -> None:
    """Call a function, async or not, with each progress; while it is busy it misses some."""
    async for progress in events:
        result = callback(progress)
        if isawaitable(result):
            await result
