"""From what a task group raises to the one failure that caused it."""

from __future__ import annotations

from typing import TypeGuard

import anyio


def first_failure(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first failure of a task group; what it cancelled is none."""
    _, failures = group.split(anyio.get_cancelled_exc_class())
    first: BaseException = failures or group
    while _is_group(first):
        first = first.exceptions[0]
    return first


def _is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    return isinstance(error, BaseExceptionGroup)
