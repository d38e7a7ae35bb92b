"""Upload sessions of Panda v2, and of Telestream without parts: items 18 and 24 to 32 of panda.md section 11.

The number stands in the test's name. Broken connections are in test_uploads_socket.py. One thing of item 18
is not played: locations are on the sandbox's own host, not on another.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define

if TYPE_CHECKING:
    import httpx

    from conftest import Caller

pytestmark = pytest.mark.anyio

BODY = Random(31).randbytes(9)
OCTETS = {"Content-Type": "application/octet-stream", "Cache-Control": "no-cache"}


@define
class Stream:
    """One session for nine bytes; requests to its location carry no parameter of the API."""

    call: Caller
    service: str
    id: str
    location: str

    async def send(self, content: Any, content_range: str | None, verb: str = "PUT") -> httpx.Response:
        headers = OCTETS if content_range is None else {**OCTETS, "Content-Range": content_range}
        return await self.call.http.request(verb, self.location, content=content, headers=headers)

    def entry(self) -> dict[str, Any]:
        [upload] = self.call.world.snapshot()["uploads"]
        return upload

    def is_whole(self) -> bool:
        return bool(self.entry()["sha256"] == hashlib.sha256(BODY).hexdigest())


@pytest.fixture(params=["panda", "telestream"])
async def stream(request: pytest.FixtureRequest, panda: Caller, call: Caller) -> Stream:
    caller = panda if request.param == "panda" else call
    return Stream(caller, request.param, **await caller.session(len(BODY), multi_chunk=None))


async def test_18_a_session_has_an_id_and_a_location(panda: Caller) -> None:
    asked = {"file_size": 9, "file_name": "C:\\clips\\panda.mp4", "multi_chunk": "true"}  # parts came later
    reply = await panda("POST", "/videos/upload.json", asked)
    session = reply.json()
    assert (reply.status_code, session.keys()) == (201, {"id", "location"})
    assert session["location"].startswith("http://sandbox.local/upload/session?id=")
    video = (await panda.http.put(session["location"], content=BODY)).json()
    assert video["original_filename"] == "panda.mp4"


@pytest.mark.parametrize(
    "changes",
    [
        {"file_size": None},
        {"file_name": None},
        {"file_size": 0},
        {"file_size": "x"},
        {"profiles": "nonsense"},
    ],
)
async def test_18_a_session_needs_a_name_and_a_size(panda: Caller, changes: dict[str, Any]) -> None:
    reply = await panda("POST", "/videos/upload.json", {"file_size": 9, "file_name": "a.mp4", **changes})
    assert reply.status_code == (404 if "profiles" in changes else 400)


@pytest.mark.parametrize(
    ("params", "named"),
    [({}, []), ({"profiles": "mp3,h264"}, ["mp3", "h264"]), ({"use_all_profiles": "true"}, None)],
)
async def test_18_an_upload_is_encoded_to_no_profile_unless_some_are_named(
    panda: Caller, params: dict[str, str], named: list[str] | None
) -> None:
    session = await panda.session(9, **{"profiles": None, **params})
    video = (await panda.http.put(session["location"], content=BODY)).json()
    encodings = await panda.json("GET", f"/videos/{video['id']}/encodings.json")
    if named is None:
        named = [profile["name"] for profile in await panda.json("GET", "/profiles.json")]
    assert [encoding["profile_name"] for encoding in encodings] == named


@pytest.mark.parametrize("verb", ["PUT", "POST"])
async def test_24_25_26_28_unsigned_chunks_until_the_file_is_whole(stream: Stream, verb: str) -> None:
    first = await stream.send(BODY[:5], "bytes 0-4/9", verb)
    assert (first.status_code, first.content, first.headers["range"]) == (204, b"", "0-4")
    last = await stream.send(BODY[5:], "bytes 5-8/9", verb)
    assert (last.status_code, last.json()["status"]) == (200, "processing")
    assert last.json()["file_size"] == len(BODY)
    assert stream.is_whole()
    entry = {name: stream.entry()[name] for name in ("service", "status", "size", "repeated", "video_id")}
    video_id = last.json()["id"]
    whole = {"service": stream.service, "status": "uploaded", "size": 9, "repeated": 0, "video_id": video_id}
    assert entry == whole


@pytest.mark.parametrize("verb", ["PUT", "POST"])
async def test_27_the_status_tells_what_is_held(stream: Stream, verb: str) -> None:
    nothing = await stream.send(b"", "bytes */9", verb)
    assert (nothing.status_code, nothing.content, "range" in nothing.headers) == (204, b"", False)
    await stream.send(BODY[:1], "bytes 0-0/9")
    some = await stream.send(b"", "bytes */9", verb)
    assert (some.status_code, some.headers["range"]) == (204, "0-0")
    video = (await stream.send(BODY[1:], "bytes 1-8/9")).json()
    everything = await stream.send(b"", "bytes */9", verb)
    assert (everything.status_code, everything.json()) == (200, video)
    again = await stream.send(BODY[1:], "bytes 1-8/9")
    assert (again.status_code, again.json()) == (200, video)


async def test_29_a_moved_upload_says_where_it_went(stream: Stream) -> None:
    first = await stream.send(BODY[:2], "bytes 0-1/9")
    assert "location" not in first.headers
    moved = await stream.call.http.post(f"/__sandbox__/uploads/{stream.id}/move")
    assert moved.json() == {"location": f"http://sandbox.local/upload/session/1?id={stream.id}"}
    told = await stream.send(BODY[2:4], "bytes 2-3/9")
    assert (told.status_code, told.headers["range"], told.headers["location"]) == (
        204,
        "0-3",
        moved.json()["location"],
    )
    asked = await stream.send(b"", "bytes */9")
    assert asked.headers["location"] == told.headers["location"]
    stream.location = told.headers["location"]
    settled = await stream.send(BODY[4:6], "bytes 4-5/9")
    assert (settled.headers["range"], "location" in settled.headers) == ("0-5", False)
    again = (await stream.call.http.post(f"/__sandbox__/uploads/{stream.id}/move")).json()["location"]
    last = await stream.send(BODY[6:], "bytes 6-8/9")
    assert (last.status_code, last.headers["location"], stream.is_whole()) == (200, again, True)
    paths = [request["path"] for request in stream.call.world.requests if request["method"] == "PUT"]
    assert paths == ["/upload/session"] * 3 + ["/upload/session/1"] * 2
    assert stream.entry()["moves"] == 2


async def test_29_a_location_that_is_not_yet_there_is_unknown(stream: Stream) -> None:
    stream.location = stream.location.replace("session?", "session/1?")
    assert (await stream.send(BODY, None)).status_code == 404


async def test_29_what_is_not_there_or_takes_parts_cannot_be_moved(stream: Stream, call: Caller) -> None:
    parts = (await call.session(9))["id"]
    assert (await call.http.post(f"/__sandbox__/uploads/{parts}/move")).status_code == 400
    await stream.call.http.delete(stream.location)
    for id in (stream.id, "nothing"):
        assert (await call.http.post(f"/__sandbox__/uploads/{id}/move")).status_code == 404


async def test_30_an_aborted_session_is_gone(stream: Stream) -> None:
    await stream.send(BODY[:5], "bytes 0-4/9")
    reply = await stream.call.http.delete(stream.location)
    assert (reply.status_code, reply.content) == (200, b"")
    for content_range in ("bytes 5-8/9", "bytes */9", None):
        gone = await stream.send(b"", content_range)
        assert (gone.status_code, gone.json()["error"]) == (404, "RecordNotFound")
    assert (await stream.call.http.delete(stream.location)).status_code == 404
    assert stream.entry()["status"] == "aborted"
    assert list(stream.call.world.store.folder("uploads").iterdir()) == []


@pytest.mark.parametrize("verb", ["PUT", "POST"])
async def test_31_without_a_range_the_whole_file_comes_at_once(stream: Stream, verb: str) -> None:
    part = await stream.send(BODY[:8], None, verb)
    assert (part.status_code, part.json()["error"]) == (400, "BadRequest")
    whole = await stream.send(BODY, None, verb)
    assert (whole.status_code, whole.json()["status"]) == (200, "processing")
    assert stream.is_whole()


async def test_32_a_form_may_send_the_whole_file(stream: Stream) -> None:
    short = await stream.call.http.post(stream.location, files={"file": ("a.mp4", BODY[:-1])})
    none = await stream.call.http.post(stream.location, files={"other": ("a.mp4", BODY)})
    assert (short.status_code, none.status_code) == (400, 400)
    reply = await stream.call.http.post(stream.location, files={"file": ("a.mp4", BODY)})
    assert (reply.status_code, reply.json()["status"]) == (200, "processing")
    assert stream.is_whole()


async def test_bytes_that_are_held_are_passed_over_and_counted(stream: Stream) -> None:
    await stream.send(BODY[:5], "bytes 0-4/9")
    overlap = await stream.send(b"??" + BODY[5:7], "bytes 3-6/9")
    assert (overlap.status_code, overlap.headers["range"]) == (204, "0-6")
    assert (await stream.send(b"????", "bytes 0-3/9")).headers["range"] == "0-6"
    assert stream.entry()["repeated"] == 2
    # panda 0.3.1 declares its last chunk to be as long as the others.
    assert (await stream.send(BODY[7:], "bytes 7-11/9")).status_code == 200
    assert stream.is_whole()


@pytest.mark.parametrize(
    ("content", "content_range"),
    [
        (BODY[5:], "bytes 5-8/9"),
        (BODY[:5], "bytes 0-4/10"),
        (b"", "bytes */10"),
        (BODY[:5], "bytes=0-4/9"),
        (b"", "bytes 0--1/0"),
        (BODY + b"x", "bytes 0-9/9"),
    ],
    ids=["gap", "size", "size asked", "syntax", "nothing", "too long"],
)
async def test_misfits_are_refused(stream: Stream, content: bytes, content_range: str) -> None:
    reply = await stream.send(content, content_range)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")
    assert "range" not in (await stream.send(b"", "bytes */9")).headers


async def test_what_arrived_before_a_break_is_kept(stream: Stream) -> None:
    async def broken() -> Any:
        yield BODY[:4]
        raise ConnectionError("the sender left")

    with pytest.raises(ConnectionError):
        await stream.send(broken(), "bytes 0-8/9")
    held = (await stream.send(b"", "bytes */9")).headers.get("range", "0--1")
    start = int(held.split("-", 1)[1]) + 1
    assert (await stream.send(BODY[start:], f"bytes {start}-8/9")).status_code == 200
    assert (stream.is_whole(), stream.entry()["repeated"]) == (True, 0)


async def test_pages_of_other_origins_may_send_and_see_what_is_held(stream: Stream) -> None:
    origin = {"Origin": "http://app.example"}
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-range"}
    allowed = await stream.call.http.options(stream.location, headers=origin | asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "content-range" in allowed.headers["access-control-allow-headers"]
    headers = {**OCTETS, **origin, "Content-Range": "bytes 0-4/9"}
    sent = await stream.call.http.put(stream.location, content=BODY[:5], headers=headers)
    assert sent.headers["access-control-allow-origin"] == "*"
    assert {"Range", "Location"} <= set(sent.headers["access-control-expose-headers"].split(", "))
    gone = await stream.call.http.put(f"{stream.location}x", headers=origin)
    assert (gone.status_code, gone.headers["access-control-allow-origin"]) == (404, "*")
