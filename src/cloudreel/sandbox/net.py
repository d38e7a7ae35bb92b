"""The sandbox's way out: notifications it posts, sources it fetches. All outgoing HTTP is here."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx
from anyio import to_thread

from cloudreel.sandbox.files import Sink

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

__all__ = ["FetchFailed", "Net", "Undelivered"]

_REDIRECTS = 5
_SECONDS = 30.0


class FetchFailed(Exception):
    """A source could not be fetched; the text says why."""


class Undelivered(Exception):
    """A notification reached nobody; the text says why."""


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return the one verifying context of all sandboxes: making it takes longer than the rest of a start."""
    return httpx.create_ssl_context(trust_env=False)


class Net:
    """Posts and fetches.

    Args:
        anywhere: fetch from any host; otherwise only from this machine.
        map: URL prefixes that are served from files; the longest that fits counts.
        size_limit: bytes a fetched file may have; None for any number.
    """

    def __init__(self, *, anywhere: bool, map: Mapping[str, Path], size_limit: int | None) -> None:
        self._anywhere = anywhere
        self._map = sorted(map.items(), key=lambda item: -len(item[0]))
        self._size_limit = size_limit
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Hold the connections while the sandbox runs."""
        async with httpx.AsyncClient(timeout=_SECONDS, verify=_ssl_context(), trust_env=False) as client:
            self._client = client
            try:
                yield
            finally:
                self._client = None

    async def post_form(self, url: str, fields: Mapping[str, str]) -> int:
        """Post a form and return the status of the answer.

        Raises:
            Undelivered: there was no answer.
        """
        try:
            response = await self._running().post(url, data=dict(fields))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Undelivered(f"{type(error).__name__}: {error}") from error
        return response.status_code

    async def send_xml(self, method: str, url: str, document: bytes) -> int:
        """Send a document and return the status of the answer.

        Raises:
            Undelivered: there was no answer.
        """
        headers = {"content-type": "application/xml; charset=utf-8"}
        try:
            response = await self._running().request(method, url, content=document, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Undelivered(f"{type(error).__name__}: {error}") from error
        return response.status_code

    async def fetch(self, url: str, target: Path, *, login: tuple[str, str] | None = None) -> None:
        """Store what a URL points to.

        Args:
            login: user and password, sent by HTTP's Basic authentication.

        Raises:
            FetchFailed: it cannot be had, is too large, or lives where the sandbox may not go.
        """
        mapped = self._mapped(url)
        try:
            if mapped is not None:
                await to_thread.run_sync(shutil.copyfile, mapped, target)
            else:
                await self._download(url, target, login)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise FetchFailed(f"{type(error).__name__}: {error}") from error

    def _running(self) -> httpx.AsyncClient:
        if self._client is None:
            raise RuntimeError("The sandbox is not running: enter World.running() first")
        return self._client

    def _mapped(self, url: str) -> Path | None:
        for prefix, path in self._map:
            if url == prefix:
                return path
            if url.startswith(prefix):
                file = (path / url.removeprefix(prefix).lstrip("/")).resolve()
                if not file.is_relative_to(path.resolve()):
                    raise FetchFailed(f"{url} leaves the folder that is mapped to {prefix}")
                return file
        return None

    async def _download(self, url: str, target: Path, login: tuple[str, str] | None) -> None:
        host = self._permitted_host(url)
        for _ in range(_REDIRECTS):
            async with self._running().stream("GET", url, auth=login, follow_redirects=False) as response:
                if not response.has_redirect_location:
                    response.raise_for_status()
                    await self._store(response, target)
                    return
                url = urljoin(url, response.headers["location"])
            if self._permitted_host(url) != host:
                raise FetchFailed(f"The answer points to another host: {urlsplit(url).hostname}")
        raise FetchFailed(f"More than {_REDIRECTS} redirects")

    def _permitted_host(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise FetchFailed(f"Only http URLs can be fetched, and those of a map: not {url}")
        if not self._anywhere and not _is_this_machine(parts.hostname):
            raise FetchFailed(f"The sandbox fetches from this machine only; allow or map {parts.hostname}")
        return parts.hostname

    async def _store(self, response: httpx.Response, target: Path) -> None:
        with Sink(target) as sink:
            received = 0
            async for chunk in response.aiter_bytes():
                received += len(chunk)
                if self._size_limit is not None and received > self._size_limit:
                    raise FetchFailed(f"The file is longer than {self._size_limit} bytes")
                await sink.write(chunk)
            await sink.flush()


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
