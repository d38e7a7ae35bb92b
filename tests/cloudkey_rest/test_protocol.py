"""Arguments, logins, refusals and answers, without a loop."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel import errors as categories
from cloudreel.cloudkey_rest import errors, protocol
from cloudreel.cloudkey_rest.protocol import BasicSigner
from cloudreel.core.call import Request, Response
from cloudreel.errors import DecodeError, SigningError

MEDIA = "4c922386dede830447000009"


def answer(status: int, body: bytes | object = b"", **headers: str) -> Response:
    return Response(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def told(status: int, kind: str, message: str = "why") -> Response:
    return answer(status, {"status_code": status, "type": kind, "message": message})


# -- who calls -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "password", "header"),
    [
        ("alice", "s3cret", "Basic YWxpY2U6czNjcmV0"),
        ("alice", "", "Basic YWxpY2U6"),
        ("alice", None, "Basic YWxpY2U6"),
        ("élo", "pä", "Basic w6lsbzpww6Q="),
        (lambda: "alice", lambda: "s3cret", "Basic YWxpY2U6czNjcmV0"),
    ],
)
def test_the_login_is_that_of_section_16_1(username: Any, password: Any, header: str) -> None:
    signed = BasicSigner(username, password)(Request("GET", "/json/media/create"), 0.0)
    assert signed.headers == {"Authorization": header}
    assert signed.params == {}


@given(
    st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_any_login_arrives_as_it_is(username: str, password: str) -> None:
    header = BasicSigner(username, password)(Request("GET", "/"), 0.0).headers["Authorization"]
    scheme, _, text = header.partition(" ")
    assert (scheme, b64decode(text, validate=True).decode()) == ("Basic", f"{username}:{password}")


def test_a_client_without_a_login_sends_none() -> None:
    assert BasicSigner(None, None)(Request("GET", "/"), 0.0).headers == {}


def test_a_colon_has_no_place_in_a_user_name() -> None:
    with pytest.raises(SigningError, match="colon"):
        BasicSigner("a:b", "s3cret")(Request("GET", "/"), 0.0)


def test_who_is_acted_as_wins_over_an_argument_of_that_name() -> None:
    signer = BasicSigner("alice", "s3cret", acting_as="bob")
    signed = signer(Request("GET", "/", {"__user__": "carol", "id": MEDIA}), 0.0)
    assert signed.params == {"__user__": "bob", "id": MEDIA}


def test_the_password_is_not_shown() -> None:
    assert "s3cret" not in repr(BasicSigner("alice", "s3cret"))


# -- arguments -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("my value", "my value"),
        ("true", "true"),
        ("", ""),
        ("é&=", "é&="),
        (42, "42"),
        (-1, "-1"),
        (0.5, "0.5"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ([], "[]"),
        (("a", 1), '["a",1]'),
        ([("created", 1)], '[["created",1]]'),
        ({"meta.mykey-1": "value-1"}, '{"meta.mykey-1":"value-1"}'),
        ({"a": [True, None]}, '{"a":[true,null]}'),
        (datetime(2010, 6, 24, tzinfo=UTC), "1277337600"),
    ],
)
def test_arguments_are_written_as_section_3_says(value: object, text: str) -> None:
    assert protocol.wire_text("value", value) == text


@pytest.mark.parametrize(
    "value", [b"bytes", float("nan"), object(), [2**64], {"a": {1, 2}}, datetime(2010, 6, 24)]
)
def test_what_has_no_json_form_is_refused_before_it_is_sent(value: object) -> None:
    with pytest.raises(errors.InvalidArgument, match="presets"):
        protocol.wire_text("presets", value)


@pytest.mark.parametrize(
    ("namespace", "method", "path"),
    [
        ("media", "create", "/json/media/create"),
        ("media", "set_meta", "/json/media/set_meta"),
        ("media", "user__whoami", "/json/user/whoami"),
        ("farm", "a__b__c", "/json/a/b/c"),
        ("media", "../user", "/json/media/..%2Fuser"),
        ("media", "é?", "/json/media/%C3%A9%3F"),
    ],
)
def test_paths_are_those_of_section_2(namespace: str, method: str, path: str) -> None:
    assert protocol.path_of(namespace, method) == path


@pytest.mark.parametrize(
    ("call", "path", "params"),
    [
        (protocol.media_create(), "media/create", {}),
        (
            protocol.media_set_meta(id=MEDIA, key="mykey", value="my value"),
            "media/set_meta",
            {"id": MEDIA, "key": "mykey", "value": "my value"},
        ),
        (
            protocol.media_list(page=2, count=6, sort=[("created", 1)], fields=None),
            "media/list",
            {"page": "2", "count": "6", "sort": '[["created",1]]'},
        ),
        (
            protocol.farm_add_node(name="farm-a", node="node-4", weight=10, enabled=True, comment=""),
            "farm/add_node",
            {"name": "farm-a", "node": "node-4", "weight": "10", "enabled": "true", "comment": ""},
        ),
        (protocol.any_call("media", "user__whoami", {}), "user/whoami", {}),
        (protocol.any_call("media", "new", {"a": None, "b": [1]}), "media/new", {"a": "null", "b": "[1]"}),
    ],
)
def test_calls_are_those_of_section_16_2(call: Any, path: str, params: dict[str, str]) -> None:
    request = call.request
    assert (request.method, request.path, request.params) == ("GET", f"/json/{path}", params)
    assert request.content is None


@pytest.mark.parametrize(
    "call",
    [
        protocol.media_create(),
        protocol.media_publish(url="http://a.example/", presets=["source"]),
        protocol.media_process_asset(id=MEDIA, preset="mp4_h264_aac"),
        protocol.media_set_asset(id=MEDIA, preset="source", url="http://a.example/"),
        protocol.any_call("media", "shuffle", {}),
        protocol.any_call("list", "media__shuffle", {}),
    ],
)
def test_what_does_more_when_done_twice_is_not_repeated(call: Any) -> None:
    assert not call.repeatable


@pytest.mark.parametrize(
    "call",
    [
        protocol.media_info(id=MEDIA),
        protocol.media_set_meta(id=MEDIA, key="a", value="b"),
        protocol.any_call("media", "list_subtitles", {}),
        protocol.any_call("farm", "media__info", {}),
    ],
)
def test_what_reads_or_sets_is_repeated(call: Any) -> None:
    assert call.repeatable


# -- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "leaf"),
    [
        (told(404, "ApiNotFound"), errors.NotFound),
        (told(400, "ApiMissingParam"), errors.MissingArgument),
        (told(400, "ApiInvalidParam"), errors.InvalidArgument),
        (told(404, "ApiInvalidParam"), errors.UnexpectedAnswer),
        (told(400, "ApiNotFound"), errors.UnexpectedAnswer),
        (told(400, "ApiNovelty"), errors.UnexpectedAnswer),
        (answer(404, ["no", "object"]), errors.UnexpectedAnswer),
        (answer(404, b"no such page"), errors.InvalidMethod),
        (answer(400, b""), errors.InvalidMethod),
        (answer(401, b"who?"), errors.AuthenticationFailed),
        (answer(403, b"no"), errors.UnexpectedAnswer),
        (answer(409, b"no"), errors.InvalidArgument),
        (answer(302, b"", location="http://evil.example/"), errors.UnexpectedAnswer),
        (answer(304), errors.UnexpectedAnswer),
        (answer(429, b"slowly"), errors.RateLimited),
        (answer(500, b"oops"), errors.InternalError),
        (answer(503, b"later"), errors.InternalError),
    ],
)
def test_refusals_are_those_of_section_6(response: Response, leaf: type[Exception]) -> None:
    failure = protocol.read_failure(response)
    assert failure is not None
    assert errors.FAMILY.leaf(failure.category) is leaf


def test_a_401_asks_an_anonymous_client_for_a_login() -> None:
    failure = protocol.read_failure(answer(401), anonymous=True)
    assert failure is not None
    assert errors.FAMILY.leaf(failure.category) is errors.AuthorizationRequired


def test_a_refusal_keeps_the_services_words() -> None:
    failure = protocol.read_failure(told(400, "ApiMissingParam", "value is missing"))
    assert failure is not None
    assert (failure.name, failure.message) == ("ApiMissingParam", "value is missing")


def test_a_refusal_says_when_to_come_back() -> None:
    failure = protocol.read_failure(answer(429, b"", **{"retry-after": "7"}))
    assert failure is not None
    assert failure.retry_after == 7.0


@pytest.mark.parametrize("response", [answer(200, {}), answer(204), answer(200, {"status": "error"})])
def test_what_is_2xx_is_no_refusal(response: Response) -> None:
    assert protocol.read_failure(response) is None


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("NotFound", "NotFoundError"),
        ("MissingArgument", "InvalidRequestError"),
        ("InvalidArgument", "InvalidRequestError"),
        ("InvalidMethod", "InvalidRequestError"),
        ("InvalidNamespace", "InvalidRequestError"),
        ("AuthorizationRequired", "AuthenticationError"),
        ("AuthenticationFailed", "AuthenticationError"),
        ("ConnectionFailed", "TransportError"),
        ("NoAnswer", "RequestTimedOut"),
        ("UnreadableAnswer", "DecodeError"),
        ("UploadFailed", "UploadError"),
    ],
)
def test_each_old_name_stands_under_its_category(name: str, category: str) -> None:
    leaf = getattr(errors, name)
    assert issubclass(leaf, errors.ApiException)
    assert issubclass(leaf, getattr(categories, category))


@pytest.mark.parametrize("category", [*errors.FAMILY.leaves, categories.TimedOut, categories.SigningError])
def test_whatever_goes_wrong_is_an_api_exception(category: type[categories.CloudReelError]) -> None:
    leaf = errors.FAMILY.leaf(category)
    assert issubclass(leaf, errors.ApiException)
    assert leaf is errors.ApiException or issubclass(leaf, category)


# -- answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "body", "value"),
    [
        (protocol.media_create, b'{"id": "a"}', {"id": "a"}),
        (protocol.media_list, b'[{"id": "a"}]', [{"id": "a"}]),
        (protocol.media_list, b"[]", []),
        (protocol.media_count, b"3", 3),
        (protocol.media_delete, b"", None),
        (protocol.media_delete, b"null", None),
        (protocol.user_get_asset_setting, b'"42"', "42"),
        (protocol.user_whoami, b'{"id": "a", "username": "b"}', {"id": "a", "username": "b"}),
        (protocol.media_stats, b"", None),
        (protocol.media_stats, b"[1.5]", [1.5]),
    ],
)
def test_answers_are_read_as_they_are(method: protocol.Method[object], body: bytes, value: object) -> None:
    assert method().parse(answer(200, body)) == value


@pytest.mark.parametrize(
    ("method", "body"),
    [
        (protocol.media_create, b""),
        (protocol.media_create, b"[]"),
        (protocol.media_create, b"<html>"),
        (protocol.media_list, b'{"list": []}'),
        (protocol.media_list, b"null"),
        (protocol.media_count, b'"3"'),
        (protocol.user_get_asset_setting, b"{}"),
        (protocol.user_whoami, b'{"id": "a"}'),
        (protocol.user_whoami, b'{"id": 1, "username": "b"}'),
    ],
)
def test_an_answer_of_another_shape_is_not_believed(method: protocol.Method[object], body: bytes) -> None:
    with pytest.raises(DecodeError):
        method().parse(answer(200, body))
