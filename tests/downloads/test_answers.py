"""What answers say of the file in them, and how the rest is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.call import Response
from cloudreel.downloads.answers import Part, Unusable, read_part, read_redirect, request_headers

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


def answer(status: int, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"etag": '"abc"'}, '"abc"'),
        ({"etag": '"abc"', "last_modified": DATE}, '"abc"'),
        ({"etag": 'W/"abc"', "last_modified": DATE}, DATE),
        ({"etag": 'W/"abc"'}, None),
        ({"etag": '""'}, None),
        ({"etag": "abc"}, None),
        ({"last_modified": DATE}, DATE),
        ({}, None),
    ],
)
def test_a_strong_etag_tells_one_file_from_another_or_else_the_time_of_its_change(
    headers: dict[str, str], validator: str | None
) -> None:
    assert read_part(answer(200, content_length="7", **headers), 0) == Part(0, 7, validator)


@pytest.mark.parametrize(("length", "total"), [("0", 0), ("12", 12), ("", None), ("-1", None), ("²", None)])
def test_the_size_is_what_the_answer_says(length: str, total: int | None) -> None:
    assert read_part(answer(200, content_length=length), 0).total == total


@given(offset=st.integers(1, 2**63), more=st.integers(1, 2**63), told=st.booleans())
def test_a_range_that_was_asked_for_is_read(offset: int, more: int, told: bool) -> None:
    total = offset + more
    found = answer(206, content_range=f"bytes {offset}-{total - 1}/{total if told else '*'}", etag='"x"')
    assert read_part(found, offset) == Part(offset, total if told else None, '"x"')


@pytest.mark.parametrize(
    "content_range",
    ["", "bytes 0-9/10", "bytes 6-9/10", "bytes */10", "bytes 5-9", "items 5-9/10", "bytes 5-/10", "5-9/10"],
)
def test_any_other_range_is_of_no_use(content_range: str) -> None:
    with pytest.raises(Unusable, match="byte 5 was asked for, and another range came"):
        read_part(answer(206, content_range=content_range), 5)


@pytest.mark.parametrize("status", [201, 204, 205, 206, 300, 304])
def test_other_answers_bring_no_file(status: int) -> None:
    with pytest.raises(Unusable, match=f"status is {status}"):
        read_part(answer(status, content_range="bytes 0-9/10"), 0)


def test_a_compressed_file_is_refused_as_its_bytes_are_others() -> None:
    with pytest.raises(Unusable, match=r"compressed \(gzip\)"):
        read_part(answer(200, content_encoding="gzip"), 0)
    assert read_part(answer(200, content_encoding="identity"), 0).total is None


@pytest.mark.parametrize(
    ("offset", "known", "headers"),
    [
        (0, None, {}),
        (0, Part(0, 10, '"a"'), {}),
        (5, Part(0, 10, None), {}),
        (5, Part(0, 10, '"a"'), {"Range": "bytes=5-", "If-Range": '"a"'}),
        (5, Part(3, None, DATE), {"Range": "bytes=5-", "If-Range": DATE}),
    ],
)
def test_the_rest_is_asked_for_only_of_a_file_that_can_be_told_from_others(
    offset: int, known: Part | None, headers: dict[str, str]
) -> None:
    assert request_headers(offset, known) == {"Accept-Encoding": "identity", **headers}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Part(0, 10, '"a"'), Part(5, 10, '"a"'), True),
        (Part(0, None, '"a"'), Part(5, 10, '"a"'), True),
        (Part(0, 10, '"a"'), Part(5, 11, '"a"'), False),
        (Part(0, 10, '"a"'), Part(5, 10, '"b"'), False),
        (Part(0, 10, None), Part(5, 10, None), False),
    ],
)
def test_two_answers_are_of_the_same_file_where_both_vouch_for_it(one: Part, other: Part, same: bool) -> None:
    assert one.same_file(other) is same
    assert other.same_file(one) is same


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("http://a.test/x/film", "http://b.test/y", "http://b.test/y"),
        ("http://a.test/x/film", "https://b.test/y", "https://b.test/y"),
        ("https://a.test/x/film", "https://b.test/y", "https://b.test/y"),
        ("http://a.test/x/film?auth=1", "/y?z=2", "http://a.test/y?z=2"),
        ("http://a.test/x/film", "y", "http://a.test/x/y"),
    ],
)
def test_a_redirect_leads_on(url: str, location: str, target: str) -> None:
    for status in (301, 302, 303, 307, 308):
        assert read_redirect(url, answer(status, location=location)) == target
    assert read_redirect(url, answer(200, location=location)) is None
    assert read_redirect(url, answer(304, location=location)) is None


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://a.test/film", "http://a.test/film"),  # what was secret would be in the open
        ("http://a.test/film", ""),
        ("http://a.test/film", "http://a.test/film"),
        ("http://a.test/film", "ftp://a.test/film"),
        ("http://a.test/film", "file:///etc/passwd"),
        ("http://a.test/film", "http:///film"),
        ("http://a.test/film", "http://user:word@b.test/film"),
        ("http://a.test/film", "http://[b/film"),
    ],
)
def test_a_redirect_that_is_none_or_less_safe_is_refused(url: str, location: str) -> None:
    with pytest.raises(Unusable, match="no address that may be followed"):
        read_redirect(url, answer(302, location=location))
