"""Upload sessions from a user's side: opened, followed, broken, moved, continued elsewhere, given up."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.errors import CloudReelError, NotFoundError, UploadError
from cloudreel.panda import (
    AsyncPanda,
    AsyncVideo,
    ConnectionFailed,
    InternalError,
    Panda,
    PandaError,
    Progress,
    Ticket,
    UploadFailed,
    Video,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from conftest import Control, Tap

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_patience")]

CHUNK = 64 * 1024
DATA = random.Random(1).randbytes(5 * CHUNK + 1000)  # six chunks
DIGEST = hashlib.sha256(DATA).hexdigest()
LOCATIONS = "/upload/*"


def arrived(control: Control, session_id: str) -> None:
    """Make sure that an upload has arrived whole and unharmed."""
    upload = control.upload(session_id)
    assert (upload["service"], upload["status"]) == ("panda", "uploaded")
    assert (upload["sha256"], upload["size"]) == (DIGEST, len(DATA))


def ranges(tap: Tap) -> list[str]:
    """Return the Content-Range of every request that had one."""
    return [request.headers["content-range"] for request in tap.seen if "content-range" in request.headers]


async def test_a_session_becomes_a_video(panda: AsyncPanda, control: Control, tmp_path: Path) -> None:
    path = tmp_path / "original\u2665.mp4"
    path.write_bytes(DATA)
    session = await panda.upload_session(path, profiles="none", payload="mine", chunk_size=CHUNK)
    assert (session.status, session.video, session.error_message) == ("initialized", None, None)
    video = await session.start()
    assert isinstance(video, AsyncVideo)
    assert (session.video is video, session.status) == (True, "uploaded")
    assert (video["original_filename"], video.payload) == ("original\u2665.mp4", "mine")
    arrived(control, session.ticket().session_id)
    assert session.progress.bytes_confirmed == session.progress.total == len(DATA)
    assert (session.progress.parts_done, session.progress.parts) == (6, 6)


async def test_profiles_are_said_openly(tapped: AsyncPanda, tap: Tap) -> None:
    await tapped.upload_session(b"abc")
    assert tap.params() == {"file_name": "upload.bin", "file_size": "3", "profiles": "h264"}
    await tapped.upload_session(b"abc", profiles=["mp3", "webm"], path_format=":id")
    assert (tap.params()["profiles"], tap.params()["path_format"]) == ("mp3,webm", ":id")
    await tapped.upload_session(b"abc", profiles=None, use_all_profiles=True)
    assert ("profiles" in tap.params(), tap.params()["use_all_profiles"]) == (False, "true")


async def test_chunks_are_five_mebibytes_and_end_with_the_file(tapped: AsyncPanda, tap: Tap) -> None:
    data = bytes(6 * 2**20)
    await (await tapped.upload_session(data, profiles="none")).start()
    assert ranges(tap) == ["bytes 0-5242879/6291456", "bytes 5242880-6291455/6291456"]
    assert [request.method for request in tap.seen] == ["POST", "PUT", "PUT"]
    assert "signature" not in str(tap.seen[1].url)
    assert tap.seen[1].headers["content-type"] == "application/octet-stream"


async def test_the_uploaded_clip_is_encoded(panda: AsyncPanda, clip: Path) -> None:
    video = await (await panda.upload_session(clip, profiles="mp3", chunk_size=10_000)).start()
    await video.wait(timeout=120)
    assert (video.status, video.width) == ("success", 320)
    assert [encoding.profile_name for encoding in await video.encodings()] == ["mp3"]


async def test_what_cannot_be_sent_opens_no_session(
    panda: AsyncPanda, control: Control, tmp_path: Path
) -> None:
    before = len(control.requests())
    with pytest.raises(FileNotFoundError):
        await panda.upload_session(tmp_path / "nothing.mp4")
    with pytest.raises(UploadError, match="empty"):
        await panda.upload_session(b"")
    with pytest.raises(ValueError, match="chunk_size"):
        await panda.upload_session(b"abc", chunk_size=0)
    assert len(control.requests()) == before
    with pytest.raises(NotFoundError):
        await panda.upload_session(b"abc", profiles="nonesuch")


async def test_a_line_that_breaks_in_the_middle_of_chunks(
    sandbox: Sandbox, control: Control, tap: Tap
) -> None:
    told: list[Progress] = []
    async with sandbox.panda(transport=tap) as panda:
        session = await panda.upload_session(DATA, profiles="none", chunk_size=CHUNK, progress=told.append)
        control.fault("drop", method="PUT", path=LOCATIONS, after_bytes=20_000, times=2)
        await session.start()
    arrived(control, session.ticket().session_id)
    sent = [tuple(map(int, text[6:].partition("/")[0].split("-"))) for text in ranges(tap) if "*" not in text]
    held = [first for first, _ in sent]
    assert held == sorted(set(held)), "no chunk begins before what is held"
    assert any(first % CHUNK for first in held), "one went on in the middle"
    assert ranges(tap).count(f"bytes */{len(DATA)}") == 2
    assert [p.bytes_confirmed for p in told] == sorted(p.bytes_confirmed for p in told)
    assert told[-1].bytes_confirmed == len(DATA)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_service_that_fails_for_a_moment(panda: AsyncPanda, control: Control, status: int) -> None:
    session = await panda.upload_session(DATA, profiles="none", chunk_size=CHUNK)
    control.fault("status", method="PUT", path=LOCATIONS, status=status, times=2)
    await session.start()
    arrived(control, session.ticket().session_id)


async def test_a_failure_is_raised_and_another_process_goes_on(
    sandbox: Sandbox, control: Control, tap: Tap
) -> None:
    async with sandbox.panda(retries=0) as first:
        session = await first.upload_session(DATA, profiles="none", chunk_size=CHUNK)
        control.fault("drop", method="PUT", path=LOCATIONS, after_bytes=70_000, times=1)
        control.fault("status", method="PUT", path=LOCATIONS, status=500, times=1)
        with pytest.raises((ConnectionFailed, InternalError)) as caught:
            await session.start()
        assert session.status == "error"
        assert session.error_message == caught.value.message
        assert isinstance(caught.value.ticket, Ticket)
        text = caught.value.ticket.to_json()
    control.clear_faults()
    async with sandbox.panda(transport=tap) as second:
        again = await second.resume_upload(Ticket.from_json(text), DATA)
        assert again.status == "interrupted"
        video = await again.resume()
        assert isinstance(video, AsyncVideo)
        with pytest.raises(UploadFailed, match="already uploaded"):
            await again.resume()
        assert ranges(tap)[0] == f"bytes */{len(DATA)}"
        late = await second.resume_upload(Ticket.from_json(text), DATA)
        assert (await late.resume()).id == video.id, "what is complete is told again"
    arrived(control, session.ticket().session_id)


@pytest.mark.usefixtures("every_step")
async def test_cancelled_in_the_middle_it_goes_on_there(panda: AsyncPanda, control: Control) -> None:
    session = await panda.upload_session(DATA, profiles="none", chunk_size=CHUNK)
    with anyio.CancelScope() as scope:

        async def stop(progress: Progress) -> None:
            if progress.parts_done == 2:
                scope.cancel()

        session._callback = stop
        await session.start()
    assert session.status == "interrupted"
    session._callback = None
    await session.resume()
    arrived(control, session.ticket().session_id)


@pytest.mark.usefixtures("every_step")
async def test_an_upload_that_moves_is_followed(panda: AsyncPanda, control: Control) -> None:
    moved: list[str] = []

    def move(progress: Progress) -> None:
        if progress.parts_done in (2, 4) and len(moved) < progress.parts_done // 2:
            moved.append(control.move(session.ticket().session_id))

    session = await panda.upload_session(DATA, profiles="none", chunk_size=CHUNK, progress=move)
    before = session.ticket().location
    await session.start()
    assert len(moved) == 2
    assert before != session.ticket().location == moved[-1]
    arrived(control, session.ticket().session_id)


async def test_an_abort_is_final(panda: AsyncPanda, control: Control) -> None:
    session = await panda.upload_session(DATA, profiles="none", chunk_size=CHUNK)
    control.fault("status", method="PUT", path=LOCATIONS, status=400, times=1)
    with pytest.raises(PandaError):
        await session.start()
    location = control.move(session.ticket().session_id)
    assert location
    await session.abort()
    assert session.status == "aborted"
    assert control.upload(session.ticket().session_id)["status"] == "aborted"
    with pytest.raises(UploadFailed, match="aborted"):
        await session.resume()
    late = await panda.resume_upload(session.ticket(), DATA)
    with pytest.raises(NotFoundError) as caught:
        await late.resume()
    assert caught.value.ticket is not None


async def test_a_ticket_is_for_its_source_and_cloud(panda: AsyncPanda) -> None:
    session = await panda.upload_session(DATA, profiles="none")
    ticket = session.ticket()
    assert (ticket.service, ticket.scope, ticket.dialect) == ("panda", panda.cloud_id, "ranges")
    for other in (DATA[:-1], b"x" + DATA[1:]):
        with pytest.raises(UploadError, match="changed"):
            await panda.resume_upload(ticket, other)
    with pytest.raises(UploadFailed, match="not of Cloud 0f3c"):
        await panda.for_cloud("0f3c").resume_upload(ticket, DATA)


async def test_the_video_stays_with_the_cloud_of_the_session(panda: AsyncPanda) -> None:
    session = await panda.upload_session(DATA, profiles="none")
    panda.cloud_id = "0f3c"
    video = await session.start()
    await video.reload()
    assert video.file_size in (None, len(DATA))


def test_the_same_without_async(blocking: Panda, control: Control, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(DATA)
    told: list[Progress] = []
    session = blocking.upload_session(path, profiles="none", chunk_size=CHUNK, progress=told.append)
    control.fault("drop", method="PUT", path=LOCATIONS, after_bytes=20_000, times=1)
    control.fault("status", method="PUT", path=LOCATIONS, status=400, times=1)
    with pytest.raises(CloudReelError):
        session.start()
    again = blocking.resume_upload(session.ticket(), path)
    video = again.resume()
    assert isinstance(video, Video)
    assert (video["original_filename"], again.video == video, told[-1].total) == ("film.mp4", True, len(DATA))
    arrived(control, session.ticket().session_id)
