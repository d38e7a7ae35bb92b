"""What it costs to wait for many jobs at once, until each has been looked at three times."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

from answers import READY_AT, answering
from calls import old_account
from measure import Effort, Peer, Work, compare
from paging import client
from table import Row

from cloudreel.panda import AsyncPanda

MANY, FEW = 1000, 10
POLL = 0.01  # seconds


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row beside the old client, and how the cost of a job grows with their number."""
    many, few = effort.count(MANY), min(effort.count(FEW), effort.count(MANY))
    names = (f"job{number}" for number in count())
    with asyncio.Runner() as runner, answering() as port:
        opened = client(port)

        def waited(jobs: int, times: int = 1) -> None:
            for _ in range(times):
                runner.run(wait_for(opened, [next(names) for _ in range(jobs)]))

        old = Peer("telestream-cloud", lambda: polled(port, few, names), "in turn", ("telestream_cloud",))
        yield compare(f"{few:,} jobs waited for, each", lambda: waited(few), old, effort, per=few)
        same = Peer("cloudreel", lambda: lambda: waited(few, many // few), f"{few} at once")
        yield compare(
            f"{many:,} jobs waited for, each", lambda: waited(many), same, effort, target=1.25, per=many
        )
        runner.run(opened.close())


async def wait_for(opened: AsyncPanda, names: list[str]) -> None:
    """Wait for all of them at once."""
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(wait_one(opened, name))


async def wait_one(opened: AsyncPanda, name: str) -> None:
    """Find a video and wait until it is ready."""
    video = await opened.videos.find(name)
    assert (await video.wait(poll=POLL)).status == "success"


def polled(port: int, jobs: int, names: Iterator[str]) -> Work:
    """Return what looks at as many jobs as often with the old client, without a pause."""
    from telestream_cloud.request import TelestreamCloudRequest

    def work() -> None:
        for _ in range(jobs):
            name = next(names)
            for _ in range(READY_AT):
                for path in (f"/videos/{name}.json", f"/videos/{name}/encodings.json"):
                    TelestreamCloudRequest("GET", path, old_account(port), {}).send().json()

    return work
