"""Remembering what was told already."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

MOST_KEYS = 100_000


class Seen(Protocol):
    """A store of keys that have been seen, shared by all who must not tell the same thing twice.

    `MemorySeen` is one for a single process, `RedisSeen` one for several.
    """

    async def first(self, key: str, seconds: float) -> bool:
        """Remember a key for so many seconds; return whether it was not known before, in one step."""
        ...

    async def forget(self, key: str) -> None:
        """Forget a key, if it is there."""
        ...


class MemorySeen:
    """Keys in the memory of one process.

    Args:
        most: how many are kept; the oldest go first.
        clock: seconds that only go forward.
    """

    def __init__(self, most: int = MOST_KEYS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._until: dict[str, float] = {}  # the oldest key first

    async def first(self, key: str, seconds: float) -> bool:
        """Remember a key for so many seconds; return whether it was not known before."""
        now = self._clock()
        if self._until.get(key, now) > now:
            return False
        self._until.pop(key, None)  # it goes to the end: the others are older
        self._until[key] = now + seconds
        while len(self._until) > self._most or next(iter(self._until.values())) <= now:
            del self._until[next(iter(self._until))]
        return True

    async def forget(self, key: str) -> None:
        """Forget a key, if it is there."""
        self._until.pop(key, None)
