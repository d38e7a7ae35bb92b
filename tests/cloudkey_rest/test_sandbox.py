"""The client against the sandbox, as people use it."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from cloudreel.cloudkey_rest import (
    AsyncCloudKeyRest,
    AuthenticationFailed,
    AuthorizationRequired,
    InvalidArgument,
    InvalidMethod,
    MissingArgument,
    NotFound,
)
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cloudreel.cloudkey_rest import AssetInfo

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox on a real socket."""
    with Sandbox() as running:
        yield running


@pytest.fixture
async def ck(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[AsyncCloudKeyRest]:
    """A client of the sandbox, without media."""
    async with sandbox.cloudkey_rest() as client:
        await client.media.reset()
        yield client


@pytest.fixture
async def root(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[AsyncCloudKeyRest]:
    """A super user of the sandbox."""
    async with sandbox.cloudkey_rest(**sandbox.config["cloudkey_rest_root"]) as client:
        yield client


async def finished(ck: AsyncCloudKeyRest, medium: str, preset: str) -> AssetInfo:
    """Return an asset once it is ready or has failed."""
    while True:
        asset = await ck.media.get_asset(id=medium, preset=preset)
        if asset["status"] in ("ready", "error"):
            return asset
        await anyio.sleep(0.05)


async def test_a_video_is_uploaded_published_and_played(
    sandbox: Sandbox, ck: AsyncCloudKeyRest, clip: Path
) -> None:
    stored = await ck.file.upload_file(clip)
    content = clip.read_bytes()
    assert (stored["name"], stored["size"]) == ("clip", len(content))
    assert stored["hash"] == hashlib.sha1(content).hexdigest()

    presets = ["flv_h263_mp3", "jpeg_thumbnail_medium"]
    medium = (await ck.media.publish(url=stored["url"], presets=presets, meta={"title": "é"}))["id"]
    video, picture = [await finished(ck, medium, preset) for preset in presets]
    assert set(video) == {
        *("name", "status", "container", "created", "duration", "file_size", "global_bitrate"),
        *("video_codec", "video_width", "video_height", "video_bitrate", "audio_codec", "audio_bitrate"),
    }
    assert set(picture) == {
        *("name", "status", "container", "created", "file_size"),
        *("video_codec", "video_width", "video_height"),
    }
    assert {asset["name"] for asset in await ck.media.list_asset(id=medium)} >= set(presets)
    assert await ck.media.list_meta(id=medium) == {"title": "é"}

    async with httpx.AsyncClient(follow_redirects=True) as viewer:
        url = await ck.media.get_stream_url(id=medium, preset="flv_h263_mp3")
        assert (await viewer.get(url)).content.startswith(b"FLV")
        tampered = re.sub(r"auth=\d+", "auth=4102444800", url)
        assert (await viewer.get(tampered)).status_code == 403
        assert (await viewer.get(await ck.media.get_embed_url(id=medium))).status_code == 200
        assert (await viewer.get(await ck.media.get_stream_url(id=medium))).status_code == 200


async def test_meta_entries_come_and_go(ck: AsyncCloudKeyRest) -> None:
    medium = (await ck.media.create())["id"]
    for value in ("my value", "true", "a&b=c+é", "", "[]"):
        await ck.media.set_meta(id=medium, key="mykey", value=value)
        assert await ck.media.get_meta(id=medium, key="mykey") == {"value": value}
    await ck.media.remove_meta(id=medium, key="mykey")
    for ask in (ck.media.get_meta, ck.media.remove_meta):
        with pytest.raises(NotFound):
            await ask(id=medium, key="mykey")


async def test_refusals_are_of_the_classes_of_old(ck: AsyncCloudKeyRest) -> None:
    with pytest.raises(NotFound):
        await ck.media.info(id="1b87186c84e1b015a0000000")
    with pytest.raises(InvalidArgument):
        await ck.media.info(id="b87186c84e1b015a0000000")
    missing: Any = ck.user.media__info()
    with pytest.raises(MissingArgument, match="id"):
        await missing
    with pytest.raises(InvalidMethod, match="/json/media/shuffle"):
        await ck.media.shuffle()


async def test_all_media_are_iterated_and_filtered(ck: AsyncCloudKeyRest) -> None:
    made: list[str] = []
    for number in range(7):
        made.append((await ck.media.create())["id"])
        await ck.media.set_meta(id=made[-1], key="odd", value=str(number % 2))
    assert [medium["id"] async for medium in ck.media.iterate(per_page=3)] == made
    odd = await ck.media.list(filter={"meta.odd": "1"}, fields=["meta.odd"], sort=[("created", 1)])
    assert [medium["id"] for medium in odd] == made[1::2]
    assert [medium["id"] for medium in await ck.media.list(page=2, count=3)] == made[3:6]
    assert await ck.media.count() == 7


async def test_a_job_that_cannot_be_done_says_so_in_its_answer(ck: AsyncCloudKeyRest) -> None:
    medium = (await ck.media.create())["id"]
    answer = await ck.media.process_asset(id=medium, preset="flv_h263_mp3")
    assert answer["status"] == "error"


async def test_settings_are_read_as_they_were_written(ck: AsyncCloudKeyRest) -> None:
    await ck.user.reset_encoding_settings()
    for asset in ("mp4_h264_aac", "flv_h263_mp3"):
        await ck.user.enable_asset(asset=asset)
    assert await ck.user.get_active_assets() == ["mp4_h264_aac", "flv_h263_mp3"]
    await ck.user.set_asset_setting(asset="mp4_h264_aac", setting="vbitrate", value="800")
    assert await ck.user.get_asset_setting(asset="mp4_h264_aac", setting="vbitrate") == "800"
    await ck.user.disable_asset(asset="mp4_h264_aac")
    assert await ck.user.get_active_assets() == ["flv_h263_mp3"]


async def test_farms_have_nodes(ck: AsyncCloudKeyRest) -> None:
    farm = f"farm-{secrets.token_hex(4)}"
    await ck.farm.add_node(name=farm, node="node-1")
    await ck.farm.add_node(name=farm, node="node-2", weight=3, enabled=True, comment="quick")
    assert await ck.farm.get_node(name=farm, node="node-1") == {
        "name": "node-1",
        "weight": 1,
        "enabled": False,
        "comment": "",
    }
    assert [node["name"] for node in await ck.farm.list_node(name=farm)] == ["node-1", "node-2"]
    first, again = [await ck.farm.select_node(name=farm, content="movie") for _ in range(2)]
    assert first == again
    await ck.farm.remove(name=farm)
    with pytest.raises(NotFound):
        await ck.farm.get_node(name=farm, node="node-1")


async def test_a_super_user_acts_as_others(
    sandbox: Sandbox, ck: AsyncCloudKeyRest, root: AsyncCloudKeyRest
) -> None:
    user, chief = (sandbox.config[name]["username"] for name in ("cloudkey_rest", "cloudkey_rest_root"))
    assert (await root.user.whoami())["username"] == chief
    medium = (await ck.media.create())["id"]
    acting = root.as_user(user)
    assert (await acting.user.whoami())["username"] == user
    assert [found["id"] for found in await acting.media.list()] == [medium]
    root.act_as_user("nobody")
    with pytest.raises(AuthenticationFailed):
        await root.user.whoami()


async def test_for_others_acting_as_a_user_is_ignored(sandbox: Sandbox, ck: AsyncCloudKeyRest) -> None:
    ck.act_as_user(sandbox.config["cloudkey_rest_root"]["username"])
    assert (await ck.user.whoami())["username"] == sandbox.config["cloudkey_rest"]["username"]


async def test_logins_are_asked_for_and_checked(sandbox: Sandbox, anyio_backend: str) -> None:
    async with sandbox.cloudkey_rest(username=None, password=None) as stranger:
        with pytest.raises(AuthorizationRequired):
            await stranger.user.whoami()
    async with sandbox.cloudkey_rest(password="guessed") as stranger:
        with pytest.raises(AuthenticationFailed):
            await stranger.user.whoami()
