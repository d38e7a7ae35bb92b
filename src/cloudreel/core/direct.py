"""Small requests past httpx's client, which costs as much as the connection and has nothing to do for them.

It is the reference: what is sent is the same.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import httpx

NO_DEFAULTS: Mapping[str, str] = {}


class Direct(httpx.AsyncBaseTransport):
    """A transport that takes small requests also from us."""

    headers: Mapping[str, str] = NO_DEFAULTS
    """Of each request that comes by `send`; their names in lower case."""

    @abstractmethod
    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: httpx.Timeout
    ) -> httpx.Response:
        """Send a request and return its answer, unread.

        Args:
            method: of HTTP, in upper case.
            url: the whole URL, which logs nobody in.
            headers: win over those that each request has.
            content: all of it.
            timeout: seconds for each step.

        Raises:
            httpx.InvalidURL: the URL cannot be called.
            httpx.TransportError: no answer came.
        """

    def merged(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of a request, their names in lower case."""
        return {**self.headers, **{name.lower(): value for name, value in headers.items()}}


class DirectHttpx(httpx.AsyncHTTPTransport, Direct):
    """httpx's own transport."""

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: httpx.Timeout
    ) -> httpx.Response:
        """Send a request; see `Direct.send`."""
        target = httpx.URL(url)
        fields = {"host": target.netloc.decode("ascii"), **self.merged(headers)}
        if content or method in ("POST", "PUT", "PATCH"):
            fields["content-length"] = str(len(content or b""))
        # A request that is given its stream leaves its headers as they are.
        request = httpx.Request(
            method,
            target,
            headers=fields,
            stream=httpx.ByteStream(content or b""),
            extensions={"timeout": timeout.as_dict()},
        )
        return await self.handle_async_request(request)
