"""The sandbox on a socket: uvicorn's HTTP parser, a connection that can be broken on request, one event loop.

This is the only part of the sandbox that speaks to asyncio itself; it is run in a thread of its own.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import sys
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

if sys.platform == "linux":
    import fcntl
    import termios

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEEP_ALIVE_SECONDS = 75
POLL_SECONDS = 0.05
TURNS_TO_CONNECT = 5
# With a linger time of zero a closed socket answers with a reset instead of an orderly end.
RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@attrs.frozen
class Tls:
    """Where the certificate and its key are."""

    certificate: Path
    key: Path


class SocketWire(asyncio.Transport):
    """A transport that can be spoiled (the ``Wire`` of the faults)."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._left: int | None = None

    @property
    def spent(self) -> bool:
        """Whether as many bytes went out as `limit` allows."""
        return self._left == 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, as many as may still go out."""
        if self._left is None:
            self._transport.write(data)
        elif self._left:
            self._transport.write(data[: self._left])
            self._left = max(self._left - len(data), 0)

    def limit(self, count: int) -> None:
        """Let this many more bytes out and swallow what follows; only `finish` and `reset` end it then."""
        self._left = count

    def finish(self) -> None:
        """Send what is left, then end the connection."""
        self._transport.close()

    def reset(self) -> None:
        """Break the connection now, so that the peer sees a reset."""
        found = self._socket()
        if found.fileno() >= 0:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._transport.abort()

    async def drained(self) -> None:
        """Wait until the peer's side has everything that was sent, or the peer has left."""
        # No event tells what the kernel has sent.
        while self._unsent() and not (self.is_closing() or _hung_up(self._socket())):  # noqa: ASYNC110
            await anyio.sleep(POLL_SECONDS)

    def _unsent(self) -> int:
        return self._transport.get_write_buffer_size() + _unacknowledged(self._socket())

    async def gone(self) -> None:
        """Wait until the peer has left, also while nothing is being read."""
        # No event tells of a peer that leaves while its bytes wait unread.
        while not self.is_closing() and not _hung_up(self._socket()):  # noqa: ASYNC110
            await anyio.sleep(POLL_SECONDS)

    def _socket(self) -> socket.socket:
        found: socket.socket = self._transport.get_extra_info("socket")
        return found

    def close(self) -> None:
        """End the connection once an answer is complete, unless it may not get so far."""
        if self._left is None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection; what was not sent yet is lost."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Say whether the connection is ending or has ended."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Let what arrives wait in the socket."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport below knows about the connection."""
        return self._transport.get_extra_info(name, default)


class WireProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which leaves the connection in the state of its requests."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start on a connection."""
        assert isinstance(transport, asyncio.Transport)
        wire = SocketWire(transport)
        self.app_state["wire"] = wire
        super().connection_made(wire)


class Dated:
    """Puts the sandbox's time on every answer: clients set their clocks by it, also after it was moved."""

    def __init__(self, app: ASGIApp, now: Callable[[], float]) -> None:
        self._app = app
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a ``Date``."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._now(), usegmt=True).encode()
                message["headers"] = [*message.get("headers", ()), (b"date", date)]
            await send(message)

        await self._app(scope, receive, dated)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address; port 0 picks a free one.

    Raises:
        OSError: if the address cannot be had.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, tls: Tls | None = None) -> AsyncGenerator[None]:
    """Answer on the socket while entered; on exit every connection is broken and the socket closed."""
    stopping = False

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if not stopping:
                raise

    config = uvicorn.Config(
        quiet,
        http=WireProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: WireProtocol(config=config, server_state=state, app_state={}, _loop=loop),
        sock=listener,
        ssl=config.ssl,
    )
    try:
        yield
    finally:
        stopping = True
        server.close()
        # A connection accepted just now comes forward only some turns of the loop later.
        for _ in range(TURNS_TO_CONNECT):
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
        tasks = list(state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def _unacknowledged(found: socket.socket) -> int:
    """Return how many bytes the kernel has not sent, or not seen arrive; 0 where it does not tell."""
    if sys.platform != "linux" or found.fileno() < 0:
        return 0
    count = fcntl.ioctl(found.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return int.from_bytes(count, sys.byteorder)


def _hung_up(found: socket.socket) -> bool:
    if found.fileno() < 0:
        return True
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(found.fileno(), getattr(select, "POLLRDHUP", select.POLLHUP))
    return bool(poll.poll(0))
