"""Watching an upload without holding it up."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from cloudreel.uploads.plan import Progress


class Bell:
    """Wakes whoever waits for the next change. Who is slow finds the newest state, not a backlog."""

    def __init__(self) -> None:
        self.changes = 0
        self.over = False
        self._next: anyio.Event | None = None

    def ring(self) -> None:
        """Wake everybody who waits."""
        self.changes += 1
        if self._next is not None:
            self._next.set()
            self._next = None

    async def wait(self) -> None:
        """Wait for the next ring."""
        if self._next is None:
            self._next = anyio.Event()
        await self._next.wait()


class Events:
    """The progress at each change, until the upload is over.

    An object and not a generator: it may be dropped at any time without anything left to close.
    """

    def __init__(self, bell: Bell, read: Callable[[], Progress]) -> None:
        self._bell = bell
        self._read = read
        self._seen = -1

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> Progress:
        """Return the newest progress as soon as it differs from the one before."""
        while self._seen == self._bell.changes:
            if self._bell.over:
                raise StopAsyncIteration
            await self._bell.wait()
        self._seen = self._bell.changes
        return self._read()
