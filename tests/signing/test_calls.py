from __future__ import annotations

import copy
import json
from base64 import urlsafe_b64decode
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.errors import SigningError
from cloudreel.signing import drm_token, normalize, sign_call
from cloudreel.signing.calls import token_auth, wire_value

KEY = "00112233445566778899aabbccddeeff00112233"

texts = st.text(st.characters(codec="utf-8"), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))]))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(texts, inner, max_size=4)
        | st.dictionaries(st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


@given(values)
def test_what_is_sent_is_what_is_signed(value: object) -> None:
    before = copy.deepcopy(value)
    sent = json.loads(json.dumps(wire_value(value)))
    assert normalize(sent) == normalize(value)
    assert value == before


@given(st.dictionaries(texts, scalars, max_size=6), st.randoms())
def test_the_order_of_members_does_not_matter(value: dict[str, object], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert normalize(dict(items)) == normalize(value)


@pytest.mark.parametrize(
    ("value", "text", "wire"),
    [
        (datetime(2010, 4, 11, tzinfo=UTC), "1270944000", 1270944000),
        (datetime(2010, 4, 11, 2, tzinfo=timezone(timedelta(hours=2))), "1270944000", 1270944000),
        (datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC), "-1", -1),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "253402300799", 253402300799),
        (Colour.RED, "red", "red"),
        ({Colour.RED: Size.BIG}, "red3", {"red": 3}),
        (MappingProxyType({"b": 1, "a": (2, None)}), "a2b1", {"b": 1, "a": [2, None]}),
        (OrderedDict(b=1, a=2), "a2b1", {"b": 1, "a": 2}),
        ({True: 1}, "true1", {"true": 1}),
        ({-1: "x"}, "-1x", {"-1": "x"}),
        ({"z": 1, "é": 2, "\U0001f3ac": 3, "\uffff": 4}, "z1é2\uffff4\U0001f3ac3", None),
    ],
)
def test_forms(value: object, text: str, wire: object) -> None:
    assert normalize(value) == text
    if wire is not None:
        assert wire_value(value) == wire
        assert type(wire_value(value)) is type(wire)


def endless() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"bytes", "bytes"),
        ({"a": [b"x"]}, "bytes"),
        (float("nan"), "nan"),
        ([float("inf")], "inf"),
        (-float("inf"), "-inf"),
        (datetime(2010, 4, 11), "no zone"),
        (datetime(2010, 4, 11, tzinfo=UTC).date(), "type date"),
        (timedelta(1), "timedelta"),
        ({1, 2}, "set"),
        (object(), "object"),
        (iter([]), "iterator"),
        ({None: 1}, "NoneType"),
        ({1.5: 1}, "float"),
        ({b"k": 1}, "bytes"),
        ({1: "a", "1": "b"}, "same text '1'"),
        (endless(), "nested"),
    ],
)
def test_refused(value: object, message: str) -> None:
    with pytest.raises(SigningError, match=message):
        normalize(value)
    with pytest.raises(SigningError, match=message):
        wire_value(value)


def test_the_text_tells_neither_types_nor_boundaries_apart() -> None:
    """Inherent to the protocol (cloudkey-rpc.md 3.5)."""
    assert normalize(["ab", "c"]) == normalize(["a", "bc"]) == normalize("abc") == normalize({"a": "bc"})
    assert normalize(True) == normalize("true")
    assert normalize(1) == normalize("1")
    assert normalize(None) == normalize("") == normalize([]) == normalize({})


@given(
    st.text("0123456789abcdef", min_size=24, max_size=24),
    st.none() | texts,
    st.dictionaries(texts, values, max_size=3),
)
def test_auth_names_the_caller(user: str, acted: str | None, args: dict[str, object]) -> None:
    before = copy.deepcopy(args)
    auth = sign_call(user, KEY, "media.list", args, act_as_user=acted)
    caller, _, digest = auth.rpartition(":")
    assert caller == (f"{user}/{acted}" if acted else user)
    assert len(digest) == 32
    assert KEY not in auth
    assert args == before


def test_everything_is_in_the_digest() -> None:
    base = {"user_id": "u" * 24, "api_key": KEY, "call": "media.info", "args": {"id": "m"}}
    changes: list[dict[str, Any]] = [
        {"user_id": "v" * 24},
        {"api_key": "k"},
        {"call": "media.delete"},
        {"args": {"id": "n"}},
        {"args": {}},
        {"args": None},
        {"act_as_user": "w" * 24},
    ]
    digests = {sign_call(**base | change).rpartition(":")[2] for change in [{}, *changes]}
    assert len(digests) == len(changes) + 1


def test_no_lone_surrogate_is_signed() -> None:
    with pytest.raises(SigningError, match="surrogate"):
        sign_call("u", KEY, "media.search", {"query": "\udc80"})
    with pytest.raises(SigningError, match="surrogate") as raised:
        sign_call("u", KEY + "\udc80", "media.list", {})
    assert raised.value.__cause__ is None
    assert KEY not in str(raised.value)


TOKEN: dict[str, Any] = {
    "user_id": "u1",
    "media_id": "m1",
    "api_key": KEY,
    "expires": 1700000600,
    "nonce": "n",
}


@given(
    st.none() | st.dictionaries(texts, texts, max_size=3),
    st.none() | st.dictionaries(texts, values, max_size=3),
    st.none() | texts,
    st.none() | st.integers(0, 9),
)
def test_token(rights: Any, meta: Any, callback_url: Any, max_replay: Any) -> None:
    token = drm_token(**TOKEN, rights=rights, meta=meta, callback_url=callback_url, max_replay=max_replay)
    members = json.loads(urlsafe_b64decode(token))
    assert token_auth(members, KEY) == members["auth"]
    assert token_auth(members | {"media_id": "m2"}, KEY) != members["auth"]
    assert ("max_replay" in members) == bool(max_replay)
    assert ("rights" in members) == (rights is not None)
    assert KEY not in json.dumps(members)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expires": -1}, "expires"),
        ({"expires": 1.5}, "expires"),
        ({"expires": True}, "expires"),
        ({"nonce": ""}, "nonce"),
        ({"max_replay": -1}, "max_replay"),
        ({"max_replay": "3"}, "max_replay"),
        ({"meta": {"a": b"x"}}, "bytes"),
        ({"rights": {"start_date": datetime(2010, 4, 11)}}, "no zone"),
    ],
)
def test_malformed_token(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SigningError, match=message):
        drm_token(**TOKEN | change)
