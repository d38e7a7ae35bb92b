"""aiohttp underneath httpx, corrected where it would hide what became of a request.

Imported where the extra is installed.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import httpx
from aiohttp import ClientResponseError, ClientSession, ClientTimeout
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions
from yarl import URL

from cloudreel.core.direct import Direct

# URLs that httpx and yarl would leave as they are: no login, nothing to resolve, nothing to escape.
_READY = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[1-9][0-9]{0,3}|:[1-5][0-9]{4})?"
    r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+(?:\?(?:[A-Za-z0-9._~=&-]|%[0-9A-F]{2})+)?"
)


class SentOnce(Direct):
    """Sends each request once, and tells a connection that broke from one that was never made."""

    def __init__(self, transport: AiohttpTransport) -> None:
        self._transport = transport
        self._session: ClientSession | None = None
        transport.client = self._opened

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.ReadError: the connection broke after it was made, so the service may have acted.
            httpx.RemoteProtocolError: what came back is no HTTP.
        """
        with _corrected():
            return await self._transport.handle_async_request(request)

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: httpx.Timeout
    ) -> httpx.Response:
        """Send a request; see `Direct.send`."""
        fields = self.merged(headers)
        if _READY.fullmatch(url) is None:
            extensions = {"timeout": timeout.as_dict()}
            return await self.handle_async_request(
                httpx.Request(method, url, headers=fields, content=content, extensions=extensions)
            )
        with _corrected(), map_aiohttp_exceptions():
            answer = await self._opened().request(
                method,
                URL(url, encoded=True),
                headers=fields,
                data=content or None,
                allow_redirects=False,
                auto_decompress=False,
                timeout=ClientTimeout(
                    sock_connect=timeout.connect, sock_read=timeout.read, connect=timeout.pool
                ),
            )
        return httpx.Response(
            answer.status, headers=list(answer.raw_headers), stream=AiohttpResponseStream(answer)
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> ClientSession:
        if self._session is None:
            self._transport.client = None
            self._transport.client = self._session = self._transport.get_client()
            # aiohttp would send a PUT again, unasked, when a kept connection breaks under it. It has no
            # public switch for that; its own test client uses this one.
            vars(self._session)["_retry_connection"] = False
        return self._session


@contextmanager
def _corrected() -> Generator[None]:
    try:
        yield
    except httpx.ConnectTimeout as error:
        # Whatever breaks a connection comes as this one; a timeout it is only if its cause is one.
        if isinstance(error.__cause__, TimeoutError):
            raise
        raise httpx.ReadError(str(error)) from error.__cause__
    except ClientResponseError as error:
        # Its text has the whole URL in it, secrets included.
        raise httpx.RemoteProtocolError(error.message) from None
