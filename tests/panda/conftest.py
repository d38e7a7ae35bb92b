"""One sandbox for all tests of Panda, a client of it, and its control routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.core import retry
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cloudreel.panda import AsyncPanda, Panda


class Control:
    """The control routes of a sandbox."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=f"{base_url}/__sandbox__", timeout=60)

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything the sandbox knows."""
        state: dict[str, list[dict[str, Any]]] = self._http.get("/state").raise_for_status().json()
        return state

    def requests(self) -> list[dict[str, Any]]:
        """Return what the sandbox was asked, oldest first."""
        return self.state()["requests"]

    def upload(self, session_id: str) -> dict[str, Any]:
        """Return one upload."""
        (found,) = [upload for upload in self.state()["uploads"] if upload["id"] == session_id]
        return found

    def fault(self, action: str, **fields: object) -> None:
        """Have something go wrong."""
        self._http.post("/faults", json={"action": action, **fields}).raise_for_status()

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self._http.delete("/faults").raise_for_status()

    def move(self, session_id: str) -> str:
        """Have the service move an upload and return where to."""
        location: str = self._http.post(f"/uploads/{session_id}/move").raise_for_status().json()["location"]
        return location

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class Tap(httpx.AsyncBaseTransport):
    """A transport that notes what passes through it."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def params(self, index: int = -1) -> dict[str, str]:
        """Return the parameters of a request but those that every request has."""
        usual = {"access_key", "cloud_id", "signature", "timestamp"}
        return {name: text for name, text in self.seen[index].url.params.items() if name not in usual}


@pytest.fixture(scope="session")
def sandbox(clip: Path) -> Iterator[Sandbox]:
    """A sandbox that fetches http://media.example/ from the clip's folder."""
    with Sandbox(map={"http://media.example/": clip.parent}) as running:
        yield running


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[Control]:
    control = Control(sandbox.base_url)
    yield control
    control.clear_faults()
    control.close()


@pytest.fixture
async def panda(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[AsyncPanda]:
    """A client of the sandbox."""
    async with sandbox.panda() as client:
        yield client


@pytest.fixture
async def tap(anyio_backend: str) -> AsyncIterator[Tap]:
    tap = Tap()
    yield tap
    await tap.aclose()


@pytest.fixture
async def tapped(sandbox: Sandbox, tap: Tap) -> AsyncIterator[AsyncPanda]:
    """A client over a transport that notes what is sent."""
    async with sandbox.panda(transport=tap) as client:
        yield client


@pytest.fixture
def blocking(sandbox: Sandbox) -> Iterator[Panda]:
    """A client without async."""
    with sandbox.sync.panda() as client:
        yield client


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let attempts follow each other at once."""
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.002)
