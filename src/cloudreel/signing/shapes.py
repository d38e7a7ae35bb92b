"""What counts as a mapping and as a list among values of any type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

__all__ = ["is_count", "is_list", "is_mapping"]


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Say whether `value` has named members."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Say whether `value` is a list or a tuple: other iterables, text above all, are values of their own."""
    return isinstance(value, (list, tuple))


def is_count(value: object) -> TypeGuard[int]:
    """Say whether `value` is a whole number, not negative and not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
