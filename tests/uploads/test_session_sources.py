"""What a session does with its source, and with one that changes."""

from __future__ import annotations

import os
import tracemalloc

import anyio
import pytest

from cloudreel.errors import UploadError

pytestmark = pytest.mark.anyio


async def test_a_changed_source_is_refused_before_any_traffic(kit, service, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(kit.CONTENT)
    session = await kit.session(service, path)
    path.write_bytes(kit.CONTENT[:-1] + b"x")
    with pytest.raises(UploadError, match=r"a\.mp4.*changed"):
        await session.start()
    assert service.requests == []
    assert session.status == "error"


async def test_a_source_of_another_content_does_not_continue_a_ticket(kit, service):
    session = await kit.session(service)
    ticket = session.ticket()
    other = await kit.session(service, kit.CONTENT[::-1], ticket=ticket)
    with pytest.raises(UploadError, match="content is another"):
        await other.resume()
    assert service.requests == []


@pytest.mark.parametrize("how", ["truncated", "rewritten"])
async def test_a_source_that_changes_on_the_way_completes_nothing(kit, service, tmp_path, how):
    path = tmp_path / "a.mp4"
    path.write_bytes(kit.CONTENT)
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
    path.write_bytes(kit.CONTENT)
    session = await kit.session(service, path, threads=1)
    stamp = path.stat().st_mtime_ns

    async def change(index):
        if index == 1:
            path.write_bytes(kit.CONTENT[::-1])
            os.utime(path, ns=(stamp, stamp))

    service.before_part = change
    with pytest.raises(UploadError, match="content is another"):
        await session.start()
    assert service.missing == [4]


async def pieces(kit):
    for start in range(0, 45, 7):
        yield kit.CONTENT[start : start + 7]


async def test_a_spooled_source_outlives_a_failure_and_is_removed_in_the_end(
    kit, service, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    service.fault("PUT", 2, 400)
    session = await kit.session(service, pieces(kit))
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    (copy,) = tmp_path.iterdir()
    assert copy not in kit.open_files()
    await session.resume()
    assert service.received == kit.CONTENT
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["abort", "close"])
async def test_a_spooled_source_goes_with_the_session(kit, service, monkeypatch, tmp_path, end):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    session = await kit.session(service, pieces(kit))
    assert len(list(tmp_path.iterdir())) == 1
    await getattr(session, end)()
    assert list(tmp_path.iterdir()) == []


async def test_a_file_moved_away_after_a_failure_is_missing(kit, service, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(kit.CONTENT)
    service.fault("PUT", 2, 400)
    session = await kit.session(service, path)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        await session.resume()
    assert session.status == "error"


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
