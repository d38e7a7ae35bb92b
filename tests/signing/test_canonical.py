"""How the parts of a request are written for its signature: parameters as text, hosts and paths."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest

from cloudreel.errors import SigningError
from cloudreel.signing import canonical_query, sign_request, signed_params
from cloudreel.signing.params import flatten, param_text
from cloudreel.signing.requests import canonical_host, canonical_path

SECRET = "0f1e2d3c4b5a69788796"
HOST, PATH = "api.example", "/videos.json"
STAMP = "2016-10-03T12:00:00.000000+00:00"
AUTH: dict[str, Any] = {"access_key": "acck", "secret_key": SECRET, "host": HOST, "timestamp": STAMP}


class Kind(StrEnum):
    SMALL = "small"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é", "é"),
        (b"\xc3\xa9", "é"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-12, "-12"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (29.97, "29.97"),
        (1e16, "1e+16"),
        ("", ""),
        (["h264", "ogg"], "h264,ogg"),
        (("a", 1, True), "a,1,true"),
        ([], ""),
        (Kind.SMALL, "small"),
    ],
)
def test_param_text(value: object, text: str) -> None:
    assert param_text(value) == text
    assert flatten({"x": value, "y": {"z": value}}) == {"x": text, "y[z]": text}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": float("nan")}, "'rate': nan"),
        ({"rate": float("inf")}, "'rate': inf"),
        ({"data": b"\xff"}, "'data'.*UTF-8"),
        ({"when": datetime(2016, 10, 3, tzinfo=UTC)}, "'when'.*datetime"),
        ({"tags": {"a", "b"}}, "'tags'.*set"),
        ({"tags": ["a", None]}, "'tags'.*None"),
        ({"tags": ["a", ["b"]]}, "'tags'.*list"),
        ({"tags": [{"a": 1}]}, "'tags'.*dict"),
        ({"events": {"a": object()}}, r"'events\[a\]'.*object"),
        ({"events": {"a": {"b": 1}}}, r"'events\[a\]'.*deeper"),
        ({"events[a]": 1}, r"'events\[a\]'.*mapping"),
        ({"a]": 1}, "brackets"),
        ({"a[b": {"c": 1}}, "nested parameter"),
        ({"": {"c": 1}}, "nested parameter"),
        ({"a&b": {"c": 1}}, "nested parameter"),
        ({1.5: "x"}, "float"),
        ({True: "x"}, "bool"),
        ({None: "x"}, "NoneType"),
        ({1: "x", "1": "y"}, "'1' is given twice"),
        ({"a": {1: "x", "1": "y"}}, r"'a\[1\]' is given twice"),
        ({"title": "\udc80"}, "surrogate"),
        ({"\udc80": "x"}, "surrogate"),
    ],
)
def test_refused_to_sign(values: dict[Any, Any], message: str) -> None:
    with pytest.raises(SigningError, match=message):
        canonical_query(values)
    with pytest.raises(SigningError, match=message):
        signed_params("GET", PATH, values, **AUTH)
    with pytest.raises(SigningError, match=message):
        sign_request(SECRET, "GET", HOST, PATH, values)


def test_none_is_no_parameter_but_no_text() -> None:
    assert flatten({"a": None, "b": {"c": None}, "d": {}}) == {}
    assert canonical_query({"a": None, "b": {"c": None}, "d": {}, "e": ""}) == "e="
    with pytest.raises(SigningError, match="None has no text"):
        param_text(None)


def test_keys_sort_by_code_point_not_by_pair() -> None:
    assert canonical_query({"a": 1, "a-b": 2, "a0": 3}) == "a=1&a-b=2&a0=3"
    assert canonical_query({"a1": "x", "a": {"b": 1}, "A": 2}) == "A=2&a[b]=1&a1=x"


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        ("API.Example", "api.example"),
        ("api.example:443", "api.example"),
        ("[::1]", "[::1]"),
        ("[2001:DB8::1]:8080", "[2001:db8::1]"),
        ("2001:DB8::1", "[2001:db8::1]"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("", ""),
    ],
)
def test_canonical_host(host: str, canonical: str) -> None:
    assert canonical_host(host) == canonical


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("videos.json", "/videos.json"),
        (" \t\n\r\0\x0b/videos.json/ ", "/videos.json"),
        ("//a//b//", "/a//b"),
        ("", "/"),
        ("/a b.json", "/a b.json"),
        ("\x0cvideos.json", "/\x0cvideos.json"),
    ],
)
def test_canonical_path(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical
