"""The methods written down: each sends its own name and arguments (cloudkey-rpc.md 10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from cloudreel.cloudkey import AsyncCloudKey

if TYPE_CHECKING:
    from conftest import Script

pytestmark = pytest.mark.anyio

MEDIA = "4c922386dede830447000009"

PAGE: dict[str, object] = {"list": [], "page": 1, "pages": 1, "per_page": 10, "on_this_page": 0, "total": 0}
ASSETS = ["mp4_h264_aac"]
URL = "http://a.example/v.mp4"

CALLS: list[tuple[Callable[[AsyncCloudKey], Awaitable[object]], str, dict[str, Any], object]] = [
    (
        lambda ck: ck.media.create(url=URL, assets_names=ASSETS, meta={"a": 1}, assets_parameters={"b": {}}),
        "media.create",
        {"url": URL, "assets_names": ASSETS, "meta": {"a": 1}, "assets_parameters": {"b": {}}},
        {"id": MEDIA},
    ),
    (lambda ck: ck.media.info(id=MEDIA), "media.info", {"id": MEDIA}, {"id": MEDIA}),
    (
        lambda ck: ck.media.list(fields=["id"], page=2, per_page=20),
        "media.list",
        {"fields": ["id"], "page": 2, "per_page": 20},
        PAGE,
    ),
    (
        lambda ck: ck.media.search(query="meta.title:x", fields=["id"], page=1, per_page=5),
        "media.search",
        {"query": "meta.title:x", "fields": ["id"], "page": 1, "per_page": 5},
        {**PAGE, "has_more": False},
    ),
    (lambda ck: ck.media.delete(id=MEDIA), "media.delete", {"id": MEDIA}, None),
    (
        lambda ck: ck.media.set_meta(id=MEDIA, meta={"k": None}),
        "media.set_meta",
        {"id": MEDIA, "meta": {"k": None}},
        None,
    ),
    (
        lambda ck: ck.media.get_meta(id=MEDIA, keys=["k"]),
        "media.get_meta",
        {"id": MEDIA, "keys": ["k"]},
        {"k": 1},
    ),
    (
        lambda ck: ck.media.remove_meta(id=MEDIA, keys=["k"]),
        "media.remove_meta",
        {"id": MEDIA, "keys": ["k"]},
        None,
    ),
    (
        lambda ck: ck.media.set_assets(id=MEDIA, assets=[{"name": "source", "url": URL}]),
        "media.set_assets",
        {"id": MEDIA, "assets": [{"name": "source", "url": URL}]},
        None,
    ),
    (
        lambda ck: ck.media.get_assets(id=MEDIA),
        "media.get_assets",
        {"id": MEDIA},
        {"source": {"status": "ready"}},
    ),
    (
        lambda ck: ck.media.get_asset(id=MEDIA, asset_name="source"),
        "media.get_asset",
        {"id": MEDIA, "asset_name": "source"},
        {"status": "ready"},
    ),
    (
        lambda ck: ck.media.remove_assets(id=MEDIA, assets_names=ASSETS),
        "media.remove_assets",
        {"id": MEDIA, "assets_names": ASSETS},
        None,
    ),
    (
        lambda ck: ck.media.set_thumbnail(id=MEDIA, timecode="00:00:01.00", force=True),
        "media.set_thumbnail",
        {"id": MEDIA, "timecode": "00:00:01.00", "force": True},
        None,
    ),
    (
        lambda ck: ck.media.get_subs_urls(id=MEDIA, type="srt"),
        "media.get_subs_urls",
        {"id": MEDIA, "type": "srt"},
        {"fr": URL},
    ),
    (lambda ck: ck.media.stats(id=MEDIA), "media.stats", {"id": MEDIA}, [1]),
    (lambda ck: ck.media.count(), "media.count", {}, 4),
    (lambda ck: ck.media.reset(), "media.reset", {}, None),
    (
        lambda ck: ck.file.upload(target=URL, status=True, jsonp_cb="?"),
        "file.upload",
        {"target": URL, "status": True, "jsonp_cb": "?"},
        {"url": URL, "status": URL},
    ),
    (
        lambda ck: ck.user.info(id=MEDIA, fields=["id"]),
        "user.info",
        {"id": MEDIA, "fields": ["id"]},
        {"id": MEDIA},
    ),
    (lambda ck: ck.user.whoami(), "user.whoami", {}, {"id": MEDIA, "username": "u"}),
    (
        lambda ck: ck.user.create(username="u", password="p"),
        "user.create",
        {"username": "u", "password": "p"},
        MEDIA,
    ),
    (lambda ck: ck.user.delete(id=MEDIA), "user.delete", {"id": MEDIA}, None),
    (lambda ck: ck.user.list(), "user.list", {}, [{"id": MEDIA}]),
    (
        lambda ck: ck.user.set(id=None, fields={"username": "u"}),
        "user.set",
        {"id": None, "fields": {"username": "u"}},
        MEDIA,
    ),
    (
        lambda ck: ck.user.search(org_id=MEDIA, fields=["id"], page=1, per_page=2),
        "user.search",
        {"org_id": MEDIA, "fields": ["id"], "page": 1, "per_page": 2},
        {"list": [], "has_more": False},
    ),
    (lambda ck: ck.system.reset(object="media"), "system.reset", {"object": "media"}, None),
    (lambda ck: ck.organisation.get(), "organisation.get", {}, {"id": MEDIA}),
    (lambda ck: ck.player_preset.list(), "player_preset.list", {}, [{"id": MEDIA, "name": "n"}]),
    (
        lambda ck: ck.encoding_settings.enable_asset(asset="abs"),
        "encoding_settings.enable_asset",
        {"asset": "abs"},
        None,
    ),
    (
        lambda ck: ck.encoding_settings.disable_asset(asset="abs"),
        "encoding_settings.disable_asset",
        {"asset": "abs"},
        None,
    ),
    (lambda ck: ck.encoding_settings.get_active_assets(), "encoding_settings.get_active_assets", {}, ASSETS),
    (
        lambda ck: ck.encoding_settings.set_asset_setting(asset="abs", setting="vbitrate", value="1"),
        "encoding_settings.set_asset_setting",
        {"asset": "abs", "setting": "vbitrate", "value": "1"},
        None,
    ),
    (
        lambda ck: ck.encoding_settings.get_asset_setting(asset="abs", setting="vbitrate"),
        "encoding_settings.get_asset_setting",
        {"asset": "abs", "setting": "vbitrate"},
        "1",
    ),
    (lambda ck: ck.encoding_settings.reset(), "encoding_settings.reset", {}, None),
    (
        lambda ck: ck.farm.add_node(name="f", node="n", weight=2, enabled=False, comment=""),
        "farm.add_node",
        {"name": "f", "node": "n", "weight": 2, "enabled": False, "comment": ""},
        None,
    ),
    (
        lambda ck: ck.farm.get_node(name="f", node="n"),
        "farm.get_node",
        {"name": "f", "node": "n"},
        {"name": "n"},
    ),
    (lambda ck: ck.farm.list_node(name="f"), "farm.list_node", {"name": "f"}, [{"name": "n"}]),
    (
        lambda ck: ck.farm.select_node(name="f", content="c"),
        "farm.select_node",
        {"name": "f", "content": "c"},
        {"name": "n"},
    ),
    (lambda ck: ck.farm.remove(name="f"), "farm.remove", {"name": "f"}, None),
]


@pytest.mark.parametrize(("method", "name", "args", "result"), CALLS, ids=[call[1] for call in CALLS])
async def test_a_method(
    script: Script,
    method: Callable[[AsyncCloudKey], Awaitable[object]],
    name: str,
    args: dict[str, Any],
    result: object,
) -> None:
    script.results(result)
    async with script.client() as ck:
        assert await method(ck) == result
    assert script.calls == [{"call": name, "args": args}]


def page(start: int, count: int, **more: object) -> dict[str, object]:
    return {"list": [{"id": str(start + n)} for n in range(count)], **more}


PAGES: list[list[dict[str, object]]] = [
    [page(0, 2, pages=3), page(2, 2, pages=3), page(4, 1, pages=3)],
    [page(0, 2, pages=2), page(2, 3, pages=2)],  # more than were asked for
    [page(0, 1, pages=3), page(1, 1, pages=3), page(2, 3, pages=3)],  # fewer
    [page(0, 3, has_more=True), page(3, 2, has_more=False)],
    [page(0, 5, has_more=True), page(5, 0, has_more=True)],
    [page(0, 4), page(4, 1), page(5, 0)],  # no word of an end
]


@pytest.mark.parametrize("pages", PAGES)
async def test_all_media_are_fetched_page_by_page(script: Script, pages: list[dict[str, object]]) -> None:
    script.results(*pages)
    async with script.client() as ck:
        found = [media["id"] async for media in ck.media.iterate(fields=["id"], per_page=2)]
    assert found == ["0", "1", "2", "3", "4"]
    assert script.calls == [
        {"call": "media.list", "args": {"fields": ["id"], "page": n + 1, "per_page": 2}}
        for n in range(len(pages))
    ]


async def test_what_a_query_finds_is_fetched_page_by_page(script: Script) -> None:
    script.results(page(0, 2, has_more=True), page(2, 0, has_more=False))
    async with script.client() as ck:
        pager = ck.media.iterate(query="SORT:created", per_page=2)
        assert [found async for found in pager.pages()] == [[{"id": "0"}, {"id": "1"}]]
    assert script.calls == [
        {"call": "media.search", "args": {"query": "SORT:created", "page": n, "per_page": 2}} for n in (1, 2)
    ]


async def test_a_loop_may_be_left_and_begun_anew(script: Script) -> None:
    script.results(page(0, 2, pages=9))
    async with script.client() as ck:
        pager = ck.media.iterate(per_page=2)
        firsts = [(await anext(aiter(pager)))["id"] for _ in range(2)]
        with pytest.raises(ValueError, match="per_page"):
            ck.media.iterate(per_page=0)
    assert firsts == ["0", "0"]
    assert [call["args"]["page"] for call in script.calls] == [1, 1]
