"""Sessions against a service in memory: every way an upload can go."""

from __future__ import annotations

import gc
import os
import random
import tracemalloc
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from cloudreel.errors import NotFoundError, ServiceError, TransportError, UploadError
from cloudreel.uploads import Ticket
from cloudreel.uploads.dialects import PartsDialect

pytestmark = pytest.mark.anyio

CONTENT = bytes(random.Random(1).randbytes(45))


@pytest.fixture
def service(kit):
    return kit.Service(CONTENT, 10)


def open_files() -> set[Path]:
    links = Path("/proc/self/fd").iterdir()
    return {link.resolve() for link in links}


def wait_for_company(service, expected):
    """Let no part through before as many as expected are under way."""

    async def wait(index):
        while service.most_in_flight < expected:
            await anyio.sleep(0.001)
        if len(service.stored) < expected:
            await anyio.sleep(0.02)  # time for one too many to show

    service.before_part = wait


async def test_start_sends_every_part_and_returns_the_video(kit, service):
    session = await kit.session(service)
    assert session.status == "initialized"
    assert session.video is None
    video = await session.start()
    assert video == {"id": "v1", "status": "processing"}
    assert session.video == video
    assert session.status == "uploaded"
    assert service.received == CONTENT
    assert sorted(service.parts_sent()) == [0, 1, 2, 3, 4]
    assert ("GET", None) not in service.requests
    assert session.progress.bytes_confirmed == session.progress.bytes_sent == 45
    assert session.progress.parts_done == session.progress.parts == 5


@pytest.mark.parametrize(("threads", "allowed", "expected"), [(8, 16, 5), (2, 16, 2), (8, 3, 3), (1, 16, 1)])
async def test_concurrency_is_what_caller_service_and_parts_allow(kit, threads, allowed, expected):
    service = kit.Service(CONTENT, 10, max_connections=allowed)
    wait_for_company(service, expected)
    session = await kit.session(service, threads=threads)
    with anyio.fail_after(10):
        await session.start()
    assert service.most_in_flight == expected


async def test_parts_begin_in_order(kit, service):
    session = await kit.session(service, threads=1)
    await session.start()
    assert service.parts_sent() == [0, 1, 2, 3, 4]


async def test_threads_must_be_positive(kit, service):
    with pytest.raises(ValueError, match="threads"):
        await kit.session(service, threads=0)


async def test_a_lost_part_is_sent_again_and_counted_once(kit, service):
    service.fault("PUT", 2, "drop", 500)
    seen = []
    session = await kit.session(service, progress=seen.append)
    await session.start()
    assert service.received == CONTENT
    assert service.parts_sent().count(2) == 3
    assert max(p.bytes_sent for p in seen) == 45
    assert seen[-1].bytes_confirmed == 45


async def test_first_failure_is_bare_and_the_session_resumes(kit, service):
    service.fault("PUT", 2, 400)
    session = await kit.session(service, threads=2)
    with pytest.raises(kit.FAMILY.root) as caught:
        await session.start()
    assert caught.value.status == 400
    assert caught.value.ticket == session.ticket()
    assert session.status == "error"
    assert session.error_message == "refused: 400"
    assert service.in_flight == 0
    held = sorted(service.stored)
    service.requests.clear()
    video = await session.resume()
    assert video == {"id": "v1", "status": "processing"}
    assert session.status == "uploaded"
    assert session.error_message is None
    assert service.requests[0] == ("GET", None)
    assert sorted(service.parts_sent()) == [i for i in range(5) if i not in held]
    assert service.received == CONTENT


async def test_failure_cancels_what_is_under_way(kit, service):
    service.fault("PUT", 0, "stall")
    service.fault("PUT", 1, 400)
    session = await kit.session(service)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    assert service.in_flight == 0


async def test_the_cause_of_a_failure_is_kept(kit, service):
    cause = OSError("line cut")

    async def fail(index):
        raise kit.FAMILY.leaf(TransportError)("no answer") from cause

    service.before_part = fail
    session = await kit.session(service)
    with pytest.raises(TransportError) as caught:
        await session.start()
    assert caught.value.__cause__ is cause
    assert not isinstance(caught.value.__context__, BaseExceptionGroup)


async def test_a_part_whose_answer_was_lost_is_not_sent_again(kit, service):
    service.fault("PUT", 1, "lose")
    session = await kit.session(service, threads=1)
    assert (await session.start())["id"] == "v1"
    assert service.parts_sent() == [0, 1, 2, 3, 4]


async def test_lost_completing_answer_is_answered_again(kit, service):
    service.fault("PUT", 4, "lose")
    session = await kit.session(service, threads=1)
    assert (await session.start())["id"] == "v1"
    assert service.parts_sent() == [0, 1, 2, 3, 4, 4]


async def test_lost_completing_answer_and_failure_then_resume_sends_one_part_again(kit):
    service = kit.Service(CONTENT, 10, retries=0)
    service.fault("PUT", 4, "lose")
    session = await kit.session(service, threads=1)
    with pytest.raises(TransportError):
        await session.start()
    assert not service.missing
    service.requests.clear()
    assert (await session.resume())["id"] == "v1"
    assert service.requests == [("GET", None), ("PUT", 4)]
    assert session.progress.bytes_sent == 45


async def test_media_id_saves_sending_a_part_again(kit, service):
    service.media_id = "v9"
    service.fault("PUT", None, *["empty"] * 5)
    session = await kit.session(service)
    assert await session.start() == {"id": "v9", "found": True}
    assert session.status == "uploaded"
    assert sorted(service.parts_sent()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("video", [{}, {"status": "processing"}, {"id": ""}, {"id": None}])
async def test_complete_but_unknown_is_told(kit, service, video):
    service.video = video
    session = await kit.session(service)
    with pytest.raises(UploadError, match="id is unknown") as caught:
        await session.start()
    assert isinstance(caught.value, kit.FAMILY.root)
    assert session.status == "error"


async def test_a_completing_answer_needs_no_status(kit, service):
    service.video = {"id": "v1"}
    session = await kit.session(service)
    assert await session.start() == {"id": "v1"}


async def test_what_the_service_still_misses_is_sent_in_another_round(kit, service):
    async def forget(index):
        if service.parts_sent() == [0, 1, 2, 3, 4]:
            del service.stored[1]

    service.before_part = forget
    session = await kit.session(service, threads=1)
    assert (await session.start())["id"] == "v1"
    assert service.received == CONTENT
    assert service.parts_sent() == [0, 1, 2, 3, 4, 1]


async def test_rounds_are_bounded(kit, service):
    async def forget(index):
        service.stored.clear()

    service.before_part = forget
    session = await kit.session(service)
    with pytest.raises(UploadError, match="after 5 rounds the service still misses"):
        await session.start()
    assert service.requests.count(("GET", None)) == 5


async def test_a_ticket_continues_elsewhere(kit, service):
    service.fault("PUT", 3, 400)
    first = await kit.session(service, threads=1)
    with pytest.raises(kit.FAMILY.root):
        await first.start()
    text = first.ticket().to_json()
    service.requests.clear()
    second = await kit.session(service, ticket=Ticket.from_json(text))
    assert second.status == "interrupted"
    assert (await second.resume())["id"] == "v1"
    assert service.requests[0] == ("GET", None)
    assert sorted(service.parts_sent()) == [3, 4]


async def test_resume_works_before_start(kit, service):
    session = await kit.session(service)
    assert (await session.resume())["id"] == "v1"


async def test_a_changed_source_is_refused_before_any_traffic(kit, service, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)
    session = await kit.session(service, path)
    path.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(UploadError, match=r"a\.mp4.*changed"):
        await session.start()
    assert service.requests == []
    assert session.status == "error"


async def test_a_source_of_another_content_does_not_continue_a_ticket(kit, service):
    session = await kit.session(service)
    ticket = session.ticket()
    other = await kit.session(service, CONTENT[::-1], ticket=ticket)
    with pytest.raises(UploadError, match="content is another"):
        await other.resume()
    assert service.requests == []


@pytest.mark.parametrize("how", ["truncated", "rewritten"])
async def test_a_source_that_changes_on_the_way_completes_nothing(kit, service, tmp_path, how):
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)
    session = await kit.session(service, path, threads=1)

    async def change(index):
        if index == 1:
            with path.open("r+b") as file:
                if how == "truncated":
                    file.truncate(25)
                else:
                    file.write(b"other")
            os.utime(path, ns=(1, 1))

    service.before_part = change
    with pytest.raises(UploadError, match=r"a\.mp4.*changed"):
        await session.start()
    assert service.missing


async def test_changed_content_with_kept_time_is_found_before_the_last_part(kit, service, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)
    session = await kit.session(service, path, threads=1)
    stamp = path.stat().st_mtime_ns

    async def change(index):
        if index == 1:
            path.write_bytes(CONTENT[::-1])
            os.utime(path, ns=(stamp, stamp))

    service.before_part = change
    with pytest.raises(UploadError, match="content is another"):
        await session.start()
    assert service.missing == [4]


# -- pause, abort, refusals ------------------------------------------------------------------------------


async def test_pause_begins_no_part_and_resume_goes_on(kit, service):
    session = await kit.session(service, threads=2)

    async def pause(index):
        if index == 1:
            await session.pause()

    service.before_part = pause
    with anyio.fail_after(10):
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
    assert service.received == CONTENT
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
    with anyio.fail_after(10):
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
    with anyio.fail_after(10), pytest.raises(UploadError, match="abort"):
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
    with anyio.fail_after(10), pytest.raises(kit.FAMILY.root):
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
    assert service.received == CONTENT


async def test_failing_abort_leaves_the_session_usable(kit):
    service = kit.Service(CONTENT, 10, retries=0)
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
    path.write_bytes(CONTENT)
    session = await kit.session(service, path, threads=3)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        for _ in range(after):
            await anyio.sleep(0)
        group.cancel_scope.cancel()
    assert service.in_flight == 0
    assert path not in open_files()
    assert session.status in ("initialized", "interrupted", "uploaded")
    if session.status != "uploaded":
        assert (await session.resume())["id"] == "v1"
    assert service.received == CONTENT
    assert path not in open_files()


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


@pytest.mark.parametrize("seed", range(15))
async def test_whatever_fails_it_arrives_in_the_end(kit, seed):
    draw = random.Random(seed)
    content = draw.randbytes(draw.randrange(1, 400))
    service = kit.Service(content, draw.randrange(1, 40), retries=draw.randrange(3))
    for method, part in [("GET", None), *(("PUT", index) for index in range(service.parts))]:
        faults = draw.choices(["ok", "drop", 500, "lose", "empty", 429], [6, 1, 1, 1, 1, 1], k=4)
        service.fault(method, part, *(f for f in faults if method == "PUT" or f != "empty"))
    seen = []
    session = await kit.session(service, threads=draw.randrange(1, 9), progress=seen.append)
    for _ in range(100):
        try:
            video = await (session.start() if session.status == "initialized" else session.resume())
        except kit.FAMILY.root:
            assert session.status == "error"
            assert service.in_flight == 0
            continue
        break
    assert video["id"] == "v1"
    assert service.received == content
    for before, after in pairwise(seen):
        assert before.bytes_sent <= after.bytes_sent <= len(content)
        assert before.bytes_confirmed <= after.bytes_confirmed <= after.bytes_sent
        assert before.parts_done <= after.parts_done
    assert seen[-1].bytes_confirmed == len(content)


# -- progress --------------------------------------------------------------------------------------------


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
    with anyio.fail_after(10), pytest.raises(ZeroDivisionError, match="mine"):
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
    with anyio.fail_after(10):
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


# -- sources of a session --------------------------------------------------------------------------------


async def pieces():
    for start in range(0, 45, 7):
        yield CONTENT[start : start + 7]


async def test_a_spooled_source_outlives_a_failure_and_is_removed_in_the_end(
    kit, service, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    service.fault("PUT", 2, 400)
    session = await kit.session(service, pieces())
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    (copy,) = tmp_path.iterdir()
    assert copy not in open_files()
    await session.resume()
    assert service.received == CONTENT
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["abort", "close"])
async def test_a_spooled_source_goes_with_the_session(kit, service, monkeypatch, tmp_path, end):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    session = await kit.session(service, pieces())
    assert len(list(tmp_path.iterdir())) == 1
    await getattr(session, end)()
    assert list(tmp_path.iterdir()) == []


async def test_a_file_moved_away_after_a_failure_is_missing(kit, service, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)
    service.fault("PUT", 2, 400)
    session = await kit.session(service, path)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        await session.resume()
    assert session.status == "error"


async def test_a_vanished_upload_is_not_found(kit, service):
    session = await kit.session(service)
    service.gone = True
    with pytest.raises(NotFoundError):
        await session.start()


async def test_many_parts(kit):
    content = random.Random(3).randbytes(1000)
    service = kit.Service(content, 1, max_connections=64)
    wait_for_company(service, 64)
    session = await kit.session(service, threads=64)
    await session.start()
    assert service.received == content
    assert service.most_in_flight == 64


async def test_memory_is_that_of_the_pieces_under_way(kit, tmp_path):
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.truncate(128 * 2**20)
    held = []

    class Discards(kit.Service):
        async def send(self, call):
            size = 0
            async for piece in call.request.content:
                size += len(piece)
                held.append(tracemalloc.get_traced_memory()[0])
                await anyio.sleep(0)
            last = int(call.request.headers["X-Part"]) == 7
            return call.parse(kit.answer(200, {"id": "v1"}) if last else kit.answer(200))

    service = Discards(b"x" * 8, 1)
    service.part_size = 16 * 2**20
    session = await kit.session(service, path, threads=8)
    tracemalloc.start()
    try:
        await session.start()
    finally:
        tracemalloc.stop()
    assert max(held) < 8 * 3 * 2**20


# -- the window ------------------------------------------------------------------------------------------


async def test_fewer_parts_go_out_while_the_service_is_in_trouble_and_more_again_afterwards(kit):
    service = kit.Service(random.Random(7).randbytes(120), 1)
    together = []

    async def note(index):
        together.append(service.in_flight)
        await anyio.sleep(0.001)

    service.before_part = note
    for index in range(40, 48):
        service.fault("PUT", index, 503)
    session = await kit.session(service, threads=8)
    await session.start()
    assert service.received == service.content
    assert max(together[:40]) == 8
    assert min(max(together[start : start + 8]) for start in range(48, 80)) <= 4
    assert max(together[80:]) == 8
