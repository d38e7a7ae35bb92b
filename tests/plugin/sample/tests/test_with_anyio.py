"""Both loops, by anyio's plugin."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import anyio
import pytest
from newsroom import publish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloudreel import AsyncPanda, AsyncTelestream
    from cloudreel.sandbox import Sandbox
    from cloudreel.testing.helpers import Faults

pytestmark = pytest.mark.anyio

FILM = bytes(range(256)) * 1000


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def published(async_telestream: AsyncTelestream) -> AsyncIterator[str]:
    """A published film, taken back after the test by the same client."""
    id = await publish(async_telestream, FILM, "from a fixture")
    yield id
    factory = (await async_telestream.flip.factories.all())[0]
    await factory.videos.delete(id)
    assert await factory.videos.all() == []


@pytest.mark.cloudreel(part_size=65536)
async def test_a_film_arrives_over_a_line_that_breaks(
    async_telestream: AsyncTelestream, sandbox: Sandbox, fault: Faults
) -> None:
    fault("drop", path="/upload/*", method="PUT", after_bytes=1000)
    id = await publish(async_telestream, FILM, "a film")
    assert fault.left == []
    (video,) = sandbox.world.snapshot()["videos"]
    assert (video["id"], video["sha256"]) == (id, hashlib.sha256(FILM).hexdigest())


async def test_a_fixture_of_the_project_shares_the_client(
    async_telestream: AsyncTelestream, published: str
) -> None:
    factory = (await async_telestream.flip.factories.all())[0]
    assert (await factory.videos.find(published)).payload == "from a fixture"


@pytest.mark.cloudreel(asgi=True)
async def test_no_socket_is_needed(
    async_telestream: AsyncTelestream, published: str, sandbox: Sandbox
) -> None:
    factory = (await async_telestream.flip.factories.all())[0]
    assert [str(video.id) for video in await factory.videos.all()] == [published]
    assert sandbox.base_url == "http://sandbox.local"


@pytest.mark.cloudreel(asgi=True)
async def test_a_sandbox_without_a_socket_encodes(async_panda: AsyncPanda, fault: Faults) -> None:
    fault("status", path="/v2/videos.json", method="GET", status=503)
    assert await async_panda.videos.all() == []
    assert fault.left == []
    video = await async_panda.videos.create(file=b"no film at all", profiles="none")
    with anyio.fail_after(60):
        while (await async_panda.videos.find(str(video.id))).status == "processing":
            await anyio.sleep(0.02)


async def test_many_calls_at_once(async_telestream: AsyncTelestream) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(async_telestream.flip.factories.all)
