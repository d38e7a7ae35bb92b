"""The quick way to signed URLs, beside the careful one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudreel.errors import SigningError
from cloudreel.signing import sign_url, sign_urls
from cloudreel.signing.plain_urls import plain_url, plain_urls
from cloudreel.signing.urls import _signed

KEY = "00112233445566778899aabbccddeeff00112233"
TERMS = ("0", "1700000000", KEY, "")
URL = "http://api.example/embed/u1/m1"

visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#?"), max_size=12)
any_text = st.text(st.sampled_from("ab1/:.%&=?# \n\t\x00\x7fé\ud800\u0661\u2028"), max_size=8)
urls = st.builds("{}{}{}".format, st.sampled_from(["http://", "https://", "ftp://", ""]), visible, any_text)
nonces = st.text("ab1", min_size=1, max_size=3) | any_text


def carefully(url: str, nonce: str, *terms: str) -> str | None:
    try:
        return _signed(url, nonce, *terms)
    except SigningError:
        return None


@given(urls, nonces, visible | any_text, st.sampled_from(["", "-eJxLTrYtSwYABc4Bng=="]))
@example("http://a.example/é", "a", KEY, "")
def test_what_it_takes_comes_out_as_ever(url: str, nonce: str, end: str, suffix: str) -> None:
    terms = ("4", "0", end, suffix)
    quick = plain_url(url, nonce, *terms)
    assert quick is None or quick == carefully(url, nonce, *terms)


@given(st.sampled_from(["http://", "https://"]), visible)
def test_it_takes_what_nearly_every_url_is(scheme: str, rest: str) -> None:
    assert plain_url(scheme + rest, "abcd1234", *TERMS) == carefully(scheme + rest, "abcd1234", *TERMS)


@pytest.mark.parametrize(
    ("url", "nonce"),
    [
        (f"{URL}?x=1", "a"),
        (f"{URL}#x", "a"),
        (f"{URL} ", "a"),
        (f"{URL}\x00", "a"),
        (f"{URL}\x7f", "a"),
        (f"{URL}é", "a"),
        (f"{URL}\ud800", "a"),
        ("ftp://a.example/", "a"),
        (URL, ""),
        (URL, "a-b"),
        (URL, "\u0661"),
    ],
)
def test_it_leaves_the_rest_to_the_careful_way(url: str, nonce: str) -> None:
    assert plain_url(url, nonce, *TERMS) is None
    assert plain_urls([URL, url, URL], ["a", nonce, "b"], *TERMS) is None


def test_a_key_that_is_no_utf8_is_left_to_the_careful_way() -> None:
    assert plain_url(URL, "a", "0", "0", "\ud800", "") is None
    assert plain_urls([URL], ["a"], "0", "0", "\ud800", "") is None
    with pytest.raises(SigningError, match="surrogate") as caught:
        sign_url(URL, "secret\ud800", expires=0, nonce="a")
    assert caught.value.__suppress_context__


@given(st.lists(st.tuples(urls, nonces), max_size=4))
def test_many_are_taken_where_each_one_is(pairs: list[tuple[str, str]]) -> None:
    many = plain_urls([url for url, _ in pairs], [nonce for _, nonce in pairs], *TERMS)
    one_each = [plain_url(url, nonce, *TERMS) for url, nonce in pairs]
    assert many == one_each if many is not None else None in one_each or not pairs


def test_no_urls_are_no_urls() -> None:
    assert sign_urls([], KEY, expires=0, nonces=[]) == []
