"""The examples of the old READMEs and example programs of both eras, on the clients of today.

They changed in nothing but imports, ``await``, addresses, credentials and ids. The facts: cloudkey-rpc.md
sections 10 to 13, cloudkey-rest.md sections 9 to 13.
"""

from __future__ import annotations

import shutil
from time import time
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from cloudreel import cloudkey as rpc
from cloudreel import cloudkey_rest as rest
from cloudreel.sandbox import Sandbox
from cloudreel.signing import SecLevel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

UNKNOWN = "1b87186c84e1b015a0000000"
VIDEO_URL = "http://www.example.com/v.mp4"
VIDEO, FLASH, PICTURE = "mp4_h264_aac", "flv_h263_mp3", "jpeg_thumbnail_medium"


@pytest.fixture(scope="module")
def sandbox(clip: Path) -> Iterator[Sandbox]:
    with Sandbox(map={VIDEO_URL: clip}) as running:
        yield running


@pytest.fixture
def video_mov(clip: Path, tmp_path: Path) -> str:
    """What the examples upload."""
    return str(shutil.copy(clip, tmp_path / "my_funny_video.mov"))


@pytest.fixture
async def cloudkey(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[rpc.AsyncCloudKey]:
    keys = sandbox.config["cloudkey"]
    async with rpc.AsyncCloudKey(
        keys["user_id"], keys["api_key"], base_url=keys["base_url"], cdn_url=keys["cdn_url"]
    ) as client:
        await client.media.reset()
        yield client


@pytest.fixture
async def older(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[rest.AsyncCloudKeyRest]:
    keys = sandbox.config["cloudkey_rest"]
    async with rest.AsyncCloudKeyRest(
        keys["username"], keys["password"], base_url=keys["base_url"]
    ) as client:
        await client.media.reset()
        yield client


async def ready(look: Callable[[], Awaitable[Any]]) -> bool:
    """Loop as the examples do, without their five seconds of sleep."""
    while True:
        asset = await look()
        if asset["status"] != "ready":
            if asset["status"] == "error":
                return False
            await anyio.sleep(0.05)
            continue
        return True


async def watch(url: str, agent: str = "Kino/1.0") -> httpx.Response:
    async with httpx.AsyncClient(follow_redirects=True) as viewer:
        return await viewer.get(url, headers={"User-Agent": agent})


async def test_rpc_media_are_listed(cloudkey: rpc.AsyncCloudKey) -> None:
    assert (await cloudkey.media.list())["list"] == []
    for _ in range(21):
        await cloudkey.media.create()
    page = await cloudkey.media.list(fields=["id"], per_page=20, page=2)
    assert ([list(media) for media in page["list"]], page["pages"]) == ([["id"]], 2)


async def test_rpc_urls_are_signed(cloudkey: rpc.AsyncCloudKey) -> None:
    meta = {"title": "my first video", "author": "John Doe"}
    media = await cloudkey.media.create(url=VIDEO_URL, assets_names=[VIDEO, PICTURE], meta=meta)
    await cloudkey.media.wait_for_assets(media["id"], [VIDEO, PICTURE], timeout=120)
    assert await cloudkey.media.get_meta(id=media["id"]) == meta
    delegated = SecLevel.DELEGATE | SecLevel.USERAGENT
    for url in (
        cloudkey.media.get_embed_url(id=media["id"], seclevel=delegated, expires=time() + 3600),
        cloudkey.media.get_stream_url(
            id=media["id"], preset=VIDEO, seclevel=delegated, expires=time() + 3600
        ),
    ):
        viewers = [(await watch(url, agent)).status_code for agent in ("Kino/1.0", "Other/2.0", "Kino/1.0")]
        assert viewers == [200, 403, 200]
    limited = SecLevel.DELEGATE | SecLevel.ASNUM
    url = cloudkey.media.get_embed_url(id=media["id"], seclevel=limited, expires=time() + 3600)
    assert (await watch(url)).status_code == 200
    url = cloudkey.media.get_stream_url(id=media["id"], filename="my clip.mp4", version=42, protocol="http")
    assert "my%20clip.mp4" in (await watch(url)).headers["content-disposition"]
    assert (await watch(cloudkey.media.get_stream_url(media["id"], PICTURE))).content[:2] == b"\xff\xd8"


async def test_rpc_example_program(cloudkey: rpc.AsyncCloudKey, video_mov: str) -> None:
    media_info = await cloudkey.file.upload_file(video_mov)
    media_id = (await cloudkey.media.create())["id"]
    media_title = media_info["name"].replace("_", " ")
    await cloudkey.media.set_meta(id=media_id, meta={"title": media_title})
    media_url = media_info["url"]
    await cloudkey.media.set_assets(id=media_id, assets=[{"name": "source", "url": media_url}])

    async def wait_for_asset(media_id: str, asset_name: str) -> bool:
        async def look() -> Any:
            return (await cloudkey.media.get_assets(id=media_id, assets_names=[asset_name]))[asset_name]

        return await ready(look)

    await cloudkey.media.set_assets(id=media_id, assets=[{"name": FLASH}, {"name": VIDEO}])
    assert await wait_for_asset(media_id, FLASH)
    assert await wait_for_asset(media_id, VIDEO)

    meta = {"title": media_title, "author": "John Doe"}
    media = await cloudkey.media.create(url=media_url, assets_names=[FLASH, VIDEO], meta=meta)
    media_id = media["id"]
    assert await wait_for_asset(media_id, FLASH)
    info: Any = await cloudkey.media.info(id=media_id, fields=[f"assets.{FLASH}.stream_url"])
    assert (await watch(info["assets"][FLASH]["stream_url"])).content[:3] == b"FLV"
    info = await cloudkey.media.info(id=media_id, fields=[f"assets.{FLASH}.embed_url"])
    assert "my funny video" in (await watch(info["assets"][FLASH]["embed_url"])).text
    assert set(await cloudkey.media.get_assets(id=media_id)) == {"source", FLASH, VIDEO}

    fields = ["id", "meta.title", f"assets.{FLASH}.stream_url", "created"]
    for each in (await cloudkey.media.list(fields=fields))["list"]:
        assert set(each) == {"id", "meta", "assets", "created"}
        await cloudkey.media.delete(id=each["id"])
    with pytest.raises(rpc.NotFound):
        await cloudkey.media.info(id=media_id, fields=["id"])


async def test_rest_results_are_structures_and_lists(older: rest.AsyncCloudKeyRest) -> None:
    assert await older.media.count() == 0
    a_media_id = (await older.media.create())["id"]
    media = await older.media.info(id=a_media_id)
    assert media["id"] == a_media_id
    media_list = await older.media.list()
    assert [media["id"] for media in media_list] == [a_media_id]


async def test_rest_stream_urls_are_signed(older: rest.AsyncCloudKeyRest, video_mov: str) -> None:
    file = await older.file.upload_file(video_mov)
    media = await older.media.create()
    answer = await older.media.set_asset(id=media["id"], preset="source", url=file["url"])
    assert answer["status"] == "queued"
    assert await ready(lambda: older.media.get_asset(id=media["id"], preset="source"))

    async def stream_url(**options: Any) -> str:
        return await older.media.get_stream_url(id=media["id"], **options)

    limited = SecLevel.DELEGATE | SecLevel.ASNUM
    for url in (await stream_url(), await stream_url(seclevel=limited, expires=time() + 3600)):
        assert (await watch(url)).status_code == 200
        assert (await watch(url.replace(media["id"], UNKNOWN))).status_code == 403
    assert (await watch(await stream_url(expires=time() - 1))).status_code == 403
    once = await stream_url(seclevel=SecLevel.USEONCE)
    assert [(await watch(once)).status_code for _ in range(2)] == [200, 403]


async def test_rest_example_program(older: rest.AsyncCloudKeyRest, video_mov: str) -> None:
    media_info = await older.file.upload_file(video_mov)
    media_id = (await older.media.create())["id"]
    media_title = media_info["name"].replace("_", " ")
    await older.media.set_meta(id=media_id, key="title", value=media_title)
    media_url = media_info["url"]
    await older.media.set_asset(id=media_id, preset="source", url=media_url)

    async def wait_for_asset(media_id: str, asset_name: str) -> bool:
        return await ready(lambda: older.media.get_asset(id=media_id, preset=asset_name))

    await older.media.process_asset(id=media_id, preset=FLASH)
    await older.media.process_asset(id=media_id, preset=VIDEO)
    assert await wait_for_asset(media_id, FLASH)
    assert await wait_for_asset(media_id, VIDEO)

    meta = {"title": media_title, "author": "John Doe"}
    media_id = (await older.media.publish(url=media_url, presets=[FLASH, VIDEO], meta=meta))["id"]
    assert await wait_for_asset(media_id, FLASH)
    assert FLASH in await older.media.get_asset_url(id=media_id, preset=FLASH)
    for told in (
        await older.media.get_embed(id=media_id),
        await older.media.get_mediaplayer_url(id=media_id),
    ):
        assert media_id in str(told)
    assert {asset["name"] for asset in await older.media.list_asset(id=media_id)} == {"source", FLASH, VIDEO}

    for each in await older.media.list(filter={f"assets.{FLASH}.status": "ready"}):
        assert (await older.media.info(id=each["id"]))["meta"]["title"] == "my funny video"
    fields = [f"assets.{VIDEO}.status", "meta.title"]
    found = await older.media.list(fields=fields, filter={"assets.source.status": "ready"})
    assert [each["meta"] for each in found] == [{"title": "my funny video"}] * 2

    await older.media.publish(url="http://localhost/", presets=[FLASH])
    while not (failed := await older.media.list(filter={"assets.source.status": "error"})):
        await anyio.sleep(0.05)
    for each in failed:
        await older.media.delete(id=each["id"])
    assert await older.media.count() == 2


async def test_rest_exceptions(older: rest.AsyncCloudKeyRest, sandbox: Sandbox) -> None:
    with pytest.raises(rest.InvalidNamespace):
        _ = older.lottery
    with pytest.raises(rest.InvalidMethod):
        await older.media.draw()
    with pytest.raises(rest.NotFound):
        await older.media.info(id=UNKNOWN)
    missing: Any = older.user.media__info()
    with pytest.raises(rest.MissingArgument):
        await missing
    with pytest.raises(rest.InvalidArgument):
        await older.media.info(id="none")
    url = sandbox.base_url
    async with rest.AsyncCloudKeyRest(None, None, base_url=url) as stranger:
        with pytest.raises(rest.AuthorizationRequired):
            await stranger.user.whoami()
    async with rest.AsyncCloudKeyRest("nobody", "guess", base_url=url) as stranger:
        with pytest.raises(rest.AuthenticationFailed):
            await stranger.user.whoami()
