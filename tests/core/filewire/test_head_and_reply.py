"""The quick ways to write a head and to read an answer do as h11 does."""

from __future__ import annotations

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.filewire.head import head, head_by_h11
from cloudreel.core.filewire.reply import Reply, plain_head

names = st.sampled_from(
    ["X-Part", "Content-Type", "x", "X Y", "X:", "", "\N{LATIN SMALL LETTER E WITH ACUTE}"]
)
values = st.text(st.sampled_from(list("az09 \t\r\n:/\x00\x7f~")), max_size=6) | st.text(max_size=4)
targets = st.sampled_from([b"/", b"/upload?id=u1&x=%20", b"/a b", b"", b"/a\r\n", b"/\xc3"])
methods = st.sampled_from(["PUT", "POST", "put", "PU T", "", "P\r\nX: y"])


def attempt(make: object, *args: object) -> bytes | None:
    """Return the head, None where there is none."""
    assert callable(make)
    try:
        made = make(*args)
    except httpx.LocalProtocolError:
        return None
    assert isinstance(made, bytes)
    return made


@given(methods, targets, st.dictionaries(names, values, max_size=3))
def test_heads_are_those_of_h11(method: str, target: bytes, fields: dict[str, str]) -> None:
    args = method, target, {"Host": "acme.test:81", **fields, "Content-Length": "7"}
    assert attempt(head, *args) == attempt(head_by_h11, *args)


def test_a_head_as_an_upload_has_it() -> None:
    fields = {"Host": "acme.test", "X-Part": "3", "Content-Length": "7"}
    made = b"PUT /u?id=1 HTTP/1.1\r\nHost: acme.test\r\nX-Part: 3\r\nContent-Length: 7\r\n\r\n"
    assert head("PUT", b"/u?id=1", fields) == made


@pytest.mark.parametrize(
    "value", ["a\r\nX: y", "a\nb", " a", "a ", "\x00", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"]
)
def test_nothing_smuggles_a_header_in(value: str) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        head("PUT", b"/", {"Host": "acme.test", "X": value, "Content-Length": "0"})


lines = st.sampled_from(
    [
        b"Content-Type: application/json",
        b"X: a b",
        b"X:\ty \t",
        b"Empty:",
        b"X-\xc3\xa9: y",
        b"X: caf\xc3\xa9",
        b" folded",
        b"no colon",
        b"Name : y",
        b"Connection: close",
        b"Connection: keep-alive",
        b"Transfer-Encoding: chunked",
        b"Content-Length: 3",
        b"content-length:3",
        b"Content-Length: +3",
        b"Content-Length: 3, 3",
        b"Content-Length: 12345678901234567890123",
        b"X: \x00",
    ]
)
firsts = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200",
        b"HTTP/1.1 201 ",
        b"HTTP/1.1 404 Not Found",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 304 Not Modified",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 999 X",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 200 caf\xc3\xa9",
        b"HTTP/1.1  200 OK",
        b"nonsense",
    ]
)


@given(
    firsts,
    st.lists(lines, max_size=4),
    st.sampled_from([b"", b"ab", b"abc", b"abcHTTP/1.1 200 OK\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"]),
    st.lists(st.integers(0, 200), max_size=3),
)
def test_answers_are_those_that_h11_reads(
    first: bytes, fields: list[bytes], body: bytes, cuts: list[int]
) -> None:
    data = b"\r\n".join([first, *fields, b"", b""]) + body
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    pieces = [data[a:b] for a, b in zip([0, *ends], ends, strict=False) if a < b] + [b""]
    assert played(Reply(10**6), pieces) == played(ByH11(), pieces)


class ByH11(Reply):
    """The reference: h11 reads every answer."""

    def __init__(self) -> None:
        super().__init__(10**6)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=100 * 1024)
        self._http.send(
            h11.Request(method="PUT", target="/", headers=[("Host", ""), ("Content-Length", "0")])
        )
        self._http.send(h11.EndOfMessage())


def played(reply: Reply, pieces: list[bytes]) -> object:
    """Return what a reply says after each piece, until it is over or fails."""
    seen: list[object] = []
    for piece in pieces:
        try:
            reply.feed(piece)
        except httpx.RemoteProtocolError:
            return [*seen, "error"]
        seen.append((reply.status, reply.headers, bytes(reply.body), reply.is_over, reply.is_reusable))
        if reply.is_over:
            return seen
    return seen


def test_a_usual_answer_is_read_without_h11() -> None:
    data = b"HTTP/1.1 200 OK\r\ndate: now\r\nContent-Length: 2\r\n\r\n{}"
    found = plain_head(data)
    assert found is not None
    assert (found.status, found.length, data[found.size :]) == (200, 2, b"{}")
    assert found.headers == [(b"date", b"now"), (b"content-length", b"2")]


def test_the_body_may_come_later() -> None:
    reply = Reply(100)
    for piece in (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"ab", b"cd"):
        assert not reply.is_over
        reply.feed(piece)
    assert (reply.status, bytes(reply.body), reply.is_over, reply.is_reusable) == (200, b"abcd", True, True)
