"""A part that is cancelled leaves no thread at work and no connection, wherever it was."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import threading
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from cloudreel.core.filewire.exchange import Exchange
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Kit, Peer, Server

pytestmark = pytest.mark.anyio

PLACES = ["handshake", "sending", "waiting", "answer"]


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[threading.Thread]]:
    """The threads that are in an exchange."""
    threads: list[threading.Thread] = []

    original = Exchange.run

    def run(self: Exchange) -> object:
        threads.append(threading.current_thread())
        try:
            return original(self)
        finally:
            threads.remove(threading.current_thread())

    monkeypatch.setattr(Exchange, "run", run)
    return threads


class Stuck:
    """A service that holds still at some place, and tells when it is there, and when the client has left."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.reached = threading.Event()
        self.left = threading.Event()

    def __call__(self, peer: Peer, server: Server) -> bool:
        if self.place != "handshake":
            head = peer.head()
            if self.place != "sending":
                peer.body(int(head.partition(b"Content-Length: ")[2].split()[0]))
            if self.place == "answer":
                peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + bytes(200_000))
        self.reached.set()
        if self.place == "sending":
            self._until_left(peer)
        else:
            peer.body(10**9)
        self.left.set()
        return False

    def _until_left(self, peer: Peer) -> None:
        """Wait without reading, so that the client is stuck in the middle of the part."""
        poll = select.poll()
        poll.register(peer.socket, select.POLLRDHUP)
        poll.poll(60_000)


@pytest.mark.parametrize("place", PLACES)
async def test_cancelling_ends_thread_and_connection(
    server: Server, path: Path, kit: type[Kit], at_work: list[threading.Thread], place: str
) -> None:
    os.truncate(path, 64 * 2**20)
    stuck = Stuck(place)
    server.plays(stuck)
    url = server.url.replace("http://", "https://") if place == "handshake" else server.url
    if place == "handshake" and server.tls:
        server.tls = False  # it waits for a plain request, and does not shake hands
    async with await open_source(path) as source, kit.client() as client:
        async with anyio.create_task_group() as tasks:
            body = SourceBody(source, 0, source.size if place == "sending" else 1000)
            tasks.start_soon(kit.put, client, url, body)
            await anyio.to_thread.run_sync(stuck.reached.wait)
            await anyio.sleep(0.05)  # now the part is stuck
            assert at_work
            tasks.cancel_scope.cancel()
        assert at_work == []
        await anyio.to_thread.run_sync(stuck.left.wait)
        server.plays(kit.serve)
        if place != "handshake":
            await kit.put(client, url, SourceBody(source, 0, 1000))
            assert server.connections == 2


async def test_cancelling_ends_a_connection_that_is_being_made(
    path: Path, kit: type[Kit], at_work: list[threading.Thread]
) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(deaf.getsockname())
        async with await open_source(path) as source, kit.client() as client:
            async with anyio.create_task_group() as tasks:
                body = SourceBody(source, 0, 1000)
                tasks.start_soon(kit.put, client, f"http://127.0.0.1:{deaf.getsockname()[1]}/", body)
                await kit.until(lambda: bool(at_work))
                await anyio.sleep(0.05)
                tasks.cancel_scope.cancel()
            assert at_work == []
        for each in waiting:
            each.close()


async def test_parts_that_wait_for_a_thread_are_cancelled_too(
    server: Server, path: Path, kit: type[Kit], at_work: list[threading.Thread]
) -> None:
    stuck = Stuck("waiting")
    server.plays(stuck)
    async with await open_source(path) as source, kit.client() as client:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):  # there are eight threads
                tasks.start_soon(kit.put, client, server.url, SourceBody(source, 0, 1000))
            await kit.until(lambda: server.connections == 8)
            tasks.cancel_scope.cancel()
        assert at_work == []


async def test_asyncio_may_cancel_in_its_own_way(
    server: Server, path: Path, kit: type[Kit], at_work: list[threading.Thread], anyio_backend: str
) -> None:
    stuck = Stuck("waiting")
    server.plays(stuck)
    if anyio_backend == "asyncio":
        async with await open_source(path) as source, kit.client() as client:
            task = asyncio.create_task(kit.put(client, server.url, SourceBody(source, 0, 1000)))
            await kit.until(stuck.reached.is_set)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert at_work == []


async def test_a_timeout_around_a_part_ends_it(
    server: Server, path: Path, kit: type[Kit], at_work: list[threading.Thread]
) -> None:
    stuck = Stuck("waiting")
    server.plays(stuck)
    async with await open_source(path) as source, kit.client() as client:
        with pytest.raises(TimeoutError), anyio.fail_after(0.05):
            await kit.put(client, server.url, SourceBody(source, 0, 1000))
        assert at_work == []


def test_a_loop_that_is_closed_over_a_part_leaves_no_thread_and_no_connection(
    start: Callable[..., Server], path: Path, kit: type[Kit], at_work: list[threading.Thread]
) -> None:
    os.truncate(path, 64 * 2**20)
    server = start()
    reached, closed, left = threading.Event(), threading.Event(), threading.Event()

    def slow(peer: Peer, server: Server) -> bool:
        length = kit.length_of(peer.head())
        reached.set()
        assert closed.wait(60)
        assert len(peer.body(length)) < length
        left.set()
        return False

    async def send() -> None:
        async with await open_source(path) as source, kit.client() as client:
            await kit.put(client, server.url, SourceBody(source, 0, source.size, lambda _: None))

    async def begin() -> asyncio.Task[None]:
        task = asyncio.create_task(send())
        await anyio.to_thread.run_sync(reached.wait)
        return task

    server.plays(slow)
    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin())
    (thread,) = at_work
    loop.close()
    closed.set()
    assert left.wait(60)
    thread.join(60)
    assert (at_work, task.done()) == ([], False)
    task.get_loop().call_exception_handler = lambda context: None  # which tells of tasks that never ended
