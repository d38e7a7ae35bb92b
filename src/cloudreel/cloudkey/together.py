"""Waiting for the assets of many media at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal, overload

from cloudreel.cloudkey.client import AsyncCloudKey
from cloudreel.cloudkey.models import Assets
from cloudreel.core.groups import together
from cloudreel.core.twin import original, run
from cloudreel.errors import CloudReelError

if TYPE_CHECKING:
    from cloudreel.cloudkey.sync import CloudKey  # loaded by who uses it


@overload
async def wait_all(
    client: AsyncCloudKey,
    names: Mapping[str, Sequence[str]],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    collect: Literal[False] = False,
) -> dict[str, Assets]: ...


@overload
async def wait_all(
    client: AsyncCloudKey,
    names: Mapping[str, Sequence[str]],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    collect: bool,
) -> dict[str, Assets | CloudReelError]: ...


async def wait_all(
    client: AsyncCloudKey,
    names: Mapping[str, Sequence[str]],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    collect: bool = False,
) -> dict[str, Assets] | dict[str, Assets | CloudReelError]:
    """Wait until all assets named of several media are ready; return, by the media's ids, what they are.

    CloudKey posts no notifications, so it is looked for each medium until the last of its assets is ready.

    Args:
        client: whose media they are.
        names: of the assets of each medium, which must have been asked for, by its id.
        timeout: seconds for all of them together, None for no limit.
        poll: seconds between looks at each medium; None begins quickly and slows down to ten seconds.
        collect: whether a failure stands in place of a medium's assets, and the others are waited for.

    Raises:
        JobFailed: the first asset that failed, at once, unless failures are collected; ``job`` is what the
            service says of it, with its ``name``.
        NotFound: one of them has not been asked for, or was removed, unless failures are collected.
        TimedOut: one was not ready in time, unless failures are collected.
        CloudReelError: a look failed, unless failures are collected.
    """
    wait = partial(client.media.wait_for_assets, timeout=timeout, poll=poll)
    waits = (partial(wait, id, wanted) for id, wanted in names.items())
    return dict(zip(names, await together(waits, collect=collect), strict=True))


@overload
def wait_all_sync(
    client: CloudKey,
    names: Mapping[str, Sequence[str]],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    collect: Literal[False] = False,
) -> dict[str, Assets]: ...


@overload
def wait_all_sync(
    client: CloudKey,
    names: Mapping[str, Sequence[str]],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    collect: bool,
) -> dict[str, Assets | CloudReelError]: ...


def wait_all_sync(
    client: CloudKey,
    names: Mapping[str, Sequence[str]],
    *,
    timeout: float | None = None,
    poll: float | None = None,
    collect: bool = False,
) -> dict[str, Assets] | dict[str, Assets | CloudReelError]:
    """Do as `wait_all` does, with the synchronous client.

    Args:
        client: whose media they are.
        names: of the assets of each medium, which must have been asked for, by its id.
        timeout: seconds for all of them together, None for no limit.
        poll: seconds between looks at each medium; None begins quickly and slows down to ten seconds.
        collect: whether a failure stands in place of a medium's assets, and the others are waited for.

    Raises:
        JobFailed: the first asset that failed, at once, unless failures are collected; ``job`` is what the
            service says of it, with its ``name``.
        NotFound: one of them has not been asked for, or was removed, unless failures are collected.
        TimedOut: one was not ready in time, unless failures are collected.
        CloudReelError: a look failed, unless failures are collected.
    """
    wait = partial(wait_all, timeout=timeout, poll=poll, collect=collect)
    return run(wait, original(client), names)
