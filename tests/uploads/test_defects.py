"""The defects of the reference client (telestream.md 10) that concern uploads, each shown to be absent."""

from __future__ import annotations

import random
from pathlib import Path

import anyio
import pytest

from cloudreel.errors import DecodeError, UploadError
from cloudreel.uploads import open_source
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.dialects import PartsDialect
from cloudreel.uploads.plan import Part

pytestmark = pytest.mark.anyio

CONTENT = random.Random(10).randbytes(45)


@pytest.fixture
def service(kit):
    return kit.Service(CONTENT, 10)


async def test_defect_01_every_part_is_taken_from_the_plan(kit, service):
    session = await kit.session(service, threads=8)
    await session.start()
    assert sorted(service.parts_sent()) == [0, 1, 2, 3, 4]


async def test_defect_02_the_completing_answer_is_read(kit, service):
    session = await kit.session(service)
    assert (await session.start())["id"] == "v1"


@pytest.mark.parametrize("omit_key", [False, True])
async def test_defect_03_missing_parts_are_the_listed_ones_and_none_is_no_error(kit, service, omit_key):
    service.omit_key = omit_key
    service.media_id = "v9"
    for index in range(5):
        service.stored[index] = CONTENT[index * 10 : index * 10 + 10]
    complete = await kit.session(service)
    assert (await complete.resume())["id"] == "v9"
    del service.stored[3], service.stored[1]
    service.requests.clear()
    partial = await kit.session(service)
    await partial.resume()
    assert sorted(service.parts_sent()) == [1, 3]


async def test_defect_04_resume_resumes(kit, service):
    service.fault("PUT", 1, 400)
    session = await kit.session(service)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    assert (await session.resume())["id"] == "v1"


async def test_defect_05_a_failing_read_stops_everything_instead_of_deadlocking(kit, service, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    session = await kit.session(service, path, threads=4)

    async def shrink(index):
        path.write_bytes(b"x")

    service.before_part = shrink
    with anyio.fail_after(20), pytest.raises(UploadError, match="changed"):
        await session.start()
    assert service.in_flight == 0


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
async def test_defect_06_a_refused_part_is_not_sent(kit, service, status):
    service.fault("PUT", 2, *[status] * 9)
    session = await kit.session(service)
    with pytest.raises(kit.FAMILY.root) as caught:
        await session.start()
    assert caught.value.status == status
    assert session.status == "error"
    assert session.progress.parts_done < 5


@pytest.mark.parametrize("status", ["", "pro", "process", "processing", "queued", None, 5])
async def test_defect_07_no_status_word_decides(kit, service, status):
    service.video = {"id": "v1", "status": status}
    session = await kit.session(service)
    assert (await session.start())["id"] == "v1"


async def test_defect_08_the_services_limit_holds(kit):
    service = kit.Service(CONTENT, 3, max_connections=3)
    service.before_part = lambda index: anyio.sleep(0.005)
    session = await kit.session(service, threads=8)
    await session.start()
    assert service.most_in_flight <= 3


async def test_defect_08_the_file_is_closed_and_no_position_is_shared(kit, service, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    session = await kit.session(service, path)
    await session.start()
    assert path not in {link.resolve() for link in Path("/proc/self/fd").iterdir()}
    with path.open("rb") as file:
        async with await open_source(file) as source, anyio.create_task_group() as group:
            found = {}

            async def take(offset):
                found[offset] = b"".join([piece async for piece in source.read(offset, 5)])

            for offset in range(0, 45, 5):
                group.start_soon(take, offset)
        assert file.tell() == 0
    assert b"".join(found[offset] for offset in sorted(found)) == CONTENT


async def test_defect_09_the_length_of_each_body_is_its_own():
    source = await open_source(CONTENT)
    dialect = PartsDialect("http://up.example/x", 5)
    call = dialect.put(Part(4, 40, 5), SourceBody(source, 40, 5))
    assert "content-length" not in {name.lower() for name in call.request.headers}
    assert call.request.content.length == 5
    assert b"".join([piece async for piece in call.request.content]) == CONTENT[40:]


async def test_defect_10_nothing_is_printed(kit, service, capsys):
    service.fault("PUT", 1, 400)
    session = await kit.session(service)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    await session.resume()
    assert capsys.readouterr() == ("", "")


async def test_defect_11_abort_stops_at_once_and_believes_the_answer_only(kit):
    service = kit.Service(CONTENT, 10, retries=0)
    service.fault("PUT", 0, "stall")
    service.fault("DELETE", None, 500)
    session = await kit.session(service)

    async def start():
        with pytest.raises(UploadError):
            await session.start()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(start)
            await service.arrived.wait()
            with pytest.raises(kit.FAMILY.root):
                await session.abort()
            assert service.in_flight == 0
    assert session.status == "interrupted"
    await session.abort()
    assert session.status == "aborted"


async def test_defect_12_every_documented_status_is_reached(kit, service):
    seen = set()
    service.fault("PUT", 1, 400)
    service.fault("PUT", 2, "ok", "stall")
    session = await kit.session(service, threads=1)

    async def note(index):
        seen.add(session.status)
        if index == 3:
            await session.pause()
            seen.add(session.status)
            await session.resume()

    service.before_part = note
    seen.add(session.status)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    seen.add(session.status)
    del service.stored[0]
    service.fault("PUT", 0, "stall")
    async with anyio.create_task_group() as group:
        group.start_soon(session.resume)
        await service.arrived.wait()
        group.cancel_scope.cancel()
    seen.add(session.status)
    service.fault("PUT", 2)
    await session.resume()
    seen.add(session.status)
    other = await kit.session(kit.Service(CONTENT, 10))
    await other.abort()
    seen.add(other.status)
    assert seen == {"initialized", "uploading", "paused", "error", "interrupted", "uploaded", "aborted"}


async def test_defect_20_a_redirected_part_counts_as_failed(kit, service):
    service.fault("PUT", 2, 302)
    session = await kit.session(service)
    with pytest.raises(DecodeError, match="302"):
        await session.start()
    assert session.status == "error"


async def test_defect_21_uploaded_though_the_last_part_was_answered_without_a_body(kit, service):
    service.fault("PUT", None, *["empty"] * 5)
    session = await kit.session(service)
    assert (await session.start())["id"] == "v1"
    assert session.status == "uploaded"
    assert len(service.parts_sent()) == 6
