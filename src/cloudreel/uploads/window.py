"""How many parts may be under way at once, found out on the way. PURE."""

from __future__ import annotations


class Window:
    """A number of parts between 1 and a limit that follows the line: up slowly, down fast.

    It starts at the limit. Trouble halves it; a window of parts that arrive without any adds one. Parts
    that were under way together meet the same trouble, so they halve it once.

    Args:
        limit: parts under way at most, 1 or more.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = float(limit)
        self._halvings = 0

    @property
    def size(self) -> int:
        """How many parts may be under way now."""
        return int(self._size)

    def begin(self) -> int:
        """Return the mark of a part that begins now, for `arrived` and `troubled`."""
        return self._halvings

    def arrived(self, mark: int) -> None:
        """Take note that a part has arrived at the first attempt."""
        if mark == self._halvings:
            self._size = min(self._limit, self._size + 1 / self._size)

    def troubled(self, mark: int) -> None:
        """Take note that a part was refused, lost or late, whether or not it arrived in the end."""
        if mark == self._halvings:
            self._halvings += 1
            self._size = max(1.0, self._size / 2)
