"""What is said to an upload location, and how its answers are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.call import Response
from cloudreel.errors import DecodeError
from cloudreel.uploads.dialects import Missing, PartsDialect, Receipt
from cloudreel.uploads.plan import Part

LOCATION = "http://vm-abc.upload.example/upload/session?id=s3cret"
PARTS = PartsDialect(LOCATION, 5)


class Content:
    length = 5


def answer(document, status=200):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status, {}, body)


def test_a_part():
    body = Content()
    call = PARTS.put(Part(4, 40, 5), body)
    assert (call.request.method, call.request.path) == ("PUT", LOCATION)
    assert call.request.headers == {"Content-Type": "application/octet-stream", "X-Part": "4"}
    assert call.request.content is body
    assert call.request.params == {}
    assert (call.repeatable, call.signed) == (True, False)


@pytest.mark.parametrize(("missing", "held"), [([4], False), ([0, 4], False), ([3], True), ([], True)])
def test_before_a_part_is_repeated_the_service_is_asked_for_it(missing, held):
    call = PARTS.put(Part(4, 40, 5), Content()).settled
    assert (call.request.method, call.request.path, call.signed) == ("GET", LOCATION, False)
    stand_in = call.parse(answer({"missing_parts": missing}))
    assert (stand_in is not None) is held
    if stand_in is not None:
        assert PARTS.put(Part(4, 40, 5), Content()).parse(stand_in) == Receipt(attempts=2)


@pytest.mark.parametrize(("make", "method"), [(PARTS.query, "GET"), (PARTS.abort, "DELETE")])
def test_query_and_abort(make, method):
    call = make()
    assert (call.request.method, call.request.path, call.request.content) == (method, LOCATION, None)
    assert (call.repeatable, call.signed) == (True, False)


def test_nothing_shows_the_location():
    call = PARTS.query()
    for shown in (repr(PARTS), repr(call), repr(call.request), repr(Receipt(location=LOCATION))):
        assert "s3cret" not in shown
    assert "vm-abc.upload.example" in repr(call.request)


def test_moved():
    other = PARTS.moved("http://other.example/u")
    assert other.query().request.path == "http://other.example/u"
    assert other.parts == 5


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b"", None),
        (b" \r\n", None),
        (b'{"id": "v1", "status": "processing"}', {"id": "v1", "status": "processing"}),
        (b'{"id": "v1"}', {"id": "v1"}),
        (b"{}", {}),
    ],
)
def test_answers_to_a_part(body, document):
    assert PARTS.put(Part(0, 0, 5), Content()).parse(answer(body)) == Receipt(document=document)


@pytest.mark.parametrize("body", [b"ok", b"[]", b'"v1"', b"null", b"{", b"\xff"])
def test_unreadable_answers_to_a_part(body):
    with pytest.raises(DecodeError):
        PARTS.put(Part(0, 0, 5), Content()).parse(answer(body))


@pytest.mark.parametrize("status", [301, 302, 304, 307])
@pytest.mark.parametrize("call", [PARTS.put(Part(0, 0, 5), Content()), PARTS.query(), PARTS.abort()])
def test_a_redirect_is_no_success(call, status):
    with pytest.raises(DecodeError, match=str(status)):
        call.parse(answer(b"", status))


@pytest.mark.parametrize(
    ("document", "missing"),
    [
        ({"missing_parts": [0, 3, 4]}, {0, 3, 4}),
        ({"missing_parts": [3, 3]}, {3}),
        ({"missing_parts": ["0", "4"]}, {0, 4}),
        ({"missing_parts": []}, set()),
        ({"missing_parts": None}, set()),
        ({}, set()),
        ({"missing_parts": [1], "other": {}}, {1}),
    ],
)
def test_status(document, missing):
    assert PARTS.query().parse(answer(document)) == Receipt(Missing(missing))


@pytest.mark.parametrize(("media_id", "video_id"), [("v9", "v9"), (9, "9"), (None, None), ("", None)])
def test_status_may_tell_the_video(media_id, video_id):
    status = PARTS.query().parse(answer({"missing_parts": [], "media_id": media_id}))
    assert status == Receipt(Missing(frozenset()), video_id=video_id)


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        {"missing_parts": "missing_parts"},
        {"missing_parts": {"0": 1}},
        {"missing_parts": 0},
        {"missing_parts": False},
        {"missing_parts": [5]},
        {"missing_parts": [-1]},
        {"missing_parts": [True]},
        {"missing_parts": [1.0]},
        {"missing_parts": [None]},
        {"missing_parts": ["x"]},
        {"missing_parts": ["9" * 5000]},
        {"missing_parts": ["²"]},
        {"missing_parts": [[0]]},
    ],
)
def test_unreadable_status(document):
    with pytest.raises(DecodeError) as caught:
        PARTS.query().parse(answer(document))
    assert len(str(caught.value)) < 200


@given(st.frozensets(st.integers(0, 99)))
def test_every_set_is_read(indices):
    status = PartsDialect(LOCATION, 100).query().parse(answer({"missing_parts": list(indices)}))
    assert status.missing == Missing(indices)


def test_abort_reads_any_success():
    assert PARTS.abort().parse(answer(b"")) is None
    assert PARTS.abort().parse(answer({"deleted": True})) is None
