"""One parser for what every service posts, and any body at all."""

from __future__ import annotations

import json
import time
import tracemalloc
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest

from cloudreel.errors import DecodeError
from cloudreel.notifications import JobNotification, Notification, VideoNotification, parse

VIDEO, ENCODING, OTHER = "7d8e4f1c2b3a4958", "a1b2c3d4e5f60718", "c3d4e5f60718a1b2"
IDS = {"encoding_ids[0]": ENCODING, "encoding_ids[1]": OTHER}

# panda.md 9 and telestream.md 9: as forms, and as JSON where a receiver may get it.
VIDEO_EVENTS: list[tuple[dict[str, Any], tuple[str, str | None, str | None, tuple[str, ...]]]] = [
    ({"event": "video-created", "video_id": VIDEO, **IDS}, ("video-created", VIDEO, None, (ENCODING, OTHER))),
    ({"event": "video-encoded", "video_id": VIDEO, **IDS}, ("video-encoded", VIDEO, None, (ENCODING, OTHER))),
    (
        {"event": "encoding-progress", "encoding_id": ENCODING, "progress": 34},
        ("encoding-progress", None, ENCODING, ()),
    ),
    (
        {"event": "encoding-complete", "encoding_id": ENCODING, "video_id": VIDEO},
        ("encoding-complete", VIDEO, ENCODING, ()),
    ),
    ({"event": "encoding-completed", "encoding_id": ENCODING}, ("encoding-complete", None, ENCODING, ())),
    (
        {"event": "video-created", "video_id": VIDEO, "encodings_ids[0]": ENCODING},
        ("video-created", VIDEO, None, (ENCODING,)),
    ),
    # With the video's own fields.
    (
        {
            "event": "video-encoded",
            "video_id": VIDEO,
            "original_filename": "größe & <mehr>.mp4",
            "status": "success",
            "width": 300,
            **IDS,
        },
        ("video-encoded", VIDEO, None, (ENCODING, OTHER)),
    ),
]

# flixcloud.md 6.
JOB = """<?xml version="1.0" encoding="UTF-8"?>
<job>
  <id type="integer">5012</id>
  <initialized-job-at type="datetime">2009-08-03T10:00:00Z</initialized-job-at>
  <pass-through nil="true"></pass-through>
  <recipe-name>web-sd</recipe-name>
  <recipe-id type="integer">17</recipe-id>
  <state>{state}</state>
  <error-message></error-message>
  <finished-job-at type="datetime">2009-08-03T10:06:31Z</finished-job-at>
  <input-media-file>
    <url>ftp://files.example/in.mpg</url><width>1280</width><height>720</height>
    <size>2500000</size><duration>61000</duration><cost>0</cost>
  </input-media-file>
  <output-media-file><url>s3://bucket/out.mov</url><width/><height/><size/><cost>0</cost></output-media-file>
  <watermark-file><url>http://media.example/logo.png</url><size>5321</size><cost>321</cost></watermark-file>
  <thumbnail-media-file><url>s3://bucket/thumbs/</url><total-size>123</total-size><cost>32</cost>
  <number_of_thumbnails>3</number_of_thumbnails></thumbnail-media-file>
</job>"""
STATES = ("successful_job", "failed_job", "cancelled_job")
JOBS = [JOB.format(state=state).encode() for state in STATES]

CONTENT_TYPES = [
    None,
    "",
    "application/xml; charset=utf-8",
    "text/xml",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "image/png",
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize(("fields", "expected"), VIDEO_EVENTS, ids=range(len(VIDEO_EVENTS)))
def test_what_panda_and_telestream_post(
    fields: dict[str, Any], expected: tuple[object, ...], content_type: str | None
) -> None:
    for body in (
        urlencode(fields).encode(),
        json.dumps(fields).encode(),
        b"\r\n " + json.dumps(fields).encode(),
    ):
        found = parse(body, content_type)
        assert isinstance(found, VideoNotification)
        assert (found.event, found.video_id, found.encoding_id, found.encoding_ids) == expected


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize("state", STATES)
def test_what_flix_cloud_posts(state: str, content_type: str | None) -> None:
    text = JOB.format(state=state)
    bodies = [
        text.encode(),
        b" \r\n\t" + text.encode(),
        text.partition("\n")[2].encode(),
        text.encode("utf-8-sig"),
    ]
    bodies += [text.replace("UTF-8", "UTF-16").encode(code) for code in ("utf-16", "utf-16-le", "utf-16-be")]
    for body in bodies:
        found = parse(body, content_type)
        assert isinstance(found, JobNotification)
        assert (found.id, found.state) == (5012, state)
        assert found == JobNotification(text)


REFUSED = {
    "nothing": b"",
    "white space": b" \n",
    "words": b"hello",
    "another form": b"id=5012&state=successful_job",
    "other JSON": b'{"job": {"id": 5012, "state": "successful_job"}}',
    "other XML": b"<video><id>1</id><state>x</state></video>",
    "a status": b"<job><id>1</id><task-state>successful_job</task-state></job>",
    "a page": b"<!DOCTYPE html><html></html>",
    "XML in a form": b"xml=%3Cjob%3E",
    "a large form": b"event=x&a=" + b"a" * 2**20,
    "large JSON": b'{"event": "' + b"a" * 2**20 + b'"}',
    "large XML": b"<job><id>1</id><state>" + b"a" * 2**20 + b"</state></job>",
    "much white space": b" " * 2**20 + JOBS[0],
    "100 MB": b"<" * 100_000_000,
    "an external entity": b'<!DOCTYPE job [<!ENTITY a SYSTEM "file:///etc/passwd">]><job>&a;</job>',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("content_type", [None, "application/xml"])
def test_what_is_no_notification_is_refused(body: bytes, content_type: str | None) -> None:
    with pytest.raises(DecodeError) as caught:
        parse(body, content_type)
    assert len(str(caught.value)) < 400


# -- any body at all -------------------------------------------------------------------------------------

REAL = [
    *JOBS,
    *(urlencode(fields).encode() for fields, _ in VIDEO_EVENTS),
    *(json.dumps(fields).encode() for fields, _ in VIDEO_EVENTS),
    JOBS[0].decode().replace("UTF-8", "UTF-16").encode("utf-16"),
]
HOSTILE = [
    b"<!DOCTYPE job>",
    b'<!DOCTYPE job [<!ENTITY a "aaaaaaaaaa">]>',
    b"<!ENTITY a 'b'>",
    b"&a;&a;&a;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"<?xml version='1.0' encoding='utf-7'?>",
    b"<job>" * 40,
    b"<a/>" * 500,
    b"[" * 3000,
    b'{"a":' * 3000,
    b"9" * 5000,
    b"nan",
    b"1e999",
    b"%00",
    b"%ff",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"&" * 2000,
    b" " * 2000,
    b"0001-01-01T00:00:00+14:00",
    b"nil='true'",
]


def body_of(seed: int) -> bytes:
    """Return random bytes, or a real body in which some things went wrong."""
    random = Random(seed)
    if seed % 8 == 0:
        return random.randbytes(random.randrange(200))
    body = random.choice(REAL)
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(body))
        end = min(len(body), start + random.randint(0, 40))
        other = random.choice(REAL)
        body = random.choice(
            [
                body[:start] + random.randbytes(random.randint(0, 8)) + body[end:],
                body[:start] + random.choice(HOSTILE) + body[end:],
                body[:start] + body[end:],
                body[:end] + body[start:],
                body[:start] + other[random.randint(0, len(other)) :],
                body[:start],
            ]
        )
    return body


def kind_of(seed: int) -> type[Notification] | None:
    """Return what a body is taken for; any other error than `DecodeError` names the seed."""
    body = body_of(seed)
    try:
        return check(body)
    except Exception as error:
        error.add_note(f"seed {seed}: {body!r}")
        raise


def check(body: bytes) -> type[Notification] | None:
    """Return what a body is taken for, None where it is refused."""
    try:
        found = parse(body)
    except DecodeError as error:
        assert len(str(error)) < 600  # noqa: PT017
        return None
    if isinstance(found, JobNotification):
        assert found.state
        assert hash(found) == hash(parse(body))
    else:
        assert found.event
    return type(found)


def test_any_body_is_a_notification_or_refused() -> None:
    kinds = {kind_of(seed) for seed in range(2_000)}
    assert kinds == {JobNotification, VideoNotification, None}


@pytest.mark.soak
def test_any_of_many_bodies_is_a_notification_or_refused() -> None:
    for seed in range(2_000, 102_000):
        kind_of(seed)


@pytest.mark.parametrize("filler", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("real", [JOBS[0], REAL[3], REAL[-2]], ids=["xml", "form", "json"])
def test_the_largest_body_takes_bounded_time_and_memory(real: bytes, filler: bytes) -> None:
    largest = 2**20 if real is JOBS[0] else 2**17
    room = largest - len(real)
    body = real[:-8] + filler * (room // len(filler)) + real[-8:]
    tracemalloc.start()
    began = time.process_time()
    try:
        check(body)
        assert tracemalloc.get_traced_memory()[1] < 96 * largest  # a form that is all percent signs
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 5
