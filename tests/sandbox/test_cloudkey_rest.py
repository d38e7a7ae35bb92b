"""CloudKey, REST era: the observable behaviour of cloudkey-rest.md section 14 by number, in the tests' names.

Held elsewhere: 41 to 43 by the same upload node in test_cloudkey_node.py. Held nowhere: 6 and 44, which are
about what a client does by itself. Of 16 the wire knows UTF-8 only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import pytest

from cloudreel.signing import sign_url

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from cloudreel.sandbox.state import World
    from conftest import Caller, Rpc

pytestmark = pytest.mark.anyio

UNKNOWN = "1b87186c84e1b015a0000000"
SHORT = "b87186c84e1b015a0000000"
QUEUED = {"status": "queued"}
NOT_FOUND, INVALID, MISSING = (404, "ApiNotFound"), (400, "ApiInvalidParam"), (400, "ApiMissingParam")
VIDEO = {
    *("name", "status", "container", "created", "duration", "file_size", "global_bitrate", "video_codec"),
    *("video_width", "video_height", "video_bitrate", "audio_codec", "audio_bitrate"),
}
PICTURE = {
    *("name", "status", "container", "created", "file_size", "video_codec", "video_width", "video_height")
}


class Rest:
    """Calls the REST API with a login."""

    def __init__(self, http: httpx.AsyncClient, username: str, password: str) -> None:
        self.http = http
        self.login = (username, password)

    async def send(self, path: str, **query: str) -> httpx.Response:
        """Send a call and return the answer."""
        return await self.http.get(f"/json/{path}", params=query, auth=self.login)

    async def __call__(self, path: str, **query: str) -> Any:
        """Send a call that must succeed; return its value, None for an empty answer."""
        response = await self.send(path, **query)
        assert response.status_code in {200, 204}, response.text
        assert (response.status_code == 204) == (not response.content)
        return response.json() if response.content else None

    async def error(self, path: str, **query: str) -> tuple[int, str]:
        """Send a call that must fail; return the status and the error's type."""
        response = await self.send(path, **query)
        body = response.json()
        assert body.keys() == {"status_code", "type", "message"}
        assert body["status_code"] == response.status_code
        assert response.headers["content-type"] == "application/json"
        return response.status_code, body["type"]

    async def settled(self, media: str) -> dict[str, Any]:
        """Return the assets of a media by name once none is pending or processing."""
        with anyio.fail_after(90):
            while True:
                assets = (await self("media/info", id=media))["assets"]
                if all(asset["status"] in {"ready", "error"} for asset in assets):
                    return {asset["name"]: asset for asset in assets}
                await anyio.sleep(0.05)


@pytest.fixture
def rest(world: World, call: Caller) -> Rest:
    """A normal account."""
    return Rest(call.http, **world.credentials["cloudkey_rest"])


@pytest.fixture
def super_user(world: World, call: Caller) -> Rest:
    """An account that may act as any other."""
    return Rest(call.http, **world.credentials["cloudkey_rest_root"])


async def created(rest: Rest) -> str:
    """Create a media; return its id."""
    id: str = (await rest("media/create"))["id"]
    return id


# -- who calls -------------------------------------------------------------------------------------------


STRANGERS: list[dict[str, str]] = [
    {},
    {"authorization": "Basic Tm9uZTpOb25l"},
    {"authorization": "Basic dXNlcjp3cm9uZw=="},
    {"authorization": "Basic ?"},
    {"authorization": "Basic /w=="},
    {"authorization": "Bearer x"},
]


async def test_01_without_good_credentials_nothing_is_told(rest: Rest) -> None:
    for headers in STRANGERS:
        reply = await rest.http.get("/json/user/whoami?", headers=headers)
        assert reply.status_code == 401, headers
        assert reply.headers["www-authenticate"].startswith("Basic realm=")


async def test_02_a_caller_is_told_who_it_is(rest: Rest, rpc: Rpc) -> None:
    told = await rest("user/whoami")
    assert told == {"id": rpc.user_id, "username": rest.login[0], "api_key": rpc.api_key}


async def test_03_a_normal_user_acts_for_itself_only(rest: Rest) -> None:
    for name in ("root", "nobody"):
        assert (await rest("user/whoami", __user__=name))["username"] == "user"


async def test_04_05_a_super_user_acts_as_others(rest: Rest, super_user: Rest) -> None:
    assert (await super_user("user/whoami", __user__="user"))["username"] == "user"
    media = await super_user("media/create", __user__="user")
    assert (await rest("media/info", **media))["id"] == media["id"]
    assert (await super_user.send("user/whoami", __user__="nobody")).status_code == 401


@pytest.mark.parametrize(
    "path", ["media/nothing", "nothing/list", "media", "media/list/x", "media/__class__"]
)
async def test_unknown_methods_are_not_json(rest: Rest, path: str) -> None:
    reply = await rest.send(path)
    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("text/plain")
    assert (await rest.http.get(f"/xml/{path}")).status_code == 404


# -- media and meta --------------------------------------------------------------------------------------


async def test_07_08_09_media_come_and_go(rest: Rest) -> None:
    media = await rest("media/create")
    assert media.keys() == {"id"}
    assert len(media["id"]) == 24
    told = await rest("media/info", **media)
    assert told.keys() == {"id", "meta", "assets", "created"}
    assert (told["meta"], told["assets"]) == ({}, [])
    assert await rest("media/count") == 1
    assert await rest("media/delete", **media) is None
    assert await rest.error("media/info", **media) == NOT_FOUND


WITH_AN_ID: list[tuple[str, dict[str, str]]] = [
    ("media/info", {}),
    ("media/delete", {}),
    ("media/set_meta", {"key": "a", "value": "b"}),
    ("media/get_meta", {"key": "a"}),
    ("media/list_meta", {}),
    ("media/remove_meta", {"key": "a"}),
    ("media/set_asset", {"preset": "source", "url": "http://localhost/"}),
    ("media/get_asset", {"preset": "source"}),
    ("media/list_asset", {}),
    ("media/remove_asset", {"preset": "source"}),
    ("media/process_asset", {"preset": "mp4_h264_aac"}),
    ("media/get_asset_url", {"preset": "source"}),
    ("media/get_embed", {}),
]


async def test_10_14_ids_are_checked(rest: Rest) -> None:
    for method, query in WITH_AN_ID:
        assert await rest.error(method, id=UNKNOWN, **query) == NOT_FOUND, method
        assert await rest.error(method, id=SHORT, **query) == INVALID, method
        assert await rest.error(method, **query) == MISSING, method


async def test_11_reset_leaves_nothing(rest: Rest) -> None:
    await created(rest)
    assert await rest("media/reset") is None
    assert await rest("media/list") == []


async def test_12_13_16_meta_are_set_and_told(rest: Rest, rpc: Rpc) -> None:
    media = await created(rest)
    for value in ("42", "true", "Été ♥ +&=", ""):
        assert await rest("media/set_meta", id=media, key="my key", value=value) is None
        assert await rest("media/get_meta", id=media, key="my key") == {"value": value}
    assert await rpc("media.get_meta", id=media) == {"my key": ""}


WITHOUT: list[tuple[str, dict[str, str]]] = [
    ("media/set_meta", {"key": "a"}),
    ("media/set_meta", {"value": "a"}),
    ("media/set_meta", {}),
    ("media/get_meta", {}),
    ("media/remove_meta", {}),
]


async def test_15_nothing_may_be_missing(rest: Rest) -> None:
    media = await created(rest)
    for method, query in WITHOUT:
        assert await rest.error(method, id=media, **query) == MISSING, (method, query)


@pytest.mark.parametrize("key", ["absent", "[]", "100"])
async def test_17_absent_meta_are_not_found(rest: Rest, key: str) -> None:
    assert await rest.error("media/get_meta", id=await created(rest), key=key) == NOT_FOUND


async def test_18_19_meta_are_listed_and_removed(rest: Rest) -> None:
    media = await created(rest)
    assert await rest("media/list_meta", id=media) == {}
    for number in range(10):
        await rest("media/set_meta", id=media, key=f"key-{number}", value=str(number))
    assert await rest("media/list_meta", id=media) == {f"key-{n}": str(n) for n in range(10)}
    assert await rest("media/remove_meta", id=media, key="key-3") is None
    assert await rest.error("media/remove_meta", id=media, key="key-3") == NOT_FOUND
    assert await rest.error("media/get_meta", id=media, key="key-3") == NOT_FOUND


# -- assets ----------------------------------------------------------------------------------------------


async def test_20_to_24_assets_are_brought_and_removed(rest: Rest, rpc: Rpc, clip: Path) -> None:
    media, url = await created(rest), await rpc.upload("a.mp4", clip.read_bytes())
    asked = {"id": media, "url": url, "callback_url": "http://localhost/"}
    assert await rest("media/set_asset", preset="source", **asked) == QUEUED
    assert (await rest("media/get_asset", id=media, preset="source"))["status"] in {"pending", "processing"}
    assert await rest("media/set_asset", preset="mp4_h264_aac", **asked) == QUEUED
    assets = await rest.settled(media)
    assert {name: asset.keys() for name, asset in assets.items()} == {"source": VIDEO, "mp4_h264_aac": VIDEO}
    assert await rest("media/list_asset", id=media) == list(assets.values())
    assert await rest("media/remove_asset", id=media, preset="source") == QUEUED
    assert await rest.error("media/get_asset", id=media, preset="source") == NOT_FOUND
    assert await rest.error("media/remove_asset", id=media, preset="source") == NOT_FOUND
    await rest("media/set_asset", preset="source", **asked)
    assert await rest("media/remove_asset", id=media, preset="source") == QUEUED
    assert await rest.error("media/get_asset", id=media, preset="source") == NOT_FOUND


async def test_25_26_27_assets_are_made_of_assets(rest: Rest, rpc: Rpc, clip: Path) -> None:
    media, url = await created(rest), await rpc.upload("a.mp4", clip.read_bytes())
    await rest("media/set_asset", id=media, preset="source", url=url)
    assert await rest("media/process_asset", id=media, preset="mp4_h264_aac") == QUEUED
    assert (await rest("media/get_asset", id=media, preset="mp4_h264_aac"))["status"] == "pending"
    picture = {"preset": "jpeg_thumbnail_small", "source_preset": "mp4_h264_aac"}
    assert await rest("media/process_asset", id=media, **picture) == QUEUED
    assets = await rest.settled(media)
    assert (assets["mp4_h264_aac"].keys(), assets["jpeg_thumbnail_small"].keys()) == (VIDEO, PICTURE)
    later = {"preset": "jpeg_thumbnail_large", "source_preset": "mp4_h264_aac"}
    assert await rest("media/process_asset", id=media, **later) == QUEUED
    assert (await rest.settled(media))["jpeg_thumbnail_large"]["status"] == "ready"
    path = urlsplit(await rest("media/get_asset_url", id=media, preset="jpeg_thumbnail_large")).path
    assert path.startswith(f"/{rpc.user_id}/{media}/jpeg_thumbnail_large-")
    assert path.endswith(".jpeg")
    path = urlsplit(await rest("media/get_asset_url", id=media, preset="mp4_h264_aac")).path
    assert path.startswith(f"/route/{rpc.user_id}/{media}/mp4_h264_aac-")
    page = await rest("media/get_mediaplayer_url", id=media)
    assert (await rest.http.get(page)).status_code == 200
    assert (await rest("media/get_embed", id=media)).startswith('<iframe src="http://sandbox.local/')


async def test_28_29_what_cannot_be_made_is_said_in_a_good_answer(rest: Rest) -> None:
    media = await created(rest)
    reply = await rest("media/process_asset", id=media, preset="mp4_h264_aac")
    assert reply["status"] == "error"
    assert await rest.error("media/get_asset", id=media, preset="mp4_h264_aac") == NOT_FOUND
    await rest("media/set_asset", id=media, preset="source", url="http://localhost/")
    assert await rest("media/process_asset", id=media, preset="mp4_h264_aac") == QUEUED
    assert await rest("media/process_asset", id=media, preset="mp4_h264_aac") == {
        "status": "error",
        "type": "AssetAlreadyExists",
        "message": 'The preset "mp4_h264_aac" already exists.',
    }
    assert await rest.error("media/process_asset", id=media, preset="nothing") == INVALID


async def test_30_33_publish_does_all_at_once(rest: Rest, rpc: Rpc, clip: Path) -> None:
    url = await rpc.upload("a.mp4", clip.read_bytes())
    presets = '["mp4_h264_aac", "jpeg_thumbnail_medium", "mp4_h264_aac"]'
    media = await rest("media/publish", url=url, presets=presets, meta='{"title": "t"}')
    told = await rest("media/info", **media)
    assert told["meta"] == {"title": "t"}
    assert [(asset["name"], asset["status"]) for asset in told["assets"][1:]] == [
        ("mp4_h264_aac", "pending"),
        ("jpeg_thumbnail_medium", "pending"),
    ]
    assets = await rest.settled(media["id"])
    assert (assets["mp4_h264_aac"].keys(), assets["jpeg_thumbnail_medium"].keys()) == (VIDEO, PICTURE)


@pytest.mark.parametrize("decodable", [False, None])
async def test_31_32_34_publish_of_what_is_no_film(rest: Rest, rpc: Rpc, decodable: bool | None) -> None:
    url = "http://localhost/" if decodable is None else await rpc.upload("a.mp4", b"this is no film")
    names = ["mp4_h264_aac", "jpeg_thumbnail_medium"]
    media = await rest("media/publish", url=url, presets='["mp4_h264_aac", "jpeg_thumbnail_medium"]')
    with anyio.fail_after(60):
        assets = await rest.settled(media["id"])
    assert {name: assets[name] for name in names} == {
        name: {"name": name, "status": "error"} for name in names
    }
    if decodable is False:
        assert assets["source"]["status"] == "ready"


# -- lists -----------------------------------------------------------------------------------------------


async def test_35_36_37_lists_are_bare(rest: Rest) -> None:
    ids = [await created(rest) for _ in range(30)]

    async def listed(**query: str) -> list[str]:
        return [item["id"] for item in await rest("media/list", **query)]

    assert await rest("media/list") == [{"id": id, "meta": {}, "assets": []} for id in ids]
    assert await listed(page="2") == ids[10:20]
    assert await listed(page="2", count="6") == ids[6:12]
    assert await listed(count="3") == ids[:3]
    assert await listed(page="9") == []
    assert await listed(sort='[["created", -1]]', page="null") == ids[::-1]


BAD_LISTS: list[dict[str, str]] = [
    {"filter": '{"$where": "1"}'},
    {"filter": "meta"},
    {"filter": '["meta"]'},
    {"fields": "meta.a"},
    {"fields": '"meta.a"'},
    {"sort": '[["created", 5]]'},
    {"page": "0"},
    {"page": "x"},
    {"page": "1.5"},
    {"count": "0"},
]


async def test_38_lists_are_asked_for_properly(rest: Rest) -> None:
    for query in BAD_LISTS:
        assert await rest.error("media/list", **query) == INVALID, query


async def test_39_40_lists_are_filtered_and_their_meta_narrowed(rest: Rest, rpc: Rpc) -> None:
    for number in range(25):
        meta = {f"mykey-{key}": f"value-{number % 2 + key}" for key in range(1, 5)}
        await rpc("media.create", meta=meta)
    fields = '["meta.mykey-2", "meta.mykey-3"]'
    for value, count in (("value-1", 13), ("value-2", 12)):
        wanted = '{"meta.mykey-1": "' + value + '"}'
        items = await rest("media/list", filter=wanted, fields=fields)
        assert len(items) == count
        assert all(item.keys() == {"id", "meta", "assets"} for item in items)
        assert all(item["meta"].keys() == {"mykey-2", "mykey-3"} for item in items)


# -- uploads, settings, farms, players -------------------------------------------------------------------


async def test_41_42_uploads_have_a_url(rest: Rest) -> None:
    assert (await rest("file/upload")).keys() == {"url"}
    target = "http://www.example.com/myform"
    url = (await rest("file/upload", target=target, status="true"))["url"]
    query = dict(parse_qsl(urlsplit(url).query))
    assert query.keys() == {"seal", "uuid", "target"}
    assert query["target"] == target
    reply = await rest.http.post(url.partition("&target")[0], files={"file": ("a.3gp", b"x")})
    assert reply.status_code == 302


async def test_45_46_encoding_settings_are_kept(rest: Rest) -> None:
    for asset in ("b", "a", "b"):
        assert await rest("user/enable_asset", asset=asset) is None
    assert await rest("user/get_active_assets") == ["b", "a"]
    for _ in range(2):
        assert await rest("user/disable_asset", asset="b") is None
    assert await rest("user/get_active_assets") == ["a"]
    for setting in ("abitrate", "vbitrate"):
        await rest("user/set_asset_setting", asset="a", setting=setting, value="42")
        assert await rest("user/get_asset_setting", asset="a", setting=setting) == "42"
    assert await rest("user/reset_encoding_settings") is None
    assert await rest("user/get_active_assets") == []


async def test_47_to_51_farms_hold_nodes(rest: Rest) -> None:
    node = {"name": "farm-a", "node": "node-1"}
    assert await rest.error("farm/get_node", **node) == NOT_FOUND
    assert await rest("farm/add_node", **node) is None
    plain = {"comment": "", "enabled": False, "name": "node-1", "weight": 1}
    assert await rest("farm/get_node", **node) == plain
    for enabled in ("true", "1"):
        assert await rest("farm/add_node", **node, weight="10", enabled=enabled, comment="c") is None
        changed = {"comment": "c", "enabled": True, "name": "node-1", "weight": 10}
        assert await rest("farm/list_node", name="farm-a") == [changed]
    assert await rest.error("farm/add_node", **node, enabled="perhaps") == INVALID
    await rest("farm/add_node", name="farm-a", node="node-2", enabled="true")
    chosen = await rest("farm/select_node", name="farm-a", content="x")
    assert await rest("farm/select_node", name="farm-a", content="x") == chosen
    for _ in range(2):
        assert await rest("farm/remove", name="farm-a") is None


async def test_the_june_form_of_streams_never_expires_at_zero(rest: Rest) -> None:
    owner, media = await rest("user/whoami"), await created(rest)
    url = f"http://sandbox.local/swf/stream/{owner['id']}/{media}"
    signed = sign_url(url, owner["api_key"], expires=0, nonce="abcd1234")
    assert (await rest.http.get(signed)).headers["content-type"] == "application/x-shockwave-flash"
    assert (await rest.http.get(url)).status_code == 403
