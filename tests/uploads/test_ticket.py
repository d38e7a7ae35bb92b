"""Tickets: what goes out comes back, and nothing else gets in."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.errors import DecodeError
from cloudreel.uploads import Fingerprint, Ticket

FIELDS = {
    "service": "telestream",
    "endpoint": "https://api.example:443/v3.0",
    "scope": "5c1d7e90",
    "session_id": "9f2c41",
    "location": "http://vm-abc.upload.example/upload/session?id=s3cret",
    "dialect": "parts",
    "size": 45_000_000,
    "part_size": 10_000_000,
    "parts": 5,
    "max_connections": 16,
    "file_name": "clip.mp4",
    "fingerprint": {"size": 45_000_000, "mtime_ns": 1_480_000_000_000_000_000, "sha256": "ab" * 32},
    "created": 1_480_000_000.25,
    "version": 1,
}


def text_of(**changes):
    return json.dumps({**FIELDS, **changes})


def test_a_ticket_comes_back_as_it_went():
    ticket = Ticket.from_json(text_of())
    assert json.loads(ticket.to_json()) == FIELDS
    assert Ticket.from_json(ticket.to_json()) == ticket
    assert Ticket.from_json(ticket.to_json().encode()) == ticket
    assert ticket.fingerprint == Fingerprint(45_000_000, 1_480_000_000_000_000_000, "ab" * 32)
    assert len(ticket.to_json()) < 1000


@given(
    size=st.integers(1, 10**12),
    part_size=st.integers(10**6, 10**9),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    scope=st.none() | st.text("0123456789abcdef", min_size=1),
    mtime_ns=st.none() | st.integers(0, 2**63),
    created=st.floats(0, 1e11) | st.integers(0, 10**11),
)
def test_every_ticket_comes_back(size, part_size, name, scope, mtime_ns, created):
    ticket = Ticket(
        service="telestream",
        endpoint="https://api.example/v3.0",
        scope=scope,
        session_id="1",
        location="https://upload.example/x",
        dialect="parts",
        size=size,
        part_size=part_size,
        parts=-(-size // part_size),
        max_connections=8,
        file_name=name,
        fingerprint=Fingerprint(size, mtime_ns, "0" * 64),
        created=created,
    )
    assert Ticket.from_json(ticket.to_json()) == ticket


def test_repr_hides_the_location():
    shown = repr(Ticket.from_json(text_of(location="http://user:pw@up.example/upload?id=s3cret")))
    assert "s3cret" not in shown
    assert "pw" not in shown
    assert "up.example" in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": "1"},
        {"service": None},
        {"scope": 5},
        {"dialect": "carrier-pigeon"},
        {"size": 0},
        {"size": -45_000_000},
        {"size": 45_000_000.0},
        {"size": True},
        {"size": "45000000"},
        {"part_size": 0},
        {"part_size": -1},
        {"parts": 4},
        {"parts": 6},
        {"size": 2**60, "part_size": 1, "parts": 2**60},
        {"max_connections": 0},
        {"location": ""},
        {"location": "/upload"},
        {"location": "file:///etc/passwd"},
        {"location": "http://"},
        {"location": "http://host:port/"},
        {"location": "http://host/a b"},
        {"location": "http://host/\r\nX-Part: 1"},
        {"location": "http://[::1/"},
        {"endpoint": "ftp://api.example"},
        {"created": None},
        {"created": "now"},
        {"file_name": 5},
        {"fingerprint": None},
        {"fingerprint": {}},
        {"fingerprint": {"size": 1, "mtime_ns": None, "sha256": "ab" * 32}},
        {"fingerprint": {"size": 45_000_000, "mtime_ns": "x", "sha256": "ab" * 32}},
        {"fingerprint": {"size": 45_000_000, "mtime_ns": None, "sha256": "xy" * 32}},
        {"fingerprint": {"size": 45_000_000, "mtime_ns": None, "sha256": "ab"}},
    ],
)
def test_what_is_no_ticket_is_refused(changes):
    with pytest.raises(DecodeError, match="no upload ticket"):
        Ticket.from_json(text_of(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"checksums": ["crc32"], "secret_key": "k3y"},
        {"fingerprint": {**FIELDS["fingerprint"], "blake3": "cd" * 32}},
    ],
)
def test_what_a_later_release_adds_is_left_out(changes):
    ticket = Ticket.from_json(text_of(**changes))
    assert json.loads(ticket.to_json()) == FIELDS


def test_the_key_names_the_upload_and_tells_nothing_of_it():
    ticket = Ticket.from_json(text_of())
    assert re.fullmatch("[0-9a-f]{32}", ticket.key)
    moved = Ticket.from_json(text_of(location="https://vm-xyz.upload.example/elsewhere", created=5))
    assert moved.key == ticket.key
    others = [
        {"service": "panda"},
        {"endpoint": "https://b.example"},
        {"scope": None},
        {"session_id": "9f2c42"},
    ]
    assert len({ticket.key, *(Ticket.from_json(text_of(**other)).key for other in others)}) == 5


@pytest.mark.parametrize("name", list(FIELDS))
def test_a_missing_member_is_refused(name):
    with pytest.raises(DecodeError, match="no upload ticket"):
        Ticket.from_json(json.dumps({key: value for key, value in FIELDS.items() if key != name}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", '"text"', b"\xff", "[" * 5000, " " * 70_000])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(DecodeError, match="no upload ticket"):
        Ticket.from_json(text)


def test_a_broken_ticket_is_not_shown():
    with pytest.raises(DecodeError) as caught:
        Ticket.from_json(text_of()[:-3])
    assert "s3cret" not in str(caught.value)
    assert caught.value.cause is None


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(FIELDS)), JSON_VALUES)
def test_a_tampered_ticket_is_refused_or_is_consistent(name, value):
    try:
        ticket = Ticket.from_json(text_of(**{name: value}))
    except DecodeError:
        return
    assert ticket.parts == -(-ticket.size // ticket.part_size)
    assert ticket.fingerprint.size == ticket.size > 0
    assert Ticket.from_json(ticket.to_json()) == ticket
