"""CloudKey, JSON-RPC era: calls, media, meta, lists, users.

The numbers of the observable behaviour (cloudkey-rpc.md section 17) stand in the tests' names: 1 to 25, 37 to
40 and 45 to 56 are here, 26 to 35 in test_cloudkey_assets.py, 41 to 43 in test_cloudkey_node.py. Two are held
nowhere: 36 is about methods that did not last (they answer 620 here), 44 about a client's own files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudreel.signing import sign_call

if TYPE_CHECKING:
    from conftest import Rpc

pytestmark = pytest.mark.anyio

UNKNOWN = "1b87186c84e1b015a0000000"
SHORT = "b87186c84e1b015a0000000"
TEN = {f"key-{number}": f"value {number}" for number in range(10)}


# -- the envelope (section 18) ---------------------------------------------------------------------------


BAD_REQUESTS: list[tuple[bytes, int]] = [
    (b"not JSON", 500),
    (b'{"call": "\xff"}', 500),
    (b'{"call": "media.list", "args": {"page": NaN}}', 500),
    (b'{"call": "user.info", "args": {"id": "\\ud800"}}', 500),
    (b"[" * 100_000, 500),
    (b'["media.list"]', 600),
    (b"{}", 600),
    (b'{"call": 1}', 600),
    (b'{"call": "media"}', 640),
    (b'{"call": "media."}', 640),
    (b'{"call": ".list"}', 640),
    (b'{"call": "media.a.b"}', 640),
    (b'{"call": "media.list", "args": [1]}', 600),
    (b'{"call": "media.list", "args": null}', 600),
    (b'{"call": "media.list"}', 400),
    (b'{"call": "media.list", "auth": 1}', 400),
    (b'{"call": "media.list", "auth": "nobody:0"}', 400),
    (b'{"call": "nothing.list", "auth": ":0"}', 400),
]


async def test_requests_are_checked_in_order(rpc: Rpc) -> None:
    async def code(body: bytes) -> int:
        response = await rpc.http.post("/api", content=body)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.headers["access-control-allow-origin"] == "*"
        code: int = response.json()["error"]["code"]
        return code

    assert [(body, await code(body)) for body, _ in BAD_REQUESTS] == BAD_REQUESTS


@pytest.mark.parametrize(
    ("method", "code", "message"),
    [
        ("nothing.list", 610, "There is no object 'nothing'"),
        ("media.count", 620, "'Media' object has no attribute 'count'"),
        ("media.__class__", 620, "'Media' object has no attribute '__class__'"),
        ("media.set_asset", 620, "'Media' object has no attribute 'set_asset'"),
        ("media.info", 630, "Invalid parameters for media.info"),
    ],
)
async def test_15_errors_are_worded_as_the_service_did(
    rpc: Rpc, method: str, code: int, message: str
) -> None:
    error = (await rpc.reply(method))["error"]
    assert (error["code"], error["message"]) == (code, message)


@pytest.mark.parametrize("args", [{}, [], None])
async def test_empty_arguments_take_three_forms(rpc: Rpc, args: Any) -> None:
    auth = sign_call(rpc.user_id, rpc.api_key, "user.info", args)
    body = {"call": "user.info", "auth": auth} | ({} if args is None else {"args": args})
    assert (await rpc.send(body))["result"]["id"] == rpc.user_id


async def test_a_signature_covers_what_was_sent_and_may_come_again(rpc: Rpc) -> None:
    call, args = "media.create", {"meta": {"title": "Été ♥", "rating": 4.5, "views": 10**15, "hd": False}}
    body = {"call": call, "args": args, "auth": sign_call(rpc.user_id, rpc.api_key, call, args)}
    first, again = await rpc.send(body), await rpc.send(body)
    assert first["result"]["id"] != again["result"]["id"]
    assert (await rpc.send(body | {"more": 1}))["error"]["code"] == 400


async def test_a_wrong_signature_is_explained_without_the_key(rpc: Rpc) -> None:
    auth = sign_call(rpc.user_id, "another key", "user.info", {})
    error = (await rpc.send({"call": "user.info", "args": {}, "auth": auth}))["error"]
    assert error["code"] == 400
    assert f"{rpc.user_id}argscalluser.info<secret>" in error["message"]
    assert rpc.api_key not in str(error)


async def test_calls_are_posted(rpc: Rpc) -> None:
    assert (await rpc.http.get("/api")).status_code == 405


# -- who calls -------------------------------------------------------------------------------------------


async def test_01_a_caller_is_told_who_it_is(rpc: Rpc) -> None:
    assert await rpc("user.info", fields=["id"]) == {"id": rpc.user_id}
    assert await rpc("user.whoami") == {"id": rpc.user_id, "username": "user"}


@pytest.mark.parametrize("user_id", ["0" * 24, "0" * 23, ""])
async def test_02_03_unknown_and_empty_users_are_refused(rpc: Rpc, user_id: str) -> None:
    auth = sign_call(user_id, "", "user.info", {})
    assert (await rpc.send({"call": "user.info", "args": {}, "auth": auth}))["error"]["code"] == 400


async def test_04_a_normal_account_acts_for_nobody(rpc: Rpc, root: Rpc) -> None:
    for user_id in (root.user_id, rpc.user_id):
        assert await rpc.code("user.info", act_as_user=user_id) == 400


async def test_05_07_root_acts_as_others_call_by_call(rpc: Rpc, root: Rpc) -> None:
    media = await root.reply("media.create", act_as_user=rpc.user_id)
    assert (await root("user.info", fields=["username"])) == {"username": "root"}
    acting = await root.reply("user.whoami", act_as_user=rpc.user_id)
    assert acting["result"]["id"] == rpc.user_id
    assert await rpc("media.info", id=media["result"]["id"], fields=["id"]) == media["result"]
    assert await root.code("user.list", act_as_user=rpc.user_id) == 400


async def test_06_root_cannot_act_as_nobody(root: Rpc) -> None:
    assert await root.code("user.info", act_as_user="0" * 24) == 400


# -- media and meta --------------------------------------------------------------------------------------


async def test_08_09_media_are_created_and_told(rpc: Rpc) -> None:
    media = await rpc("media.create")
    assert media.keys() == {"id"}
    assert len(media["id"]) == 24
    assert await rpc("media.info", id=media["id"], fields=["id"]) == media
    assert (await rpc("media.info", id=media["id"])).keys() == {"id", "created", "meta", "assets"}


async def test_10_fields_select_exactly(rpc: Rpc) -> None:
    meta = {"title": "my first video", "author": "John Doe", "a.b": 1}
    media = (await rpc("media.create", meta=meta))["id"]

    async def info(*fields: str) -> Any:
        return await rpc("media.info", id=media, fields=list(fields))

    assert await info("meta.title", "meta.author") == {
        "meta": {"title": "my first video", "author": "John Doe"}
    }
    assert await info("meta") == {"meta": meta}
    assert await info("meta.a.b", "meta.absent") == {"meta": {"a.b": 1, "absent": None}}
    assert await info("assets") == {"assets": {}}
    assert await info("assets.source.duration") == {"assets": {"source": {"duration": None}}}
    assert await info("stats.global.last_week") == {"stats": {"global": {"last_week": 0}}}
    assert await info("frame_ratio", "id") == {"frame_ratio": None, "id": media}
    assert await info() == {}


async def test_fields_that_lead_nowhere_are_invalid(rpc: Rpc) -> None:
    media = (await rpc("media.create"))["id"]
    for field in (
        "nothing",
        "id.x",
        "assets.source.nothing",
        "stats.global",
        "stats.global.x",
        "stats.eu",
        "",
    ):
        assert await rpc.code("media.info", id=media, fields=[field]) == 630, field


async def test_11_deleted_media_are_gone(rpc: Rpc) -> None:
    media = await rpc("media.create")
    assert await rpc("media.delete", **media) is None
    assert await rpc.code("media.info", **media, fields=["id"]) == 1010


WITH_AN_ID: list[tuple[str, dict[str, Any]]] = [
    ("media.info", {"fields": ["id"]}),
    ("media.delete", {}),
    ("media.set_meta", {"meta": {"a": "b"}}),
    ("media.get_meta", {}),
    ("media.remove_meta", {"keys": ["a"]}),
    ("media.set_assets", {"assets": []}),
    ("media.get_assets", {}),
    ("media.remove_assets", {"assets_names": []}),
    ("media.get_asset", {"asset_name": "source"}),
    ("media.set_thumbnail", {"timecode": "00:00:01.00"}),
    ("media.get_subs_urls", {}),
]


async def test_12_13_19_ids_are_checked(rpc: Rpc, root: Rpc) -> None:
    others = (await root("media.create"))["id"]
    for method, args in WITH_AN_ID:
        for named, code in (
            *(({"id": UNKNOWN}, 1010), ({"id": SHORT}, 630), ({"media_id": UNKNOWN}, 1010), ({}, 630)),
            ({"id": others}, 1010),
        ):
            assert await rpc.code(method, **named, **args) == code, (method, named)


@pytest.mark.parametrize(("method", "args"), [("media.reset", {}), ("system.reset", {"object": "media"})])
async def test_14_reset_empties_the_account(rpc: Rpc, root: Rpc, method: str, args: dict[str, Any]) -> None:
    for account in (rpc, rpc, root):
        await account("media.create")
    assert await rpc(method, **args) is None
    assert (await rpc("media.list"))["total"] == 0
    assert (await root("media.list"))["total"] == 1
    assert await rpc.code("system.reset", object="user") == 630


async def test_16_17_18_meta_are_set_and_told(rpc: Rpc) -> None:
    media = await rpc("media.create", meta={"kept": True})
    assert await rpc("media.set_meta", **media, meta=TEN) is None
    assert await rpc("media.get_meta", **media) == {"kept": True, **TEN}
    assert await rpc("media.get_meta", **media, keys=["key-3"]) == {"key-3": "value 3"}
    await rpc("media.set_meta", **media, meta={"key-3": "other"})
    assert await rpc("media.get_meta", **media, keys=["key-3", "kept"]) == {"key-3": "other", "kept": True}


BAD_ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("media.set_meta", {"meta": ["a"]}),
    ("media.set_meta", {}),
    ("media.get_meta", {"keys": "key"}),
    ("media.remove_meta", {}),
    ("media.remove_meta", {"keys": [1]}),
    ("media.create", {"url": 1}),
    ("media.create", {"assets_names": ["mp4_h264_aac"]}),
    ("media.create", {"url": "http://localhost/", "assets_names": ["no_such_asset"]}),
    ("media.create", {"url": "no URL"}),
    ("media.create", {"meta": {"views": 10**30}}),
    ("media.create", {"nothing": 1}),
    ("media.create", {"self": 1}),
    ("media.set_assets", {"assets": ["source"]}),
    ("media.set_assets", {"assets": [{"name": "source"}]}),
    ("media.set_assets", {"assets": [{"name": "mp4_h264_aac", "action": "dance"}]}),
    ("media.set_assets", {"assets": [{"name": "../../etc", "url": "http://localhost/"}]}),
    ("media.set_thumbnail", {}),
    ("media.set_thumbnail", {"timecode": "1"}),
    ("media.set_thumbnail", {"timecode": "00:00:01", "url": "http://localhost/"}),
]


async def test_20_21_22_arguments_are_checked(rpc: Rpc) -> None:
    media = await rpc("media.create")
    for method, args in BAD_ARGUMENTS:
        named = {} if method == "media.create" else media
        error = (await rpc.reply(method, **named, **args))["error"]
        assert error["code"] == 630, (method, args)
        assert error["data"]
    assert (await rpc("media.list"))["total"] == 1


async def test_23_24_25_meta_are_removed(rpc: Rpc) -> None:
    media = await rpc("media.create", meta=TEN)
    assert await rpc("media.remove_meta", **media, keys=list(TEN)[:6]) is None
    assert len(await rpc("media.get_meta", **media)) == 4
    assert await rpc("media.remove_meta", **media, keys=[*TEN, "never set"]) is None
    assert await rpc("media.get_meta", **media) == {}
    assert await rpc("media.get_meta", **media, keys=["absent"]) == {"absent": None}


# -- lists -----------------------------------------------------------------------------------------------


async def made(rpc: Rpc, count: int) -> list[str]:
    """Create media with a number, its parity and a title; return their ids."""
    return [
        (await rpc("media.create", meta={"no": number, "odd": str(number % 2), "title": f"Title {number}"}))[
            "id"
        ]
        for number in range(count)
    ]


async def listed(rpc: Rpc, method: str = "media.list", **args: Any) -> list[int]:
    """Return the numbers of the media on one page."""
    return [item["meta"]["no"] for item in (await rpc(method, **args))["list"]]


async def test_37_39_40_lists_come_in_pages(rpc: Rpc) -> None:
    ids = await made(rpc, 13)
    first = await rpc("media.list", fields=["id"])
    assert first["list"] == [{"id": id} for id in ids[:10]]
    del first["list"]
    assert first == {"page": 1, "pages": 2, "per_page": 10, "on_this_page": 10, "total": 13}
    assert await listed(rpc, page=2, per_page=6) == [6, 7, 8, 9, 10, 11]
    beyond = await rpc("media.list", page=9)
    assert (beyond["list"], beyond["on_this_page"], beyond["total"]) == ([], 0, 13)
    await rpc("media.reset")
    assert (await rpc("media.list"))["pages"] == 1


BAD_LISTS: list[dict[str, Any]] = [
    {"filter": {"$where": "1"}},
    {"filter": {"meta.no": {"$gt": 1}}},
    {"filter": "meta"},
    {"fields": "id"},
    {"sort": [["created", 2]]},
    {"sort": ["created"]},
    {"page": 0},
    {"page": "1"},
    {"page": True},
    {"per_page": 0},
    {"per_page": 101},
    {"count": 10},
]


async def test_38_lists_are_asked_for_properly(rpc: Rpc) -> None:
    for args in BAD_LISTS:
        assert await rpc.code("media.list", **args) == 630, args


async def test_lists_are_filtered_and_sorted(rpc: Rpc) -> None:
    await made(rpc, 5)
    assert await listed(rpc, filter={"meta.odd": "1"}) == [1, 3]
    assert await listed(rpc, filter={"meta.odd": "1", "meta.no": 3}) == [3]
    assert await listed(rpc, sort=[["created", -1]]) == [4, 3, 2, 1, 0]
    assert await listed(rpc, sort=[["meta.odd", -1], ["meta.no", 1]]) == [1, 3, 0, 2, 4]
    assert await listed(rpc, filter={"meta.absent": "x"}) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [4, 3, 2, 1, 0]),
        ("SORT:created", [0, 1, 2, 3, 4]),
        ("meta.title:tITLE SORT:-meta.no", [4, 3, 2, 1, 0]),
        ("meta.odd:1", [3, 1]),
        ("meta.odd:1 meta.no:3", [3]),
        ("title 2", [2]),
        ("meta.absent:1", []),
    ],
)
async def test_searches_find_texts(rpc: Rpc, query: str, expected: list[int]) -> None:
    await made(rpc, 5)
    assert await listed(rpc, "media.search", query=query) == expected
    page = await rpc("media.search", query=query, fields=["id"], per_page=1)
    assert (page["total"], page["has_more"]) == (len(expected), len(expected) > 1)


# -- users, settings, farms ------------------------------------------------------------------------------


async def test_45_normal_accounts_manage_nobody(rpc: Rpc, root: Rpc) -> None:
    assert await rpc.code("user.create", username="a", password="b") == 400
    assert await rpc.code("user.info", id=root.user_id) == 400
    assert await rpc.code("user.delete", id=root.user_id) == 400
    assert await rpc.code("user.list") == 400
    assert await rpc.code("user.search") == 400
    assert await rpc.code("user.set", id=None, fields={}) == 400
    assert "api_key" not in await rpc("user.info")
    assert await rpc.code("user.info", fields=["_password"]) == 630


async def test_46_47_root_makes_changes_and_deletes_users(rpc: Rpc, root: Rpc) -> None:
    id = await root("user.create", username="alice", password="s3cret")
    assert isinstance(id, str)
    assert len(id) == 24
    assert await root.code("user.create", username="alice", password="x") == 1020
    users = await root("user.list")
    assert [user["username"] for user in users] == ["user", "root", "alice"]
    key = (await root("user.info", id=id, fields=["api_key"]))["api_key"]
    alice = type(rpc)(rpc.world, rpc.http, id, key)
    media = (await alice("media.create"))["id"]
    await root("user.set", id=id, fields={"email": "alice@example.com", "username": "alicia"})
    assert await alice("user.info", fields=["username", "email"]) == {
        "username": "alicia",
        "email": "alice@example.com",
    }
    made = await root("user.set", id=None, fields={"username": "bob", "password": "x", "org_id": id})
    assert (await root("user.search", org_id=id, fields=["id"]))["list"] == [{"id": id}, made]
    assert await root.code("user.set", id=None, fields={"username": "carol"}) == 630
    assert await root("user.delete", id=id) is None
    assert await alice.code("user.info") == 400
    assert rpc.world.store.get("media", media) is None
    assert await root.code("user.info", id=id) == 1010


async def test_organisation_and_player_presets_are_there(rpc: Rpc) -> None:
    assert (await rpc("organisation.get")).keys() == {"id"}
    assert [preset.keys() for preset in await rpc("player_preset.list")] == [{"id", "name"}]


async def test_48_to_51_encoding_settings_are_kept(rpc: Rpc) -> None:
    for asset in ("mp4_h264_aac", "flv_h263_mp3", "mp4_h264_aac"):
        assert await rpc("encoding_settings.enable_asset", asset=asset) is None
    assert await rpc("encoding_settings.get_active_assets") == ["mp4_h264_aac", "flv_h263_mp3"]
    for _ in range(2):
        await rpc("encoding_settings.disable_asset", asset="mp4_h264_aac")
    assert await rpc("encoding_settings.get_active_assets") == ["flv_h263_mp3"]
    setting = {"asset": "flv_h263_mp3", "setting": "vbitrate"}
    await rpc("encoding_settings.set_asset_setting", **setting, value="300")
    assert await rpc("encoding_settings.get_asset_setting", **setting) == "300"
    assert await rpc("encoding_settings.reset") is None
    assert await rpc("encoding_settings.get_active_assets") == []
    assert await rpc.code("encoding_settings.get_asset_setting", **setting) == 1010


async def test_52_to_56_farms_hold_nodes(rpc: Rpc, root: Rpc) -> None:
    assert await rpc.code("farm.get_node", name="farm-a", node="node-1") == 1010
    for number in range(4):
        assert await rpc("farm.add_node", name="farm-a", node=f"node-{number}") is None
    plain = {"comment": "", "enabled": False, "name": "node-1", "weight": 1}
    assert await rpc("farm.get_node", name="farm-a", node="node-1") == plain
    assert await rpc.code("farm.select_node", name="farm-a", content="x") == 1010
    for number in (1, 2):
        await rpc("farm.add_node", name="farm-a", node=f"node-{number}", enabled=True, weight=number)
    nodes = await rpc("farm.list_node", name="farm-a")
    assert [(node["name"], node["weight"], node["enabled"]) for node in nodes] == [
        *(("node-0", 1, False), ("node-1", 1, True), ("node-2", 2, True), ("node-3", 1, False)),
    ]
    chosen = [(await rpc("farm.select_node", name="farm-a", content=str(n)))["name"] for n in range(30)]
    assert set(chosen) == {"node-1", "node-2"}
    assert chosen == [
        (await rpc("farm.select_node", name="farm-a", content=str(n)))["name"] for n in range(30)
    ]
    assert await root("farm.list_node", name="farm-a") == []
    for _ in range(2):
        assert await rpc("farm.remove", name="farm-a") is None
    assert await rpc("farm.list_node", name="farm-a") == []
