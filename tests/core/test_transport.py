"""The one sender of calls: what goes out, what comes back, what is raised."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import httpx
import pytest

from cloudreel import errors
from cloudreel.core import codec, transport
from cloudreel.core.call import Call, Request

if TYPE_CHECKING:
    from conftest import Wire

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t-V4lue"


# -- what goes out ---------------------------------------------------------------------------------------


async def test_a_call_is_sent_signed_and_its_answer_read(wire: Wire) -> None:
    wire.answers(httpx.Response(201, json={"id": "1"}))
    request = Request("GET", "/things.json", {"b": "x y", "a": 1})
    assert await wire.transport().send(Call(request, codec.object_of)) == {"id": "1"}
    (sent,) = wire.requests
    assert sent.method == "GET"
    assert sent.url.copy_with(query=None) == "http://api.acme.test/v1/things.json"
    assert dict(sent.url.params) == {
        "b": "x y",
        "a": "1",
        "access_key": SECRET,
        "timestamp": "1000.0",
        "signature": f"{SECRET}1",
    }


async def test_the_query_is_escaped_once_and_as_it_is_signed(wire: Wire) -> None:
    await wire.transport().send(
        Call(Request("GET", "/a%2Fb.json", {"ü[x]": "~-._ +/=&%*'"}), id, signed=False)
    )
    assert wire.requests[0].url.raw_path == (b"/v1/a%2Fb.json?%C3%BC%5Bx%5D=~-._%20%2B%2F%3D%26%25%2A%27")


@pytest.mark.parametrize(
    ("method", "content", "length"),
    [
        ("GET", None, None),
        ("DELETE", None, None),
        ("POST", None, "0"),
        ("PUT", None, "0"),
        ("POST", b"abc", "3"),
    ],
)
async def test_a_body_has_a_length_and_so_has_the_lack_of_one(
    wire: Wire, method: str, content: bytes | None, length: str | None
) -> None:
    await wire.transport().send(wire.call(method, content=content))
    (sent,) = wire.requests
    assert sent.headers.get("content-length") == length
    assert sent.content == (content or b"")


async def test_headers_go_with_the_request_and_the_user_agent_may_be_chosen(wire: Wire) -> None:
    sender = wire.transport()
    await sender.send(wire.call(headers={"X-Part": "3"}))
    await sender.with_options(user_agent="mine/1").send(wire.call())
    first, second = wire.requests
    assert first.headers["x-part"] == "3"
    assert first.headers["user-agent"].startswith("cloudreel/")
    assert second.headers["user-agent"] == "mine/1"


async def test_an_upload_location_is_used_as_it_is_and_not_signed(wire: Wire) -> None:
    request = Request("PUT", "http://vm.acme.test/upload?id=1", {"part": 2}, content=b"x", secret_url=True)
    await wire.transport().send(Call(request, id, signed=False))
    assert str(wire.requests[0].url) == "http://vm.acme.test/upload?id=1&part=2"
    assert wire.signed_at == []


@pytest.mark.parametrize("host", ["http://evil.test/", "https://evil.test/"])
async def test_nothing_signed_goes_to_another_address(wire: Wire, host: str) -> None:
    with pytest.raises(errors.SigningError, match="not to a whole URL"):
        await wire.transport().send(wire.call(path=host))
    assert (wire.requests, wire.signed_at) == ([], [])


@pytest.mark.usefixtures("pauses")
async def test_a_streamed_body_is_read_anew_for_each_attempt_with_its_exact_length(wire: Wire) -> None:
    wire.answers(503, httpx.ConnectError("down"), 200)
    body = wire.pieces()
    await wire.transport().send(wire.call("PUT", content=body))
    assert body.passes == 3
    assert [sent.content for sent in wire.requests] == [b"abcdef"] * 3
    assert {sent.headers["content-length"] for sent in wire.requests} == {"6"}
    assert not any("transfer-encoding" in sent.headers for sent in wire.requests)


# -- answers ---------------------------------------------------------------------------------------------


async def test_no_redirect_is_followed_whatever_the_callers_client_would_do(wire: Wire) -> None:
    wire.answers(httpx.Response(302, headers={"Location": "http://evil.test/"}))
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(wire.handle), follow_redirects=True
    ) as http_client:
        for pool in (wire.pool(), wire.pool(http_client=http_client)):
            answer = await wire.transport(pool=pool).exchange(wire.call())
            assert answer.status_code == 302
    assert [sent.url.host for sent in wire.requests] == ["api.acme.test"] * 2


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_has_a_largest_size(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, compressed: bool
) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)
    for size in (1000, 1001):
        body = b"x" * size
        headers = {"Content-Encoding": "gzip"} if compressed else {}
        wire.answers(
            httpx.Response(200, headers=headers, stream=Answer(gzip.compress(body) if compressed else body))
        )
        if size == 1000:
            assert (await wire.transport().exchange(wire.call())).body == body
            continue
        with pytest.raises(errors.DecodeError, match=r"acme GET /things.json: .* larger than 1000 bytes"):
            await wire.transport().exchange(wire.call())


class Answer(httpx.AsyncByteStream):
    """An answer's body in pieces, endless where asked for, that remembers how it was used."""

    def __init__(self, piece: bytes, pieces: int = 1) -> None:
        self.piece, self.pieces = piece, pieces
        self.read = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.read < self.pieces:
            await anyio.lowlevel.checkpoint()
            self.read += 1
            yield self.piece

    async def aclose(self) -> None:
        self.closed = True


async def test_an_endless_answer_is_left_as_soon_as_it_is_too_large(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)
    body = Answer(b"x" * 100, pieces=10**9)
    wire.answers(httpx.Response(200, stream=body))
    with pytest.raises(errors.DecodeError):
        await wire.transport().exchange(wire.call())
    assert (body.read, body.closed) == (11, True)


async def test_an_answer_is_closed_when_the_call_is_cancelled(wire: Wire) -> None:
    reading = anyio.Event()

    class Stuck(Answer):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            reading.set()
            await anyio.sleep_forever()
            yield b""

    body = Stuck(b"")
    wire.answers(httpx.Response(200, stream=body))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wire.transport().exchange, wire.call())
        await reading.wait()
        tasks.cancel_scope.cancel()
    assert body.closed


# On trio, httpx's own generators warn when one of them raises.
@pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning")
async def test_a_broken_compression_is_no_answer_that_repeating_would_mend(wire: Wire) -> None:
    wire.answers(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Answer(b"no gzip")))
    with pytest.raises(errors.DecodeError, match="compression is broken"):
        await wire.transport().send(wire.call())
    assert len(wire.requests) == 1


async def test_an_unreadable_answer_is_told_with_its_call(wire: Wire) -> None:
    wire.answers(httpx.Response(200, text="[]", headers={"x-request-id": "r7"}))
    with pytest.raises(errors.DecodeError) as caught:
        await wire.transport().send(Call(Request("GET", "/things.json"), codec.object_of))
    error = caught.value
    assert str(error) == "acme GET /things.json: A JSON object was expected, but an array came"
    assert (type(error).__name__, error.status, error.request_id) == ("AcmeDecodeError", 200, "r7")


async def test_a_fault_of_the_parser_is_no_decode_error(wire: Wire) -> None:
    with pytest.raises(ZeroDivisionError):
        await wire.transport().send(Call(Request("GET", "/x"), lambda response: 1 // 0))


# -- what an error says ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("pauses")
async def test_an_error_says_what_happened_to_what(wire: Wire) -> None:
    refusal = {"x-error": "Gone", "X-Request-Id": "r1"}
    wire.answers(502, httpx.Response(404, headers=refusal, text="It was\r\n deleted."))
    with pytest.raises(errors.NotFoundError) as caught:
        await wire.transport().send(wire.call("DELETE", "/things/1.json", params={"page": 2, "none": None}))
    error = caught.value
    assert str(error) == "acme refused DELETE /things/1.json: 404 Gone: It was deleted."
    assert (error.method, error.url) == ("DELETE", "http://api.acme.test/v1/things/1.json?page=2")
    assert (error.status, error.request_id, error.attempts) == (404, "r1", 2)
    assert error.response is not None
    assert error.response.text == "It was\r\n deleted."
    assert str(pickle.loads(pickle.dumps(error.response))) == "<Response 404 Not Found, 17 bytes>"


async def test_an_error_without_a_word_of_the_service_has_the_status_phrase(wire: Wire) -> None:
    wire.answers(httpx.Response(403))
    with pytest.raises(errors.AuthenticationError, match=r"^acme refused GET /things.json: 403 Forbidden$"):
        await wire.transport().send(wire.call())


@pytest.mark.parametrize("path", ["http://h:port/", "http:///x"])
async def test_a_location_that_is_no_url_is_told(wire: Wire, path: str) -> None:
    request = Request("PUT", path, secret_url=True)
    async with httpx.AsyncClient() as http_client:
        sender = wire.transport(pool=wire.pool(http_client=http_client))
        with pytest.raises(errors.TransportError, match=r"acme PUT .*: this is no URL that can be called"):
            await sender.send(Call(request, id, signed=False))


async def test_what_cannot_be_sent_is_told_at_once(wire: Wire) -> None:
    wire.answers(httpx.LocalProtocolError("Illegal header value"), 200)
    with pytest.raises(errors.TransportError, match=r"acme GET .*: this cannot be sent \(Illegal header"):
        await wire.transport().send(wire.call())
    assert len(wire.requests) == 1
