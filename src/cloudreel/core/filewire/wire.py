"""What sends parts of files, and keeps connections and threads for it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Final, TypeAlias, TypeVar

import anyio
import anyio.to_thread
import httpx
from anyio.lowlevel import current_token
from attrs import frozen

from cloudreel.core.filewire.connection import Address, Connection
from cloudreel.core.filewire.exchange import Exchange, FilePart, StaleError
from cloudreel.core.filewire.head import head
from cloudreel.core.filewire.reply import Reply

T = TypeVar("T")

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host, port."""

CallSoon: TypeAlias = Callable[[Callable[[], None]], object]
"""Has an event loop call a function, without waiting for it."""

KEPT_FOR: Final = 5.0  # seconds that an idle connection is used again; httpx keeps its own as long
BUFFERS: Final = 4 * 2**20  # bytes of all connections together that wait to be encrypted
PIECES: Final = range(32 * 1024, 256 * 1024)  # bytes of each
PORTS: Final = {"http": 80, "https": 443}


@frozen
class _Target:
    origin: Origin
    host: str  # as the header names it
    path: bytes  # with the query


@frozen(eq=False)
class _Idle:
    origin: Origin
    connection: Connection
    until: float


class FileWire:
    """Sends parts of files over connections of its own.

    A part is one visit to a worker thread, a form two. Cancelling it ends its connection, and waits for
    the thread.

    Args:
        context: whom to trust over https.
        most: threads that send at once, and connections that are kept.
        headers: that go with every request, unless it has its own.
    """

    def __init__(self, context: ssl.SSLContext, most: int, headers: Mapping[str, str]) -> None:
        self._context = context
        context.set_alpn_protocols(["http/1.1"])  # as httpx has it for its own connections
        self._most = most
        self._piece = max(PIECES.start, min(PIECES.stop, BUFFERS // most))
        self._headers = {name.title(): value for name, value in headers.items()}
        self._targets = lru_cache(most)(_target)  # the parts of an upload all have one, and are many
        self._threads = anyio.CapacityLimiter(most)
        self._idle: list[_Idle] = []  # in the order of their use
        self._is_closed = False
        self._call_soon: CallSoon | None = None  # of the event loop, which is always the same

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        part: FilePart,
        timeout: httpx.Timeout,
        most: int,
    ) -> Reply:
        """Send a request and return its answer.

        Args:
            method: of HTTP.
            url: whole.
            headers: ``Content-Length`` among them.
            part: the body.
            timeout: for each step; there is no pool to wait for.
            most: bytes of the answer's body after which it is read no further.

        Raises:
            httpx.InvalidURL: the URL cannot be called.
            httpx.LocalProtocolError: the headers cannot be sent.
            httpx.TransportError: no answer came.
            Exception: what the part says of a file that has changed, or OSError if it cannot be read.
        """
        target = self._targets(url)
        asked = head(method, target.path, {"Host": target.host, **self._headers, **headers})
        exchange = partial(Exchange, asked, part, timeout, most)
        while (kept := self._take(target.origin)) is not None:
            try:
                return await self._run(exchange, target.origin, kept, None)
            except StaleError:
                continue
        made = Connection(self._piece)
        dial = await self._look_up(target.origin, made, timeout.connect)
        return await self._run(exchange, target.origin, made, dial)

    def close(self) -> None:
        """Close the idle connections, and keep no more."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().connection.close()

    async def _look_up(self, origin: Origin, made: Connection, timeout: float | None) -> Callable[[], None]:
        """Look up the host, and return what connects to it, which is for the thread."""
        scheme, host, port = origin
        began = time.monotonic()
        try:
            with anyio.fail_after(timeout):
                found: Sequence[Address] = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("The name of the host was not found in time") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        left = None if timeout is None else max(timeout - (time.monotonic() - began), 0.0)
        return partial(made.open, found, self._context if scheme == "https" else None, host, left)

    async def _run(
        self,
        exchange: Callable[[Connection, Callable[[], None] | None, CallSoon], Exchange],
        origin: Origin,
        used: Connection,
        dial: Callable[[], None] | None,
    ) -> Reply:
        running = exchange(used, dial, self._soon())
        part = running.part
        try:
            if part.after:
                # Without its end it is none for the service, so a file that has changed gets none.
                await self._in_thread(running.begin, used.end)
                await part.verify()
                reply = await self._in_thread(running.end, used.end)
            else:
                reply = await self._in_thread(running.run, used.end)
        except BaseException:
            used.close()
            raise
        if part.sent is not None and running.told < running.sent:
            part.sent(running.sent)
        if running.is_reusable and not self._is_closed and len(self._idle) < self._most:
            self._idle.append(_Idle(origin, used, time.monotonic() + KEPT_FOR))
        else:
            used.close()
        return reply

    def _take(self, origin: Origin) -> Connection | None:
        """Return the idle connection that was used last."""
        now = time.monotonic()
        while self._idle and self._idle[0].until <= now:
            self._idle.pop(0).connection.close()
        for idle in self._idle[::-1]:
            if idle.origin == origin:
                self._idle.remove(idle)
                return idle.connection
        return None

    def _soon(self) -> CallSoon:
        """Return what has this event loop call a function, from any thread and without waiting for it."""
        if self._call_soon is None:
            loop = current_token().native_token
            name = "call_soon_threadsafe" if isinstance(loop, asyncio.AbstractEventLoop) else "run_sync_soon"
            self._call_soon = getattr(loop, name)
        assert self._call_soon is not None
        return self._call_soon

    async def _in_thread(self, work: Callable[[], T], stop: Callable[[], None]) -> T:
        """Do blocking work in a worker thread; when cancelled, stop it and wait until it has ended."""
        turn = threading.Lock()  # whose the work is: the thread's, or nobody's any more
        ended = anyio.Event()
        call_soon = self._soon()
        is_stopped = False

        def run() -> T:
            if not turn.acquire(blocking=False):
                raise RuntimeError("The work was cancelled before it began")  # which nobody hears
            try:
                return work()
            finally:
                turn.release()
                if is_stopped:
                    call_soon(ended.set)

        try:
            return await anyio.to_thread.run_sync(run, abandon_on_cancel=True, limiter=self._threads)
        except BaseException as error:
            is_stopped = True
            stop()
            # Who is thrown away together with the loop cannot await anything.
            if not turn.acquire(blocking=isinstance(error, GeneratorExit)):
                with anyio.CancelScope(shield=True):
                    await ended.wait()
            raise


def _target(url: str) -> _Target:
    """Return where a URL leads."""
    parsed = httpx.URL(url)
    if parsed.scheme not in PORTS or not parsed.host:
        raise httpx.UnsupportedProtocol("The URL is none of http or https with a host")
    origin = parsed.scheme, parsed.raw_host.decode("ascii"), parsed.port or PORTS[parsed.scheme]
    return _Target(origin, parsed.netloc.decode("ascii"), parsed.raw_path)
