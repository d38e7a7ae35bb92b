"""A leaky bucket: what passes is paid for at a rate that may change. PURE: the time is an argument."""

from __future__ import annotations


class Bucket:
    """Hands out places in a line that moves at a rate; nothing is saved up while nobody stands in it.

    Args:
        rate: units per second, None for no limit.
    """

    def __init__(self, rate: float | None = None) -> None:
        self._rate = rate
        self._taken = 0
        self._paid = 0.0
        self._paid_until = 0.0

    @property
    def rate(self) -> float | None:
        """Units per second, None for no limit."""
        return self._rate

    def set_rate(self, rate: float | None, now: float) -> None:
        """Go on at another rate; who is waiting waits by that, too.

        Args:
            rate: units per second, None for no limit.
            now: seconds on a clock that only goes forward.
        """
        self._pay(now)
        self._rate = rate

    def take(self, count: int, now: float) -> int:
        """Take units, and return the place in the line at which they may pass."""
        self._pay(now)
        place = self._taken
        self._taken += count
        return place

    def wait(self, place: int, now: float) -> float:
        """Return the seconds until what stands before a place is paid for, as the rate is now."""
        self._pay(now)
        return 0.0 if self._rate is None else max(0.0, (place - self._paid) / self._rate)

    def _pay(self, now: float) -> None:
        if self._rate is None:
            self._paid = float(self._taken)
        else:
            self._paid = min(float(self._taken), self._paid + self._rate * (now - self._paid_until))
        self._paid_until = now
