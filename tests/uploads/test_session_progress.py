"""Watching a session: callbacks and events."""

from __future__ import annotations

import gc

import anyio
import pytest

pytestmark = pytest.mark.anyio


async def test_a_slow_callback_delays_nothing(kit, service):
    release = anyio.Event()
    seen = []

    async def slow(progress):
        seen.append(progress)
        if len(seen) == 1:
            await release.wait()

    session = await kit.session(service, progress=slow)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        while session.status != "uploaded":
            await anyio.sleep(0.001)
        assert len(seen) == 1
        release.set()
    assert len(seen) == 2
    assert seen[-1].bytes_confirmed == 45


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_failing_callback_stops_the_upload(kit, service, asynchronous):
    def fail(progress):
        if progress.parts_done:
            raise ZeroDivisionError("mine")

    async def fail_later(progress):
        fail(progress)

    service.fault("PUT", 4, "stall")
    session = await kit.session(service, threads=2, progress=fail_later if asynchronous else fail)
    with anyio.fail_after(60), pytest.raises(ZeroDivisionError, match="mine"):
        await session.start()
    assert session.status == "error"
    assert service.in_flight == 0


async def test_a_callback_that_fails_at_the_end_loses_no_video(kit, service):
    def fail(progress):
        if session.status == "uploaded":
            raise ZeroDivisionError

    session = await kit.session(service, progress=fail)
    with pytest.raises(ZeroDivisionError):
        await session.start()
    assert session.status == "uploaded"
    assert session.video == {"id": "v1", "status": "processing"}


async def test_the_first_failure_wins_over_that_of_the_callback(kit, service):
    def fail(progress):
        if session.status == "error":
            raise ZeroDivisionError

    service.fault("PUT", 2, 400)
    session = await kit.session(service, progress=fail)
    with pytest.raises(kit.FAMILY.root) as caught:
        await session.start()
    assert caught.value.status == 400
    assert session.error_message == "refused: 400"


async def test_the_last_call_is_made_after_a_failure_too(kit, service):
    service.fault("PUT", 2, 400)
    states = []
    session = await kit.session(service, progress=lambda p: states.append(session.status))
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    assert states[-1] == "error"


async def test_events_only_observe_and_end(kit, service):
    session = await kit.session(service)
    seen = []

    async def watch():
        async for progress in session.events():
            seen.append(progress)

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        group.start_soon(watch)
        await anyio.sleep(0.01)
        await session.start()
    assert seen[-1].bytes_confirmed == 45
    assert [p.bytes_confirmed async for p in session.events()] == [45]


async def test_events_end_with_a_failure_and_begin_again(kit, service):
    service.fault("PUT", 2, 400)
    session = await kit.session(service)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            counts = []

            async def watch():
                counts.append(len([p async for p in session.events()]))

            group.start_soon(watch)
            with pytest.raises(kit.FAMILY.root):
                await session.start()
        await session.resume()
    assert counts[0] > 1


async def test_events_may_be_left(kit, service):
    session = await kit.session(service)

    async def watch_once():
        async for _ in session.events():
            break

    async with anyio.create_task_group() as group:
        group.start_soon(watch_once)
        group.start_soon(session.start)
    gc.collect()
    assert session.status == "uploaded"
