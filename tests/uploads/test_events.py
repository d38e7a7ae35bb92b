"""How often the progress of an upload is told, by a clock that jumps over the waits."""

from __future__ import annotations

import random
from itertools import pairwise

import anyio
import pytest
import trio.testing

from cloudreel.uploads.events import INTERVAL, Bell, Events

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """A loop whose time passes only where nothing is left to do."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_a_long_upload_is_told_ten_times_a_second_and_whole_in_the_end(kit):
    service = kit.Service(random.Random(5).randbytes(500), 1)
    told = []

    async def slow(index):
        await anyio.sleep(0.01)

    service.before_part = slow
    session = await kit.session(
        service,
        threads=1,
        clock=anyio.current_time,
        progress=lambda progress: told.append((anyio.current_time(), progress)),
    )
    watched = []

    async def watch():
        watched.extend([(anyio.current_time(), progress) async for progress in session.events()])

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await session.start()
    for seen in (told, watched):
        times = [time for time, _ in seen]
        took = times[-1] - times[0]
        assert took == pytest.approx(5)
        assert took / INTERVAL * 0.9 < len(seen) <= took / INTERVAL + 2
        assert all(later - earlier >= INTERVAL * 0.999 for earlier, later in pairwise(times[:-1]))
        assert seen[0][1].bytes_confirmed == 0
        assert seen[-1][1].bytes_confirmed == seen[-1][1].bytes_sent == 500
        assert seen[-1][1].parts_done == 500


async def test_the_end_is_told_at_once():
    bell = Bell()
    events = Events(bell, anyio.current_time, anyio.current_time)
    began = anyio.current_time()
    assert await anext(events) == began

    async def end():
        await anyio.sleep(INTERVAL / 4)
        bell.ring()
        await anyio.sleep(INTERVAL / 4)
        bell.end()

    async with anyio.create_task_group() as group:
        group.start_soon(end)
        assert await anext(events) == pytest.approx(began + INTERVAL / 2)
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_a_lone_change_is_told_at_once():
    bell = Bell()
    events = Events(bell, anyio.current_time, anyio.current_time)
    await anext(events)
    await anyio.sleep(10 * INTERVAL)
    now = anyio.current_time()
    bell.ring()
    assert await anext(events) == now


async def test_what_begins_again_is_watched_again():
    bell = Bell()
    bell.end()
    bell.begin()
    events = Events(bell, lambda: bell.changes, anyio.current_time)
    assert await anext(events) == 2
    with anyio.move_on_after(60) as waiting:
        await anext(events)
    assert waiting.cancelled_caught
