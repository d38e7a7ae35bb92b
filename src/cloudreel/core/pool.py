"""The connections of one client and its copies: one httpx client, on one event loop, behind one limit."""

from __future__ import annotations

import logging
import os
import ssl
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import cache
from urllib.request import getproxies

import anyio
import anyio.lowlevel
import httpx

from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.direct import Direct, DirectHttpx
from cloudreel.core.filewire import FileWire
from cloudreel.core.options import Wiring
from cloudreel.errors import CloudReelError, WrongEventLoopError

_ours: ContextVar[bool] = ContextVar("cloudreel_request", default=False)


class _NotOurs(logging.Filter):
    """Drop what httpx logs about our requests: it shows whole URLs, and ours carry signatures."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _ours.get()


for _name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
    logging.getLogger(_name).addFilter(_NotOurs())


@contextmanager
def unlogged() -> Generator[None]:
    """Keep the HTTP library's own log lines quiet for what is sent inside."""
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


_ssl_lock = threading.Lock()


@cache
def _default_ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def shared_ssl_context() -> ssl.SSLContext:
    """Return the process's one verifying SSL context; making one costs more than a call."""
    with _ssl_lock:
        return _default_ssl_context()


class _Lent(httpx.AsyncBaseTransport):
    """A caller's transport, which our client uses and does not close."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)


class Pool:
    """Opens the HTTP client on first use and remembers the event loop it belongs to."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.clock_offset = 0.0  # what to add to our clock to agree with the service's
        self._client: httpx.AsyncClient | None = None
        self._slots: anyio.Semaphore | None = None
        self._home: tuple[int, object] | None = None
        self._next_start = 0.0
        self._closed = False
        self._wire: FileWire | None = None
        self._direct: Direct | None = None

    @property
    def wire(self) -> FileWire | None:
        """What sends parts of files; None where httpx has to, and before `client` was called."""
        return self._wire

    @property
    def direct(self) -> Direct | None:
        """What sends small requests past httpx's client; None where httpx has to, as `wire`."""
        return self._direct

    @property
    def bandwidth(self) -> Bandwidth | None:
        """The cap on bytes per second, None for none."""
        return self.wiring.limits.bandwidth

    def client(self) -> httpx.AsyncClient:
        """Return the HTTP client, made on first use.

        Raises:
            WrongEventLoopError: it was made on another event loop, or before a fork.
            CloudReelError: the pool is closed.
        """
        if self._closed:
            raise CloudReelError("This client is closed; make a new one")
        here = (os.getpid(), anyio.lowlevel.current_token())
        if self._home is None:
            self._home = here
            self._slots = anyio.Semaphore(self.wiring.limits.in_flight, fast_acquire=True)
            self._client = self.wiring.http_client or self._make_client()
        elif self._home[0] != here[0]:
            raise WrongEventLoopError(
                "This client was used before the process forked, and its connections belong to the parent; "
                "make the client in the child"
            )
        elif self._home[1] != here[1]:
            raise WrongEventLoopError(
                "This client belongs to another event loop, where its connections live; make one client per "
                "event loop (in a web service: at start-up, not at import; in scripts: one anyio.run around "
                "all of it), or use the synchronous client"
            )
        assert self._client is not None
        return self._client

    def slot(self) -> AbstractAsyncContextManager[object]:
        """Hold one of the places for requests under way, in step with the allowed rate."""
        assert self._slots is not None
        if self.wiring.limits.per_second or self.bandwidth is not None:
            return self._paced(self._slots)
        return self._slots

    @asynccontextmanager
    async def _paced(self, slots: anyio.Semaphore) -> AsyncGenerator[None]:
        async with slots:
            if rate := self.wiring.limits.per_second:
                now = anyio.current_time()
                start = max(now, self._next_start)
                self._next_start = start + 1 / rate
                await anyio.sleep(start - now)
            if self.bandwidth is not None:
                await self.bandwidth.take(0)
            yield

    async def close(self) -> None:
        """Close the connections; a client or transport that the caller brought stays open."""
        client, self._client = self._client, None
        if client is not None and self.wiring.http_client is None:
            if self._home != (os.getpid(), anyio.lowlevel.current_token()):
                self._client = client
                raise WrongEventLoopError("Close this client on the event loop that it was used on")
            if self._wire is not None:
                self._wire.close()
            await client.aclose()
        self._closed = True

    def _make_client(self) -> httpx.AsyncClient:
        wiring = self.wiring
        context = shared_ssl_context() if wiring.verify is True else wiring.verify
        if not isinstance(context, ssl.SSLContext):
            context = httpx.create_ssl_context(verify=context)
        in_flight = wiring.limits.in_flight
        limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
        chosen = self._chosen_transport(context, limits)
        if by_httpx := chosen is None and self._is_direct():
            chosen = DirectHttpx(verify=context, limits=limits)
        client = httpx.AsyncClient(
            transport=chosen, verify=context, proxy=wiring.proxy, limits=limits, follow_redirects=False
        )
        if by_httpx:
            self._wire = FileWire(context, in_flight, client.headers)
        if isinstance(chosen, Direct) and wiring.proxy is None:
            chosen.headers = dict(client.headers)
            self._direct = chosen
        return client

    def _is_direct(self) -> bool:
        """Return whether requests may go past httpx's client, and file parts past httpx."""
        if not self.wiring.fast_path or _plain() or sys.platform != "linux":
            return False
        if self.bandwidth is not None:
            return False  # what has to keep to a cap goes out piece by piece
        return self.wiring.proxy is None and {"http", "https", "all"}.isdisjoint(getproxies())

    def _chosen_transport(
        self, context: ssl.SSLContext, limits: httpx.Limits
    ) -> httpx.AsyncBaseTransport | None:
        """Return what stands in for httpx's own transport, None for nothing."""
        if self.wiring.transport is not None:
            return _Lent(self.wiring.transport)
        if _plain() or self.wiring.http == "httpx":
            return None
        try:
            from httpx_aiohttp import AiohttpTransport

            from cloudreel.core.aiohttp_transport import SentOnce
        except ImportError as error:
            raise CloudReelError(
                'http="aiohttp" needs the extra: pip install "cloudreel[aiohttp]"'
            ) from error
        proxy = self.wiring.proxy
        made = AiohttpTransport(verify=context, limits=limits, proxy=httpx.Proxy(proxy) if proxy else None)
        return SentOnce(made)


def _plain() -> bool:
    """Return whether the environment forces httpx's own transport."""
    return os.environ.get("CLOUDREEL_PLAIN_HTTP") == "1"
