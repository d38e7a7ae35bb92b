"""aiohttp underneath httpx, corrected where it would hide what became of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from httpx_aiohttp import AiohttpTransport


class SentOnce(httpx.AsyncBaseTransport):
    """Sends each request once, and tells a connection that broke from one that was never made."""

    def __init__(self, transport: AiohttpTransport) -> None:
        self._transport = transport
        transport.client = self._make_session
        self.headers = httpx.Headers()  # of each request that comes by `send`

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.ReadError: the connection broke after it was made, so the service may have acted.
            httpx.RemoteProtocolError: what came back is no HTTP.
        """
        from aiohttp import ClientResponseError  # here, where it is installed

        try:
            return await self._transport.handle_async_request(request)
        except httpx.ConnectTimeout as error:
            # Whatever breaks a connection comes as this one; a timeout it is only if its cause is one.
            if isinstance(error.__cause__, TimeoutError):
                raise
            raise httpx.ReadError(str(error)) from error.__cause__
        except ClientResponseError as error:
            # Its text has the whole URL in it, secrets included.
            raise httpx.RemoteProtocolError(error.message) from None

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: httpx.Timeout
    ) -> httpx.Response:
        """Send a request past httpx's client, which costs as much as the rest and has nothing to do for it.

        Args:
            method: of HTTP.
            url: the whole URL.
            headers: win over those that each request has.
            content: all of it.
            timeout: seconds for each step.
        """
        merged = self.headers.copy()
        merged.update(headers)
        extensions = {"timeout": timeout.as_dict()}
        return await self.handle_async_request(
            httpx.Request(method, url, headers=merged, content=content, extensions=extensions)
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _make_session(self) -> ClientSession:
        self._transport.client = None
        session = self._transport.get_client()
        # aiohttp would send a PUT again, unasked, when a kept connection breaks under it. It has no public
        # switch for that; its own test client uses this one.
        vars(session)["_retry_connection"] = False
        return session
