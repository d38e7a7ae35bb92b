"""Waiting for many jobs at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Literal, overload

from cloudreel.core.groups import together
from cloudreel.core.inbox import Inbox
from cloudreel.core.twin import original, run
from cloudreel.errors import CloudReelError
from cloudreel.flixcloud.client import AsyncFlixCloud
from cloudreel.flixcloud.models import JobStatus

if TYPE_CHECKING:
    from cloudreel.flixcloud.sync import FlixCloud  # loaded by who uses it


@overload
async def wait_all(
    client: AsyncFlixCloud,
    ids: Iterable[int | str],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    notified: Inbox | None = None,
    collect: Literal[False] = False,
) -> list[JobStatus]: ...


@overload
async def wait_all(
    client: AsyncFlixCloud,
    ids: Iterable[int | str],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    notified: Inbox | None = None,
    collect: bool,
) -> list[JobStatus | CloudReelError]: ...


async def wait_all(
    client: AsyncFlixCloud,
    ids: Iterable[int | str],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    notified: Inbox | None = None,
    collect: bool = False,
) -> list[JobStatus] | list[JobStatus | CloudReelError]:
    """Wait until all jobs given have ended well, and return their last statuses in their order.

    Args:
        client: whose jobs they are.
        ids: of the jobs.
        timeout: seconds for all of them together, None for no limit.
        poll: seconds between looks at each; None begins quickly and slows down to one in ten seconds.
        notified: where your application puts the notifications it receives, as for ``client.wait``.
        collect: whether a failure stands in the list in place of the job's status, and the others are
            waited for.

    Raises:
        TranscodingFailed: the first job that failed or was cancelled, at once, unless failures are
            collected; ``job`` is its last status.
        WaitTimedOut: one had not ended in time, unless failures are collected.
        CloudReelError: a look failed, unless failures are collected.
    """
    waits = (partial(client.wait, id, timeout=timeout, poll=poll, notified=notified) for id in ids)
    return await together(waits, collect=collect)


@overload
def wait_all_sync(
    client: FlixCloud,
    ids: Iterable[int | str],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    notified: Inbox | None = None,
    collect: Literal[False] = False,
) -> list[JobStatus]: ...


@overload
def wait_all_sync(
    client: FlixCloud,
    ids: Iterable[int | str],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    notified: Inbox | None = None,
    collect: bool,
) -> list[JobStatus | CloudReelError]: ...


def wait_all_sync(
    client: FlixCloud,
    ids: Iterable[int | str],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    notified: Inbox | None = None,
    collect: bool = False,
) -> list[JobStatus] | list[JobStatus | CloudReelError]:
    """Do as `wait_all` does, with the synchronous client.

    Args:
        client: whose jobs they are.
        ids: of the jobs.
        timeout: seconds for all of them together, None for no limit.
        poll: seconds between looks at each; None begins quickly and slows down to one in ten seconds.
        notified: where your application puts the notifications it receives, from any thread.
        collect: whether a failure stands in the list in place of the job's status, and the others are
            waited for.

    Raises:
        TranscodingFailed: the first job that failed or was cancelled, at once, unless failures are
            collected; ``job`` is its last status.
        WaitTimedOut: one had not ended in time, unless failures are collected.
        CloudReelError: a look failed, unless failures are collected.
    """
    wait = partial(wait_all, timeout=timeout, poll=poll, notified=notified, collect=collect)
    return run(wait, original(client), ids)
