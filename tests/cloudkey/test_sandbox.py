"""The client against the sandbox, as people use it."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.cloudkey import (
    AssetFailed,
    AsyncCloudKey,
    AuthenticationError,
    CloudKey,
    Exists,
    InvalidMethod,
    InvalidObject,
    InvalidParameter,
    NotFound,
    SecLevel,
)
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cloudreel.uploads import Progress

pytestmark = pytest.mark.anyio

UNKNOWN = "1b87186c84e1b015a0000000"
SHORT = "b87186c84e1b015a0000000"
VIDEO, PICTURE = "mp4_h264_aac", "jpeg_thumbnail_small"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox on a real socket."""
    with Sandbox() as running:
        yield running


@pytest.fixture
async def ck(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[AsyncCloudKey]:
    """A client of the sandbox, without media."""
    async with sandbox.cloudkey() as client:
        await client.media.reset()
        yield client


@pytest.fixture
async def root(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[AsyncCloudKey]:
    """A root account of the sandbox."""
    async with sandbox.cloudkey(**sandbox.config["cloudkey_root"]) as client:
        yield client


async def watch(url: str, **headers: str) -> httpx.Response:
    """Open a URL as a viewer does."""
    async with httpx.AsyncClient(follow_redirects=True) as viewer:
        return await viewer.get(url, headers=headers)


async def test_from_a_file_to_its_viewers(ck: AsyncCloudKey, clip: Path) -> None:
    seen: list[Progress] = []
    stored = await ck.file.upload_file(clip, seen.append)
    assert (stored["name"], stored["size"]) == ("clip", clip.stat().st_size)
    assert stored["hash"] == hashlib.sha1(clip.read_bytes()).hexdigest()
    assert seen[-1].bytes_confirmed == seen[-1].total == clip.stat().st_size

    media = await ck.media.create(
        url=stored["url"], assets_names=[VIDEO, PICTURE], meta={"title": "Été", "author": None}
    )
    states = [state async for state in ck.media.watch_assets(media["id"], poll=0.05)]
    assert {asset["status"] for asset in states[-1].values()} == {"ready"}
    assets = await ck.media.wait_for_assets(media["id"], [VIDEO, PICTURE], timeout=60, poll=0.05)
    assert assets[VIDEO]["duration"] == 2
    info = await ck.media.info(id=media["id"], fields=["meta.title", f"assets.{VIDEO}.status"])
    assert info == {"meta": {"title": "Été"}, "assets": {VIDEO: {"status": "ready"}}}

    page = await watch(ck.media.get_embed_url(media["id"]))
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    stream = ck.media.get_stream_url(media["id"], VIDEO)
    assert (await watch(stream)).content[4:8] == b"ftyp"
    download = await watch(ck.media.get_stream_url(media["id"], filename="mine.mp4"))
    assert "mine.mp4" in download.headers["content-disposition"]
    assert (await watch(ck.media.get_stream_url(media["id"], PICTURE))).content[:2] == b"\xff\xd8"

    for refused in (stream.replace(VIDEO, f"{VIDEO}-7"), ck.media.get_stream_url(media["id"], expires=1)):
        assert (await watch(refused)).status_code == 403
    agent = ck.media.get_stream_url(media["id"], seclevel=SecLevel.USERAGENT, useragent="Kino/1.0")
    assert (await watch(agent, **{"User-Agent": "Kino/1.0"})).status_code == 200
    assert (await watch(agent)).status_code == 403


async def test_what_fails_is_named(ck: AsyncCloudKey) -> None:
    media = await ck.media.create(url="http://localhost/", assets_names=[VIDEO])
    with pytest.raises(AssetFailed, match=f"'{VIDEO}' of media {media['id']} failed") as caught:
        await ck.media.wait_for_assets(media["id"], [VIDEO], timeout=60, poll=0.05)
    assert caught.value.job == {"name": VIDEO, "status": "error"}
    with pytest.raises(NotFound, match="abs"):
        await ck.media.wait_for_assets(media["id"], ["abs"], timeout=60)


async def test_metadata_come_and_go(ck: AsyncCloudKey) -> None:
    id = (await ck.media.create(meta={"a": "1"}))["id"]
    await ck.media.set_meta(id=id, meta={"b": 2, "c": True, "d": "Straße"})
    assert await ck.media.get_meta(id=id) == {"a": "1", "b": 2, "c": True, "d": "Straße"}
    await ck.media.remove_meta(id=id, keys=["a", "b", "none"])
    assert await ck.media.get_meta(id=id, keys=["c"]) == {"c": True}
    await ck.media.delete(id=id)
    with pytest.raises(NotFound):
        await ck.media.info(id=id, fields=["id"])


async def test_all_media_are_found(ck: AsyncCloudKey) -> None:
    ids = {(await ck.media.create(meta={"title": f"clip {n}"}))["id"] for n in range(7)}
    page = await ck.media.list(fields=["id"], page=2, per_page=5)
    assert (page["total"], page["pages"], page["on_this_page"], len(page["list"])) == (7, 2, 2, 2)
    assert {media["id"] async for media in ck.media.iterate(fields=["id"], per_page=3)} == ids
    titles = [
        media["meta"]["title"]
        async for media in ck.media.iterate(fields=["meta.title"], query="SORT:created", per_page=7)
    ]
    assert sorted(titles, key=str) == [f"clip {n}" for n in range(7)]
    found = await ck.media.search(query="meta.title:clip", fields=["id"], per_page=2)
    assert (len(found["list"]), found["total"], found.get("has_more")) == (2, 7, True)


REFUSED: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("media.info", {"id": UNKNOWN, "fields": ["id"]}, NotFound),
    ("media.info", {"id": SHORT, "fields": ["id"]}, InvalidParameter),
    ("media.set_meta", {"id": UNKNOWN}, InvalidParameter),
    ("media.publish", {}, InvalidMethod),
    ("lottery.draw", {}, InvalidObject),
    ("user.list", {}, AuthenticationError),
]


@pytest.mark.parametrize(("name", "args", "kind"), REFUSED)
async def test_refusals_have_their_class(
    ck: AsyncCloudKey, name: str, args: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await ck.call(name, **args)


async def test_a_wrong_key_is_refused(sandbox: Sandbox, anyio_backend: str) -> None:
    async with sandbox.cloudkey(api_key="0" * 40) as ck:
        with pytest.raises(AuthenticationError) as caught:
            await ck.user.info(fields=["id"])
    assert caught.value.code == 400


async def test_a_root_account_acts_for_others(ck: AsyncCloudKey, root: AsyncCloudKey) -> None:
    me = (await ck.user.info(fields=["id"]))["id"]
    name = f"user-{secrets.token_hex(4)}"
    other = await root.user.create(username=name, password="invented")
    with pytest.raises(Exists):
        await root.user.create(username=name, password="invented")
    assert (await root.as_user(other).user.whoami())["username"] == name
    root.act_as_user(me)
    assert (await root.user.info(fields=["id"]))["id"] == me
    root.act_as_user(None)
    await root.user.delete(id=other)
    with pytest.raises(AuthenticationError):
        await ck.as_user(me).as_user(other).user.info(fields=["id"])


async def test_settings_and_farms(ck: AsyncCloudKey, root: AsyncCloudKey) -> None:
    await ck.encoding_settings.reset()
    await ck.encoding_settings.enable_asset(asset=VIDEO)
    await ck.encoding_settings.set_asset_setting(asset=VIDEO, setting="vbitrate", value="500")
    assert await ck.encoding_settings.get_active_assets() == [VIDEO]
    assert await ck.encoding_settings.get_asset_setting(asset=VIDEO, setting="vbitrate") == "500"
    await root.farm.add_node(name="farm", node="node-1", comment="first")
    node = await root.farm.get_node(name="farm", node="node-1")
    assert node == {"name": "node-1", "weight": 1, "enabled": False, "comment": "first"}
    assert await root.farm.list_node(name="farm") == [node]
    await root.farm.remove(name="farm")


async def test_a_browser_s_upload_is_followed(ck: AsyncCloudKey, clip: Path) -> None:
    target = await ck.file.upload(status=True, jsonp_cb="told")
    assert (await ck.file.upload_status(target["status"]))["state"] == "notfound"
    async with httpx.AsyncClient() as browser:
        await browser.post(target["url"], files={"file": ("clip.mp4", clip.read_bytes())})
    assert (await ck.file.upload_status(target["status"]))["state"] == "done"


@pytest.mark.parametrize(
    "action", [{"action": "drop", "after_bytes": 20_000}, {"action": "status", "status": 503}]
)
async def test_an_upload_survives_a_broken_node(
    sandbox: Sandbox, ck: AsyncCloudKey, action: dict[str, Any]
) -> None:
    content = secrets.token_bytes(300_000)
    fault = {"method": "POST", "path": "/upload", "times": 1, **action}
    async with httpx.AsyncClient(base_url=sandbox.config["base_url"]) as control:
        (await control.post("/__sandbox__/faults", json=fault)).raise_for_status()
    stored = await ck.file.upload_file(content)
    assert stored["hash"] == hashlib.sha1(content).hexdigest()


def test_without_async(sandbox: Sandbox) -> None:
    with CloudKey(**sandbox.config["cloudkey"]) as ck:
        ck.media.reset()
        id = ck.media.create(meta={"title": "plain"})["id"]
        assert [media["id"] for media in ck.media.iterate(fields=["id"])] == [id]
        assert ck.media.get_meta(id=id) == ck.call("media.get_meta", id=id) == {"title": "plain"}
        assert ck.file.upload_file(b"some bytes")["size"] == 10
        assert list(ck.media.watch_assets(id)) == [{}]
        with pytest.raises(InvalidObject):
            ck.lottery.draw(number=7)
        assert ck.media.get_embed_url(id).startswith(sandbox.config["base_url"])
