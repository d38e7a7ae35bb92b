"""Whatever becomes of the parts on the line, the event loop goes on."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Kit, Peer, Server

PARTS = 8
SIZE = 12 * 2**20  # bytes of a part: more than a connection takes unread
TICKS = 20
LONGEST_STALL = 0.25  # seconds
TRIES = 12  # a machine with other work to do stalls everything at times


async def longest_stall(server: Server, path: Path, kit: type[Kit]) -> float:
    """Send parts at once, which get stuck until the loop has ticked; return its longest stall in seconds."""
    ticked = threading.Event()
    longest = 0.0

    def held_up(peer: Peer, server: Server) -> None:
        length = kit.length_of(peer.head())
        assert ticked.wait(60)
        peer.waste(length)
        peer.answer()

    async def tick() -> None:
        nonlocal longest
        ticks, last = 0, time.perf_counter()
        while True:
            await anyio.sleep(0.005)
            now = time.perf_counter()
            longest, last, ticks = max(longest, now - last), now, ticks + 1
            if ticks == TICKS:
                ticked.set()

    server.plays(held_up)
    async with (
        await open_source(path) as source,
        kit.client() as client,
        anyio.create_task_group() as ticking,
    ):
        ticking.start_soon(tick)
        async with anyio.create_task_group() as sending:
            for number in range(PARTS):
                sending.start_soon(kit.put, client, server.url, SourceBody(source, number * SIZE, SIZE))
        ticking.cancel_scope.cancel()
    assert ticked.is_set()
    return longest


@pytest.mark.parametrize(
    ("backend", "options"),
    [("asyncio", {}), ("asyncio", {"use_uvloop": True}), ("trio", {})],
    ids=["asyncio", "uvloop", "trio"],
)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_parts_that_are_stuck_do_not_hold_up_the_loop(
    start: Callable[..., Server],
    path: Path,
    kit: type[Kit],
    backend: str,
    options: dict[str, bool],
    tls: bool,
) -> None:
    os.truncate(path, PARTS * SIZE)
    stalls: list[float] = []
    while not stalls or (min(stalls) > LONGEST_STALL and len(stalls) < TRIES):
        server = start(tls=tls)
        stalls.append(anyio.run(longest_stall, server, path, kit, backend=backend, backend_options=options))
    assert min(stalls) <= LONGEST_STALL
