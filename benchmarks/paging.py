"""What it costs to list 100,000 objects: for each of them, and in memory."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator

from answers import answering
from calls import ACCESS_KEY, FACTORY, HOST, SECRET_KEY, old_account
from measure import Effort, Peer, Work, compare
from table import Row, versioned

from cloudreel.panda import AsyncPanda

MANY, FEW = 100_000, 1_000
PER_PAGE = 100


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row beside the old client, and how cost and memory grow from 1,000 to 100,000 objects."""
    many, few = effort.count(MANY), effort.count(FEW)
    with asyncio.Runner() as runner, answering(many) as long, answering(few) as short:
        ours, small = client(long), client(short)

        def all_of(opened: AsyncPanda, times: int) -> None:
            for _ in range(times):
                runner.run(iterated(opened))

        old = Peer("telestream-cloud", lambda: paged(short, few), "page by page", ("telestream_cloud",))
        yield compare(f"{few:,} videos listed, each", lambda: all_of(small, 1), old, effort, per=few)
        same = Peer("cloudreel", lambda: lambda: all_of(small, many // few), f"of {few:,}")
        flat = f"{many:,} videos listed, each"
        yield compare(flat, lambda: all_of(ours, 1), same, effort, target=1.25, per=many)
        grown, base = (peak(runner, opened) / 2**20 for opened in (ours, small))
        yield Row(
            f"memory while {many:,} videos pass by",
            f"{versioned('cloudreel')} of {few:,}",
            grown,
            base,
            grown / base,
            target=1.25,
            unit="MiB",
        )
        for opened in (ours, small):
            runner.run(opened.close())


def client(port: int) -> AsyncPanda:
    """Return one of our clients."""
    return AsyncPanda(ACCESS_KEY, SECRET_KEY, FACTORY, HOST, port, scheme="http", http="aiohttp")


async def iterated(opened: AsyncPanda) -> None:
    """Go through all videos."""
    async for video in opened.videos.iterate(per_page=PER_PAGE):
        assert video.id


def peak(runner: asyncio.Runner, opened: AsyncPanda) -> int:
    """Return the bytes that Python's objects take at most while all videos pass by."""
    tracemalloc.start()
    try:
        runner.run(iterated(opened))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def paged(port: int, objects: int) -> Work:
    """Return what lists all videos with the old client, as dictionaries."""
    from telestream_cloud.request import TelestreamCloudRequest

    def work() -> None:
        for page in range(1, objects // PER_PAGE + 2):
            asked = {"page": page, "per_page": PER_PAGE}
            TelestreamCloudRequest("GET", "/videos.json", old_account(port), asked).send().json()

    return work
