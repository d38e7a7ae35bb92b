"""asyncio alone, by pytest-asyncio in its strict mode."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
from newsroom import link, publish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloudreel import AsyncCloudKey, AsyncCloudKeyRest, AsyncFlixCloud, AsyncPanda, AsyncTelestream
    from cloudreel.testing.helpers import Clock

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def published(async_telestream: AsyncTelestream) -> AsyncIterator[str]:
    """A published film, looked for after the test by the same client."""
    id = await publish(async_telestream, b"a film", "from a fixture")
    yield id
    factory = (await async_telestream.flip.factories.all())[0]
    assert (await factory.videos.find(id)).id == id


async def test_a_fixture_of_the_project_shares_the_client(
    async_telestream: AsyncTelestream, published: str
) -> None:
    async with async_telestream.with_options(retries=0) as client:
        factory = (await client.flip.factories.all())[0]
        assert [video.id for video in await factory.videos.all()] == [published]


async def test_every_service_answers(
    async_telestream: AsyncTelestream,
    async_panda: AsyncPanda,
    async_cloudkey: AsyncCloudKey,
    async_cloudkey_rest: AsyncCloudKeyRest,
    async_flixcloud: AsyncFlixCloud,
) -> None:
    assert [factory.name for factory in await async_telestream.flip.factories.all()] == ["main"]
    assert [cloud["name"] for cloud in await async_panda.clouds.all()] == ["main"]
    assert (await async_cloudkey.user.info())["id"]
    assert (await async_cloudkey_rest.user.whoami())["id"]
    assert "mpg2avi" in [recipe.name for recipe in await async_flixcloud.recipes()]


async def test_a_link_expires(async_cloudkey: AsyncCloudKey, clock: Clock) -> None:
    url = await link(async_cloudkey, "http://media.example/film.mp4")
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert (await browser.get(url)).status_code == 404  # nothing was fetched, but the link is good
        clock.advance(3 * 3600)
        assert (await browser.get(url)).status_code == 403


async def test_the_clock_is_right_again(clock: Clock) -> None:
    assert abs(clock.now() - datetime.now(UTC).timestamp()) < 1800
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    assert clock.now() >= 1_893_456_000


@pytest.mark.cloudreel(asgi=True)
async def test_no_socket_is_needed(async_telestream: AsyncTelestream, published: str) -> None:
    factory = (await async_telestream.flip.factories.all())[0]
    assert [video.id for video in await factory.videos.all()] == [published]


@pytest.mark.asyncio(loop_scope="module")
class TestOneLoopForManyTests:
    """Each test has a client of its own, closed while the loop lives on."""

    @pytest.mark.parametrize("number", range(3))
    async def test_a_test_of_many(self, async_telestream: AsyncTelestream, number: int) -> None:
        factory = (await async_telestream.flip.factories.all())[0]
        assert await factory.videos.all() == []
        await publish(async_telestream, b"a film", str(number))

    @pytest.mark.cloudreel(asgi=True)
    @pytest.mark.parametrize("number", range(2))
    async def test_a_test_of_many_without_a_socket(
        self, async_telestream: AsyncTelestream, number: int
    ) -> None:
        factory = (await async_telestream.flip.factories.all())[0]
        assert await factory.videos.all() == []
        await publish(async_telestream, b"a film", str(number))
