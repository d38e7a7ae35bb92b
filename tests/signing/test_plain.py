"""The quick way to a canonical query, beside the careful one."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudreel.errors import SigningError
from cloudreel.signing import canonical_query, signed_params
from cloudreel.signing.plain import plain_query
from cloudreel.signing.requests import RequestSigner

SECRET = "0f1e2d3c4b5a69788796"
SCOPE = {
    "access_key": "acck",
    "host": "api.example",
    "timestamp": "2016-10-03T12:00:00.000000+00:00",
    "cloud_id": "c1",
}

texts = st.text(st.characters(codec="utf-8"), max_size=80)
names = st.text("ab_09[]%é secret", max_size=8) | st.sampled_from(["file", "signature", "aws_secret_key"])
plain = st.none() | st.booleans() | st.integers() | texts
values = plain | st.floats(allow_nan=False, allow_infinity=False) | texts.map(str.encode) | st.lists(texts)
outers = st.sampled_from(["events", "extra"])


@given(st.dictionaries(names, plain, max_size=6))
@example({"a": True, "b": 1, "c": None, "d": "é", "e": "x" * 65})
@example({"file": "film.mp4"})
@example({"a": "ok", "b[c]": "1"})
def test_what_it_takes_comes_out_as_the_careful_way_has_it(params: dict[str, Any]) -> None:
    query = plain_query(params)
    if query is not None:
        assert query == canonical_query(params)


@given(st.dictionaries(st.sampled_from(["status", "page", "profiles", "aws_secret_key"]), plain))
def test_it_takes_what_nearly_every_request_is(params: dict[str, Any]) -> None:
    assert plain_query(params) == canonical_query(params)


@pytest.mark.parametrize("value", [1.5, b"x", ["a"], {"a": "b"}, object()])
def test_it_leaves_the_rest_to_the_careful_way(value: object) -> None:
    assert plain_query({"a": value}) is None
    assert plain_query({1: "a", "b": "c"}) is None  # type: ignore[dict-item]


def test_a_lone_surrogate_is_refused_as_ever() -> None:
    with pytest.raises(SigningError, match="lone surrogate"):
        plain_query({"a": "\ud800"})


@given(
    st.dictionaries(st.text("abc", min_size=1), values, max_size=4),
    st.dictionaries(outers, st.dictionaries(st.text("abc"), texts, max_size=2), max_size=1),
)
def test_the_signed_query_says_what_the_signed_parameters_say(
    flats: dict[str, Any], nested: dict[str, Any]
) -> None:
    params = {**flats, **nested, "signature": "old"}
    before = copy.deepcopy(params)
    query = RequestSigner(SECRET).signed_query("POST", "/videos.json", params, **SCOPE)
    expected = signed_params("POST", "/videos.json", params, secret_key=SECRET, **SCOPE)
    assert dict(parse_qsl(query, keep_blank_values=True)) == expected
    assert params == before


def test_a_path_with_a_query_is_refused() -> None:
    with pytest.raises(SigningError, match="signed apart"):
        RequestSigner(SECRET).signed_query("GET", "/videos.json?page=2", {}, **SCOPE)
