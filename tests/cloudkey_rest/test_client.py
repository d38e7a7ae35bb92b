"""The client against a scripted service: what goes over the wire, and what comes of the answers."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel import CloudReelError
from cloudreel.cloudkey_rest import (
    ApiException,
    AsyncCloudKeyRest,
    AuthenticationFailed,
    AuthorizationRequired,
    ConnectionFailed,
    InvalidMethod,
    InvalidNamespace,
    NotFound,
    UnexpectedAnswer,
    UnreadableAnswer,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conftest import Wire

pytestmark = pytest.mark.anyio

MEDIA = "4c922386dede830447000009"
ALICE = {"id": "0123456789abcdef01234567", "username": "alice"}
BOB = {"id": "76543210fedcba9876543210", "username": "bob"}


# -- where calls go, and who makes them ------------------------------------------------------------------


async def test_calls_go_over_https_where_nothing_else_is_said(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers({"id": MEDIA})
    assert await ck.media.create() == {"id": MEDIA}
    (request,) = wire.requests
    assert (request.method, str(request.url)) == ("GET", "https://api.dmcloud.net/json/media/create")
    assert request.headers["authorization"] == "Basic YWxpY2U6czNjcmV0"
    assert wire.bodies == [b""]


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"])
async def test_calls_go_to_another_address_as_it_is(wire: Wire, base_url: str) -> None:
    async with wire.client(base_url=base_url) as ck:
        await ck.media.reset()
    assert str(wire.requests[0].url) == "http://127.0.0.1:8080/json/media/reset"


async def test_a_client_without_a_login_is_told_to_have_one(wire: Wire) -> None:
    wire.answers(httpx.Response(401))
    async with wire.client(None, None) as ck:
        with pytest.raises(AuthorizationRequired):
            await ck.user.whoami()
    assert "authorization" not in wire.requests[0].headers


async def test_a_login_that_is_not_accepted(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(httpx.Response(401))
    with pytest.raises(AuthenticationFailed):
        await ck.user.whoami()


async def test_credentials_may_change_between_calls(wire: Wire) -> None:
    passwords = iter(["old", "new"])
    async with wire.client("alice", lambda: next(passwords)) as ck:
        await ck.media.reset()
        await ck.media.reset()
    first, second = (request.headers["authorization"] for request in wire.requests)
    assert first != second


# -- methods ---------------------------------------------------------------------------------------------

CALLS: list[tuple[Callable[[AsyncCloudKeyRest], Awaitable[object]], str, dict[str, str], object]] = [
    (lambda ck: ck.user.enable_asset(asset="a"), "user/enable_asset", {"asset": "a"}, None),
    (lambda ck: ck.user.disable_asset(asset="a"), "user/disable_asset", {"asset": "a"}, None),
    (lambda ck: ck.user.get_active_assets(), "user/get_active_assets", {}, ["b", "a"]),
    (
        lambda ck: ck.user.set_asset_setting(asset="a", setting="vbitrate", value=800),
        "user/set_asset_setting",
        {"asset": "a", "setting": "vbitrate", "value": "800"},
        None,
    ),
    (
        lambda ck: ck.user.get_asset_setting(asset="a", setting="vbitrate"),
        "user/get_asset_setting",
        {"asset": "a", "setting": "vbitrate"},
        "800",
    ),
    (lambda ck: ck.user.reset_encoding_settings(), "user/reset_encoding_settings", {}, None),
    (
        lambda ck: ck.media.info(id=MEDIA),
        "media/info",
        {"id": MEDIA},
        {"id": MEDIA, "meta": {}, "assets": []},
    ),
    (lambda ck: ck.media.list(), "media/list", {}, [{"id": MEDIA, "meta": {}, "assets": []}]),
    (
        lambda ck: ck.media.list(
            page=2, count=6, filter={"meta.a": "42"}, fields=["meta.a"], sort=[("created", -1)]
        ),
        "media/list",
        {
            "page": "2",
            "count": "6",
            "filter": '{"meta.a":"42"}',
            "fields": '["meta.a"]',
            "sort": '[["created",-1]]',
        },
        [],
    ),
    (lambda ck: ck.media.delete(id=MEDIA), "media/delete", {"id": MEDIA}, None),
    (lambda ck: ck.media.reset(), "media/reset", {}, None),
    (lambda ck: ck.media.count(), "media/count", {}, 30),
    (
        lambda ck: ck.media.set_meta(id=MEDIA, key="ké", value="a b&c=d+é"),
        "media/set_meta",
        {"id": MEDIA, "key": "ké", "value": "a b&c=d+é"},
        None,
    ),
    (
        lambda ck: ck.media.get_meta(id=MEDIA, key="k"),
        "media/get_meta",
        {"id": MEDIA, "key": "k"},
        {"value": "v"},
    ),
    (lambda ck: ck.media.list_meta(id=MEDIA), "media/list_meta", {"id": MEDIA}, {"k": "v"}),
    (
        lambda ck: ck.media.remove_meta(id=MEDIA, key="k"),
        "media/remove_meta",
        {"id": MEDIA, "key": "k"},
        None,
    ),
    (
        lambda ck: ck.media.set_asset(id=MEDIA, preset="source", url="http://a.example/?b=c&d"),
        "media/set_asset",
        {"id": MEDIA, "preset": "source", "url": "http://a.example/?b=c&d"},
        {"status": "queued"},
    ),
    (
        lambda ck: ck.media.get_asset(id=MEDIA, preset="source"),
        "media/get_asset",
        {"id": MEDIA, "preset": "source"},
        {"name": "source", "status": "pending"},
    ),
    (lambda ck: ck.media.list_asset(id=MEDIA), "media/list_asset", {"id": MEDIA}, []),
    (
        lambda ck: ck.media.remove_asset(id=MEDIA, preset="source"),
        "media/remove_asset",
        {"id": MEDIA, "preset": "source"},
        {"status": "queued"},
    ),
    (
        lambda ck: ck.media.process_asset(id=MEDIA, preset="mp4_h264_aac"),
        "media/process_asset",
        {"id": MEDIA, "preset": "mp4_h264_aac"},
        {
            "status": "error",
            "type": "AssetAlreadyExists",
            "message": 'The preset "mp4_h264_aac" already exists.',
        },
    ),
    (
        lambda ck: ck.media.publish(url="http://a.example/", presets=["a", "b"], meta={"title": "é"}),
        "media/publish",
        {"url": "http://a.example/", "presets": '["a","b"]', "meta": '{"title":"é"}'},
        {"id": MEDIA},
    ),
    (
        lambda ck: ck.media.get_asset_url(id=MEDIA, preset="source"),
        "media/get_asset_url",
        {"id": MEDIA, "preset": "source"},
        "http://cdn.example/route/u/m/source-1.mp4",
    ),
    (lambda ck: ck.media.get_embed(id=MEDIA), "media/get_embed", {"id": MEDIA}, "<iframe>"),
    (lambda ck: ck.media.get_mediaplayer_url(id=MEDIA), "media/get_mediaplayer_url", {"id": MEDIA}, ["?"]),
    (lambda ck: ck.media.stats(id=MEDIA), "media/stats", {"id": MEDIA}, {"total": 3}),
    (lambda ck: ck.file.upload(), "file/upload", {}, {"url": "http://up.example/upload?uuid=1&seal=2"}),
    (
        lambda ck: ck.file.upload(target="http://www.example.com/myform"),
        "file/upload",
        {"target": "http://www.example.com/myform"},
        {"url": "http://up.example/"},
    ),
    (
        lambda ck: ck.farm.add_node(name="f", node="n", weight=10, enabled=False, comment=""),
        "farm/add_node",
        {"name": "f", "node": "n", "weight": "10", "enabled": "false", "comment": ""},
        None,
    ),
    (
        lambda ck: ck.farm.get_node(name="f", node="n"),
        "farm/get_node",
        {"name": "f", "node": "n"},
        {"name": "n"},
    ),
    (lambda ck: ck.farm.list_node(name="f"), "farm/list_node", {"name": "f"}, [{"name": "n"}]),
    (
        lambda ck: ck.farm.select_node(name="f", content="c"),
        "farm/select_node",
        {"name": "f", "content": "c"},
        {"name": "n"},
    ),
    (lambda ck: ck.farm.remove(name="f"), "farm/remove", {"name": "f"}, None),
    (lambda ck: ck.media.shuffle(id=MEDIA, by=None), "media/shuffle", {"id": MEDIA, "by": "null"}, True),
    (lambda ck: ck.user.media__meta__list(), "media/meta/list", {}, None),
    (lambda ck: ck.farm.method(self="a", name="b"), "farm/method", {"self": "a", "name": "b"}, []),
]


@pytest.mark.parametrize(
    ("ask", "path", "params", "result"), CALLS, ids=[f"{c[1]}-{i}" for i, c in enumerate(CALLS)]
)
async def test_every_method_asks_and_answers(
    wire: Wire,
    ck: AsyncCloudKeyRest,
    ask: Callable[[AsyncCloudKeyRest], Awaitable[object]],
    path: str,
    params: dict[str, str],
    result: object,
) -> None:
    wire.answers(httpx.Response(204) if result is None else result)
    assert await ask(ck) == result
    assert wire.asked == [(f"/json/{path}", params)]


async def test_all_media_come_page_by_page(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers([{"id": "a"}, {"id": "b"}], [{"id": "c"}])
    found = [medium["id"] async for medium in ck.media.iterate(fields=["meta.a"], per_page=2)]
    assert found == ["a", "b", "c"]
    assert [params for _, params in wire.asked] == [
        {"page": page, "count": "2", "fields": '["meta.a"]'} for page in ("1", "2")
    ]


async def test_a_service_that_ignores_the_page_is_not_asked_for_ever(
    wire: Wire, ck: AsyncCloudKeyRest
) -> None:
    wire.answers([{"id": "a"}, {"id": "b"}])
    assert [medium["id"] async for medium in ck.media.iterate(per_page=1)] == ["a", "b"]
    assert [params["page"] for _, params in wire.asked] == ["1", "2"]


def test_an_unknown_namespace_is_refused_without_a_call(wire: Wire) -> None:
    ck: Any = wire.client()
    with pytest.raises(InvalidNamespace, match="'medai'; there are user, media, file, farm"):
        ck.medai.list()
    assert not hasattr(ck, "api")
    assert not hasattr(ck, "_nothing")
    assert wire.requests == []


def test_what_python_looks_for_is_no_remote_method(wire: Wire) -> None:
    namespace = wire.client().media
    assert not hasattr(namespace, "__deepcopy__")
    assert not hasattr(namespace, "_ipython_display_")
    assert type(copy.copy(namespace)) is type(namespace)


def test_objects_say_what_they_are_and_nothing_secret(wire: Wire) -> None:
    ck = wire.client("alice", "hunter2")
    shown = [repr(ck), repr(ck.media), repr(ck.media.shuffle), repr(ck.farm.a__b)]
    assert shown == [
        "<CloudKeyRest at https://api.dmcloud.net>",
        "<Namespace media>",
        "</json/media/shuffle>",
        "</json/a/b>",
    ]


# -- refusals --------------------------------------------------------------------------------------------


async def test_a_refusal_is_of_the_old_class_and_says_what_was_asked(
    wire: Wire, ck: AsyncCloudKeyRest
) -> None:
    wire.answers(wire.refusal(404, "ApiNotFound", "no such media"))
    with pytest.raises(NotFound, match="GET /json/media/info: 404 ApiNotFound: no such media") as caught:
        await ck.media.info(id=MEDIA)
    assert (caught.value.status, caught.value.attempts) == (404, 1)


async def test_an_unknown_method_is_named(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(httpx.Response(404, text="Not Found"))
    with pytest.raises(InvalidMethod, match="/json/media/shuffle"):
        await ck.media.shuffle()


async def test_a_redirect_is_not_followed(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(httpx.Response(302, headers={"location": "http://evil.example/"}))
    with pytest.raises(UnexpectedAnswer, match="follow no redirect"):
        await ck.media.count()
    assert len(wire.requests) == 1


async def test_an_answer_that_is_no_json_is_an_api_exception(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(httpx.Response(200, text="<html>"))
    with pytest.raises(UnreadableAnswer) as caught:
        await ck.media.count()
    assert isinstance(caught.value, ApiException)


async def test_a_broken_connection_is_an_api_exception(anyio_backend: str) -> None:
    async def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    transport = httpx.MockTransport(broken)
    async with AsyncCloudKeyRest("alice", "s3cret", retries=0, transport=transport) as ck:
        with pytest.raises(ConnectionFailed):
            await ck.media.count()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
async def test_neither_errors_nor_logs_show_the_password(
    wire: Wire, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.answers(httpx.Response(status, json={"type": "Oops", "message": "m", "password": "hunter2"}))
    async with wire.client("alice", "hunter2") as ck:
        with pytest.raises(ApiException) as caught:
            await ck.media.get_meta(id=MEDIA, key="k")
    login = wire.requests[0].headers["authorization"].partition(" ")[2]
    shown = (
        f"{caught.value!r} {caught.value} {vars(caught.value)} {caplog.text} {pickle.dumps(caught.value)!r}"
    )
    assert "hunter2" not in shown
    assert login not in shown


# -- the account, and acting as another user -------------------------------------------------------------


async def test_the_account_is_asked_for_once(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(ALICE)
    first = await ck.user.whoami()
    first["username"] = "spoilt"
    assert await ck.user.whoami() == ALICE
    assert len(wire.requests) == 1


async def test_a_refused_whoami_is_asked_again(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(httpx.Response(401), ALICE)
    with pytest.raises(AuthenticationFailed):
        await ck.user.whoami()
    assert await ck.user.whoami() == ALICE


async def test_acting_as_a_user_sticks_and_forgets_the_account(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(ALICE, BOB, {"url": "http://up.example/"}, ALICE)
    files = ck.file
    await ck.user.whoami()
    assert ck.act_as_user("bob") is ck
    assert await ck.user.whoami() == BOB
    await files.upload(target="http://www.example.com/myform")
    ck.act_as_user(None)
    assert await ck.user.whoami() == ALICE
    assert wire.asked == [
        ("/json/user/whoami", {}),
        ("/json/user/whoami", {"__user__": "bob"}),
        ("/json/file/upload", {"target": "http://www.example.com/myform", "__user__": "bob"}),
        ("/json/user/whoami", {}),
    ]


async def test_a_copy_acts_as_another_user_and_the_client_as_before(
    wire: Wire, ck: AsyncCloudKeyRest
) -> None:
    wire.answers(ALICE, BOB, httpx.Response(204))
    await ck.user.whoami()
    other = ck.as_user("bob")
    assert await other.user.whoami() == BOB
    assert await ck.user.whoami() == ALICE
    await other.close()
    await ck.media.reset()
    assert [params for _, params in wire.asked] == [{}, {"__user__": "bob"}, {}]


async def test_an_account_that_comes_late_is_not_taken_for_the_next_users(anyio_backend: str) -> None:
    async def handle(request: httpx.Request) -> httpx.Response:
        if "__user__" in request.url.params:
            return httpx.Response(200, json=BOB)
        ck.act_as_user("bob")  # while the answer is on its way
        return httpx.Response(200, json=ALICE)

    async with AsyncCloudKeyRest("alice", "s3cret", transport=httpx.MockTransport(handle)) as ck:
        assert await ck.user.whoami() == ALICE
        assert await ck.user.whoami() == BOB


async def test_a_copy_with_other_options_keeps_who_is_acted_as(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(httpx.Response(503), httpx.Response(204))
    patient = ck.act_as_user("bob").with_options(retries=1)
    ck.act_as_user(None)
    await patient.media.reset()
    assert [params for _, params in wire.asked] == [{"__user__": "bob"}] * 2


# -- the environment -------------------------------------------------------------------------------------


def test_a_client_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDKEY_REST_USERNAME", "alice")
    with pytest.raises(CloudReelError, match="CLOUDKEY_REST_PASSWORD"):
        AsyncCloudKeyRest.from_env()
    monkeypatch.setenv("CLOUDKEY_REST_PASSWORD", "s3cret")
    assert repr(AsyncCloudKeyRest.from_env()) == "<CloudKeyRest at https://api.dmcloud.net>"
    monkeypatch.setenv("CLOUDKEY_REST_BASE_URL", "http://127.0.0.1:8080")
    assert repr(AsyncCloudKeyRest.from_env()) == "<CloudKeyRest at http://127.0.0.1:8080>"
