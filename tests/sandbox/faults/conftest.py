"""A service on a socket that notes what it was sent, and a peer that speaks to it in bytes."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cloudreel.sandbox.faults import FaultMiddleware, FaultPlan
from cloudreel.sandbox.server import Tls, bind, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Service:
    """Answers with ``answer``, and knows what arrived whole and what was cut."""

    def __init__(self) -> None:
        self.answer = b"0123456789" * 1000
        self.plan = FaultPlan()
        self.bodies: list[bytes] = []
        self.cut: list[bytes] = []
        self.disturbed = threading.Event()
        routes = [Route("/{path:path}", self._answer, methods=["GET", "PUT", "POST"])]
        self.app = FaultMiddleware(Starlette(routes=routes), self.plan)

    async def _answer(self, request: Request) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
        except ClientDisconnect:
            self.cut.append(bytes(body))
            self.disturbed.set()
            raise
        self.bodies.append(bytes(body))
        return PlainTextResponse(self.answer, headers={"x-turn": str(len(self.bodies))})

    def was_disturbed(self) -> bool:
        """Wait until a request was cut; say whether one was."""
        return self.disturbed.wait(30)


class Peer:
    """One connection, byte by byte."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected

    def send(
        self, method: str, body: bytes = b"", *, length: int | None = None, path: str = "/a", head: str = ""
    ) -> None:
        """Send a request, or its beginning where ``length`` announces more."""
        announced = len(body) if length is None else length
        lines = f"{method} {path} HTTP/1.1\r\nHost: sandbox\r\nContent-Length: {announced}\r\n{head}\r\n"
        self.socket.sendall(lines.encode() + body)

    def read(self, count: int) -> bytes:
        """Return so many bytes."""
        received = bytearray()
        while len(received) < count:
            chunk = self.socket.recv(count - len(received))
            assert chunk, f"the connection ended after {len(received)} of {count} bytes"
            received += chunk
        return bytes(received)

    def read_answer(self) -> bytes:
        """Return all bytes of one answer that tells its length."""
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        (length,) = re.findall(rb"content-length: (\d+)", head)
        return bytes(head) + self.read(int(length))

    def read_all(self) -> tuple[bytes, bool]:
        """Return what comes before the end, and whether the end is a reset."""
        received = bytearray()
        while True:
            try:
                chunk = self.socket.recv(65536)
            except ConnectionResetError:
                return bytes(received), True
            if not chunk:
                return bytes(received), False
            received += chunk

    def hears_nothing(self, seconds: float = 0.3) -> bool:
        """Say whether nothing comes for a while, not even an end."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(1)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(30)
        return False


class Running(Service):
    """The same on a socket."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__()
        self.address = address
        self.url = f"http://127.0.0.1:{address[1]}"

    @contextmanager
    def peer(self, trust: ssl.SSLContext | None = None) -> Iterator[Peer]:
        """Connect, by TLS if something is trusted."""
        with socket.create_connection(self.address, timeout=30) as connected:
            if trust is None:
                yield Peer(connected)
            else:
                with trust.wrap_socket(connected, server_hostname="127.0.0.1") as wrapped:
                    yield Peer(wrapped)


@contextmanager
def running(tls: Tls | None = None) -> Iterator[Running]:
    listener = bind("127.0.0.1", 0)
    service = Running(listener.getsockname())
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(serving(service.app, listener, tls)),
    ):
        yield service


@pytest.fixture
def service() -> Iterator[Running]:
    """A service on a socket."""
    with running() as service:
        yield service


@pytest.fixture
def run_service() -> Callable[..., object]:
    """Run one that ends before the test does."""
    return running


@pytest.fixture
def unserved() -> Service:
    """A service without a socket."""
    return Service()
