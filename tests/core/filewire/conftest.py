"""A service made of bare sockets, which plays a script, and a client whose parts go out by wire."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections import deque
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import httpx
import pytest

from cloudreel.core.filewire import FileWire, in_file, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from cloudreel.core.call import Body
    from cloudreel.core.filewire.reply import Reply

CERTIFICATE = Path(__file__).with_name("localhost.pem")  # for localhost, until 2126; trusted by nobody else
LARGEST = 4_000_000  # bytes of an answer
CONTENT = bytes(range(251)) * 4200  # a good MiB, in which no two places look alike


class Peer:
    """The service's end of one connection."""

    def __init__(self, used: socket.socket) -> None:
        self.socket = used
        self._ahead = b""

    def head(self) -> bytes:
        """Read the head of a request."""
        while b"\r\n\r\n" not in self._ahead:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionResetError("the client has left")
            self._ahead += more
        head, end, self._ahead = self._ahead.partition(b"\r\n\r\n")
        return head + end

    def body(self, count: int) -> bytes:
        """Read so many bytes, fewer when the client leaves before."""
        while len(self._ahead) < count:
            try:
                more = self.socket.recv(2**20)
            except OSError:
                more = b""
            if not more:
                break
            self._ahead += more
        read, self._ahead = self._ahead[:count], self._ahead[count:]
        return read

    def waste(self, count: int) -> None:
        """Read so many bytes of a body that nobody looks at."""
        left = count - len(self._ahead)
        self._ahead = b""
        room = memoryview(bytearray(2**20))
        while left > 0 and (read := self.socket.recv_into(room[: min(left, len(room))])):
            left -= read

    def answer(self, status: int = 200, body: bytes = b"{}", *headers: str, version: str = "1.1") -> None:
        """Send an answer."""
        lines = [f"HTTP/{version} {status} Whatever", f"Content-Length: {len(body)}", *headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def reset(self) -> None:
        """Break the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def length_of(head: bytes) -> int:
    """Return the length of the body that a head announces."""
    found = re.search(rb"(?i)content-length: (\d+)", head)
    assert found is not None, head
    return int(found[1])


def serve(peer: Peer, server: Server) -> None:
    """Take a request and answer it."""
    head = peer.head()
    server.requests.append(head + peer.body(length_of(head)))
    peer.answer()


Step = "Callable[[Peer, Server], object]"


class Server:
    """Plays one step of its script for each request, the last again and again.

    A step that returns False, or that fails as connections fail, ends the connection.
    """

    def __init__(self, host: str, *, tls: bool) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = 0  # of them
        self.tls = tls
        self.names: list[str | None] = []  # that clients asked for in the handshake
        self.script: deque[Step] = deque([serve])
        self._listening = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
        self.port = self._listening.getsockname()[1]
        self.url = f"http{'s' * tls}://{f'[{host}]' if ':' in host else host}:{self.port}/upload?id=u1"
        self._peers: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def plays(self, *steps: Step) -> None:
        """Set the script."""
        self.script = deque(steps)

    def close(self) -> None:
        """End everything, and see that nothing goes on."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for peer in self._peers:
            with suppress(OSError):
                socket.socket.shutdown(peer, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a reset loses what is held back
            self._peers.append(accepted)
            self._threads.append(threading.Thread(target=self._serve, args=(accepted,)))
            self._threads[-1].start()

    def _serve(self, accepted: socket.socket) -> None:
        with suppress(OSError):
            if self.tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(CERTIFICATE)
                context.sni_callback = lambda _, name, __: self.names.append(name)
                accepted = context.wrap_socket(accepted, server_side=True)
                self._peers.append(accepted)
            self.connections += 1
            peer = Peer(accepted)
            while self._step()(peer, self) is not False:
                pass
        accepted.close()
        self.closed += 1

    def _step(self) -> Step:
        return self.script.popleft() if len(self.script) > 1 else self.script[0]


class Client:
    """A wire with its timeouts."""

    def __init__(self, wire: FileWire, timeout: httpx.Timeout) -> None:
        self.wire = wire
        self._timeout = timeout

    async def send(self, url: str, body: Body, **headers: str) -> Reply:
        """Send a part and return its answer."""
        headers |= {"Content-Length": str(body.length)}
        part = in_file(body)
        assert part is not None
        return await self.wire.send("PUT", url, headers, part, self._timeout, LARGEST)


class Kit:
    """What the tests of the wire need, in one place."""

    CONTENT = CONTENT
    LARGEST = LARGEST
    CERTIFICATE = CERTIFICATE
    Server = Server
    serve = staticmethod(serve)
    length_of = staticmethod(length_of)

    @staticmethod
    def trust() -> ssl.SSLContext:
        """Return a context that trusts the server."""
        return ssl.create_default_context(cafile=CERTIFICATE)

    @staticmethod
    @asynccontextmanager
    async def client(context: ssl.SSLContext | None = None, **timeouts: float) -> AsyncIterator[Client]:
        """Give what sends parts of files by wire."""
        wire = FileWire(context or Kit.trust(), 8, {})
        yield Client(wire, httpx.Timeout(30.0, **timeouts))
        wire.close()

    @staticmethod
    async def put(client: Client, url: str, body: Body, **headers: str) -> Reply:
        """Send a part and return its answer."""
        return await client.send(url, body, **headers)

    @staticmethod
    async def until(true: Callable[[], bool]) -> None:
        """Wait until something is so."""
        with anyio.fail_after(60):
            while not true():
                await anyio.sleep(0.001)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep idle connections however slow the machine is."""
    monkeypatch.setattr(wire, "KEPT_FOR", 600.0)


@pytest.fixture
def kit() -> type[Kit]:
    """The tools of these tests."""
    return Kit


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Start servers, which end with the test."""
    with ExitStack() as stack:

        def started(host: str = "127.0.0.1", *, tls: bool = False) -> Server:
            server = Server(host, tls=tls)
            stack.callback(server.close)
            return server

        yield started


@pytest.fixture(params=[False, True], ids=["http", "https"])
def server(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Server:
    """One server, with and without TLS."""
    return start(tls=request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of a good MiB."""
    made = tmp_path / "film.mp4"
    made.write_bytes(CONTENT)
    return made
