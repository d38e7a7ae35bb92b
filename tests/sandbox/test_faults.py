"""Faults: what a plan accepts and takes, and what each action does to the bytes on a real connection."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cloudreel.sandbox.facades import AppTransport
from cloudreel.sandbox.faults import BadFault, Fault, FaultMiddleware, FaultPlan
from cloudreel.sandbox.server import bind, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = b"0123456789" * 1000


class Service:
    """A service that notes what it was sent and how far it came."""

    def __init__(self) -> None:
        self.plan = FaultPlan()
        self.bodies: list[bytes] = []
        self.cut: list[bytes] = []
        self.disturbed = threading.Event()
        self.app = FaultMiddleware(
            Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "PUT", "POST"])]), self.plan
        )

    async def answer(self, request: Request) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
        except ClientDisconnect:
            self.cut.append(bytes(body))
            self.disturbed.set()
            raise
        self.bodies.append(bytes(body))
        return PlainTextResponse(ANSWER)


class Running(Service):
    """The same on a socket."""

    url: str
    address: tuple[str, int]


@pytest.fixture
def service() -> Iterator[Running]:
    running = Running()
    listener = bind("127.0.0.1", 0)
    running.address = listener.getsockname()
    running.url = f"http://127.0.0.1:{running.address[1]}"
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(serving(running.app, listener)),
    ):
        yield running


@contextmanager
def connection(service: Running) -> Iterator[socket.socket]:
    with socket.create_connection(service.address, timeout=30) as connected:
        yield connected


def head(method: str, path: str, length: int) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: sandbox\r\nContent-Length: {length}\r\n\r\n".encode()


def read_all(connected: socket.socket) -> tuple[bytes, bool]:
    """Return what came before the end, and whether the end was a reset."""
    received = bytearray()
    while True:
        try:
            chunk = connected.recv(65536)
        except ConnectionResetError:
            return bytes(received), True
        if not chunk:
            return bytes(received), False
        received += chunk


def wait_until(condition: threading.Event) -> None:
    assert condition.wait(30), "the service was never disturbed"


# The plan


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("drop", "JSON object"),
        ({}, "action must be one of"),
        ({"action": "explode"}, "action must be one of"),
        ({"action": ["drop"]}, "action must be one of"),
        ({"action": "drop", "after": 3}, "no field 'after'"),
        ({"action": "drop", "times": 0}, "times must be"),
        ({"action": "drop", "times": True}, "times must be"),
        ({"action": "drop", "after_bytes": -1}, "after_bytes must be"),
        ({"action": "drop", "after_bytes": "7"}, "after_bytes must be"),
        ({"action": "status", "status": 99}, "status must be"),
        ({"action": "drop", "path": 5}, "path must be text"),
        ({"action": "drop", "method": ""}, "method must be text"),
        ({"action": "delay"}, "delay needs seconds"),
        ({"action": "delay", "seconds": -1}, "seconds must be"),
        ({"action": "stall", "seconds": float("nan")}, "seconds must be"),
    ],
)
def test_nonsense_is_refused(given: object, complaint: str) -> None:
    with pytest.raises(BadFault, match=complaint):
        Fault.from_json(given)


def test_a_fault_survives_json() -> None:
    fault = Fault("stall", path="/v3.0/*", method="PUT", times=2, after_bytes=7, seconds=0.5)
    assert Fault.from_json(fault.to_json()) == fault
    assert Fault.from_json({"action": "drop", "method": "put"}).method == "PUT"


def test_the_first_match_counts_and_is_spent() -> None:
    plan = FaultPlan()
    plan.add(Fault("drop", method="PUT"), Fault("status", path="/a/*", times=2), Fault("truncate"))
    taken = [plan.take("GET", "/a/b/c") for _ in range(4)]
    assert [fault.action if fault else None for fault in taken] == ["status", "status", "truncate", None]
    assert [fault.action for fault in plan] == ["drop"]
    plan.clear()
    assert plan.take("PUT", "/") is None


# On the wire


def test_without_a_fault_nothing_changes(service: Running) -> None:
    with httpx.Client() as client:
        for _ in range(3):
            assert client.put(service.url, content=b"x").content == ANSWER
    assert service.bodies == [b"x"] * 3


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


def test_delay_waits_and_then_acts(service: Running) -> None:
    service.plan.add(Fault("delay", seconds=0.2))
    began = time.monotonic()
    assert httpx.put(service.url, content=b"late").content == ANSWER
    assert time.monotonic() - began >= 0.2
    assert service.bodies == [b"late"]


def test_drop_resets_at_once(service: Running) -> None:
    service.plan.add(Fault("drop"))
    with connection(service) as connected:
        connected.sendall(head("PUT", "/a", 1000))
        assert read_all(connected) == (b"", True)
    assert service.bodies == []
    assert httpx.get(service.url).content == ANSWER


@pytest.mark.parametrize("sent", [100_000, 300_000])
def test_drop_lets_exactly_so_many_bytes_through(service: Running, sent: int) -> None:
    service.plan.add(Fault("drop", after_bytes=100_000))
    with connection(service) as connected:
        connected.sendall(head("PUT", "/a", 300_000) + bytes(sent))
        assert read_all(connected) == (b"", True)
    wait_until(service.disturbed)
    assert service.bodies == []
    assert service.cut == [bytes(100_000)]


def test_drop_after_the_end_loses_the_answer_only(service: Running) -> None:
    service.plan.add(Fault("drop", after_bytes=100))
    with connection(service) as connected:
        connected.sendall(head("PUT", "/a", 5) + b"short")
        assert read_all(connected) == (b"", True)
    assert service.bodies == [b"short"]


def test_stall_holds_still_and_then_drops(service: Running) -> None:
    service.plan.add(Fault("stall", after_bytes=10, seconds=0.3))
    began = time.monotonic()
    with connection(service) as connected:
        connected.sendall(head("PUT", "/a", 20) + b"a" * 15)
        assert read_all(connected) == (b"", True)
    assert time.monotonic() - began >= 0.3
    wait_until(service.disturbed)
    assert service.cut == [b"a" * 10]


def test_stall_lasts_until_the_peer_leaves(service: Running) -> None:
    service.plan.add(Fault("stall", after_bytes=10))
    with connection(service) as connected:
        connected.sendall(head("PUT", "/a", 10**7) + bytes(10**5))
        connected.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connected.recv(1)
        assert not service.disturbed.is_set()
    wait_until(service.disturbed)
    assert service.cut == [bytes(10)]


def test_stall_stops_reading(service: Running) -> None:
    service.plan.add(Fault("stall"))
    with connection(service) as connected:
        connected.settimeout(1)
        with pytest.raises(TimeoutError):
            connected.sendall(head("PUT", "/a", 2**30) + bytes(2**27))


@pytest.mark.parametrize("count", [1, 20, 200, 5000])
def test_truncate_sends_so_many_bytes_of_the_answer(service: Running, count: int) -> None:
    with connection(service) as connected:
        connected.sendall(head("GET", "/a", 0))
        with connected.makefile("rb") as answer:
            whole = answer.read(count)
    service.plan.add(Fault("truncate", after_bytes=count))
    with connection(service) as connected:
        connected.sendall(head("GET", "/a", 0))
        received, _ = read_all(connected)
    assert len(received) == count
    assert received == whole


def test_truncate_to_nothing_loses_the_answer_after_acting(service: Running) -> None:
    service.plan.add(Fault("truncate"))
    with connection(service) as connected:
        connected.sendall(head("PUT", "/a", 5) + b"bytes")
        assert read_all(connected) == (b"", True)
    assert service.bodies == [b"bytes"]


def test_truncate_beyond_the_answer_still_ends_the_connection(service: Running) -> None:
    service.plan.add(Fault("truncate", after_bytes=10**6))
    with connection(service) as connected:
        connected.sendall(head("GET", "/a", 0))
        received, _ = read_all(connected)
    assert received.endswith(ANSWER)


def test_garbage_is_no_http(service: Running) -> None:
    service.plan.add(Fault("garbage"))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.put(service.url, content=bytes(10**6))
    assert service.bodies == []


def test_control_routes_are_never_spoiled(service: Running) -> None:
    service.plan.add(Fault("drop"))
    assert httpx.get(f"{service.url}/__sandbox__/state").content == ANSWER
    assert [fault.action for fault in service.plan] == ["drop"]


def test_a_server_stops_while_a_request_stalls() -> None:
    running = Running()
    running.plan.add(Fault("stall", times=2), Fault("delay", seconds=3600))
    listener = bind("127.0.0.1", 0)
    running.address = listener.getsockname()
    with start_blocking_portal("asyncio") as portal:
        with portal.wrap_async_context_manager(serving(running.app, listener)):
            opened = [socket.create_connection(running.address, timeout=30) for _ in range(3)]
            for connected in opened:
                connected.sendall(head("PUT", "/a", 10) + b"half")
            while list(running.plan):
                time.sleep(0.01)
        for connected in opened:
            assert read_all(connected)[0] == b""
            connected.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(running.address, timeout=5)


# Without a socket


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "error", "acted"),
    [
        (Fault("drop"), httpx.ReadError, False),
        (Fault("drop", after_bytes=3), httpx.ReadError, False),
        (Fault("stall", seconds=0.01), httpx.ReadError, False),
        (Fault("truncate"), httpx.ReadError, True),
        (Fault("garbage"), httpx.RemoteProtocolError, False),
    ],
)
async def test_without_a_socket_faults_are_errors(fault: Fault, error: type[Exception], acted: bool) -> None:
    service = Service()
    service.plan.add(fault)
    async with httpx.AsyncClient(transport=AppTransport(service.app), base_url="http://sandbox") as client:
        with pytest.raises(error):
            await client.put("/a", content=b"123456")
        assert (await client.get("/a")).content == ANSWER
    assert service.bodies == ([b"123456", b""] if acted else [b""])
