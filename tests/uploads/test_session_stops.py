"""Sessions that are paused, aborted or cancelled, and what they refuse."""

from __future__ import annotations

import anyio
import pytest
from attrs import evolve

from cloudreel.errors import ServiceError, UploadError
from cloudreel.uploads.dialects import PartsDialect

pytestmark = pytest.mark.anyio


async def test_pause_begins_no_part_and_resume_goes_on(kit, service):
    session = await kit.session(service, threads=2)

    async def pause(index):
        if index == 1:
            await session.pause()

    service.before_part = pause
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(session.start)
            while session.status != "paused" or service.in_flight:
                await anyio.sleep(0.001)
            sent = list(service.parts_sent())
            await anyio.sleep(0.02)
            assert service.parts_sent() == sent
            assert len(sent) < 5
            await session.pause()
            assert session.status == "paused"
            service.before_part = None
            assert await session.resume() is None
            assert session.status == "uploading"
    assert session.status == "uploaded"
    assert service.received == kit.CONTENT
    assert len(service.parts_sent()) == 5


async def test_abort_stops_a_running_start(kit, service):
    service.fault("PUT", 2, "stall")
    session = await kit.session(service, threads=2)
    failures = []

    async def start():
        with pytest.raises(UploadError, match=r"abort\(\)") as caught:
            await session.start()
        failures.append(caught.value)

    async with anyio.create_task_group() as group:
        group.start_soon(start)
        await service.arrived.wait()
        await session.abort()
    assert session.status == "aborted"
    assert isinstance(failures[0], kit.FAMILY.root)
    assert service.gone
    assert service.in_flight == 0
    for refused in (session.start, session.resume):
        with pytest.raises(UploadError, match="aborted"):
            await refused()


async def test_abort_wakes_a_paused_start(kit, service):
    session = await kit.session(service, threads=1)

    async def pause(index):
        await session.pause()

    async def start():
        with pytest.raises(UploadError):
            await session.start()

    service.before_part = pause
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(start)
            while session.status != "paused":
                await anyio.sleep(0.001)
            await session.abort()
    assert session.status == "aborted"


@pytest.mark.usefixtures("every_step")
async def test_abort_from_the_progress_callback(kit, service):
    async def stop(progress):
        if progress.parts_done == 2 and session.status == "uploading":
            await session.abort()

    session = await kit.session(service, threads=1, progress=stop)
    with anyio.fail_after(60), pytest.raises(UploadError, match="abort"):
        await session.start()
    assert session.status == "aborted"
    assert service.gone


async def test_an_abort_that_comes_too_late_is_told(kit, service, monkeypatch):
    session = await kit.session(service)
    closing = anyio.Event()

    async def close_slowly():
        closing.set()
        await anyio.sleep(0.02)

    monkeypatch.setattr(session._source, "close", close_slowly)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        await closing.wait()
        with pytest.raises(UploadError, match="already uploaded"):
            await session.abort()
    assert session.status == "uploaded"
    assert not service.gone


async def test_nothing_starts_while_it_is_being_aborted(kit, service):
    service.fault("DELETE", None, "stall")
    session = await kit.session(service)
    async with anyio.create_task_group() as group:
        group.start_soon(session.abort)
        await service.arrived.wait()
        with pytest.raises(UploadError, match="being aborted"):
            await session.start()
        group.cancel_scope.cancel()
    await session.start()
    assert session.status == "uploaded"


async def test_a_failure_during_a_pause_is_raised_and_resumed(kit, service):
    async def pause(index):
        await session.pause()

    service.before_part = pause
    service.fault("PUT", 0, 400)
    session = await kit.session(service, threads=1)
    with anyio.fail_after(60), pytest.raises(kit.FAMILY.root):
        await session.start()
    assert session.status == "error"
    service.before_part = None
    assert (await session.resume())["id"] == "v1"


async def test_the_service_may_move_the_upload(kit, service):
    moved = "http://vm-def.upload.example/upload/session?id=s3cret"

    class Moving(PartsDialect):
        def put(self, part, body):
            call = super().put(part, body)
            return evolve(call, parse=lambda response: evolve(call.parse(response), location=moved))

    async def move(index):
        service.location = moved

    service.before_part = move
    session = await kit.session(service, threads=1, dialect=Moving)
    await session.start()
    assert session.ticket().location == moved
    assert service.received == kit.CONTENT


async def test_failing_abort_leaves_the_session_usable(kit):
    service = kit.Service(kit.CONTENT, 10, retries=0)
    service.fault("PUT", 2, 400)
    service.fault("DELETE", None, 500)
    session = await kit.session(service)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    with pytest.raises(ServiceError):
        await session.abort()
    assert session.status == "error"
    await session.resume()
    assert session.status == "uploaded"


async def test_abort_of_a_forgotten_upload_is_an_abort(kit, service):
    service.gone = True
    session = await kit.session(service)
    await session.abort()
    assert session.status == "aborted"


async def test_an_uploaded_session_refuses(kit, service):
    session = await kit.session(service)
    await session.start()
    for refused in (session.start, session.resume, session.abort):
        with pytest.raises(kit.FAMILY.leaf(UploadError), match="already uploaded"):
            await refused()
    assert session.status == "uploaded"
    with pytest.raises(UploadError):
        await session.pause()


async def test_start_twice_and_resume_while_uploading(kit, service):
    service.fault("PUT", 0, "stall")
    session = await kit.session(service)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        await service.arrived.wait()
        for refused in (session.start, session.resume):
            with pytest.raises(UploadError, match="under way"):
                await refused()
        group.cancel_scope.cancel()
    assert session.status == "interrupted"
    with pytest.raises(UploadError, match=r"resume\(\)"):
        await session.start()
    with pytest.raises(UploadError, match="interrupted"):
        await session.pause()


async def test_pause_before_start_is_refused(kit, service):
    session = await kit.session(service)
    with pytest.raises(UploadError, match="not been started"):
        await session.pause()


# -- cancellation ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(0, 60, 3))
async def test_cancelled_anywhere_nothing_is_left_and_it_resumes(kit, service, tmp_path, after):
    path = tmp_path / "a.mp4"
    path.write_bytes(kit.CONTENT)
    session = await kit.session(service, path, threads=3)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        for _ in range(after):
            await anyio.sleep(0)
        group.cancel_scope.cancel()
    assert service.in_flight == 0
    assert path not in kit.open_files()
    assert session.status in ("initialized", "interrupted", "uploaded")
    if session.status != "uploaded":
        assert (await session.resume())["id"] == "v1"
    assert service.received == kit.CONTENT
    assert path not in kit.open_files()


async def test_cancelled_with_parts_under_way(kit, service):
    service.fault("PUT", 3, "stall")
    session = await kit.session(service)
    with anyio.move_on_after(5) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(session.start)
            await service.arrived.wait()
            scope.cancel()
    assert session.status == "interrupted"
    assert session.error_message is None
    assert service.in_flight == 0
    missing = service.missing
    assert 3 in missing
    service.requests.clear()
    await session.resume()
    assert service.parts_sent() == missing
