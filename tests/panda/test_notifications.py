"""What the services post: every documented shape, every spelling, and bodies that are none."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudreel.errors import DecodeError
from cloudreel.panda.notifications import (
    EVENTS,
    LARGEST_BODY,
    MOST_FIELDS,
    VideoNotification,
    parse_notification,
)
from cloudreel.telestream import parse_notification as telestream_parse

VIDEO, ENCODING, OTHER = "7d8e4f1c2b3a4958", "a1b2c3d4e5f60718", "c3d4e5f60718a1b2"
IDS = (ENCODING, OTHER)

SHAPES: list[tuple[dict[str, object], VideoNotification]] = [
    (
        {"event": "video-created", "video_id": VIDEO, "encoding_ids[0]": ENCODING, "encoding_ids[1]": OTHER},
        VideoNotification("video-created", VIDEO, None, IDS),
    ),
    (
        {"event": "video-encoded", "video_id": VIDEO, "encoding_ids[0]": ENCODING},
        VideoNotification("video-encoded", VIDEO, None, (ENCODING,)),
    ),
    # A video without encodings, and the misprint of the old documentation.
    ({"event": "video-created", "video_id": VIDEO}, VideoNotification("video-created", VIDEO)),
    (
        {
            "event": "video-created",
            "video_id": VIDEO,
            "encodings_ids[1]": OTHER,
            "encodings_ids[0]": ENCODING,
        },
        VideoNotification("video-created", VIDEO, None, IDS),
    ),
    (
        {"event": "encoding-progress", "encoding_id": ENCODING, "progress": 34},
        VideoNotification("encoding-progress", None, ENCODING, (), 34.0),
    ),
    (
        {"event": "encoding-progress", "encoding_id": ENCODING, "video_id": VIDEO, "progress": "34.5"},
        VideoNotification("encoding-progress", VIDEO, ENCODING, (), 34.5),
    ),
    (
        {"event": "encoding-progress", "encoding_id": ENCODING, "progress": ""},
        VideoNotification("encoding-progress", None, ENCODING),
    ),
    (
        {"event": "encoding-complete", "encoding_id": ENCODING},
        VideoNotification("encoding-complete", None, ENCODING),
    ),
    (
        {"event": "encoding-completed", "encoding_id": ENCODING, "video_id": VIDEO},
        VideoNotification("encoding-complete", VIDEO, ENCODING),
    ),
    # A word of a later service needs no subject.
    ({"event": "video-moved", "to": "nowhere"}, VideoNotification("video-moved")),
    # Old fixtures have ids that are numbers.
    ({"event": "video-created", "video_id": 111}, VideoNotification("video-created", "111")),
    (
        {
            "event": "video-encoded",
            "video_id": VIDEO,
            "original_filename": "größe & mehr.mp4",
            "status": "success",
            "duration": 14014,
            "encoding_ids[0]": ENCODING,
        },
        VideoNotification("video-encoded", VIDEO, None, (ENCODING,)),
    ),
]


def without_details(notification: VideoNotification) -> tuple[object, ...]:
    n = notification
    return n.event, n.video_id, n.encoding_id, n.encoding_ids, n.progress


def as_form(fields: dict[str, object]) -> bytes:
    return urlencode({name: str(value) for name, value in fields.items()}).encode()


def test_a_notification_says_what_it_is_about() -> None:
    assert VideoNotification("video-encoded", VIDEO, None, IDS).about == {VIDEO, ENCODING, OTHER}
    assert VideoNotification("encoding-complete", None, ENCODING).about == {ENCODING}


@pytest.mark.parametrize(("fields", "expected"), SHAPES)
def test_forms_are_read(fields: dict[str, object], expected: VideoNotification) -> None:
    found = parse_notification(as_form(fields))
    assert without_details(found) == without_details(expected)
    assert found.details == {name: str(value) for name, value in fields.items()}


@pytest.mark.parametrize(("fields", "expected"), SHAPES)
def test_json_is_read(fields: dict[str, object], expected: VideoNotification) -> None:
    found = telestream_parse(b" \n" + json.dumps(fields).encode())
    assert without_details(found) == without_details(expected)
    assert found.details == fields


@pytest.mark.parametrize(
    "body",
    [
        f"encoding_ids%5B0%5D={ENCODING}&encoding_ids%5B1%5D={OTHER}",
        f"encoding_ids[1]={OTHER}&encoding_ids[0]={ENCODING}",
        f"encoding_ids[10]={OTHER}&encoding_ids[9]={ENCODING}",
        f"encoding_ids[]={ENCODING}&encoding_ids[]={OTHER}",
        f"encoding_ids%5B%5D={ENCODING}&encoding_ids%5B%5D={OTHER}",
        f"encoding_ids={quote(json.dumps(IDS))}",
        f"encoding_ids[0]={ENCODING}&encoding_ids[1]={OTHER}&encoding_ids[2]=&encoding_ids[x]=y",
    ],
)
def test_ids_are_written_in_many_ways(body: str) -> None:
    found = parse_notification(f"event=video-created&video_id={VIDEO}&{body}".encode())
    assert found.encoding_ids == IDS


@pytest.mark.parametrize(
    "fields",
    [
        {"encoding_ids": list(IDS)},
        {"encoding_ids": json.dumps(IDS)},
        {"encoding_ids[0]": ENCODING, "encoding_ids[1]": OTHER},
        {"encoding_ids[]": list(IDS)},
    ],
)
def test_ids_in_json_too(fields: dict[str, object]) -> None:
    body = json.dumps({"event": "video-encoded", "video_id": VIDEO, **fields})
    assert parse_notification(body.encode()).encoding_ids == IDS


REFUSED = [
    b"",
    b" ",
    b"hello",
    b"event",
    b"event=",
    b"event=&video_id=1",
    b"video_id=1",
    b"=&=",
    b"event=video-created",  # of which video?
    b"event=video-created&video_id=",
    b"event=video-encoded&encoding_id=1",
    b"event=encoding-complete&video_id=1",
    b"event=encoding-progress&progress=3",
    b"event=encoding-progress&encoding_id=1&progress=much",
    b"event=encoding-progress&encoding_id=1&progress=nan",
    b"event=encoding-progress&encoding_id=1&progress=1e999",
    b"event=video-created&video_id=1&encoding_ids=abc",
    b'event=video-created&video_id=1&encoding_ids={"0":"a"}',
    b"event=video-created&video_id=%ff",
    b"event=video-created&video_id=\xff",
    b"event=video-created&&video_id=1",
    b"{",
    b"{}",
    b"[]",
    b'"event"',
    b'{"event": 5}',
    b'{"event": ["video-created"], "video_id": "1"}',
    b'{"event": null, "video_id": "1"}',
    b'{"event": "video-created", "video_id": {"id": 1}}',
    b'{"event": "video-created", "video_id": "1", "encoding_ids": {"0": "a"}}',
    b'{"event": "video-created", "video_id": "1", "encoding_ids": [["a"]]}',
    b'{"event": "encoding-progress", "encoding_id": "1", "progress": true}',
    b'{"event": "video-created", "video_id": "\\ud800"}',
    b"{" + b'"a":' * 5000,
    b"[" * 100_000,
    b"{" + b"[" * 100_000,
    b"\x00\x01\x02",
    b"PK\x03\x04",
    b"<xml/>",
    "event=video-created&video_id=1".encode("utf-16"),
    b"&".join(b"a=1" for _ in range(MOST_FIELDS + 1)) + b"&event=x",
    b"event=x&a=" + b"a" * LARGEST_BODY,
    b"event=encoding-progress&encoding_id=1&progress=" + b"9" * 100_000,
    b"event=x&encoding_ids=" + b"9" * 100_000,
]


@pytest.mark.parametrize("body", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_notification(body)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("filler", [b"%25", b"%e2%82%ac", b"&a=", b"a"])
def test_a_large_body_takes_little_memory(filler: bytes) -> None:
    start = b"event=video-created&video_id=1&a="
    body = (start + filler * LARGEST_BODY)[:LARGEST_BODY]
    tracemalloc.start()
    try:
        with suppress(DecodeError):  # for its many fields
            parse_notification(body)
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()


# -- any body at all -------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        *(
            "event",
            "video_id",
            "encoding_id",
            "progress",
            "encoding_ids",
            "encoding_ids[0]",
            "encoding_ids[]",
        ),
        *("encodings_ids[3]", "encoding_ids[999999]", "encoding_ids[-1]", "", "status", "[", "é"),
    ]
)
TEXTS = st.sampled_from(
    [
        *EVENTS,
        *("encoding-completed", "", "1", "34.5", "nan", "-inf", "1e400", "[]", '["a"]', "{}", "null", "true"),
        *("%", "%zz", "%00", "%ed%a0%80", "\x00", "\u2603", "[" * 2000, "9" * 500, "\u0663", "1_0", " 7 "),
    ]
)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats()
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
FORMS = st.lists(st.tuples(NAMES, TEXTS), max_size=6).map(
    lambda pairs: "&".join(f"{n}={v}" for n, v in pairs)
)
BODIES = st.one_of(
    st.binary(max_size=200),
    FORMS.map(lambda text: text.encode("utf-8", "replace")),
    st.lists(st.tuples(NAMES, TEXTS), max_size=6).map(lambda pairs: urlencode(pairs).encode()),
    st.dictionaries(NAMES, JSON_VALUES, max_size=5).map(lambda value: json.dumps(value).encode()),
    JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    st.tuples(st.sampled_from([b"{", b"{}", b"event=video-created&video_id=1&"]), st.binary(max_size=40)).map(
        lambda pair: pair[0] + pair[1]
    ),
)


def check(body: bytes) -> None:
    try:
        found = parse_notification(body)
    except DecodeError:
        return
    assert found.event
    assert isinstance(hash((found.event, found.video_id, found.encoding_id, found.encoding_ids)), int)
    if found.event in EVENTS:
        assert found.encoding_id if found.event.startswith("encoding") else found.video_id


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(BODIES)
def test_any_body_is_a_notification_or_refused(body: bytes) -> None:
    check(body)


@pytest.mark.soak
@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(BODIES)
def test_any_of_many_bodies_is_a_notification_or_refused(body: bytes) -> None:
    check(body)
