"""A service that has one file, on a line that breaks as often as a test wants."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from cloudreel import errors
from cloudreel.core.call import Request
from cloudreel.core.failures import ErrorFamily, read_status
from cloudreel.core.options import Limits, Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.service import Service
from cloudreel.core.transport import Transport
from cloudreel.downloads import Destination, download
from cloudreel.downloads.download import DownloadCallback

URL = "http://cdn.acme.test/route/film.mp4?auth=1900000000-0-abcd1234-0123456789abcdef0123456789abcdef"


class AcmeError(errors.CloudReelError):
    """The root of the service's errors."""


FAMILY = ErrorFamily(
    AcmeError,
    {
        category: type(f"Acme{category.__name__}", (AcmeError, category), {})
        for category in (
            errors.AuthenticationError,
            errors.NotFoundError,
            errors.InvalidRequestError,
            errors.ServiceError,
            errors.TransportError,
            errors.RequestTimedOut,
            errors.RateLimitError,
        )
    },
)


class Broken(httpx.AsyncByteStream):
    """A body in pieces that ends in an error where one is asked for."""

    def __init__(self, body: bytes, error: Exception | None) -> None:
        self._body = body
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 20_000):
            await anyio.lowlevel.checkpoint()
            yield self._body[start : start + 20_000]
        if self._error is not None:
            raise self._error


class Shelf:
    """Serves ``content`` at every address; the next answers break after as many bytes as ``breaks`` lists.

    ``first`` are answers that come before all others.
    """

    url = URL
    error = AcmeError

    def __init__(self) -> None:
        self.content = b""
        self.etag: str | None = '"one"'
        self.modified: str | None = None
        self.ranges = True
        self.length = True
        self.breaks: deque[int] = deque()
        self.first: deque[httpx.Response | Exception] = deque()
        self.requests: list[httpx.Request] = []
        self.on_request: Callable[[], None] = lambda: None

    @property
    def asked(self) -> list[str | None]:
        """The ranges that were asked for."""
        return [request.headers.get("range") for request in self.requests]

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.requests.append(request)
        self.on_request()
        if self.first:
            step = self.first.popleft()
            if isinstance(step, Exception):
                raise step
            return step
        headers = {"etag": self.etag, "last-modified": self.modified}
        told = {name: value for name, value in headers.items() if value is not None}
        wanted = request.headers.get("range")
        if wanted and self.ranges and request.headers["if-range"] in (self.etag, self.modified):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            total = len(self.content)
            return self._body(206, start, told | {"content-range": f"bytes {start}-{total - 1}/{total}"})
        return self._body(200, 0, told)

    def _body(self, status: int, start: int, headers: dict[str, str]) -> httpx.Response:
        body = self.content[start:]
        if self.length:
            headers |= {"content-length": str(len(body))}
        error = None
        if self.breaks:
            body = body[: self.breaks.popleft()]
            error = httpx.ReadError("the line broke")
        return httpx.Response(status, headers=headers, stream=Broken(body, error))

    def transport(self, limits: Limits | None = None, **options: Any) -> Transport:
        """Return a transport of this service, without jitter."""

        def sign(request: Request, now: float) -> Request:
            raise AssertionError("a download is not signed by the transport")

        service = Service("acme", "http://api.acme.test", FAMILY, sign, read_status)
        pool = Pool(Wiring(limits or Limits(), transport=httpx.MockTransport(self.handle)))
        return Transport(service, pool, Options(**options), jitter=lambda: 0.0)

    async def download(
        self,
        destination: Destination,
        *,
        size: int | None = None,
        progress: DownloadCallback | None = None,
        ask_url: Callable[[], Awaitable[str]] | None = None,
        **options: Any,
    ) -> int:
        """Download the file."""

        async def always() -> str:
            return URL

        transport = self.transport(**options)
        return await download(transport, ask_url or always, destination, size=size, progress=progress)


@pytest.fixture
def shelf() -> Shelf:
    """A service with a file."""
    return Shelf()
