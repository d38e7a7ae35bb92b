"""Waiting for many videos or encodings at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Literal, Protocol, Self, TypeVar, overload

from cloudreel.core.groups import together
from cloudreel.core.inbox import Inbox
from cloudreel.core.twin import original, run, with_twin
from cloudreel.errors import CloudReelError, JobFailed


class Waits(Protocol):
    """A video or an encoding."""

    async def wait(
        self, timeout: float | None = None, poll: float | None = None, *, notified: Inbox | None = None
    ) -> Self:
        """Wait until it is final and good."""
        ...


class WaitsSync(Protocol):
    """A video or an encoding of the synchronous clients."""

    def wait(
        self, timeout: float | None = None, poll: float | None = None, *, notified: Inbox | None = None
    ) -> Self:
        """Wait until it is final and good."""
        ...


JobT = TypeVar("JobT", bound=Waits)
TwinT = TypeVar("TwinT", bound=WaitsSync)


@overload
async def wait_all(
    jobs: Iterable[JobT],
    timeout: float | None = None,
    poll: float | None = None,
    *,
    notified: Inbox | None = None,
    collect: Literal[False] = False,
) -> list[JobT]: ...


@overload
async def wait_all(
    jobs: Iterable[JobT],
    timeout: float | None = None,
    poll: float | None = None,
    *,
    notified: Inbox | None = None,
    collect: bool,
) -> list[JobT | CloudReelError]: ...


async def wait_all(
    jobs: Iterable[JobT],
    timeout: float | None = None,
    poll: float | None = None,
    *,
    notified: Inbox | None = None,
    collect: bool = False,
) -> list[JobT] | list[JobT | CloudReelError]:
    """Wait until all videos and encodings given are final and good; return them, reloaded, in their order.

    Args:
        jobs: encodings, videos, or both, of any number of clients.
        timeout: seconds for all of them together, None for no limit.
        poll: seconds between looks at each; None begins quickly and slows down to ten seconds.
        notified: where your application puts the notifications it receives, as for ``wait``.
        collect: whether a failure stands in the list in place of the one that failed, and the others are
            waited for.

    Raises:
        JobFailed: the first that failed, at once, unless failures are collected; ``job`` is it.
        TimedOut: one was not ready in time, unless failures are collected.
        CloudReelError: a look failed, unless failures are collected.
    """
    waits = (partial(job.wait, timeout, poll, notified=notified) for job in jobs)
    return await together(waits, collect=collect)


@overload
def wait_all_sync(
    jobs: Iterable[TwinT],
    timeout: float | None = None,
    poll: float | None = None,
    *,
    notified: Inbox | None = None,
    collect: Literal[False] = False,
) -> list[TwinT]: ...


@overload
def wait_all_sync(
    jobs: Iterable[TwinT],
    timeout: float | None = None,
    poll: float | None = None,
    *,
    notified: Inbox | None = None,
    collect: bool,
) -> list[TwinT | CloudReelError]: ...


def wait_all_sync(
    jobs: Iterable[TwinT],
    timeout: float | None = None,
    poll: float | None = None,
    *,
    notified: Inbox | None = None,
    collect: bool = False,
) -> list[TwinT] | list[TwinT | CloudReelError]:
    """Do as `wait_all` does, with videos and encodings of the synchronous clients.

    Args:
        jobs: encodings, videos, or both.
        timeout: seconds for all of them together, None for no limit.
        poll: seconds between looks at each; None begins quickly and slows down to ten seconds.
        notified: where your application puts the notifications it receives, from any thread.
        collect: whether a failure stands in the list in place of the one that failed, and the others are
            waited for.

    Raises:
        JobFailed: the first that failed, at once, unless failures are collected; ``job`` is it.
        TimedOut: one was not ready in time, unless failures are collected.
        CloudReelError: a look failed, unless failures are collected.
    """
    twins = list(jobs)
    inner: list[Any] = [original(twin) for twin in twins]
    made: list[Any] = run(wait_all, inner, timeout, poll, notified=notified, collect=collect)
    return [_outer(twin, result) for twin, result in zip(twins, made, strict=True)]


def _outer(twin: TwinT, result: object) -> TwinT | CloudReelError:
    if isinstance(result, JobFailed):
        return with_twin(result)
    return result if isinstance(result, CloudReelError) else twin
