"""What sends parts of files, and keeps connections and threads for it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Final, TypeAlias, TypeVar

import anyio
import anyio.to_thread
import h11
import httpx
from anyio.lowlevel import current_token
from attrs import frozen

from cloudreel.core.filewire.connection import Address, Connection
from cloudreel.core.filewire.exchange import Exchange, FilePart, StaleError

T = TypeVar("T")

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host, port."""

CallSoon: TypeAlias = Callable[[Callable[[], None]], object]
"""Has an event loop call a function, without waiting for it."""

KEPT_FOR: Final = 5.0  # seconds that an idle connection is used again; httpx keeps its own as long
PORTS: Final = {"http": 80, "https": 443}


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
        self._headers = {name.title(): value for name, value in headers.items()}
        self._parsed = lru_cache(most)(httpx.URL)  # the parts of an upload all have one, and are many
        self._threads = anyio.CapacityLimiter(most)
        self._idle: list[_Idle] = []  # in the order of their use
        self._is_closed = False

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], part: FilePart, timeout: httpx.Timeout
    ) -> httpx.Response:
        """Send a request and return its answer, whose body is still to be read.

        Args:
            method: of HTTP.
            url: whole.
            headers: ``Content-Length`` among them.
            part: the body.
            timeout: for each step; there is no pool to wait for.

        Raises:
            httpx.InvalidURL: the URL cannot be called.
            httpx.TransportError: no answer came.
            Exception: what the part says of a file that has changed, or OSError if it cannot be read.
        """
        target = self._parsed(url)
        if target.scheme not in PORTS or not target.host:
            raise httpx.UnsupportedProtocol("The URL is none of http or https with a host")
        origin: Origin = target.scheme, target.raw_host.decode("ascii"), target.port or PORTS[target.scheme]
        fields = {"Host": target.netloc.decode("ascii"), **self._headers, **headers}
        try:
            head = h11.Request(method=method, target=target.raw_path, headers=list(fields.items()))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        exchange = partial(Exchange, head, part, timeout)
        while (kept := self._take(origin)) is not None:
            try:
                return await self._run(exchange, origin, kept, None)
            except StaleError:
                continue
        made = Connection()
        return await self._run(exchange, origin, made, await self._look_up(origin, made, timeout.connect))

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
    ) -> httpx.Response:
        running = exchange(used, dial, _call_soon())
        try:
            if running.part.after:
                # Without its end it is none for the service, so a file that has changed gets none.
                await _in_thread(running.begin, used.end, self._threads)
                await running.part.verify()
                head = await _in_thread(running.end, used.end, self._threads)
            else:
                head = await _in_thread(running.run, used.end, self._threads)
        except BaseException:
            used.close()
            raise
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=_Answer(running, used, self._threads, partial(self._give_back, origin, used)),
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason},
        )

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

    def _give_back(self, origin: Origin, used: Connection, reusable: bool) -> None:
        if reusable and not self._is_closed and len(self._idle) < self._most:
            self._idle.append(_Idle(origin, used, time.monotonic() + KEPT_FOR))
        else:
            used.close()


class _Answer(httpx.AsyncByteStream):
    """The body of an answer: mostly there as a whole, else read on as it is asked for."""

    def __init__(
        self,
        exchange: Exchange,
        used: Connection,
        threads: anyio.CapacityLimiter,
        give_back: Callable[[bool], None],
    ) -> None:
        self._exchange = exchange
        self._used = used
        self._threads = threads
        self._give_back = give_back
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            if piece := self._exchange.take():
                yield piece
            if self._exchange.is_over:
                return
            await _in_thread(self._exchange.read, self._used.end, self._threads)

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._give_back(self._exchange.is_reusable)


def _call_soon() -> CallSoon:
    """Return what has this event loop call a function, from any thread and without waiting for it."""
    loop = current_token().native_token
    name = "call_soon_threadsafe" if isinstance(loop, asyncio.AbstractEventLoop) else "run_sync_soon"
    call: CallSoon = getattr(loop, name)
    return call


async def _in_thread(work: Callable[[], T], stop: Callable[[], None], threads: anyio.CapacityLimiter) -> T:
    """Do blocking work in a worker thread; when cancelled, stop it and wait until it has ended."""
    turn = threading.Lock()  # whose the work is: the thread's, or nobody's any more
    ended = anyio.Event()
    call_soon = _call_soon()
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
        return await anyio.to_thread.run_sync(run, abandon_on_cancel=True, limiter=threads)
    except BaseException as error:
        is_stopped = True
        stop()
        # Who is thrown away together with the loop cannot await anything.
        if not turn.acquire(blocking=isinstance(error, GeneratorExit)):
            with anyio.CancelScope(shield=True):
                await ended.wait()
        raise
