"""The stream dialect without a loop: what is said to the location, and how its answers are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.call import Response
from cloudreel.errors import DecodeError
from cloudreel.uploads.dialects import Missing, Receipt
from cloudreel.uploads.plan import Part, Plan, count_parts
from cloudreel.uploads.ranges import RangesDialect

LOCATION = "https://vm-abc.upload.example/upload/session?id=s3cret"
RANGES = RangesDialect(LOCATION, 25, 10)
FIRST = Part(0, 0, 10)


class Content:
    length = 10


def held(text=None, *, status=204, location=None, body=b""):
    headers = {"range": text, "location": location}
    return Response(status, {name: value for name, value in headers.items() if value is not None}, body)


@pytest.mark.parametrize(
    ("part", "content_range"),
    [
        (Part(0, 0, 10), "bytes 0-9/25"),
        (Part(1, 13, 7), "bytes 13-19/25"),
        (Part(2, 20, 5), "bytes 20-24/25"),  # the old client's went beyond the end (panda.md 10.3)
        (Part(2, 24, 1), "bytes 24-24/25"),
    ],
)
def test_a_chunk(part, content_range):
    body = Content()
    call = RANGES.put(part, body)
    assert (call.request.method, call.request.path, call.request.params) == ("PUT", LOCATION, {})
    assert call.request.headers == {
        "Content-Type": "application/octet-stream",
        "Content-Range": content_range,
        "Cache-Control": "no-cache",
    }
    assert call.request.content is body
    assert call.signed is False


def test_the_question_is_empty_and_what_is_asked_after_a_failed_chunk():
    for call in (RANGES.query(), RANGES.put(FIRST, Content()).settled):
        assert (call.request.method, call.request.path) == ("PUT", LOCATION)
        assert call.request.headers["Content-Range"] == "bytes */25"
        assert call.request.content == b""
        assert (call.signed, call.repeatable, call.settled) == (False, True, None)
    answer = held("0-3")
    assert RANGES.put(FIRST, Content()).settled.parse(answer) is answer


def test_abort_and_what_is_shown():
    call = RANGES.abort()
    assert (call.request.method, call.request.path, call.signed) == ("DELETE", LOCATION, False)
    assert call.parse(Response(200, {}, b"")) is None
    for shown in (repr(RANGES), repr(call), repr(RANGES.query())):
        assert "s3cret" not in shown


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (None, Missing(range(3))),
        ("0-0", Missing(range(3), 1)),
        ("0-8", Missing(range(3), 9)),
        (" 0-9 ", Missing(range(1, 3))),
        ("0-19", Missing(range(2, 3))),
        ("0-20", Missing(range(2, 3), 1)),
        ("0-23", Missing(range(2, 3), 4)),
        ("0-24", Missing(())),
    ],
)
def test_what_is_held_says_what_is_missing(text, missing):
    assert RANGES.query().parse(held(text)) == Receipt(missing)


@pytest.mark.parametrize(
    ("text", "receipt"),
    [
        ("0-9", Receipt()),  # just what was sent
        ("0-4", Receipt(Missing(range(3), 5))),
        ("0-14", Receipt(Missing(range(1, 3), 5))),
        (None, Receipt(Missing(range(3)))),
    ],
)
def test_the_service_is_believed_whether_it_holds_more_or_fewer_bytes_than_were_sent(text, receipt):
    assert RANGES.put(FIRST, Content()).parse(held(text)) == receipt


@pytest.mark.parametrize("call", [RANGES.query(), RANGES.put(Part(2, 20, 5), Content())])
def test_the_video_ends_it(call):
    video = {"id": "v1", "status": "processing"}
    answer = held(status=200, body=json.dumps(video).encode())
    assert call.parse(answer) == Receipt(Missing(()), video)
    assert call.parse(held("0-24", status=200, body=b" ")).document is None


@pytest.mark.parametrize(
    "text",
    ["", "0", "0-", "-9", "9", "1-9", "0-25", "0-99", "bytes=0-9", "a-b", "0--1", "0-²", "0-" + "9" * 99],
)
def test_a_range_that_makes_no_sense(text):
    with pytest.raises(DecodeError, match="of 25") as caught:
        RANGES.query().parse(held(text))
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("body", [b"ok", b"[]", b"null", b"\xff"])
def test_a_video_that_is_none(body):
    with pytest.raises(DecodeError):
        RANGES.query().parse(held(status=200, body=body))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("call", [RANGES.put(FIRST, Content()), RANGES.query(), RANGES.abort()])
def test_a_redirect_is_no_success(call, status):
    with pytest.raises(DecodeError, match=str(status)):
        call.parse(held(status=status, location="https://other.example/u"))


# -- a move ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "moved"),
    [
        ("https://vm-def.upload.example/u?id=2", "https://vm-def.upload.example/u?id=2"),
        ("/u?id=2", "https://vm-abc.upload.example/u?id=2"),
        ("?id=2", "https://vm-abc.upload.example/upload/session?id=2"),
        ("//vm-def.upload.example/u", "https://vm-def.upload.example/u"),
        (LOCATION, LOCATION),
    ],
)
def test_any_answer_may_move_the_upload(location, moved):
    video = held(status=200, location=location, body=b'{"id": "v1"}')
    for answer in (held("0-9", location=location), held(location=location), video):
        assert RANGES.query().parse(answer).location == moved
        assert RANGES.put(FIRST, Content()).parse(answer).location == moved
    assert RANGES.moved(moved).query().request.path == moved
    assert "id=2" not in repr(Receipt(location=moved))


@pytest.mark.parametrize(
    "location", ["http://vm-def.upload.example/u", "ftp://a/b", "https://a:b/", "//[", "u v"]
)
def test_not_to_everywhere(location):
    with pytest.raises(DecodeError, match="moved the upload"):
        RANGES.query().parse(held("0-9", location=location))


def test_from_http_to_either():
    plain = RANGES.moved("http://a.example/u")
    for location in ("http://b.example/u", "https://b.example/u"):
        assert plain.query().parse(held(location=location)).location == location


# -- with a plan -----------------------------------------------------------------------------------------


@given(st.integers(1, 300), st.integers(1, 40), st.data())
def test_whatever_the_service_holds_exactly_the_rest_is_sent(size, part_size, data):
    dialect, plan = RangesDialect(LOCATION, size, part_size), Plan(size, part_size)
    while not plan.confirmed:
        count = data.draw(st.integers(0, size))
        answer = held(f"0-{count - 1}" if count else None)
        missing = dialect.query().parse(answer).missing
        plan.missing_is(missing.parts, missing.begun)
        rest = list(iter(plan.next, None))
        assert sum(part.length for part in rest) == size - count
        for part in rest:
            assert part.offset == count
            assert part.index == count // part_size
            assert part.length == min(size, (part.index + 1) * part_size) - count
            count += part.length
            receipt = dialect.put(part, Content()).parse(held(f"0-{count - 1}"))
            assert receipt == Receipt()
            plan.confirm(part.index)
        assert plan.bytes_confirmed == size
        assert plan.parts == count_parts(size, part_size)
