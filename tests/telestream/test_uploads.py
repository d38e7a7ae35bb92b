"""Upload sessions from a user's side: opened, followed, paused, broken, continued, given up."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.errors import CloudReelError, NotFoundError, UploadError
from cloudreel.telestream import (
    AsyncFactory,
    AsyncVideo,
    InternalError,
    TelestreamCloudException,
    UploadFailed,
)
from cloudreel.uploads.plan import Progress
from cloudreel.uploads.ticket import Ticket

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.telestream import AsyncTelestream
    from conftest import Control, Tap

pytestmark = pytest.mark.anyio

PART = 64 * 1024
DATA = random.Random(1).randbytes(5 * PART + 1000)  # six parts
DIGEST = hashlib.sha256(DATA).hexdigest()


def parts_sent(control: Control, since: int) -> list[int]:
    return [
        int(r["part"]) for r in control.requests()[since:] if r["method"] == "PUT" and r["part"] is not None
    ]


async def test_a_session_becomes_a_video(factory: AsyncFactory, control: Control, tmp_path: Path) -> None:
    path = tmp_path / "original\u2665.mp4"
    path.write_bytes(DATA)
    before = len(control.requests())
    session = await factory.upload_session(path, threads=3, profiles="none", payload="mine")
    assert (session.status, session.video, session.error_message) == ("initialized", None, None)
    assert parts_sent(control, before) == []
    video = await session.start()
    assert isinstance(video, AsyncVideo)
    assert session.video is video
    assert session.status == "uploaded"
    assert (video.original_filename, video.payload) == ("original\u2665.mp4", "mine")
    upload = control.upload_of(video.id)
    assert (upload["sha256"], upload["size"], upload["repeated"]) == (DIGEST, len(DATA), 0)
    assert sorted(parts_sent(control, before)) == [0, 1, 2, 3, 4, 5]
    assert session.progress.bytes_confirmed == session.progress.total == len(DATA)
    assert (session.progress.parts_done, session.progress.parts) == (6, 6)


async def test_profiles_are_said_openly(tapped: AsyncFactory, tap: Tap) -> None:
    await tapped.upload_session(b"abc")
    assert tap.params() == {
        "file_name": "upload.bin",
        "file_size": "3",
        "multi_chunk": "true",
        "profiles": "h264",
    }
    await tapped.upload_session(b"abc", profiles=["mp3", "webm"], path_format=":id")
    assert (tap.params()["profiles"], tap.params()["path_format"]) == ("mp3,webm", ":id")
    await tapped.upload_session(b"abc", profiles=None)
    assert "profiles" not in tap.params()


async def test_the_uploaded_clip_is_encoded(factory: AsyncFactory, clip: Path) -> None:
    session = await factory.upload_session(clip, profiles="mp3")
    video = await session.start()
    assert video.status == "processing"
    await video.wait(timeout=120)
    assert (video.status, video.width) == ("success", 320)
    (encoding,) = await video.encodings.all()
    assert (encoding.profile_name, encoding.status) == ("mp3", "success")


async def test_what_cannot_be_sent_opens_no_session(
    factory: AsyncFactory, control: Control, tmp_path: Path
) -> None:
    before = len(control.requests())
    with pytest.raises(FileNotFoundError):
        await factory.upload_session(tmp_path / "nothing.mp4")
    with pytest.raises(UploadError, match="empty"):
        await factory.upload_session(b"")
    with pytest.raises(ValueError, match="threads"):
        await factory.upload_session(b"abc", threads=0)
    assert len(control.requests()) == before


async def test_progress_is_told_and_never_goes_back(factory: AsyncFactory, control: Control) -> None:
    told: list[Progress] = []
    seen: list[Progress] = []
    session = await factory.upload_session(DATA, threads=2, profiles="none", progress=told.append)
    control.fault("drop", method="PUT", path="/upload/*", after_bytes=1000, times=2)

    async def observe() -> None:
        async for progress in session.events():
            seen.append(progress)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(observe)
        await session.start()
    for events in (told, seen):
        assert events
        assert [e.bytes_sent for e in events] == sorted(e.bytes_sent for e in events)
        assert [e.bytes_confirmed for e in events] == sorted(e.bytes_confirmed for e in events)
        assert (events[-1].bytes_confirmed, events[-1].parts_done) == (len(DATA), 6)


async def test_an_async_callback_is_awaited_and_what_it_raises_is_raised(factory: AsyncFactory) -> None:
    told: list[Progress] = []

    async def slow(progress: Progress) -> None:
        await anyio.sleep(0.001)
        told.append(progress)

    async def broken(progress: Progress) -> None:
        await anyio.lowlevel.checkpoint()
        raise LookupError("in the callback")

    session = await factory.upload_session(DATA, profiles="none", progress=slow)
    await session.start()
    assert told[-1].parts_done == 6
    session = await factory.upload_session(DATA, profiles="none", progress=broken)
    with pytest.raises(LookupError, match="in the callback"):
        await session.start()


async def test_a_failure_leaves_the_session_resumable(factory: AsyncFactory, control: Control) -> None:
    session = await factory.upload_session(DATA, threads=1, profiles="none")
    before = len(control.requests())
    control.fault("delay", method="PUT", path="/upload/*", seconds=0, times=2)  # two parts pass
    control.fault("status", method="PUT", path="/upload/*", status=500, times=3)
    with pytest.raises(InternalError, match="500") as caught:
        await session.start()
    assert session.status == "error"
    assert session.error_message == str(caught.value)
    assert caught.value.ticket == session.ticket()
    assert caught.value.attempts == 3
    with pytest.raises(UploadFailed, match="resume"):
        await session.start()
    video = await session.resume()
    assert video is session.video
    assert video is not None
    assert (session.status, session.error_message) == ("uploaded", None)
    assert control.upload_of(video.id)["sha256"] == DIGEST
    assert parts_sent(control, before) == [0, 1, 2, 2, 2, 2, 3, 4, 5]


async def test_a_part_that_is_refused_for_good_is_not_repeated(
    factory: AsyncFactory, control: Control
) -> None:
    session = await factory.upload_session(DATA, threads=1, profiles="none")
    before = len(control.requests())
    control.fault("status", method="PUT", path="/upload/*", status=400)
    with pytest.raises(TelestreamCloudException, match="400"):
        await session.start()
    assert parts_sent(control, before) == [0]
    await session.resume()
    assert session.status == "uploaded"


async def test_a_finished_session_is_over(factory: AsyncFactory) -> None:
    session = await factory.upload_session(b"abc", profiles="none")
    await session.start()
    for again in (session.start, session.resume, session.abort, session.pause):
        with pytest.raises(UploadFailed, match="already uploaded"):
            await again()
    assert session.status == "uploaded"


async def test_a_session_is_aborted(factory: AsyncFactory, control: Control) -> None:
    session = await factory.upload_session(DATA, profiles="none")
    await session.abort()
    assert session.status == "aborted"
    for again in (session.start, session.resume):
        with pytest.raises(UploadFailed, match="aborted"):
            await again()
    resumed = await factory.resume_upload(session.ticket(), DATA)
    with pytest.raises(NotFoundError):
        await resumed.resume()
    assert resumed.status == "error"


async def test_an_abort_stops_what_is_being_sent(factory: AsyncFactory, control: Control) -> None:
    session = await factory.upload_session(DATA, profiles="none")
    control.fault("stall", method="PUT", path="/upload/*", after_bytes=100, times=20)
    failures: list[CloudReelError] = []

    async def send() -> None:
        try:
            await session.start()
        except CloudReelError as error:
            failures.append(error)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            while session.progress.bytes_sent == 0:
                await anyio.sleep(0.01)
            await session.abort()
            assert session.status == "aborted"
    (failure,) = failures
    assert isinstance(failure, UploadFailed)
    assert "abort" in str(failure)


async def test_an_abort_that_is_not_confirmed_can_be_repeated(
    factory: AsyncFactory, control: Control
) -> None:
    session = await factory.upload_session(DATA, profiles="none")
    control.fault("status", method="DELETE", path="/upload/*", status=500, times=3)
    with pytest.raises(InternalError):
        await session.abort()
    assert session.status != "aborted"
    await session.abort()
    assert session.status == "aborted"


async def test_a_session_pauses_and_goes_on(factory: AsyncFactory, control: Control) -> None:
    session = await factory.upload_session(DATA, threads=1, profiles="none")
    before = len(control.requests())
    async with anyio.create_task_group() as tasks:
        control.fault("delay", method="PUT", path="/upload/*", seconds=0.2)
        tasks.start_soon(session.start)
        while session.progress.bytes_sent == 0:
            await anyio.sleep(0.01)
        await session.pause()
        assert session.status == "paused"
        sent = parts_sent(control, before)
        assert len(sent) < 6
        while session.progress.parts_done < len(sent):
            await anyio.sleep(0.01)
        await anyio.sleep(0.2)
        assert parts_sent(control, before) == sent
        assert await session.resume() is None
        assert session.status == "uploading"
    assert session.status == "uploaded"
    assert parts_sent(control, before) == [0, 1, 2, 3, 4, 5]


async def test_a_ticket_continues_elsewhere(
    tc: AsyncTelestream, factory: AsyncFactory, control: Control, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    session = await factory.upload_session(path, threads=1, profiles="none")
    control.fault("delay", method="PUT", path="/upload/*", seconds=0, times=4)
    control.fault("status", method="PUT", path="/upload/*", status=400)
    with pytest.raises(TelestreamCloudException) as caught:
        await session.start()
    assert caught.value.ticket is not None
    text = caught.value.ticket.to_json()
    before = len(control.requests())
    again = await (await tc.flip.factories.find(str(factory.id))).resume_upload(Ticket.from_json(text), path)
    assert again.status == "interrupted"
    with pytest.raises(UploadFailed, match="resume"):
        await again.start()
    video = await again.resume()
    assert video is not None
    assert control.upload_of(video.id)["sha256"] == DIGEST
    assert sorted(parts_sent(control, before)) == [4, 5]
    assert again.progress.bytes_confirmed == len(DATA)


async def test_a_ticket_is_for_its_source_and_factory(
    tc: AsyncTelestream, factory: AsyncFactory, tmp_path: Path
) -> None:
    session = await factory.upload_session(DATA, profiles="none")
    ticket = session.ticket()
    for other in (DATA[:-1], DATA + b"x", b"x" + DATA[1:]):
        with pytest.raises(UploadError, match="changed"):
            await factory.resume_upload(ticket, other)
    first = await tc.flip.factories.find(str(tc.factory_id))
    with pytest.raises(UploadFailed, match="not of Factory"):
        await first.resume_upload(ticket, DATA)


async def test_a_source_that_changes_is_not_completed(
    factory: AsyncFactory, control: Control, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    session = await factory.upload_session(path, threads=1, profiles="none")
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(UploadError, match="changed"):
        await session.start()
    (upload,) = [u for u in control.state()["uploads"] if u["id"] == session.ticket().session_id]
    assert upload["status"] == "uploading"
    assert upload["missing"]


async def test_a_lost_completing_answer_costs_no_part(factory: AsyncFactory, control: Control) -> None:
    session = await factory.upload_session(DATA, threads=1, profiles="none")
    before = len(control.requests())
    control.fault("delay", method="PUT", path="/upload/*", seconds=0, times=5)
    control.fault("truncate", method="PUT", path="/upload/*")
    video = await session.start()
    assert control.upload_of(video.id)["repeated"] == 0
    assert parts_sent(control, before) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("threads", [1, 4, 100])
async def test_no_more_parts_are_under_way_than_allowed(
    factory: AsyncFactory, control: Control, threads: int
) -> None:
    session = await factory.upload_session(DATA, threads=threads, profiles="none")
    control.fault("stall", method="PUT", path="/upload/*", after_bytes=10, times=20)
    before = len(control.requests())
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.start)
            while len(parts_sent(control, before)) < min(threads, 6):
                await anyio.sleep(0.01)
            await anyio.sleep(0.1)
            assert len(parts_sent(control, before)) == min(threads, 6)
            tasks.cancel_scope.cancel()
    assert session.status == "interrupted"
    control.clear_faults()
    await session.resume()
    assert session.status == "uploaded"
