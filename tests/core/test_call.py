"""Requests, responses and calls as values: what they say of themselves holds no secret."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.call import Call, Request, Response, reveal

SECRET = "s3cr3t-V4lue"


class Pieces:
    """A streamed body."""

    length = 3

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"abc"


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        (Request("GET", "/videos.json"), "/videos.json"),
        (Request("GET", f"/videos.json?signature={SECRET}"), "/videos.json?signature=***"),
        (Request("PUT", f"http://vm.example/u?id={SECRET}", secret_url=True), "http://vm.example/***"),
        (Request("GET", f"https://bob:{SECRET}@cdn.example/a.mp4"), "https://***@cdn.example/a.mp4"),
    ],
)
def test_the_shown_path_holds_no_secret(request_: Request, shown: str) -> None:
    assert request_.shown_path == shown
    assert repr(request_) == f"<Request {request_.method} {shown}>"


def test_neither_parameters_nor_headers_nor_content_show_in_a_repr() -> None:
    request = Request("POST", "/x", {"note": SECRET}, {"Authorization": SECRET}, SECRET.encode())
    assert SECRET not in repr(request)
    assert SECRET not in repr(Call(request, lambda response: response))


@pytest.mark.parametrize(
    ("content", "streamed"), [(None, False), (b"", False), (b"x", False), (Pieces(), True)]
)
def test_only_a_body_in_pieces_is_streamed(content: bytes | Pieces | None, streamed: bool) -> None:
    assert Request("PUT", "/x", content=content).streamed is streamed


@given(st.integers(100, 999))
def test_a_status_below_400_is_ok_and_every_status_has_a_reason_if_only_an_empty_one(status: int) -> None:
    response = Response(status, {}, b"")
    assert response.ok is (status < 400)
    known = {member.value: member.phrase for member in HTTPStatus}
    assert response.reason == known.get(status, "")


@given(st.binary())
def test_any_body_has_a_text(body: bytes) -> None:
    assert Response(200, {}, body).text == body.decode("utf-8", "replace")


def test_a_response_shows_its_size_and_not_its_body() -> None:
    assert (
        repr(Response(404, {"set-cookie": SECRET}, SECRET.encode())) == "<Response 404 Not Found, 12 bytes>"
    )


def test_a_redacted_response_keeps_everything_but_the_secrets() -> None:
    response = Response(
        401,
        {"set-cookie": SECRET, "x-request-id": "r1"},
        f'{{"error": "NotAuthorized", "signature": "{SECRET}"}}'.encode(),
        attempts=3,
    )
    redacted = response.redacted()
    assert redacted == Response(
        401,
        {"set-cookie": "***", "x-request-id": "r1"},
        b'{"error": "NotAuthorized", "signature":"***"}',
        attempts=3,
    )
    assert SECRET in response.text


def test_a_call_may_be_repeated_and_is_signed_unless_it_says_otherwise() -> None:
    call = Call(Request("GET", "/x"), lambda response: response.status_code)
    assert (call.repeatable, call.signed) == (True, True)
    assert call.parse(Response(204, {}, b"")) == 204


def test_a_credential_is_a_text_or_a_function_asked_each_time() -> None:
    keys = iter(["first", "second"])
    assert reveal("key") == "key"
    assert [reveal(lambda: next(keys)) for _ in range(2)] == ["first", "second"]
