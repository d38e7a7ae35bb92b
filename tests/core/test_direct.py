"""Small requests go past httpx's client, and say what they would have said through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

import pytest

from cloudreel.core.call import Call, Request, Response
from cloudreel.core.failures import ErrorFamily, read_status
from cloudreel.core.options import Http, Limits, Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.service import Service
from cloudreel.core.transport import Transport
from cloudreel.errors import CloudReelError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp knows no other."""
    return "asyncio"


class Line:
    """A service of bare sockets that keeps what it is sent."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 2\r\n\r\nok"
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [
                    line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                ]
                body = await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
                self.heads.append(head + body)
                writer.write(self.answer)
        except asyncio.IncompleteReadError:
            writer.close()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    made = Line()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def transport(line: Line, kind: Http = "aiohttp") -> Transport:
    """Return what calls the line."""
    service = Service(
        "test", f"http://127.0.0.1:{line.port}", ErrorFamily(CloudReelError, {}), unsigned, read_status
    )
    return Transport(service, Pool(Wiring(Limits(2), http=kind)), Options(retries=0))


def unsigned(request: Request, now: float) -> Request:
    return request


def said(whole: bytes) -> tuple[bytes, list[tuple[str, str]], dict[bytes, bytes], bytes]:
    """Return a request as its path, its parameters, its headers in any order, and its body.

    Through the client aiohttp escapes less of a query, which is the same to who reads it.
    """
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    path, _, query = first.removesuffix(b" HTTP/1.1").partition(b"?")
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    return path, parse_qsl(query.decode(), keep_blank_values=True), headers, body


@pytest.mark.parametrize("kind", ["aiohttp", "httpx"])
@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/videos.json", {"a": "x y", "b": "ü/&"}),
        Request("DELETE", "/videos/1.json"),
        Request("POST", "/videos.json"),
        Request("PUT", "/videos.json", content=b'{"a": 1}', headers={"Content-Type": "application/json"}),
        Request("POST", "/api", content=b"", headers={"User-Agent": "Kino/1.0", "accept": "text/xml"}),
        Request("GET", "/videos.json").with_query("a=x%20y&signature=a%2Bb%2Fc%3D"),
        Request("GET", "/a/../b//c.json", {"a": "b"}),
        Request("GET", "/a b/\u00fc%20%2f.json?c=[d]&e=f@g", headers={"Host": "elsewhere.test"}),
    ],
)
async def test_a_request_says_the_same_past_the_client_and_through_it(
    request_: Request, kind: Http, line: Line
) -> None:
    for direct in (True, False):
        sender = transport(line, kind)
        sender._pool.client()
        assert sender._pool.direct is not None
        if not direct:
            sender._pool._direct = None
        answer = await sender.send(Call(request_, as_it_came))
        assert (answer.status_code, answer.body, answer.headers["x-twice"]) == (200, b"ok", "a, b")
        await sender.close()
    past, through = map(said, line.heads)
    assert past == through


@pytest.mark.parametrize("kind", ["aiohttp", "httpx"])
async def test_a_refusal_is_one_past_the_client_too(kind: Http, line: Line) -> None:
    line.answer = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    sender = transport(line, kind)
    with pytest.raises(CloudReelError, match="500"):
        await sender.send(Call(Request("GET", "/x"), as_it_came))
    await sender.close()


def as_it_came(response: Response) -> Response:
    return response
