"""Connections of the wire: how they are made, kept, given up, and what is said when there is none."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from cloudreel.core.filewire import wire
from cloudreel.core.filewire.connection import Connection
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Kit, Peer, Server

pytestmark = pytest.mark.anyio


def has_ipv6() -> bool:
    """Return whether this machine can speak IPv6 to itself."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


# -- made ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", *(["::1"] if has_ipv6() else [])])
async def test_every_kind_of_address_is_reached(
    start: Callable[..., Server], path: Path, kit: type[Kit], host: str, tls: bool
) -> None:
    server = start(host, tls=tls)
    async with await open_source(path) as source, kit.client() as client:
        await kit.put(client, server.url, SourceBody(source, 0, 100_000))
    assert server.names == ([None] if tls else [])  # an address is no name
    assert len(server.requests) == 1


async def test_a_name_is_looked_up_and_asked_for(
    start: Callable[..., Server], path: Path, kit: type[Kit]
) -> None:
    server = start(tls=True)
    async with await open_source(path) as source, kit.client() as client:
        await kit.put(client, server.url.replace("127.0.0.1", "localhost"), SourceBody(source, 0, 100_000))
    assert server.names == ["localhost"]
    assert f"\r\nHost: localhost:{server.port}\r\n".encode() in server.requests[0]


async def test_addresses_are_tried_in_turn(
    server: Server, path: Path, kit: type[Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen

        async def several(host: str, port: int, **_: object) -> list[object]:
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            unknown = (socket.AF_X25, socket.SOCK_STREAM, 6, "")
            return [(*unknown, (host, port)), (*kind, unused.getsockname()), (*kind, (host, port))]

        monkeypatch.setattr(anyio, "getaddrinfo", several)
        async with await open_source(path) as source, kit.client() as client:
            await kit.put(client, server.url, SourceBody(source, 0, 100_000))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:{}/x", "refused"),
        ("https://127.0.0.1:{}/x", "refused"),
        ("http://nowhere.invalid/x", r"\[Errno"),
    ],
)
async def test_nobody_there_is_told(path: Path, kit: type[Kit], url: str, message: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with await open_source(path) as source, kit.client() as client:
            with pytest.raises(httpx.ConnectError, match=message):
                await kit.put(client, url.format(unused.getsockname()[1]), SourceBody(source, 0, 10))


@pytest.mark.parametrize(("host", "message"), [("127.0.0.1", "self-signed"), ("127.0.0.2", "mismatch")])
async def test_a_certificate_that_is_not_to_be_trusted_is_refused(
    start: Callable[..., Server], path: Path, kit: type[Kit], host: str, message: str
) -> None:
    server = start(host, tls=True)
    context = ssl.create_default_context() if message == "self-signed" else kit.trust()
    async with await open_source(path) as source, kit.client(context) as client:
        with pytest.raises(httpx.ConnectError, match=message):
            await kit.put(client, server.url, SourceBody(source, 0, 10))
    assert server.requests == []


@pytest.fixture
def deaf() -> Callable[[], str]:
    """Listen, and accept nobody: the kernel answers the first ones, then lets the others wait."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(listening.getsockname())
    yield lambda: f"http://127.0.0.1:{listening.getsockname()[1]}/"
    for each in (*waiting, listening):
        each.close()


async def test_connecting_takes_no_longer_than_allowed(
    deaf: Callable[[], str], path: Path, kit: type[Kit]
) -> None:
    async with await open_source(path) as source, kit.client(connect=0.05) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await kit.put(client, deaf(), SourceBody(source, 0, 10))


async def test_the_handshake_takes_no_longer_than_allowed(
    start: Callable[..., Server], path: Path, kit: type[Kit]
) -> None:
    server = start()
    server.plays(lambda peer, _: bool(peer.body(10**9)) and False)
    url = server.url.replace("http://", "https://")
    async with await open_source(path) as source, kit.client(connect=0.1) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await kit.put(client, url, SourceBody(source, 0, 10))


# -- slow ------------------------------------------------------------------------------------------------


async def test_a_service_that_takes_nothing_is_given_up(server: Server, path: Path, kit: type[Kit]) -> None:
    os.truncate(path, 64 * 2**20)
    left = threading.Event()

    async with await open_source(path) as source, kit.client(write=0.1) as client:

        def ignore(peer: Peer, server: Server) -> None:
            peer.head()
            left.wait(60)

        server.plays(ignore)
        try:
            with pytest.raises(httpx.WriteTimeout):
                await kit.put(client, server.url, SourceBody(source, 0, source.size))
        finally:
            left.set()


async def test_a_service_that_takes_nothing_is_given_up_in_time(
    start: Callable[..., Server], path: Path, kit: type[Kit]
) -> None:
    os.truncate(path, 64 * 2**20)
    server = start()
    left = threading.Event()
    server.plays(lambda peer, _: bool(peer.head()) and left.wait(60) and False)
    waited: list[float] = []
    async with await open_source(path) as source, kit.client(write=1.0) as client:
        try:
            # A machine with other work to do takes its time at times; the kernel alone would take four.
            while not waited or (min(waited) > 2.5 and len(waited) < 5):
                began = anyio.current_time()
                with pytest.raises(httpx.WriteTimeout):
                    await kit.put(client, server.url, SourceBody(source, 0, source.size))
                waited.append(anyio.current_time() - began)
        finally:
            left.set()
    assert 0.9 <= min(waited) <= 2.5


async def test_one_piece_over_tls_may_take_longer_than_the_timeout_as_long_as_it_moves(
    start: Callable[..., Server], path: Path, kit: type[Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PIECES", range(2**20, 24 * 2**20))
    monkeypatch.setattr(wire, "BUFFERS", 2**30)
    os.truncate(path, 24 * 2**20)
    took: list[float] = []

    def slow(peer: Peer, server: Server) -> None:
        left = kit.length_of(peer.head())
        began = time.monotonic()
        while left:
            left -= len(peer.body(min(left, 2**20)))
            pause.wait(0.1)
        took.append(time.monotonic() - began)
        peer.answer()

    pause = threading.Event()
    server = start(tls=True)
    server.plays(slow)
    async with await open_source(path) as source, kit.client(write=1.0) as client:
        answer = await kit.put(client, server.url, SourceBody(source, 0, source.size))
    assert answer.status == 200
    assert took[0] > 2.0


async def test_a_service_that_does_not_answer_is_given_up(server: Server, path: Path, kit: type[Kit]) -> None:
    server.plays(lambda peer, _: bool(peer.body(10**9)) and False)
    async with await open_source(path) as source, kit.client(read=0.1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await kit.put(client, server.url, SourceBody(source, 0, 100_000))


async def test_a_part_may_take_long_as_long_as_it_moves(server: Server, path: Path, kit: type[Kit]) -> None:
    os.truncate(path, 24 * 2**20)
    with path.open("r+b") as file:
        file.write(kit.CONTENT)

    def slow(peer: Peer, server: Server) -> None:
        left = kit.length_of(peer.head())
        while left:
            left -= len(peer.body(min(left, 2**20)))
            pause.wait(0.05)
        peer.answer()

    pause = threading.Event()
    server.plays(slow)
    async with await open_source(path) as source, kit.client(write=0.8, read=20.0) as client:
        answer = await kit.put(client, server.url, SourceBody(source, 0, source.size))
    assert answer.status == 200


# -- kept ------------------------------------------------------------------------------------------------


async def test_one_connection_carries_one_part_after_the_other(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    async with await open_source(path) as source, kit.client() as client:
        for offset in (0, 300_000, 600_000):
            await kit.put(client, server.url, SourceBody(source, offset, 300_000))
    assert server.connections == 1
    assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [
        kit.CONTENT[offset : offset + 300_000] for offset in (0, 300_000, 600_000)
    ]


async def test_parts_at_once_have_a_connection_each(server: Server, path: Path, kit: type[Kit]) -> None:
    async with await open_source(path) as source, kit.client() as client, anyio.create_task_group() as tasks:
        for offset in range(0, 1_000_000, 50_000):
            body = SourceBody(source, offset, 50_000)
            tasks.start_soon(partial(kit.put, client, server.url, body))
    assert len(server.requests) == 20
    assert server.connections <= 20


@pytest.mark.parametrize(
    "answer",
    [
        lambda peer: peer.answer(200, b"{}", "Connection: close"),
        lambda peer: peer.answer(200, b"{}", version="1.0"),
        lambda peer: peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore than was said"),
    ],
    ids=["close", "HTTP/1.0", "more"],
)
async def test_a_connection_that_is_not_to_be_kept_is_closed(
    server: Server, path: Path, kit: type[Kit], answer: Callable[[Peer], None]
) -> None:
    gone: list[bytes] = []

    def once(peer: Peer, server: Server) -> bool:
        peer.body(kit.length_of(peer.head()))
        answer(peer)
        gone.append(peer.body(1))  # nothing comes but the end
        return False

    server.plays(once)
    async with await open_source(path) as source, kit.client() as client:
        for _ in range(2):
            assert (await kit.put(client, server.url, SourceBody(source, 0, 1000))).status == 200
        await kit.until(lambda: len(gone) == 2)
    assert (gone, server.connections) == ([b"", b""], 2)


async def test_an_idle_connection_that_the_service_closed_is_replaced(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    def once(peer: Peer, server: Server) -> bool:
        kit.serve(peer, server)
        return False

    server.plays(once)
    async with await open_source(path) as source, kit.client() as client:
        for count in range(1, 4):
            await kit.put(client, server.url, SourceBody(source, 0, 1000))
            await kit.until(lambda: server.closed == count)  # noqa: B023 - awaited at once
    assert server.connections == 3


async def test_a_connection_that_breaks_before_the_first_byte_is_replaced(
    server: Server, path: Path, kit: type[Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(peer: Peer, server: Server) -> bool:
        kit.serve(peer, server)
        peer.reset()
        return False

    monkeypatch.setattr(Connection, "has_news", False)
    server.plays(once)
    async with await open_source(path) as source, kit.client() as client:
        for count in range(1, 4):
            await kit.put(client, server.url, SourceBody(source, 0, 1000))
            await kit.until(lambda: server.closed == count)  # noqa: B023 - awaited at once
    assert server.connections == 3


async def test_a_part_is_not_sent_again_once_the_service_may_have_seen_it(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    def leave(peer: Peer, server: Server) -> bool:
        peer.head()
        return False

    server.plays(kit.serve, leave)
    async with await open_source(path) as source, kit.client() as client:
        await kit.put(client, server.url, SourceBody(source, 0, 1000))
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await kit.put(client, server.url, SourceBody(source, 0, 1_000_000))
    assert server.connections == 1


async def test_a_connection_is_not_kept_for_long(
    server: Server, path: Path, kit: type[Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "KEPT_FOR", 0.0)
    async with await open_source(path) as source, kit.client() as client:
        for _ in range(3):
            await kit.put(client, server.url, SourceBody(source, 0, 1000))
    assert server.connections == 3


async def test_connections_end_with_the_client(server: Server, path: Path, kit: type[Kit]) -> None:
    async with await open_source(path) as source, kit.client() as client:
        await kit.put(client, server.url, SourceBody(source, 0, 1000))
        assert server.closed == 0
    await kit.until(lambda: server.closed == 1)


# -- a fork ----------------------------------------------------------------------------------------------

FORKED = """
import gc, os, sys, warnings
import anyio
from cloudreel.core.call import Call, Request
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.filewire import wire
from cloudreel.core.options import Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Service, Transport
from cloudreel.errors import CloudReelError
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.sources import open_source

url, path = sys.argv[1:]
wire.KEPT_FOR = 600.0

async def main():
    errors = ErrorFamily(CloudReelError, {})
    service = Service("acme", url, errors, lambda request, now: request, lambda response: None)
    sender = Transport(service, Pool(Wiring()), Options())
    async with await open_source(path) as source:
        put = Call(Request("PUT", url, content=SourceBody(source, 0, 100_000)), id, signed=False)
        await sender.send(put)
        child = os.fork()
        if not child:
            warnings.simplefilter("ignore")  # of sockets that nobody closed
            del sender
            gc.collect()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        await sender.send(put)
    await sender.close()

anyio.run(main)
"""


def test_a_fork_leaves_the_connection_to_the_parent(start: Callable[..., Server], path: Path) -> None:
    server = start()
    command = [
        sys.executable,
        "-W",
        "error",
        "-W",
        "ignore::DeprecationWarning",
        "-c",
        FORKED,
        server.url,
        path,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert (server.connections, len(server.requests)) == (1, 2)
