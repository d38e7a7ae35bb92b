"""Tasks that run side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeGuard, TypeVar

import anyio

from cloudreel.errors import CloudReelError

T = TypeVar("T")


async def together(tasks: Iterable[Callable[[], Awaitable[T]]], *, collect: bool) -> list[T | CloudReelError]:
    """Do several things at once, and return what came of each in their order.

    Args:
        tasks: functions, each of which does one of them.
        collect: whether an error stands in the list in the place of its task, and the others go on.

    Raises:
        CloudReelError: the first of any task, at once and bare, unless errors are collected.
    """
    results: dict[int, T | CloudReelError] = {}

    async def do(place: int, task: Callable[[], Awaitable[T]]) -> None:
        try:
            results[place] = await task()
        except CloudReelError as error:
            if not collect:
                raise
            results[place] = error

    failure: BaseException | None = None
    try:
        async with anyio.create_task_group() as group:
            for place, task in enumerate(tasks):
                group.start_soon(do, place, task)
    except BaseExceptionGroup as failures:
        failure = first_failure(failures)
    # Raised out here, bare, the failure keeps its own cause and gets no group as context.
    if failure is not None:
        raise failure
    return [results[place] for place in sorted(results)]


def first_failure(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first failure of a task group; what it cancelled is none."""
    _, failures = group.split(anyio.get_cancelled_exc_class())
    first: BaseException = failures or group
    while _is_group(first):
        first = first.exceptions[0]
    return first


def _is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    return isinstance(error, BaseExceptionGroup)
