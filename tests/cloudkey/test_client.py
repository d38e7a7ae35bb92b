"""The facade on a scripted service: what goes over the wire, and what comes back."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.cloudkey import (
    AsyncCloudKey,
    InvalidMethod,
    InvalidParameter,
    InvalidRequest,
    NotFound,
    ProcessorException,
    RateLimitExceeded,
    RPCException,
    SerializerError,
    TransportException,
    UnlistedError,
)
from cloudreel.errors import CloudReelError, RequestTimedOut

if TYPE_CHECKING:
    from conftest import Script

pytestmark = pytest.mark.anyio

USER = "0123456789abcdef01234567"
KEY = "00112233445566778899aabbccddeeff00112233"
MEDIA = "4c922386dede830447000009"

OTHER = "aaaaaaaaaaaaaaaaaaaaaaaa"


async def test_a_call_is_one_post_without_secrets_in_its_url(script: Script) -> None:
    script.results({"id": MEDIA, "meta": {"title": "t"}})
    async with script.client() as ck:
        info = await ck.media.info(id=MEDIA, fields=["id", "meta.title"])
    assert info == {"id": MEDIA, "meta": {"title": "t"}}
    (request,) = script.requests
    assert (request.method, str(request.url)) == ("POST", "https://api.dmcloud.net/api")
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers
    assert script.calls == [{"call": "media.info", "args": {"id": MEDIA, "fields": ["id", "meta.title"]}}]


async def test_another_base_is_called_as_it_stands(script: Script) -> None:
    async with script.client(base_url="http://127.0.0.1:8080/") as ck:
        await ck.media.delete(id=MEDIA)
    assert str(script.requests[0].url) == "http://127.0.0.1:8080/api"


async def test_what_is_not_given_is_not_sent(script: Script) -> None:
    script.results({"id": MEDIA})
    async with script.client() as ck:
        await ck.media.create()
    assert script.calls == [{"call": "media.create", "args": {}}]


async def test_any_object_and_method_works_by_name(script: Script) -> None:
    script.results(1, 2, 3, 4)
    async with script.client() as ck:
        results = [
            await ck.lottery.draw(name="x", self=1),
            await ck.media.publish(url="http://a.example/v"),
            await ck.call("farm.get_node", name="f", node=None),
            await ck.call("media.count"),
        ]
    assert results == [1, 2, 3, 4]
    assert script.calls == [
        {"call": "lottery.draw", "args": {"name": "x", "self": 1}},
        {"call": "media.publish", "args": {"url": "http://a.example/v"}},
        {"call": "farm.get_node", "args": {"name": "f", "node": None}},
        {"call": "media.count", "args": {}},
    ]


async def test_names_with_an_underscore_are_not_remote(script: Script) -> None:
    ck = script.client()
    for thing in (ck, ck.media, ck.lottery):
        assert not hasattr(thing, "_hidden")
        assert not hasattr(thing, "__len__")
    assert copy.copy(ck.media).iterate is not None
    assert script.requests == []


async def test_remote_methods_take_named_arguments_only(script: Script) -> None:
    ck = script.client()
    for method in (ck.lottery.draw, ck.media.info):
        untyped: Any = method
        with pytest.raises(TypeError):
            await untyped(MEDIA)
    assert script.requests == []


async def test_acting_as_another_user_holds_until_changed(script: Script) -> None:
    script.results({"id": USER})
    async with script.client() as ck:
        user = ck.user
        ck.act_as_user(OTHER)
        await user.info()
        await ck.user.info()
        ck.act_as_user(None)
        await user.info()
    assert [auth.partition(":")[0] for auth in script.auths] == [f"{USER}/{OTHER}"] * 2 + [USER]


async def test_a_copy_acts_alone(script: Script) -> None:
    script.results({"id": USER})
    async with script.client() as ck:
        other = ck.as_user(OTHER)
        await other.user.info()
        await ck.user.info()
        other.act_as_user(None)
        ck.act_as_user(OTHER)
        await other.user.info()
        await ck.with_options(retries=0).user.info()
        async with other:
            pass  # closes nothing
        await ck.user.info()
    acting = [auth.partition(":")[0] for auth in script.auths]
    assert acting == [f"{USER}/{OTHER}", USER, USER, f"{USER}/{OTHER}", f"{USER}/{OTHER}"]


async def test_a_refusal_is_the_old_exception(script: Script) -> None:
    script.refuses(630, "Invalid parameters for media.set_meta", data=["meta"])
    async with script.client() as ck:
        with pytest.raises(InvalidParameter) as caught:
            await ck.media.set_meta(id=MEDIA, meta={})
    error = caught.value
    assert (error.code, error.data) == (630, ["meta"])
    assert str(error) == "630: Invalid parameters for media.set_meta [['meta']]"
    assert (error.method, error.url, error.status) == ("POST", "https://api.dmcloud.net/api", 200)
    assert error.attempts == len(script.requests) == 1
    assert "media.set_meta" in "".join(error.__notes__)


@pytest.mark.parametrize(
    ("code", "kind", "attempts"),
    [
        (200, ProcessorException, 3),
        (410, RateLimitExceeded, 3),
        (620, InvalidMethod, 1),
        (1010, NotFound, 1),
        (4321, UnlistedError, 1),
    ],
)
async def test_what_may_pass_is_tried_again(
    script: Script, pauses: list[float], code: int, kind: type[RPCException], attempts: int
) -> None:
    script.refuses(code)
    async with script.client() as ck:
        with pytest.raises(kind) as caught:
            await ck.media.list()
    assert caught.value.code == code
    assert len(script.requests) == attempts == len(pauses) + 1


@pytest.mark.parametrize(("code", "attempts"), [(200, 1), (410, 3)])
async def test_what_creates_is_tried_again_only_where_it_cannot_have_happened(
    script: Script, pauses: list[float], code: int, attempts: int
) -> None:
    script.refuses(code)
    async with script.client() as ck:
        with pytest.raises(RPCException):
            await ck.media.create()
    assert len(script.requests) == attempts == len(pauses) + 1


async def test_a_rate_limit_s_wish_is_respected(script: Script, pauses: list[float]) -> None:
    limited = httpx.Response(
        200, json={"error": {"code": 410, "message": "slow"}}, headers={"Retry-After": "3"}
    )
    script.answers(limited, httpx.Response(200, json={"result": None}))
    async with script.client() as ck:
        await ck.media.delete(id=MEDIA)
    assert pauses == [3.0]


async def test_a_broken_gateway_is_tried_again(script: Script, pauses: list[float]) -> None:
    script.answers(httpx.Response(502, text="<html>"), httpx.Response(200, json={"result": 5}))
    async with script.client() as ck:
        assert await ck.media.count() == 5
    assert len(pauses) == 1


@pytest.mark.parametrize("body", ["", "<html>", "[]", '"x"'])
async def test_an_answer_that_is_no_json_object(script: Script, body: str) -> None:
    script.answers(httpx.Response(200, text=body))
    async with script.client() as ck:
        with pytest.raises(SerializerError) as caught:
            await ck.media.get_subs_urls(id=MEDIA)
    assert caught.value.code == 500


async def test_a_redirect_is_not_followed(script: Script) -> None:
    script.answers(httpx.Response(301, headers={"Location": "https://elsewhere.example/api"}))
    async with script.client() as ck:
        with pytest.raises(InvalidRequest, match="base_url"):
            await ck.media.list()
    assert len(script.requests) == 1


async def test_a_connection_that_fails(script: Script, pauses: list[float]) -> None:
    script.answers(httpx.ConnectError("refused"))
    async with script.client(retries=1) as ck:
        with pytest.raises(TransportException) as caught:
            await ck.media.create()
    assert (caught.value.code, len(pauses)) == (300, 1)


async def test_a_service_that_does_not_answer(script: Script) -> None:
    script.answers(httpx.ReadTimeout("late"))
    async with script.client(retries=0) as ck:
        with pytest.raises(TransportException) as caught:
            await ck.media.list()
    assert isinstance(caught.value, RequestTimedOut)


async def test_no_secret_is_shown(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    script.refuses(400, f"bad auth={KEY}", data={"api_key": KEY})
    async with script.client() as ck:
        with pytest.raises(RPCException) as caught:
            await ck.user.create(username="u", password="hidden")
        shown = (
            f"{caught.value} {caught.value!r} {caught.value.__notes__} {ck!r} {ck.media!r} {ck.media.foo!r}"
        )
    pickled = pickle.dumps(caught.value)
    assert KEY not in shown + caplog.text
    assert "hidden" not in shown + caplog.text
    assert KEY.encode() not in pickled
    assert script.auths[0].encode() not in pickled


async def test_from_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDKEY_USER_ID", USER)
    with pytest.raises(CloudReelError, match="CLOUDKEY_API_KEY"):
        AsyncCloudKey.from_env()
    monkeypatch.setenv("CLOUDKEY_API_KEY", KEY)
    assert repr(AsyncCloudKey.from_env()) == "<CloudKey at https://api.dmcloud.net>"
    monkeypatch.setenv("CLOUDKEY_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CLOUDKEY_CDN_URL", "http://127.0.0.1:2")
    ck = AsyncCloudKey.from_env()
    assert repr(ck.as_user(OTHER)) == f"<CloudKey at http://127.0.0.1:1, acting as {OTHER}>"
    assert ck.media.get_stream_url(MEDIA).startswith("http://127.0.0.1:2/")
