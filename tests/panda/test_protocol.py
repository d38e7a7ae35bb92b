"""The calls that Panda and Telestream share: where they go, what they carry, what counts as a refusal."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.call import Call, Request, Response
from cloudreel.errors import (
    ApiError,
    AuthenticationError,
    DecodeError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServiceError,
)
from cloudreel.panda import protocol
from cloudreel.panda.protocol import read_failure, segment
from cloudreel.panda.signer import HmacSigner, base_url, timestamp, wire_params
from cloudreel.signing import sign_request

REFUSED = b'{"error": "%s", "message": "%s"}'


def answer(status: int, body: bytes | object = b"", headers: dict[str, str] | None = None) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers or {}, content)


# -- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "name", "message", "category"),
    [
        (400, "BadRequest", "Currently only .json is supported as a format", InvalidRequestError),
        (401, "NotAuthorized", "Signatures do not match", AuthenticationError),
        (401, "NotAuthorized", "Signatures expired", AuthenticationError),
        (404, "RecordNotFound", "Couldn't find Video with ID=1f", NotFoundError),
        (413, "FileSizeLimitExceeded", "File size limit for this account is set to 10", InvalidRequestError),
        (422, "SomethingNew", "a later word", InvalidRequestError),
        (429, "TooManyRequests", "slow down", RateLimitError),
        (500, "InternalError", "a message", ServiceError),
        (503, "ServiceUnavailable", "later", ServiceError),
        # The name outweighs the status, as the service's own word.
        (500, "RecordNotFound", "Couldn't find Profile with ID=x", NotFoundError),
        (200, "NotAuthorized", "Message", AuthenticationError),
        (200, "RecordNotFound", "gone", NotFoundError),
        (200, "CURL_7", "whatever", InvalidRequestError),
        (201, "BadRequest", "no session", InvalidRequestError),
    ],
)
def test_an_error_body_is_a_refusal_whatever_the_status(
    status: int, name: str, message: str, category: type[ApiError]
) -> None:
    failure = read_failure(answer(status, {"error": name, "message": message}))
    assert failure is not None
    assert (failure.category, failure.name, failure.message) == (category, name, message)


@pytest.mark.parametrize(
    ("status", "body", "category", "message"),
    [
        (500, b"", ServiceError, ""),
        (502, b"<html><h1>Bad Gateway</h1></html>", ServiceError, "<html><h1>Bad Gateway</h1></html>"),
        (417, b"<html>Expectation Failed</html>", InvalidRequestError, "<html>Expectation Failed</html>"),
        (404, b'{"error": "cut in the mid', NotFoundError, '{"error": "cut in the mid'),
        (403, b"[1, 2]", AuthenticationError, ""),
        (400, b'{"message": "no name"}', InvalidRequestError, "no name"),
        (401, b"\xff\xfe", AuthenticationError, "\ufffd\ufffd"),
    ],
)
def test_an_error_body_may_be_anything(
    status: int, body: bytes, category: type[ApiError], message: str
) -> None:
    failure = read_failure(answer(status, body))
    assert failure is not None
    assert (failure.category, failure.name, failure.message) == (category, "", message)


def test_an_endless_error_page_is_cut() -> None:
    failure = read_failure(answer(500, b"<p>" * 100_000))
    assert failure is not None
    assert len(failure.message) == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"not JSON at all",
        b'{"id": "1f", "error_class": null, "error_message": null}',
        b'{"error": null, "message": null}',
        b'{"error": ""}',
        b'[{"error": "BadRequest"}]',
        b'{"payload": "\\"error\\": \\"BadRequest\\""}',
        b'{"payload": "error"}',
    ],
)
def test_a_success_without_an_error_is_one(body: bytes) -> None:
    assert read_failure(answer(200, body)) is None


def test_the_time_to_wait_is_kept() -> None:
    failure = read_failure(answer(429, b"", {"retry-after": "7"}))
    assert failure is not None
    assert failure.retry_after == 7


@pytest.mark.parametrize(
    ("status", "message", "skewed"),
    [
        (401, "Signatures expired", True),
        (401, "Signatures do not match", False),
        (400, "Signatures expired", False),
    ],
)
def test_only_an_expired_signature_tells_of_a_wrong_clock(status: int, message: str, skewed: bool) -> None:
    failure = read_failure(answer(status, {"error": "", "message": message}))
    assert failure is not None
    assert protocol.is_clock_skew(failure) is skewed


@given(st.integers(100, 599), st.binary(max_size=300))
def test_no_answer_is_too_strange_to_judge(status: int, body: bytes) -> None:
    failure = read_failure(answer(status, body))
    if status >= 400:
        assert failure is not None


# -- where calls go --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "method", "path", "repeatable"),
    [
        (protocol.list_videos({"page": 2}), "GET", "/videos.json", True),
        (protocol.find_video("1f"), "GET", "/videos/1f.json", True),
        (protocol.create_video({"source_url": "http://a.example/b"}), "POST", "/videos.json", False),
        (protocol.delete_video("1f"), "DELETE", "/videos/1f.json", True),
        (protocol.delete_source("1f"), "DELETE", "/videos/1f/source.json", True),
        (protocol.video_metadata("1f"), "GET", "/videos/1f/metadata.json", True),
        (protocol.video_encodings("1f"), "GET", "/videos/1f/encodings.json", True),
        (protocol.open_upload({"file_size": 1}), "POST", "/videos/upload.json", True),
        (protocol.list_encodings(), "GET", "/encodings.json", True),
        (protocol.find_encoding("2e"), "GET", "/encodings/2e.json", True),
        (protocol.create_encoding({"video_id": "1f"}), "POST", "/encodings.json", False),
        (protocol.delete_encoding("2e"), "DELETE", "/encodings/2e.json", True),
        (protocol.cancel_encoding("2e"), "POST", "/encodings/2e/cancel.json", True),
        (protocol.retry_encoding("2e"), "POST", "/encodings/2e/retry.json", False),
        (protocol.list_profiles(), "GET", "/profiles.json", True),
        (protocol.find_profile("h264"), "GET", "/profiles/h264.json", True),
        (protocol.create_profile({"preset_name": "h264"}), "POST", "/profiles.json", False),
        (protocol.update_profile("3d", {"width": 1}), "PUT", "/profiles/3d.json", True),
        (protocol.delete_profile("3d"), "DELETE", "/profiles/3d.json", True),
        (protocol.get_notifications(), "GET", "/notifications.json", True),
        (protocol.update_notifications({"delay": 1}), "PUT", "/notifications.json", True),
        (protocol.raw("get", "videos.json", None), "GET", "/videos.json", True),
        (protocol.raw("POST", " //videos.json/\n", None), "POST", "/videos.json", False),
        (protocol.raw("delete", "/videos/1f.json", {}), "DELETE", "/videos/1f.json", False),
    ],
)
def test_every_call_goes_to_its_place(call: Call[object], method: str, path: str, repeatable: bool) -> None:
    assert (call.request.method, call.request.path) == (method, path)
    assert call.repeatable is repeatable
    assert call.signed


@pytest.mark.parametrize(
    ("identifier", "escaped"),
    [
        ("40d9f8711d64aaa7", "40d9f8711d64aaa7"),
        ("my profile", "my%20profile"),
        ("a/b", "a%2Fb"),
        ("../clouds", "..%2Fclouds"),
        ("h264?x=1#y", "h264%3Fx%3D1%23y"),
        ("100%", "100%25"),
        ("h264.hi~1-_", "h264.hi~1-_"),
        ("größe", "gr%C3%B6%C3%9Fe"),
    ],
)
def test_an_id_or_name_is_one_escaped_segment(identifier: str, escaped: str) -> None:
    assert segment(identifier) == escaped
    assert protocol.find_profile(identifier).request.path == f"/profiles/{escaped}.json"


@given(st.binary().map(lambda data: data.decode("utf-8", "replace")))
def test_no_id_leaves_its_segment(identifier: str) -> None:
    path = protocol.find_video(identifier).request.path
    assert path.count("/") == 2
    assert path.isascii()
    assert not set(path) & set("?# \r\n")


@pytest.mark.parametrize(
    ("scheme", "host", "port", "version", "expected"),
    [
        (None, "api.pandastream.com", 443, "2", "https://api.pandastream.com:443/v2"),  # U1
        (None, "api.pandastream.com", "443", "2", "https://api.pandastream.com:443/v2"),
        (None, "api.pandastream.com", 8080, "2", "http://api.pandastream.com:8080/v2"),  # U2
        (None, "localhost", 9999, "2", "http://localhost:9999/v2"),  # U3
        (None, "localhost", 80, "2", "http://localhost/v2"),  # U4 as the Python client has it, and U5
        (None, "localhost", "80", "2", "http://localhost/v2"),
        (None, "localhost", 443, "2", "https://localhost:443/v2"),  # U6
        (None, "api.example.com", 443, "2", "https://api.example.com:443/v2"),  # U7
        (None, "myapihost", 85, "2", "http://myapihost:85/v2"),  # C1
        (None, "api-gce.pandastream.com", 443, "3.0", "https://api-gce.pandastream.com:443/v3.0"),
        ("https", "localhost", 8443, "3.0", "https://localhost:8443/v3.0"),
        ("http", "localhost", 443, "3.0", "http://localhost:443/v3.0"),
        (None, "::1", 8080, "2", "http://[::1]:8080/v2"),
        (None, "[::1]", 8080, "2", "http://[::1]:8080/v2"),
    ],
)
def test_the_port_decides_the_scheme_and_is_written_unless_80(
    scheme: str | None, host: str, port: int | str, version: str, expected: str
) -> None:
    assert base_url(scheme, host, port, version) == expected


# -- what calls carry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000000+00:00"),
        (1257357251.0, "2009-11-04T17:54:11.000000+00:00"),
        (1438593327.123456, "2015-08-03T09:15:27.123456+00:00"),
        (1299000000.5, "2011-03-01T17:20:00.500000+00:00"),
    ],
)
def test_a_timestamp_always_has_microseconds_and_zone(now: float, text: str) -> None:
    assert timestamp(now) == text


@given(st.floats(0, 4e9))
def test_timestamps_have_one_shape(now: float) -> None:
    text = timestamp(now)
    assert len(text) == 32
    assert text.endswith("+00:00")
    assert text[19] == "."


def test_only_the_pipeline_goes_as_json_text() -> None:
    params = {
        "pipeline": {"h264": {"next": ["mp3"]}},
        "events": {"video_encoded": True},
        "profiles": ["h264", "mp3"],
        "payload": None,
        "delay": 0,
    }
    before = json.dumps(params)
    wired = dict(wire_params(params))
    assert json.dumps(params) == before
    assert json.loads(str(wired.pop("pipeline"))) == {"h264": {"next": ["mp3"]}}
    assert wired == {name: value for name, value in params.items() if name != "pipeline"}
    assert wire_params({"pipeline": "{}"}) == {"pipeline": "{}"}


def test_none_is_neither_signed_nor_sent() -> None:
    signer = HmacSigner("api.example.com", "my_access_key", "my_secret_key")
    with_none = signer(Request("GET", "/videos.json", {"page": 1, "status": None}), 0.0)
    assert with_none == signer(Request("GET", "/videos.json", {"page": 1}), 0.0)
    assert "status" not in signer.params("GET", "/videos.json", {"status": None}, 0.0)


def test_the_signer_signs_what_the_wire_carries() -> None:
    signer = HmacSigner("Myapihost:85", "my_access_key", lambda: "my_secret_key", factory_id="my_cloud_id")
    request = Request("PUT", "/notifications.json", {"events": {"video_encoded": True}, "url": None})
    signed = signer(request, 1257357251.0)
    params = dict(parse_qsl(urlsplit(signed.url("http://host.example")).query, keep_blank_values=True))
    signature = params["signature"]
    assert params == signer.params(request.method, request.path, request.params, 1257357251.0)
    assert not any(text in f"{signed!r} {signed.shown_path}" for text in params.values())
    assert params == {
        "access_key": "my_access_key",
        "events[video_encoded]": "true",
        "factory_id": "my_cloud_id",
        "signature": signature,
        "timestamp": "2009-11-04T17:54:11.000000+00:00",
    }
    nested = {
        "access_key": "my_access_key",
        "events": {"video_encoded": "true"},
        "factory_id": "my_cloud_id",
        "timestamp": "2009-11-04T17:54:11.000000+00:00",
    }
    assert signature == sign_request("my_secret_key", "PUT", "myapihost", "/notifications.json", nested)
    assert request.params == {"events": {"video_encoded": True}, "url": None}


def test_a_signer_shows_no_secret_and_asks_for_the_key_each_time() -> None:
    keys = iter(["first-secret", "second-secret"])
    signer = HmacSigner("host.example", "access", lambda: next(keys))
    assert "secret" not in repr(HmacSigner("host.example", "access", "a-secret")).replace("secret_key", "")
    first, second = (signer.params("GET", "/videos.json", None, 0.0) for _ in range(2))
    assert first["signature"] != second["signature"]
    assert "factory_id" not in first
    assert "cloud_id" not in first


# -- what answers mean -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (protocol.delete_video("1f"), "deleted"),
        (protocol.delete_source("1f"), "deleted"),
        (protocol.delete_encoding("1f"), "deleted"),
        (protocol.delete_profile("1f"), "deleted"),
        (protocol.cancel_encoding("1f"), "canceled"),
        (protocol.retry_encoding("1f"), "retried"),
    ],
)
def test_done_is_told_by_an_empty_body_or_a_true_word(call: Call[bool], key: str) -> None:
    assert call.parse(answer(200)) is True
    assert call.parse(answer(200, b" \r\n")) is True
    assert call.parse(answer(200, {key: True})) is True
    assert call.parse(answer(200, {key: "ok"})) is True
    assert call.parse(answer(200, {})) is True
    assert call.parse(answer(200, b"true")) is True
    assert call.parse(answer(200, {key: False})) is False
    assert call.parse(answer(200, b"null")) is False
    with pytest.raises(DecodeError):
        call.parse(answer(200, b"<html>"))


LOCATION = "http://vm-def456.upload.example/upload/session?id=9f2c41"


@pytest.mark.parametrize(
    "numbers",
    [
        {"parts": "5", "part_size": "10000000", "max_connections": "16"},
        {"parts": 5, "part_size": 10000000, "max_connections": 16},
        {"parts": 5.0, "part_size": "10000000", "max_connections": 16},
    ],
)
def test_an_upload_session_has_numbers_as_text_or_not(numbers: dict[str, object]) -> None:
    call = protocol.open_upload({"file_size": 45_000_000, "file_name": "a.mp4"})
    opened = call.parse(answer(201, {"id": "9f2c41", "location": LOCATION, **numbers}))
    assert opened.session_id == "9f2c41"
    assert opened.location == LOCATION
    assert (opened.parts, opened.part_size, opened.max_connections) == (5, 10_000_000, 16)
    assert "9f2c41" not in repr(opened)


def test_an_upload_session_of_the_older_kind_has_no_numbers() -> None:
    opened = protocol.open_upload({}).parse(answer(201, {"id": 7, "location": LOCATION}))
    assert (opened.session_id, opened.parts, opened.part_size, opened.max_connections) == ("7", 1, 0, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        {"id": "9f2c41"},
        {"id": "9f2c41", "location": ""},
        {"id": "9f2c41", "location": None},
        {"id": "9f2c41", "location": LOCATION, "parts": "many"},
        {"id": "9f2c41", "location": LOCATION, "part_size": [1]},
    ],
)
def test_an_upload_session_that_cannot_be_used_is_refused(body: bytes | object) -> None:
    with pytest.raises(DecodeError):
        protocol.open_upload({}).parse(answer(201, body))


@pytest.mark.parametrize("body", [b"[]", b'{"videos": [], "page": 1, "per_page": 100, "total": 0}'])
def test_a_list_may_be_bare_or_rooted(body: bytes) -> None:
    assert protocol.list_videos().parse(answer(200, body)) == []


@pytest.mark.parametrize("body", [b"{}", b"null", b"[1]", b'{"clouds": []}', b"[[]]", b"<html>", b""])
def test_a_list_is_nothing_else(body: bytes) -> None:
    with pytest.raises(DecodeError):
        protocol.list_videos().parse(answer(200, body))
