"""Answers that are read piece by piece, over real connections: whatever happens, nothing is left open."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from cloudreel import errors
from cloudreel.core.call import Call, Request
from cloudreel.core.options import Limits, Options, Wiring
from cloudreel.core.pool import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import SocketStream

    from cloudreel.core.options import Http
    from conftest import Wire

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


class Server:
    """Answers every connection with a head and a part of its body, then waits or breaks."""

    def __init__(self) -> None:
        self.head = HEAD
        self.body = 100_000
        self.waits = True
        self.gone = anyio.Event()
        self.url = ""

    async def serve(self, stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(self.head + b"x" * self.body)
            if self.waits:
                with anyio.move_on_after(30):
                    try:
                        await stream.receive()
                    except (anyio.EndOfStream, anyio.BrokenResourceError):
                        self.gone.set()


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    server = Server()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        server.url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/film"
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, server.serve)
            yield server
            group.cancel_scope.cancel()


BOTH = pytest.mark.parametrize(
    ("http", "anyio_backend"), [("httpx", "asyncio"), ("httpx", "trio"), ("aiohttp", "asyncio")]
)


@BOTH
@pytest.mark.parametrize("how", ["left", "failed", "cancelled"])
async def test_a_stream_that_is_left_lets_go_of_its_connection_and_its_slot(
    wire: Wire, server: Server, http: Http, anyio_backend: str, how: str
) -> None:
    sender = wire.transport(pool=Pool(Wiring(Limits(1), http=http)))

    async def read() -> None:
        async with sender.stream(Request("GET", server.url)) as stream:
            assert await stream.read()
            if how == "failed":
                raise LookupError("the caller's own")
            if how == "cancelled":
                scope.cancel()
                await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        if how == "failed":
            with pytest.raises(LookupError, match="the caller's own"):
                await read()
        else:
            await read()
    with anyio.fail_after(20):
        await server.gone.wait()
        server.gone = anyio.Event()
        async with sender.stream(Request("GET", server.url)) as stream:  # the only slot is free again
            assert await stream.read()
    await sender.close()


@BOTH
async def test_a_line_that_breaks_is_the_services_own_error(
    wire: Wire, server: Server, http: Http, anyio_backend: str
) -> None:
    server.waits = False
    sender = wire.transport(pool=Pool(Wiring(http=http)))
    received = 0

    async def read() -> None:
        nonlocal received
        async with sender.stream(Request("GET", server.url, secret_url=True)) as stream:
            while piece := await stream.read():
                received += len(piece)

    with pytest.raises(wire.service().errors.leaf(errors.TransportError)) as caught:
        await read()
    assert received == server.body
    assert str(caught.value).startswith("acme GET http://127.0.0.1:")
    assert "/film" not in str(caught.value)
    assert caught.value.__cause__ is not None
    await sender.close()


@BOTH
async def test_what_is_no_http_is_the_services_own_error_and_tells_no_secret(
    wire: Wire, server: Server, http: Http, anyio_backend: str
) -> None:
    server.head, server.waits = b"\x16\x03\x01 this is not HTTP\r\n\r\n", False
    sender = wire.transport(Options(retries=0), pool=Pool(Wiring(http=http)))
    with pytest.raises(wire.service().errors.leaf(errors.TransportError)) as caught:
        await sender.send(Call(Request("GET", server.url, secret_url=True), id, signed=False))
    text = "".join(traceback.format_exception(caught.value, limit=0))
    assert "this is not HTTP" in text or "illegal" in text
    assert "/film" not in text
    await sender.close()


async def test_what_the_caller_logs_meanwhile_is_theirs(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    wire.answers(httpx.Response(200, text="film"))
    sender = wire.transport()
    with caplog.at_level(logging.DEBUG):
        async with sender.stream(Request("GET", "http://cdn.acme.test/film")) as stream:
            await stream.read()
            logging.getLogger("httpx").info("theirs")
    assert [record.message for record in caplog.records if record.name.startswith("http")] == ["theirs"]
    await sender.close()
