"""Requests that the service does not get to see, sees twice, or sees with other eyes."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from cloudreel.sandbox import Sandbox
from cloudreel.sandbox.facades import AppTransport
from cloudreel.sandbox.faults import Fault

if TYPE_CHECKING:
    from cloudreel.sandbox.state import World
    from conftest import Running, Service

    from ..conftest import Caller


def test_status_answers_without_acting(service: Running) -> None:
    service.plan.add(Fault("status", status=503, seconds=1.2, times=2))
    with httpx.Client() as client:
        for _ in range(2):
            refused = client.put(service.url, content=bytes(10**6))
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "2"
            assert refused.json()["error"] == "ServiceUnavailable"
        assert client.get(service.url).status_code == 200
    assert service.bodies == [b""]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_redirect_leads_back_to_what_was_asked(service: Running, status: int) -> None:
    service.plan.add(Fault("redirect", status=status))
    with httpx.Client() as client:
        answer = client.put(f"{service.url}/a/b?c=d%20e", content=b"not seen")
        assert (answer.status_code, answer.headers["location"]) == (status, "/a/b?c=d%20e")
        assert service.bodies == []
        assert client.get(service.url).content == service.answer  # on the same connection


def test_redirect_leads_elsewhere(service: Running) -> None:
    service.plan.add(Fault("redirect", path="/a", location="/b?c"))
    answer = httpx.get(f"{service.url}/a", follow_redirects=True)
    assert (answer.status_code, answer.url.raw_path) == (200, b"/b?c")


@pytest.mark.parametrize(
    ("status", "line"), [(100, b"100 Continue"), (102, b"102 Processing"), (103, b"103 Early Hints")]
)
def test_early_comes_before_the_body_is_read(service: Running, status: int, line: bytes) -> None:
    early = b"HTTP/1.1 " + line + b"\r\n\r\n"
    service.plan.add(Fault("early", status=status))
    with service.peer() as peer:
        peer.send("PUT", length=4)
        assert peer.read(len(early)) == early
        peer.socket.sendall(b"body")
        assert peer.read(15) == b"HTTP/1.1 200 OK"
    assert service.bodies == [b"body"]


def test_early_does_not_trouble_a_client(service: Running) -> None:
    service.plan.add(Fault("early", times=3))
    with httpx.Client() as client:
        for _ in range(3):
            assert client.put(service.url, content=bytes(10**5)).content == service.answer
    assert len(service.bodies) == 3


@pytest.mark.parametrize("size", [0, 5, 5 * 2**20])
def test_duplicate_acts_twice_and_answers_the_second(service: Running, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    service.plan.add(Fault("duplicate"))
    with httpx.Client() as client:
        answer = client.put(service.url, content=body)
        assert (answer.content, answer.headers["x-turn"]) == (service.answer, "2")
        assert client.put(service.url, content=b"once").headers["x-turn"] == "3"
    assert service.bodies == [body, body, b"once"]


def test_duplicate_needs_a_whole_request(service: Running) -> None:
    service.plan.add(Fault("duplicate"))
    with service.peer() as peer:
        peer.send("PUT", b"half", length=8)
    assert httpx.get(service.url).headers["x-turn"] == "1"
    assert service.bodies == [b""]


# -- without a socket ------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "error", "acted"),
    [
        (Fault("drop"), httpx.ReadError, False),
        (Fault("drop", after_bytes=3), httpx.ReadError, False),
        (Fault("drop", after_bytes=7), httpx.ReadError, True),
        (Fault("stall", seconds=0.01), httpx.ReadError, False),
        (Fault("truncate", after_bytes=100), httpx.ReadError, True),
        (Fault("reset", after_bytes=100), httpx.ReadError, True),
        (Fault("lost"), httpx.ReadError, True),
        (Fault("half_open"), httpx.ReadTimeout, True),
        (Fault("half_open", after_bytes=100, seconds=0.01), httpx.ReadTimeout, True),
        (Fault("garbage"), httpx.RemoteProtocolError, False),
    ],
    ids=str,
)
async def test_without_a_socket_broken_connections_are_errors(
    unserved: Service, fault: Fault, error: type[Exception], acted: bool
) -> None:
    unserved.plan.add(fault)
    transport = AppTransport(unserved.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        with pytest.raises(error):
            await client.put("/a", content=b"123456")
        assert (await client.get("/a")).content == unserved.answer
    assert unserved.bodies == ([b"123456", b""] if acted else [b""])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "status", "turn"),
    [
        (Fault("status", status=418), 418, None),
        (Fault("redirect"), 302, None),
        (Fault("delay", seconds=0.01), 200, "1"),
        (Fault("slow", bytes_per_second=10**6), 200, "1"),
        (Fault("early"), 200, "1"),
        (Fault("duplicate"), 200, "2"),
        (Fault("skew", seconds=60), 200, "1"),
    ],
    ids=str,
)
async def test_without_a_socket_the_others_are_the_same(
    unserved: Service, fault: Fault, status: int, turn: str | None
) -> None:
    unserved.plan.add(fault)
    transport = AppTransport(unserved.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        answer = await client.put("/a", content=b"123456")
    assert (answer.status_code, answer.headers.get("x-turn")) == (status, turn)


# -- in the services -------------------------------------------------------------------------------------


def spoil(world: World, fault: Fault) -> None:
    world.faults.clear()
    world.faults.add(fault)


@pytest.mark.anyio
async def test_an_expired_upload_is_forgotten_for_good(world: World, call: Caller) -> None:
    upload = await call.session(2500)
    assert (await call.part(upload["location"], 0, bytes(1000))).status_code == 200
    spoil(world, Fault("expired", path="/upload/*"))
    for _ in range(2):
        refused = await call.part(upload["location"], 1, bytes(1000))
        assert (refused.status_code, refused.json()["error"]) == (404, "RecordNotFound")
    assert world.snapshot()["uploads"][0]["status"] == "aborted"


@pytest.mark.anyio
async def test_a_moved_upload_goes_on_at_both_locations(world: World, panda: Caller) -> None:
    upload = await panda.session(2500)
    old = upload["location"]
    sent = {"Content-Type": "application/octet-stream", "Content-Range": "bytes 0-999/2500"}
    spoil(world, Fault("moved", path="/upload/*"))
    answer = await panda.http.put(old, content=bytes(1000), headers=sent)
    new = answer.headers["location"]
    assert (answer.status_code, answer.headers["range"], new != old) == (204, "0-999", True)
    for location in (old, new):
        asked = await panda.http.put(location, headers={**sent, "Content-Range": "bytes */2500"})
        assert asked.headers["range"] == "0-999"
        assert asked.headers.get("location") == (new if location == old else None)
    assert world.snapshot()["uploads"][0]["moves"] == 1


@pytest.mark.anyio
async def test_an_upload_in_parts_stays_where_it_is(world: World, call: Caller) -> None:
    upload = await call.session(2500)
    spoil(world, Fault("moved", path="/upload/*"))
    answer = await call.part(upload["location"], 0, bytes(1000))
    assert (answer.status_code, "location" in answer.headers) == (200, False)


@pytest.mark.anyio
async def test_a_part_that_arrives_twice_is_stored_once(world: World, call: Caller) -> None:
    upload = await call.session(2500)
    spoil(world, Fault("duplicate", path="/upload/*", times=3))
    for part, size in enumerate((1000, 1000, 500)):
        answer = await call.part(upload["location"], part, bytes(size))
        assert answer.status_code == 200
    assert answer.json()["id"] == world.snapshot()["uploads"][0]["video_id"]
    assert len(world.snapshot()["videos"]) == 1


@pytest.mark.anyio
async def test_a_signature_that_arrives_twice_is_refused(world: World, call: Caller) -> None:
    spoil(world, Fault("duplicate"))
    refused = await call(
        "POST", "/videos.json", {"source_url": "http://127.0.0.1:9/a.mp4", "profiles": "none"}
    )
    assert refused.status_code == 401
    assert len(world.snapshot()["videos"]) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
async def test_a_skewed_clock_refuses_what_is_signed_in_time(
    world: World, call: Caller, seconds: float
) -> None:
    spoil(world, Fault("skew", seconds=seconds))
    assert (await call("GET", "/factories.json")).status_code == 401
    assert (await call("GET", "/factories.json")).status_code == 200


def test_a_skewed_clock_shows_in_the_date_of_that_answer_only() -> None:
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.base_url) as client:
        sandbox.world.faults.add(Fault("skew", path="/v3.0/*", seconds=7200))
        dates = [parsedate_to_datetime(client.get("/v3.0/a").headers["date"]).timestamp() for _ in range(2)]
    assert abs(dates[0] - time.time() - 7200) < 600
    assert abs(dates[1] - time.time()) < 600
