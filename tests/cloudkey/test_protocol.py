"""The envelope of calls, its signature and its refusals (cloudkey-rpc.md 2 to 6, 10, 19.1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudreel.cloudkey import errors, protocol
from cloudreel.cloudkey.protocol import Method, RpcRequest, RpcSigner, read_failure
from cloudreel.core.call import Call, Response
from cloudreel.core.failures import Failure
from cloudreel.errors import (
    AuthenticationError,
    DecodeError,
    InvalidRequestError,
    RateLimitError,
    ServiceError,
    SigningError,
)

U = "0123456789abcdef01234567"
K = "00112233445566778899aabbccddeeff00112233"
M = "4c922386dede830447000009"
OTHER = "aaaaaaaaaaaaaaaaaaaaaaaa"

METHODS = {name: value for name, value in vars(protocol).items() if isinstance(value, Method)}

SIGNED: list[tuple[str, dict[str, object], str]] = [
    ("media.list", {}, "52c19120692e685eb33b86670e52d5de"),
    (
        "media.list",
        {"fields": ["id", "meta.title"], "page": 2, "per_page": 20},
        "20cdbf12882ec5480d9f1beb233fbbad",
    ),
    ("file.upload", {}, "4932366a8e55829b3b1c14a5d477799c"),
    ("user.info", {"fields": ["id", "username"]}, "ca706ae866382f04be08a414441f44af"),
    (
        "file.upload",
        {"status": True, "jsonp_cb": "?", "target": "http://www.example.com/done"},
        "131268d89d8258b3f3628d3cbef6712e",
    ),
    (
        "media.set_meta",
        {"id": M, "meta": {"title": "Été à Paris", "author": None, "rating": 4.5, "views": 10, "hd": False}},
        "0bc34f7af0cd8aa059f2647726ee8ca7",
    ),
    (
        "media.info",
        {"id": M, "fields": ["id", "created", "assets.mp4_h264_aac.stream_url", "stats.global.last_week"]},
        "0a8950ba1b4cfa5f00ee34574722e8cf",
    ),
    (
        "media.set_assets",
        {
            "id": M,
            "assets": [
                {"name": "source", "url": "http://www.example.com/v.mp4"},
                {"name": "flv_h263_mp3", "action": "transcode"},
            ],
        },
        "d17646c26547996ed0165522127e6537",
    ),
]


def body_of(call: Call[Any], signer: RpcSigner) -> dict[str, Any]:
    content = signer(call.request, 0.0).content
    assert isinstance(content, bytes)
    body: dict[str, Any] = json.loads(content)
    return body


@pytest.mark.parametrize(("name", "args", "digest"), SIGNED)
def test_calls_are_signed_as_the_old_client_signed_them(
    name: str, args: dict[str, object], digest: str
) -> None:
    body = body_of(protocol.any_call(name, args), RpcSigner(U, K))
    assert body == {"call": name, "args": args, "auth": f"{U}:{digest}"}


def test_whom_a_signer_acts_as_may_change() -> None:
    signer = RpcSigner(U, K)
    call = protocol.media_list()
    signer.acting_as = OTHER
    assert body_of(call, signer)["auth"] == f"{U}/{OTHER}:05224e8cf79896b9d195e5a89b45a7c0"
    signer.acting_as = None
    assert body_of(call, signer)["auth"] == f"{U}:52c19120692e685eb33b86670e52d5de"


def test_credentials_are_asked_for_at_each_signature() -> None:
    keys = iter(["old", K])
    signer = RpcSigner(lambda: U, lambda: next(keys))
    first, second = (body_of(protocol.media_list(), signer)["auth"] for _ in range(2))
    assert first != second == f"{U}:52c19120692e685eb33b86670e52d5de"


def test_what_is_sent_is_what_is_signed() -> None:
    moment = datetime(2010, 4, 11, tzinfo=UTC)
    sent = body_of(protocol.any_call("media.list", {"since": moment, "ids": ("a", "b")}), RpcSigner(U, K))
    plain = body_of(protocol.any_call("media.list", sent["args"]), RpcSigner(U, K))
    assert sent == plain
    assert sent["args"] == {"since": 1270944000, "ids": ["a", "b"]}


@pytest.mark.parametrize("value", [b"bytes", float("nan"), datetime(2010, 4, 11), 2**64, object()])
def test_what_has_no_json_form_is_not_sent(value: object) -> None:
    with pytest.raises(SigningError):
        RpcSigner(U, K)(protocol.any_call("media.list", {"x": value}).request, 0.0)


def test_neither_key_nor_arguments_are_shown() -> None:
    request = protocol.user_create(username="u", password="hidden").request
    shown = f"{RpcSigner(U, K)!r} {RpcSigner(U, K)(request, 0.0)!r} {request!r} {request.shown_path}"
    assert K not in shown
    assert "hidden" not in shown
    assert "/api user.create" in shown


def test_arguments_that_are_none_are_left_out() -> None:
    request = protocol.media_create(url="http://a.example/v", meta=None, assets_names=[]).request
    assert isinstance(request, RpcRequest)
    assert request.args == {"url": "http://a.example/v", "assets_names": []}


def test_a_user_without_id_is_a_new_one() -> None:
    request = protocol.user_set(id=None, fields={"email": None}).request
    assert isinstance(request, RpcRequest)
    assert request.args == {"id": None, "fields": {"email": None}}


def test_arguments_of_any_call_go_out_as_they_are() -> None:
    assert body_of(protocol.any_call("a.b", {"x": None}), RpcSigner(U, K))["args"] == {"x": None}


def test_what_creates_or_empties_is_not_repeated() -> None:
    once = {method.name for method in METHODS.values() if not method.repeatable}
    assert once == {"media.create", "media.reset", "user.create", "user.set", "system.reset"}


@pytest.mark.parametrize(
    ("name", "repeatable"),
    [
        ("media.list", True),
        ("x.get_things", True),
        ("x.search", True),
        ("media.create", False),
        ("x.y", False),
    ],
)
def test_a_call_by_name_is_repeated_if_its_name_says_that_it_reads(name: str, repeatable: bool) -> None:
    assert protocol.any_call(name, {}).repeatable is repeatable


def test_the_methods_are_those_of_the_protocol() -> None:
    assert {method.name for method in METHODS.values()} == {
        *(
            f"media.{name}"
            for name in ["create", "info", "list", "search", "delete", "reset", "count", "stats"]
        ),
        *(f"media.{name}_meta" for name in ["set", "get", "remove"]),
        *(f"media.{name}_assets" for name in ["set", "get", "remove"]),
        *("media.get_asset", "media.set_thumbnail", "media.get_subs_urls", "file.upload"),
        *(f"user.{name}" for name in ["info", "create", "delete", "list", "whoami", "set", "search"]),
        *("system.reset", "organisation.get", "player_preset.list"),
        *(f"encoding_settings.{name}_asset" for name in ("enable", "disable")),
        *(f"encoding_settings.{name}_asset_setting" for name in ("set", "get")),
        *("encoding_settings.get_active_assets", "encoding_settings.reset"),
        *(f"farm.{name}_node" for name in ["add", "get", "list", "select"]),
        "farm.remove",
    }


PAGE = {"list": [], "page": 1, "pages": 1, "per_page": 10, "on_this_page": 0, "total": 0}


@pytest.mark.parametrize(
    ("call", "result", "read"),
    [
        (protocol.media_create(), {"id": M}, {"id": M}),
        (protocol.media_list(), PAGE, PAGE),
        (protocol.media_delete(id=M), None, None),
        (protocol.media_delete(id=M), {"odd": 1}, None),
        (protocol.user_create(), M, M),
        (protocol.user_list(), [{"id": M}], [{"id": M}]),
        (protocol.media_count(), 3, 3),
        (protocol.any_call("a.b", {}), [1, None], [1, None]),
    ],
)
def test_results_are_read(call: Call[Any], result: object, read: object) -> None:
    assert call.parse(answer({"result": result})) == read


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (protocol.media_info(id=M), {"result": []}),
        (protocol.media_info(id=M), {}),
        (protocol.media_list(), {"result": {"page": 1}}),
        (protocol.media_list(), {"result": {"list": "x"}}),
        (protocol.user_list(), {"result": None}),
        (protocol.user_create(), {"result": 5}),
        (protocol.media_count(), {"result": "5"}),
        (protocol.any_call("a.b", {}), ["result"]),
    ],
)
def test_results_of_another_shape_are_refused(call: Call[Any], body: object) -> None:
    with pytest.raises(DecodeError):
        call.parse(answer(body))


def test_a_missing_result_is_none() -> None:
    assert protocol.any_call("a.b", {}).parse(answer({})) is None


def answer(body: object, status: int = 200, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers, content)


def refusal(error: object, status: int = 200) -> Failure | None:
    return read_failure(answer({"error": error}, status))


@pytest.mark.parametrize(("code", "kind"), errors.BY_CODE.items())
def test_a_code_has_its_class(code: int, kind: type) -> None:
    failure = refusal({"code": code, "message": "why"})
    assert failure == Failure(kind, "why", str(code))


@pytest.mark.parametrize(
    "error", [{"code": 1234, "message": "m"}, {"message": "m"}, {"code": "x", "message": "m"}, "m"]
)
def test_other_codes_are_refusals_too(error: object) -> None:
    failure = refusal(error)
    assert failure is not None
    assert (failure.category, failure.message) == (errors.UnlistedError, "m")


@pytest.mark.parametrize("error", [None, {}, 0, "", False])
def test_an_empty_error_is_none(error: object) -> None:
    assert refusal(error) is None


@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_the_status_does_not_matter_where_the_body_speaks(status: int) -> None:
    failure = refusal({"code": 1010, "message": "gone"}, status)
    assert failure is not None
    assert failure.category is errors.NotFound


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (301, InvalidRequestError),
        (308, InvalidRequestError),
        (401, AuthenticationError),
        (404, InvalidRequestError),
        (413, InvalidRequestError),
        (429, RateLimitError),
        (502, ServiceError),
    ],
)
def test_a_status_speaks_where_the_body_is_silent(status: int, category: type) -> None:
    failure = read_failure(answer(b"<html>", status, **{"retry-after": "3"}))
    assert failure is not None
    assert failure.category is category


def test_a_result_is_no_refusal_whatever_words_are_in_it() -> None:
    assert read_failure(answer({"result": {"assets": {"source": {"status": "error"}}}})) is None
    assert read_failure(answer(b'"error" but no JSON')) is None


def test_a_rate_limit_says_when_to_come_back() -> None:
    failure = read_failure(answer({"error": {"code": 410, "message": ""}}, 200, **{"retry-after": "7"}))
    assert failure is not None
    assert (failure.category, failure.retry_after) == (errors.RateLimitExceeded, 7.0)


@pytest.mark.parametrize(
    ("base", "called"),
    [
        ("http://api.dmcloud.net", "https://api.dmcloud.net"),
        ("https://api.dmcloud.net", "https://api.dmcloud.net"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_calls_to_the_service_itself_go_over_https(base: str, called: str) -> None:
    assert protocol.call_url(base) == called
