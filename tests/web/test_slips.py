"""Slips for uploads: read again as they were, by nobody else's secret, in time."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.errors import DecodeError
from cloudreel.web.slips import Slip, read_slip

SECRET = "only-for-tests-0123"
SLIP = Slip("0" * 32, "film ♥.mp4", 42, 1_000)


@given(st.text(max_size=40), st.text(max_size=300), st.integers(1, 2**50), st.integers(0, 2**40), st.text())
def test_a_slip_comes_back_as_it_was(nonce: str, name: str, size: int, expires: int, secret: str) -> None:
    slip = Slip(nonce, name, size, expires)
    assert read_slip(slip.signed(secret), secret, now=float(expires)) == slip


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        read_slip(text, SECRET, now=0.0)


@given(st.integers(0, 200), st.characters(codec="ascii", categories=["L", "N"]))
def test_a_changed_slip_is_refused(place: int, letter: str) -> None:
    text = SLIP.signed(SECRET)
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        with pytest.raises(DecodeError, match="not begun here"):
            read_slip(changed, SECRET, now=0.0)


def test_an_expired_slip_and_another_s_are_refused() -> None:
    with pytest.raises(DecodeError, match="expired"):
        read_slip(SLIP.signed(SECRET), SECRET, now=1_000.5)
    with pytest.raises(DecodeError, match="not begun here"):
        read_slip(SLIP.signed(SECRET), f"{SECRET}4", now=0.0)
    with pytest.raises(DecodeError, match="not begun here"):
        read_slip(SLIP.signed(SECRET) + "a" * 5000, SECRET, now=0.0)


def test_the_payload_tells_slips_apart_and_is_short() -> None:
    assert SLIP.payload != evolve(SLIP, nonce="1" * 32).payload
    assert len(SLIP.payload) <= 256
