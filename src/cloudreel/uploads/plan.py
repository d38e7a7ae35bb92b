"""What of an upload is still to be sent, and how far it has come. PURE.

A `Plan` hands out the missing parts in order, is told what became of them, and adds up the progress. Each
step costs the same however many parts there are.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from attrs import frozen

RATE_INTERVAL = 0.25  # seconds; a shorter time says little about a rate
RATE_MEMORY = 5.0  # seconds after which an old rate has lost two thirds of its weight


@frozen
class Progress:
    """How far an upload has come. No number but ``rate`` and ``eta`` ever goes backwards.

    Args:
        bytes_sent: bytes handed to the connection, each counted once however often it was repeated.
        bytes_confirmed: bytes of the parts that the service acknowledged.
        total: bytes of the source.
        parts_done: parts that the service acknowledged.
        parts: parts of the upload.
        rate: bytes per second, smoothed; None until it is known.
        eta: seconds left at that rate; None until it is known.
    """

    bytes_sent: int
    bytes_confirmed: int
    total: int
    parts_done: int
    parts: int
    rate: float | None
    eta: float | None


@frozen
class Part:
    """One piece of the source to send: its zero-based index, its first byte and its length in bytes."""

    index: int
    offset: int
    length: int


def count_parts(size: int, part_size: int) -> int:
    """Return how many parts of ``part_size`` bytes ``size`` bytes make; the last may be shorter."""
    return -(-size // part_size)


class Plan:
    """The parts of one upload: which are missing, which are confirmed, what was sent of them.

    Args:
        size: bytes of the source.
        part_size: bytes of every part but the last (telestream.md 8.2).
    """

    def __init__(self, size: int, part_size: int) -> None:
        self.size = size
        self.part_size = part_size
        self.parts = count_parts(size, part_size)
        self._queue: Iterator[int] = iter(range(self.parts))
        self._waiting = self.parts
        self._confirmed = bytearray(self.parts)  # one flag per part
        self._marks: dict[int, int] = {}  # the most that was ever sent of an unconfirmed part
        self._begun = (0, 0)  # a missing part, and how many bytes of its beginning the service holds
        self._bytes_sent = 0
        self._bytes_confirmed = 0
        self._parts_confirmed = 0
        self._most_bytes_confirmed = 0
        self._most_parts_confirmed = 0
        self._rate: float | None = None
        self._measured_at = 0.0
        self._measured_bytes = 0

    @property
    def waiting(self) -> int:
        """How many missing parts `next` has not handed out yet."""
        return self._waiting

    @property
    def bytes_confirmed(self) -> int:
        """The most bytes that the service ever acknowledged."""
        return self._most_bytes_confirmed

    @property
    def sent_whole(self) -> bool:
        """Whether every byte has been handed to a connection."""
        return self._bytes_sent == self.size

    @property
    def confirmed(self) -> bool:
        """Whether the service has acknowledged every part."""
        return self._parts_confirmed == self.parts

    def part(self, index: int) -> Part:
        """Return the part with a zero-based index, or the rest of it where its beginning is held."""
        held = self._held_of(index)
        return Part(index, index * self.part_size + held, self._length(index) - held)

    def smallest(self) -> Part:
        """Return the part that is cheapest to send: the last, which alone may be shorter."""
        return self.part(self.parts - 1)

    def next(self) -> Part | None:
        """Hand out the next missing part, or None when all have been handed out."""
        index = next(self._queue, None)
        if index is None:
            return None
        self._waiting -= 1
        return self.part(index)

    def sent(self, index: int, count: int) -> None:
        """Take note that an attempt has sent the first ``count`` bytes of a part that `next` handed out."""
        if not self._confirmed[index]:
            self._mark(index, self._held_of(index) + count)

    def confirm(self, index: int) -> None:
        """Take note that the service holds a part."""
        if self._confirmed[index]:
            return
        if index == self._begun[0]:
            self._begin(index, 0)
        length = self._length(index)
        self._confirmed[index] = True
        self._bytes_sent += length - self._marks.pop(index, 0)
        self._bytes_confirmed += length
        self._parts_confirmed += 1
        self._most_parts_confirmed = max(self._most_parts_confirmed, self._parts_confirmed)
        self._most_bytes_confirmed = max(self._most_bytes_confirmed, self._bytes_confirmed)

    def missing_is(self, indices: Collection[int], begun: int = 0) -> None:
        """Adopt the service's word on what is missing, and hand out exactly that from now on.

        It outweighs earlier acknowledgements. Call it when no part is under way.

        Args:
            indices: the parts that the service does not hold, or not to their end.
            begun: how many bytes it holds of the beginning of the first of them.
        """
        missing = frozenset(indices)
        sent_before = self._bytes_sent
        self._begin(self._begun[0], 0)
        for index in range(self.parts):
            if index not in missing:
                self.confirm(index)
            elif self._confirmed[index]:
                self._withdraw(index)
        if begun:
            self._begin(min(missing), begun)
        # What the service held already did not cross the line just now.
        self._measured_bytes += self._bytes_sent - sent_before
        self._queue = iter(sorted(missing))
        self._waiting = len(missing)

    def start_clock(self, now: float) -> None:
        """Measure the rate from here on: what was before (a pause, an interruption) does not count.

        Args:
            now: seconds on any clock that only goes forward.
        """
        self._measured_at = now
        self._measured_bytes = self._bytes_sent

    def progress(self, now: float) -> Progress:
        """Return how far the upload has come.

        Args:
            now: seconds on the clock of `start_clock`.
        """
        self._measure(now)
        left = self.size - self._bytes_sent
        eta = 0.0 if left == 0 else left / self._rate if self._rate else None
        return Progress(
            bytes_sent=self._bytes_sent,
            bytes_confirmed=self._most_bytes_confirmed,
            total=self.size,
            parts_done=self._most_parts_confirmed,
            parts=self.parts,
            rate=self._rate,
            eta=eta,
        )

    def _length(self, index: int) -> int:
        return min(self.part_size, self.size - index * self.part_size)

    def _held_of(self, index: int) -> int:
        begun, held = self._begun
        return held if index == begun else 0

    def _begin(self, index: int, held: int) -> None:
        """Take note that ``held`` bytes of the beginning of this part, and of no other, are held."""
        self._bytes_confirmed += held - self._begun[1]
        self._begun = (index, held)
        self._mark(index, held)
        self._most_bytes_confirmed = max(self._most_bytes_confirmed, self._bytes_confirmed)

    def _mark(self, index: int, count: int) -> None:
        mark = self._marks.get(index, 0)
        if count > mark:
            self._marks[index] = count
            self._bytes_sent += count - mark

    def _withdraw(self, index: int) -> None:
        length = self._length(index)
        self._confirmed[index] = False
        self._marks[index] = length
        self._bytes_confirmed -= length
        self._parts_confirmed -= 1

    def _measure(self, now: float) -> None:
        elapsed = now - self._measured_at
        if elapsed < RATE_INTERVAL:
            return
        current = (self._bytes_sent - self._measured_bytes) / elapsed
        if self._rate is None:
            self._rate = current
        else:
            self._rate += (current - self._rate) * (1 - math.exp(-elapsed / RATE_MEMORY))
        self._measured_at = now
        self._measured_bytes = self._bytes_sent
