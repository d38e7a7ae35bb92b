"""A cap on bytes per second that any number of transfers share, in any number of threads."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Final

import anyio

from cloudreel.core.bucket import Bucket

STEP: Final = 0.1  # seconds; what passes at a time takes no longer, so that the line stays smooth
LOOK: Final = 0.25  # seconds after which a waiting transfer sees that the cap has changed


class Bandwidth:
    """A cap on bytes per second, which may be changed while transfers are under way.

    It counts the bodies of requests and answers, uploads and downloads together. Clients that are given the
    same one share it, on whatever threads and event loops they run.

    Args:
        bytes_per_second: None for no cap.
        clock: seconds that only go forward.

    Raises:
        ValueError: the cap is not more than 0.
    """

    def __init__(
        self, bytes_per_second: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bucket = Bucket(_checked(bytes_per_second))
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def bytes_per_second(self) -> float | None:
        """The cap; set it to change it, from any thread. None for no cap."""
        return self._bucket.rate

    @bytes_per_second.setter
    def bytes_per_second(self, value: float | None) -> None:
        with self._lock:
            self._bucket.set_rate(_checked(value), self._clock())

    @property
    def step(self) -> int:
        """Bytes that one transfer should let pass at a time."""
        rate = self._bucket.rate
        return sys.maxsize if rate is None else max(1, int(rate * STEP))

    async def take(self, count: int) -> None:
        """Wait until this many bytes may pass. With 0, wait until all before have passed."""
        place = self.reserve(count)
        while (left := self.wait(place)) > 0:  # noqa: ASYNC110  time passes without an event
            await anyio.sleep(min(left, LOOK))

    def reserve(self, count: int) -> int:
        """Count bytes and return their place in the line; `wait` says when it is their turn.

        This and `wait` are for threads, and for bytes that have passed already and delay those that follow.
        """
        with self._lock:
            return self._bucket.take(count, self._clock())

    def wait(self, place: int) -> float:
        """Return the seconds until it is a place's turn, 0 or more; ask again, the cap may change."""
        with self._lock:
            return self._bucket.wait(place, self._clock())

    def __repr__(self) -> str:
        cap = self.bytes_per_second
        return f"<Bandwidth: {'no cap' if cap is None else f'{cap:g} bytes/s'}>"


def _checked(rate: float | None) -> float | None:
    if rate is not None and not rate > 0:
        raise ValueError(f"bytes_per_second must be more than 0, or None for no cap, not {rate}")
    return rate
