"""One sandbox for all tests of Telestream, a client of it, and its control routes."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cloudreel.telestream import AsyncFactory, AsyncTelestream

PART_SIZE = 64 * 1024


class Control:
    """The control routes of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._world = sandbox.world
        self._http = httpx.Client(base_url=f"{sandbox.base_url}/__sandbox__", timeout=60, verify=False)

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything the sandbox knows."""
        state: dict[str, list[dict[str, Any]]] = self._http.get("/state").raise_for_status().json()
        return state

    def requests(self) -> list[dict[str, Any]]:
        """Return what the sandbox was asked, oldest first."""
        return [dict(request) for request in self._world.requests.copy()]

    def upload_of(self, video_id: str | None) -> dict[str, Any]:
        """Return the upload that became a video."""
        (found,) = [upload for upload in self.state()["uploads"] if upload["video_id"] == video_id]
        return found

    def video(self, video_id: str | None) -> dict[str, Any]:
        """Return a video as the sandbox knows it, with size and SHA-256 of its source."""
        (found,) = [video for video in self.state()["videos"] if video["id"] == video_id]
        return found

    def fault(self, action: str, **fields: object) -> None:
        """Have something go wrong."""
        self._http.post("/faults", json={"action": action, **fields}).raise_for_status()

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self._http.delete("/faults").raise_for_status()

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock."""
        self._http.post("/clock", json={"advance": seconds}).raise_for_status()

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
        usual = {"access_key", "factory_id", "signature", "timestamp"}
        return {name: text for name, text in self.seen[index].url.params.items() if name not in usual}


@pytest.fixture(scope="session")
def sandbox(clip: Path) -> Iterator[Sandbox]:
    """A sandbox with small parts that fetches http://media.example/ from the clip's folder."""
    with Sandbox(part_size=PART_SIZE, map={"http://media.example/": clip.parent}) as running:
        yield running


@pytest.fixture
def credentials(sandbox: Sandbox) -> dict[str, Any]:
    """What the constructor takes."""
    return dict(sandbox.config["telestream"])


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[Control]:
    control = Control(sandbox)
    yield control
    control.clear_faults()
    control.close()


@pytest.fixture
async def tc(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[AsyncTelestream]:
    """A client of the sandbox."""
    async with sandbox.telestream() as client:
        yield client


@pytest.fixture
async def factory(tc: AsyncTelestream) -> AsyncFactory:
    """A new factory."""
    return await tc.flip.factories.create(name=f"factory-{secrets.token_hex(4)}")


@pytest.fixture
async def tap(anyio_backend: str) -> AsyncIterator[Tap]:
    tap = Tap()
    yield tap
    await tap.aclose()


@pytest.fixture
async def tapped(sandbox: Sandbox, tap: Tap) -> AsyncIterator[AsyncFactory]:
    """The first factory, over a transport that notes what is sent."""
    async with sandbox.telestream(transport=tap) as client:
        yield await client.flip.factories.find(sandbox.config["telestream"]["factory_id"])
