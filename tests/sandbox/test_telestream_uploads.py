"""Telestream v3.0: upload sessions. Items 14 to 27 of telestream.md section 11; numbers stand in the names.

Item 25 (a client sends again what it was told is missing, in rounds) is a client's doing; what it asks of the
server, that rounds are tolerated, is shown by test_25.
"""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from cloudreel.sandbox.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Caller

pytestmark = pytest.mark.anyio

PART = 1000
BODY = Random(1).randbytes(4500)
PARTS = [BODY[start : start + PART] for start in range(0, len(BODY), PART)]


async def missing(call: Caller, location: str) -> Any:
    reply = await call.http.get(location)
    assert reply.status_code == 200
    return reply.json()["missing_parts"]


def stored(call: Caller, upload_id: str) -> dict[str, Any]:
    [upload] = [entry for entry in call.world.snapshot()["uploads"] if entry["id"] == upload_id]
    return upload


@pytest.mark.parametrize("flag", ["true", "1"])
async def test_14_a_session_counts_in_strings(call: Caller, flag: str) -> None:
    session = await call.session(len(BODY), multi_chunk=flag)
    assert session["location"].startswith("http://sandbox.local/upload/session?id=")
    del session["id"], session["location"]
    assert session == {"parts": "5", "part_size": "1000", "max_connections": "16"}


async def test_15_without_multi_chunk_the_location_speaks_content_range(call: Caller) -> None:
    session = await call.session(9, multi_chunk=None)
    assert session.keys() == {"id", "location"}
    headers = {"Content-Range": "bytes 0-4/9"}
    reply = await call.http.put(session["location"], content=b"01234", headers=headers)
    assert (reply.status_code, reply.content, reply.headers["range"]) == (204, b"", "0-4")


async def test_16_only_the_last_part_is_shorter(call: Caller) -> None:
    call.world.part_size = 10_000_000
    session = await call.session(45_000_000)
    assert (session["parts"], session["part_size"]) == ("5", "10000000")
    refused = await call.part(session["location"], 4, b"x")
    assert (refused.status_code, refused.json()["error"]) == (400, "BadRequest")
    assert "5000000" in refused.json()["message"]


@pytest.mark.parametrize("size", ["0", "-1", "x", "9" * 5000, None])
async def test_16_a_file_has_at_least_one_byte(call: Caller, size: str | None) -> None:
    asked = {"file_size": size, "file_name": "a.mp4", "multi_chunk": "true"}
    assert (await call("POST", "/videos/upload.json", asked)).status_code == 400


@pytest.mark.parametrize("verb", ["PUT", "POST"])
async def test_17_parts_are_unsigned_puts_or_posts(call: Caller, verb: str) -> None:
    location = (await call.session(len(BODY)))["location"]
    assert (await call.part(location, 0, PARTS[0], verb=verb)).status_code == 200
    assert await missing(call, location) == [1, 2, 3, 4]


@pytest.mark.parametrize("index", ["5", "-1", "x", "", "1.0", "9" * 5000])
async def test_18_a_part_has_an_index_from_zero(call: Caller, index: str) -> None:
    location = (await call.session(len(BODY)))["location"]
    assert (await call.part(location, index, PARTS[0])).status_code == 400


@pytest.mark.parametrize("body", [b"", PARTS[0][:-1], PARTS[0] + b"x"])
async def test_18_a_part_has_its_exact_length(call: Caller, body: bytes) -> None:
    location = (await call.session(len(BODY)))["location"]

    async def unannounced() -> Any:
        yield body

    assert (await call.part(location, 0, body)).status_code == 400
    reply = await call.http.put(location, content=unannounced(), headers={"X-Part": "0"})
    assert reply.status_code == 400
    assert await missing(call, location) == [0, 1, 2, 3, 4]


async def test_19_20_21_parts_come_in_any_order_and_one_completes(call: Caller) -> None:
    session = await call.session(len(BODY))
    replies = []

    async def send(index: int) -> None:
        replies.append(await call.part(session["location"], index, PARTS[index]))

    async with anyio.create_task_group() as tasks:
        for index in (3, 0, 4, 2, 1):
            tasks.start_soon(send, index)
    assert [reply.status_code for reply in replies] == [200] * 5
    [video] = [reply.json() for reply in replies if reply.content]
    assert video["status"] == "processing"
    assert video == {**video, "original_filename": "a.mp4", "file_size": len(BODY), "source_url": None}
    upload = stored(call, session["id"])
    assert (upload["video_id"], upload["status"], upload["missing"]) == (video["id"], "uploaded", [])
    assert (upload["sha256"], upload["size"]) == (hashlib.sha256(BODY).hexdigest(), len(BODY))
    assert await call.json("GET", f"/videos/{video['id']}.json")


async def test_21_a_part_sent_again_after_completion_gets_the_same_video(call: Caller) -> None:
    session = await call.session(len(BODY))
    for index in (0, 1, 1, 2, 3):
        assert (await call.part(session["location"], index, PARTS[index])).content == b""
    first = await call.part(session["location"], 4, PARTS[4])
    again = await call.part(session["location"], 2, PARTS[2])
    assert (again.status_code, again.json()) == (200, first.json())
    assert stored(call, session["id"])["repeated"] == 2


async def test_22_a_part_cut_short_is_not_stored(call: Caller) -> None:
    location = (await call.session(len(BODY)))["location"]

    async def broken() -> Any:
        yield PARTS[1][:600]
        raise ConnectionError("the sender left")

    with pytest.raises(ConnectionError):
        await call.http.put(location, content=broken(), headers={"X-Part": "1"})
    assert await missing(call, location) == [0, 1, 2, 3, 4]


async def test_22_a_part_answered_with_an_error_is_not_stored(call: Caller) -> None:
    location = (await call.session(len(BODY)))["location"]
    call.world.faults.add(Fault("status", status=500, method="PUT", path="/upload/session"))
    assert (await call.part(location, 0, PARTS[0])).status_code == 500
    assert await missing(call, location) == [0, 1, 2, 3, 4]
    assert (await call.part(location, 0, PARTS[0])).status_code == 200
    assert await missing(call, location) == [1, 2, 3, 4]


async def test_23_before_the_first_part_all_are_missing(call: Caller) -> None:
    reply = await call.http.get((await call.session(len(BODY)))["location"])
    assert reply.json() == {"missing_parts": [0, 1, 2, 3, 4]}


async def test_24_after_completion_none_is_missing_and_the_video_is_named(call: Caller) -> None:
    session = await call.session(len(PARTS[0]))
    video = (await call.part(session["location"], 0, PARTS[0])).json()
    reply = await call.http.get(session["location"])
    assert (reply.status_code, reply.json()) == (200, {"missing_parts": [], "media_id": video["id"]})


async def test_25_missing_parts_may_be_sent_in_rounds(call: Caller) -> None:
    location = (await call.session(len(BODY)))["location"]
    for index in (0, 2):
        await call.part(location, index, PARTS[index])
    for index in await missing(call, location):
        reply = await call.part(location, index, PARTS[index])
    assert reply.json()["status"] == "processing"


async def test_26_an_aborted_session_is_gone(call: Caller) -> None:
    session = await call.session(len(BODY))
    await call.part(session["location"], 0, PARTS[0])
    reply = await call.http.delete(session["location"])
    assert (reply.status_code, reply.content) == (200, b"")
    for verb in ("GET", "PUT", "DELETE"):
        gone = await call.http.request(verb, session["location"], headers={"X-Part": "0"})
        assert (gone.status_code, gone.json()["error"]) == (404, "RecordNotFound")
    assert stored(call, session["id"])["status"] == "aborted"
    assert list((call.world.store.data / "uploads").iterdir()) == []


async def test_27_extra_files_have_parts_of_their_own(call: Caller) -> None:
    extra = [
        {"tag": "subtitles.index-0", "file_name": "en.srt", "file_size": 1200},
        {"tag": "subtitles.index-1", "file_name": "fr.srt", "file_size": 10},
    ]
    main = {"file_size": 1500, "file_name": "a.mp4", "multi_chunk": True}
    body = json.dumps({**main, "extra_files": extra}).encode()
    query = {"signature_version": "2", "checksum": hashlib.sha256(body).hexdigest()}
    reply = await call.http.post(
        "/v3.0/videos/upload.json",
        params=call.sign("POST", "/videos/upload.json", query),
        content=body,
        headers={"Content-Type": "application/json"},
    )
    session = reply.json()
    location = session["location"]
    assert session["extra_files"] == {
        tag: {"name": name, "tag": tag, "parts": parts, "part_size": "1000"}
        for tag, name, parts in [("subtitles.index-0", "en.srt", "2"), ("subtitles.index-1", "fr.srt", "1")]
    }
    assert (await call.part(location, 0, b"m" * 1000)).content == b""
    assert (await call.part(location, 1, b"m" * 500, tag="")).content == b""
    assert await missing(call, location) == []
    assert (await call.part(location, 0, b"f" * 10, tag="subtitles.index-1")).content == b""
    assert (await call.part(location, 1, b"e" * 200, tag="subtitles.index-0")).content == b""
    status = await call.http.get(location, headers={"X-Extra-File-Tag": "subtitles.index-0"})
    assert status.json() == {"missing_parts": [0]}
    assert (await call.http.get(location, headers={"X-Extra-File-Tag": "no"})).status_code == 400
    last = await call.part(location, 0, b"e" * 1000, tag="subtitles.index-0")
    assert last.json()["status"] == "processing"


async def test_sessions_without_extra_files_do_not_mention_them(call: Caller) -> None:
    assert "extra_files" not in await call.session(5)


async def test_the_profiles_of_a_session_are_encoded(call: Caller, clip: Path) -> None:
    call.world.part_size = 16 * 1024
    body = clip.read_bytes()
    session = await call.session(len(body), profiles="mp3", payload="my clip", path_format="x/:id")
    for index in range(int(session["parts"])):
        start = index * call.world.part_size
        reply = await call.part(session["location"], index, body[start : start + call.world.part_size])
    [encoding] = await call.json("GET", f"/videos/{reply.json()['id']}/encodings.json")
    done = await call.settled(f"/encodings/{encoding['id']}.json")
    assert (done["status"], done["files"]) == ("success", [f"x/{encoding['id']}.mp3"])
    assert reply.json()["payload"] == "my clip"


async def test_a_session_may_ask_for_all_profiles(call: Caller) -> None:
    session = await call.session(5, profiles=None, use_all_profiles="true")
    video = (await call.part(session["location"], 0, b"12345")).json()
    encodings = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    assert len(encodings) == len(await call.json("GET", "/profiles.json"))


async def test_a_browser_form_may_send_the_whole_file(call: Caller) -> None:
    session = await call.session(len(BODY))
    wrong = await call.http.post(session["location"], files={"file": ("a.mp4", BODY[:-1])})
    assert wrong.status_code == 400
    video = (await call.http.post(session["location"], files={"file": ("a.mp4", BODY)})).json()
    assert video["status"] == "processing"
    assert await missing(call, session["location"]) == []
    assert stored(call, session["id"])["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert list((call.world.store.data / "incoming").iterdir()) == []
