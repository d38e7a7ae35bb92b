"""The quick way to the canonical text of arguments, beside the careful one."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.errors import SigningError
from cloudreel.signing import calls, normalize, sign_call
from cloudreel.signing.plain_calls import plain_text

KEY = "00112233445566778899aabbccddeeff00112233"

texts = st.text(st.characters(codec="utf-8"), max_size=6)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=16,
)


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Text(str):
    def __str__(self) -> str:
        return "another text"


odd = st.recursive(
    plain
    | st.floats()
    | st.binary(max_size=3)
    | st.sampled_from([Colour.RED, Size.BIG, Text("odd"), object(), datetime(2010, 4, 11, tzinfo=UTC)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | st.integers() | st.booleans() | st.just(Colour.RED), inner, max_size=3)
    ),
    max_leaves=8,
)


def carefully(value: object, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Return what `normalize` does without the quick way, None where it refuses."""
    with monkeypatch.context() as patched:
        patched.setattr(calls, "plain_text", lambda _: None)
        try:
            return normalize(value)
        except SigningError:
            return None


@pytest.fixture(scope="module")
def patcher() -> pytest.MonkeyPatch:
    return pytest.MonkeyPatch()


@given(plain)
def test_plain_values_are_taken_and_come_out_as_the_careful_way_has_them(
    patcher: pytest.MonkeyPatch, value: object
) -> None:
    assert plain_text(value) == carefully(value, patcher)


@given(odd)
def test_what_it_takes_of_anything_comes_out_as_the_careful_way_has_it(
    patcher: pytest.MonkeyPatch, value: object
) -> None:
    text = plain_text(value)
    assert text is None or text == carefully(value, patcher)


@pytest.mark.parametrize(
    "value",
    [b"x", float("nan"), [float("inf")], {1: "a"}, {"a": 1, 2: "b"}, {"a": Colour.RED}, [Size.BIG], object()],
)
def test_it_leaves_the_rest_to_the_careful_way(value: object) -> None:
    assert plain_text(value) is None


def test_a_value_inside_itself_is_left_to_the_careful_way() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert plain_text(endless) is None


@given(st.dictionaries(texts, odd, max_size=3))
def test_what_is_wired_and_signed_together_is_what_is_wired_and_signed_apart(args: dict[str, Any]) -> None:
    try:
        expected = calls.wire_value(args), sign_call("u1", KEY, "media.list", args, act_as_user="u2")
    except SigningError:
        with pytest.raises(SigningError):
            calls.wire_and_sign("u1", KEY, "media.list", args, act_as_user="u2")
        return
    wired, auth = calls.wire_and_sign("u1", KEY, "media.list", args, act_as_user="u2")
    assert (_listed(wired), auth) == (_listed(expected[0]), expected[1])


def _listed(value: Any) -> object:
    """Return a value with its tuples as the lists that JSON makes of them."""
    if isinstance(value, dict):
        return {name: _listed(member) for name, member in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value
