"""The Content-Range dialect of upload sessions: panda.md 8.3 and items 24 to 32 of its section 11.

Item 29 (a reply may carry a new Location) is something a server may do; the sandbox never moves a session.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from conftest import Caller

pytestmark = pytest.mark.anyio

BODY = Random(2).randbytes(9)


class Stream:
    """One session for nine bytes."""

    def __init__(self, call: Caller, location: str) -> None:
        self.call = call
        self.location = location

    async def send(self, content: Any, content_range: str | None, verb: str = "PUT") -> httpx.Response:
        headers = {"Content-Type": "application/octet-stream"}
        if content_range is not None:
            headers["Content-Range"] = content_range
        return await self.call.http.request(verb, self.location, content=content, headers=headers)

    def sha256(self) -> Any:
        return self.call.world.snapshot()["uploads"][0]["sha256"]


@pytest.fixture
async def stream(call: Caller) -> Stream:
    session = await call.session(len(BODY), multi_chunk=None)
    return Stream(call, session["location"])


@pytest.mark.parametrize("verb", ["PUT", "POST"])
async def test_chunks_until_the_file_is_whole(stream: Stream, verb: str) -> None:
    first = await stream.send(BODY[:5], "bytes 0-4/9", verb)
    assert (first.status_code, first.content, first.headers["range"]) == (204, b"", "0-4")
    last = await stream.send(BODY[5:], "bytes 5-8/9", verb)
    assert (last.status_code, last.json()["status"]) == (200, "processing")
    assert stream.sha256() == hashlib.sha256(BODY).hexdigest()


async def test_the_status_tells_what_is_held(stream: Stream) -> None:
    nothing = await stream.send(b"", "bytes */9")
    assert (nothing.status_code, "range" in nothing.headers) == (204, False)
    await stream.send(BODY[:3], "bytes 0-2/9")
    some = await stream.send(b"", "bytes */9", "POST")
    assert (some.status_code, some.headers["range"]) == (204, "0-2")
    video = (await stream.send(BODY[3:], "bytes 3-8/9")).json()
    everything = await stream.send(b"", "bytes */9")
    assert (everything.status_code, everything.json()) == (200, video)
    assert (await stream.call.http.get(stream.location)).json() == video


async def test_bytes_that_are_held_are_passed_over(stream: Stream) -> None:
    await stream.send(BODY[:5], "bytes 0-4/9")
    overlap = await stream.send(b"??" + BODY[5:7], "bytes 3-6/9")
    assert overlap.headers["range"] == "0-6"
    repeated = await stream.send(b"????", "bytes 0-3/9")
    assert repeated.headers["range"] == "0-6"
    assert (await stream.send(BODY[7:], "bytes 7-8/9")).status_code == 200
    assert stream.sha256() == hashlib.sha256(BODY).hexdigest()


async def test_the_end_of_the_last_chunk_may_be_declared_beyond_the_file(stream: Stream) -> None:
    await stream.send(BODY[:5], "bytes 0-4/9")
    assert (await stream.send(BODY[5:], "bytes 5-9/9")).status_code == 200
    assert stream.sha256() == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("content", "content_range"),
    [
        (BODY[5:], "bytes 5-8/9"),
        (BODY[:5], "bytes 0-4/10"),
        (BODY[:5], "bytes=0-4/9"),
        (BODY + b"x", "bytes 0-9/9"),
        (BODY[:5], None),
    ],
    ids=["gap", "size", "syntax", "too long", "not whole"],
)
async def test_misfits_are_refused(stream: Stream, content: bytes, content_range: str | None) -> None:
    reply = await stream.send(content, content_range)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")


async def test_without_a_range_the_whole_file_comes_at_once(stream: Stream) -> None:
    assert (await stream.send(BODY, None)).json()["file_size"] == 9


async def test_what_arrived_before_a_break_is_kept(stream: Stream) -> None:
    async def broken() -> Any:
        yield BODY[:4]
        raise ConnectionError("the sender left")

    with pytest.raises(ConnectionError):
        await stream.send(broken(), "bytes 0-8/9")
    held = await stream.send(b"", "bytes */9")
    assert held.status_code == 204
    start = int(held.headers.get("range", "0--1").split("-", 1)[1]) + 1
    assert (await stream.send(BODY[start:], f"bytes {start}-8/9")).status_code == 200
    assert stream.sha256() == hashlib.sha256(BODY).hexdigest()


async def test_an_aborted_session_cannot_be_resumed(stream: Stream) -> None:
    await stream.send(BODY[:5], "bytes 0-4/9")
    assert (await stream.call.http.delete(stream.location)).status_code == 200
    assert (await stream.send(BODY[5:], "bytes 5-8/9")).status_code == 404


async def test_a_browser_form_may_send_the_whole_file(stream: Stream) -> None:
    reply = await stream.call.http.post(stream.location, files={"file": ("a.mp4", BODY)})
    assert (reply.status_code, reply.json()["status"]) == (200, "processing")
    assert stream.sha256() == hashlib.sha256(BODY).hexdigest()
