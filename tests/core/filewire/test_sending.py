"""What goes over the line, and what becomes of it when the file or the service is not as it should be."""

from __future__ import annotations

import errno
import os
import socket
import threading
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from attrs import evolve

from cloudreel.core.filewire import connection, exchange
from cloudreel.errors import UploadError
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.multipart import MultipartBody
from cloudreel.uploads.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Kit, Peer, Server

pytestmark = pytest.mark.anyio


# -- what arrives ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1_000_000), (7, 1), (100, 64 * 1024), (100, 64 * 1024 + 1), (54_200, 1_000_000)],
)
async def test_a_slice_arrives_and_is_answered(
    server: Server, path: Path, kit: type[Kit], offset: int, length: int
) -> None:
    async with await open_source(path) as source, kit.client() as client:
        answer = await kit.put(client, server.url, SourceBody(source, offset, length), **{"X-Part": "3"})
    assert (answer.status, answer.body) == (200, b"{}")
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == kit.CONTENT[offset : offset + length]
    assert head.startswith(b"PUT /upload?id=u1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX-Part: 3" in head


async def test_a_form_arrives_with_the_file_in_it(server: Server, path: Path, kit: type[Kit]) -> None:
    async with await open_source(path) as source, kit.client() as client:
        form = MultipartBody(source, boundary="b0undary")
        await kit.put(client, server.url, form)
    assert server.requests[0].endswith(b"\r\n\r\n" + form.head + kit.CONTENT + form.tail)


async def test_a_file_that_the_caller_opened_is_read_from_its_position(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    with path.open("rb") as file:
        file.seek(1000)
        async with await open_source(file) as source, kit.client() as client:
            await kit.put(client, server.url, SourceBody(source, 50, 300_000))
        assert file.tell() == 1000
    assert server.requests[0].endswith(b"\r\n\r\n" + kit.CONTENT[1050:301_050])


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
async def test_where_the_kernel_cannot_move_the_bytes_they_are_copied(
    start: Callable[..., Server], path: Path, kit: type[Kit], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "sendfile", refuse)
    server = start()
    async with await open_source(path) as source, kit.client() as client:
        await kit.put(client, server.url, SourceBody(source, 3, 900_000))
    assert server.requests[0].endswith(b"\r\n\r\n" + kit.CONTENT[3:900_003])


# -- progress --------------------------------------------------------------------------------------------


async def test_progress_is_told_on_the_event_loop_and_to_the_end(
    server: Server, path: Path, kit: type[Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "TELL_EVERY", 0.0)
    monkeypatch.setattr(connection, "STEP", 100_000)
    counts: list[int] = []
    threads: set[threading.Thread] = set()

    def sent(count: int) -> None:
        counts.append(count)
        threads.add(threading.current_thread())

    async with await open_source(path) as source, kit.client() as client:
        await kit.put(client, server.url, SourceBody(source, 0, 1_000_000, sent))
    assert counts == sorted(set(counts))
    assert len(counts) >= 10
    assert counts[-1] == 1_000_000
    assert threads == {threading.current_thread()}


async def test_who_is_slow_to_hear_of_the_progress_does_not_hold_up_the_upload(
    server: Server, path: Path, kit: type[Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "TELL_EVERY", 0.0)
    monkeypatch.setattr(connection, "STEP", 100_000)
    arrived = threading.Event()

    def take(peer: Peer, server: Server) -> None:
        peer.body(kit.length_of(peer.head()))
        arrived.set()
        peer.answer()

    server.plays(take)
    waited: list[bool] = []
    async with await open_source(path) as source, kit.client() as client:
        slow = SourceBody(source, 0, 1_000_000, lambda _: waited.append(arrived.wait(60)))
        await kit.put(client, server.url, slow)
    assert waited
    assert all(waited)  # the first word was heard only when everything had arrived


# -- answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 413])
async def test_a_refusal_in_the_middle_of_a_part_is_heard(
    server: Server, path: Path, kit: type[Kit], status: int
) -> None:
    def refuse(peer: Peer, server: Server) -> bool:
        peer.head()
        peer.body(1000)
        peer.answer(status, b"no", "Connection: close")
        peer.socket.shutdown(socket.SHUT_WR)
        # Let the answer arrive before what is unread breaks the connection.
        peer.body(200_000)
        return False

    server.plays(refuse)
    with path.open("ab") as file:
        file.truncate(32 * 2**20)  # more than a connection takes unread
    async with await open_source(path) as source, kit.client() as client:
        answer = await kit.put(client, server.url, SourceBody(source, 0, source.size))
        assert (answer.status, answer.body) == (status, b"no")
        server.plays(kit.serve)
        await kit.put(client, server.url, SourceBody(source, 0, 10))
    assert server.connections == 2


@pytest.mark.parametrize("stuck", [False, True], ids=["at once", "later"])
async def test_a_refusal_is_heard_though_the_service_neither_reads_on_nor_closes(
    start: Callable[..., Server], path: Path, kit: type[Kit], stuck: bool
) -> None:
    heard = threading.Event()

    def refuse(peer: Peer, server: Server) -> bool:
        peer.head()
        peer.socket.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        if stuck:
            heard.wait(0.5)  # by now the client has filled the connection
        peer.answer(413, b"no")
        assert heard.wait(60)
        return False

    server = start()
    server.plays(refuse)
    os.truncate(path, 64 * 2**20)
    async with await open_source(path) as source, kit.client(write=5.0) as client:
        with anyio.fail_after(60):
            answer = await kit.put(client, server.url, SourceBody(source, 0, source.size))
        heard.set()
        assert (answer.status, answer.body) == (413, b"no")
        server.plays(kit.serve)
        await kit.put(client, server.url, SourceBody(source, 0, 10))
    assert server.connections == 2


async def test_a_service_that_agrees_early_gets_the_whole_part(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    def agree(peer: Peer, server: Server) -> None:
        head = peer.head()
        peer.answer()
        peer.waste(kit.length_of(head))
        server.requests.append(head)

    server.plays(agree)
    os.truncate(path, 24 * 2**20)
    async with await open_source(path) as source, kit.client() as client:
        answer = await kit.put(client, server.url, SourceBody(source, 0, source.size))
        assert answer.status == 200
        await kit.until(lambda: bool(server.requests))
        await kit.put(client, server.url, SourceBody(source, 0, 10))
    assert server.connections == 1  # which ends with a part that is cut short


async def test_interim_answers_are_passed_over(server: Server, path: Path, kit: type[Kit]) -> None:
    def patient(peer: Peer, server: Server) -> None:
        head = peer.head()
        peer.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        peer.body(kit.length_of(head))
        peer.answer(201, b"done")

    server.plays(patient)
    async with await open_source(path) as source, kit.client() as client:
        answer = await kit.put(client, server.url, SourceBody(source, 0, 500_000))
    assert (answer.status, answer.body) == (201, b"done")


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_a_large_answer_is_read_to_its_end(
    server: Server, path: Path, kit: type[Kit], framing: str
) -> None:
    large = os.urandom(3_000_000)

    def answer(peer: Peer, server: Server) -> bool:
        peer.body(kit.length_of(peer.head()))
        heads = {
            "length": f"Content-Length: {len(large)}",
            "chunked": "Transfer-Encoding: chunked",
            "close": "X: y",
        }
        peer.socket.sendall(f"HTTP/1.1 200 OK\r\n{heads[framing]}\r\n\r\n".encode())
        framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(large), large) if framing == "chunked" else large
        peer.socket.sendall(framed)
        return framing != "close"

    server.plays(answer)
    async with await open_source(path) as source, kit.client() as client:
        for _ in range(2):
            assert (await kit.put(client, server.url, SourceBody(source, 0, 1000))).body == large
    assert server.connections == (2 if framing == "close" else 1)


async def test_an_answer_beyond_measure_is_read_no_further(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    def answer(peer: Peer, server: Server) -> None:
        peer.body(kit.length_of(peer.head()))
        peer.answer(200, bytes(8_000_000))

    server.plays(answer)
    async with await open_source(path) as source, kit.client() as client:
        for _ in range(2):
            reply = await kit.put(client, server.url, SourceBody(source, 0, 1000))
            assert kit.LARGEST < len(reply.body) < 5_000_000
    assert server.connections == 2


@pytest.mark.parametrize(
    ("bytes_sent", "error"),
    [
        (b"", "without sending a response"),
        (b"\x16\x03\xff this is not HTTP\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "ended after 5 of 9 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, "too long|too large"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "SWITCH_UPGRADE"),
    ],
)
async def test_what_is_no_answer_is_told(
    server: Server, path: Path, kit: type[Kit], bytes_sent: bytes, error: str
) -> None:
    def answer(peer: Peer, server: Server) -> bool:
        peer.body(kit.length_of(peer.head()))
        peer.socket.sendall(bytes_sent)
        return False

    server.plays(answer)
    async with await open_source(path) as source, kit.client() as client:
        with pytest.raises(httpx.RemoteProtocolError, match=error):
            await kit.put(client, server.url, SourceBody(source, 0, 1000))


# -- files that change -----------------------------------------------------------------------------------


async def test_the_service_gets_no_end_of_a_part_of_a_file_that_shrank(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    received: list[bytes] = []

    def take(peer: Peer, server: Server) -> bool:
        received.append(peer.body(kit.length_of(peer.head())))
        return False

    server.plays(take)
    async with await open_source(path) as source, kit.client() as client:
        os.truncate(path, 500_000)
        with pytest.raises(UploadError, match="ends after 500000 of 1054200 bytes"):
            await kit.put(client, server.url, SourceBody(source, 10, 1_000_000))
        await kit.until(lambda: bool(received))
    assert kit.CONTENT[10:500_000].startswith(received[0])


@pytest.mark.parametrize("length", [100, 64 * 1024, 1_000_000])
async def test_the_service_gets_no_end_of_a_part_of_a_file_that_was_written_to(
    server: Server, path: Path, kit: type[Kit], length: int
) -> None:
    received: list[bytes] = []

    def take(peer: Peer, server: Server) -> bool:
        received.append(peer.body(kit.length_of(peer.head())))
        return False

    server.plays(take)
    async with await open_source(path) as source, kit.client() as client:
        os.utime(path, ns=(1, 1))
        with pytest.raises(UploadError, match="it was written to"):
            await kit.put(client, server.url, SourceBody(source, 0, length))
        await kit.until(lambda: bool(received))
    assert len(received[0]) < length


async def test_what_the_kernel_moved_must_not_change_until_it_is_answered(
    start: Callable[..., Server], path: Path, kit: type[Kit]
) -> None:
    server = start()

    def change(peer: Peer, server: Server) -> None:
        peer.body(kit.length_of(peer.head()))
        os.utime(path, ns=(1, 1))
        peer.answer()

    server.plays(change)
    async with await open_source(path) as source, kit.client() as client:
        with pytest.raises(UploadError, match="it was written to"):
            await kit.put(client, server.url, SourceBody(source, 0, 1_000_000))


async def test_the_service_gets_no_end_of_a_form_whose_file_was_rewritten_unnoticeably(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    received: list[bytes] = []

    def take(peer: Peer, server: Server) -> bool:
        received.append(peer.body(kit.length_of(peer.head())))
        return False

    server.plays(take)
    async with await open_source(path) as source, kit.client() as client:
        form = MultipartBody(source, boundary="b0undary")
        changed = path.stat().st_mtime_ns
        path.write_bytes(kit.CONTENT[::-1])
        os.utime(path, ns=(changed, changed))
        with pytest.raises(UploadError, match="its content is another"):
            await kit.put(client, server.url, form)
        await kit.until(lambda: bool(received))
    assert form.tail not in received[0]
    assert len(received[0]) < form.length


async def test_a_broken_disk_is_told_as_such(
    server: Server, path: Path, kit: type[Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    async with await open_source(path) as source, kit.client() as client:
        monkeypatch.setattr(os, "sendfile", fail)
        monkeypatch.setattr(os, "preadv", fail)
        with pytest.raises(OSError, match="Input/output error"):
            await kit.put(client, server.url, SourceBody(source, 0, 1_000_000))


async def test_a_file_that_the_caller_closes_meanwhile_is_sent_all_the_same(
    server: Server, path: Path, kit: type[Kit]
) -> None:
    def take(peer: Peer, server: Server) -> None:
        head = peer.head()
        file.close()
        server.requests.append(head + peer.body(kit.length_of(head)))
        peer.answer()

    server.plays(take)
    with path.open("r+b") as file:
        async with await open_source(file) as source, kit.client() as client:
            await kit.put(client, server.url, SourceBody(source, 0, 1_000_000))
    assert server.requests[0].endswith(b"\r\n\r\n" + kit.CONTENT[:1_000_000])


async def test_a_closed_descriptor_is_told_as_such(server: Server, path: Path, kit: type[Kit]) -> None:
    async with await open_source(path) as source, kit.client() as client:
        body = SourceBody(source, 0, 1_000_000)
        part = body.in_file()
        assert part is not None
        closed = 10**6  # more than a process may have open
        headers = {"Content-Length": str(body.length)}
        with pytest.raises(OSError, match="Bad file descriptor"):
            await client.wire.send(
                "PUT", server.url, headers, evolve(part, descriptor=closed), httpx.Timeout(30), 1000
            )


@pytest.mark.parametrize(
    ("tell_every", "asked"),
    [(1000.0, [1, 2, 4, 8, 8, 1]), (-1.0, [1, 1 / 2, 1 / 4, 1 / 8, *[1 / 16] * 354, 0])],
    ids=["fast", "slow"],
)
async def test_the_kernel_is_asked_for_more_at_once_the_faster_it_goes(
    start: Callable[..., Server],
    path: Path,
    kit: type[Kit],
    monkeypatch: pytest.MonkeyPatch,
    tell_every: float,
    asked: list[float],
) -> None:
    real, counts = os.sendfile, []

    def count(out: int, descriptor: int, offset: int, size: int) -> int:
        counts.append(size)
        return real(out, descriptor, offset, size)

    monkeypatch.setattr(os, "sendfile", count)
    monkeypatch.setattr(exchange, "TELL_EVERY", tell_every)
    os.truncate(path, 24 * 2**20)
    server = start()
    async with await open_source(path) as source, kit.client() as client:
        await kit.put(client, server.url, SourceBody(source, 0, source.size))
    steps = [size / 2**20 for size in counts]
    assert steps[:-1] == asked[: len(steps) - 1]
    assert sum(counts) == source.size - exchange.LAST
