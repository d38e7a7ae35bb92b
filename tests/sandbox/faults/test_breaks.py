"""What the faults of the line do to the bytes on a real connection."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from cloudreel.sandbox.faults import Action, Fault
from cloudreel.sandbox.server import Tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from conftest import Running

TLS = Path(__file__).parents[1] / "tls"
CUTS = [1, 20, 200, 5000]


def whole_answer(service: Running, head: str = "") -> bytes:
    """Return every byte of the answer to a first request."""
    with service.peer() as peer:
        peer.send("GET", head=head)
        whole = peer.read_answer()
    service.bodies.clear()
    return whole


def test_without_a_fault_nothing_changes(service: Running) -> None:
    with httpx.Client() as client:
        for _ in range(3):
            assert client.put(service.url, content=b"x").content == service.answer
    assert service.bodies == [b"x"] * 3


def test_delay_waits_and_then_acts(service: Running) -> None:
    service.plan.add(Fault("delay", seconds=0.2))
    began = time.monotonic()
    assert httpx.put(service.url, content=b"late").content == service.answer
    assert time.monotonic() - began >= 0.2
    assert service.bodies == [b"late"]


# -- in the request --------------------------------------------------------------------------------------


def test_drop_resets_at_once(service: Running) -> None:
    service.plan.add(Fault("drop"))
    with service.peer() as peer:
        peer.send("PUT", length=1000)
        assert peer.read_all() == (b"", True)
    assert service.bodies == []
    assert httpx.get(service.url).content == service.answer


@pytest.mark.parametrize("sent", [100_000, 300_000])
def test_drop_lets_exactly_so_many_bytes_through(service: Running, sent: int) -> None:
    service.plan.add(Fault("drop", after_bytes=100_000))
    with service.peer() as peer:
        peer.send("PUT", bytes(sent), length=300_000)
        assert peer.read_all() == (b"", True)
    assert service.was_disturbed()
    assert service.bodies == []
    assert service.cut == [bytes(100_000)]


def test_drop_after_the_end_loses_the_answer_only(service: Running) -> None:
    service.plan.add(Fault("drop", after_bytes=100))
    with service.peer() as peer:
        peer.send("PUT", b"short")
        assert peer.read_all() == (b"", True)
    assert service.bodies == [b"short"]


def test_stall_holds_still_and_then_drops(service: Running) -> None:
    service.plan.add(Fault("stall", after_bytes=10, seconds=0.3))
    began = time.monotonic()
    with service.peer() as peer:
        peer.send("PUT", b"a" * 15, length=20)
        assert peer.read_all() == (b"", True)
    assert time.monotonic() - began >= 0.3
    assert service.was_disturbed()
    assert service.cut == [b"a" * 10]


def test_stall_lasts_until_the_peer_leaves(service: Running) -> None:
    service.plan.add(Fault("stall", after_bytes=10))
    with service.peer() as peer:
        peer.send("PUT", bytes(10**5), length=10**7)
        assert peer.hears_nothing()
        assert not service.disturbed.is_set()
    assert service.was_disturbed()
    assert service.cut == [bytes(10)]


@pytest.mark.parametrize("fault", [Fault("stall"), Fault("slow", bytes_per_second=1000)], ids=str)
def test_what_is_not_read_jams_the_line(service: Running, fault: Fault) -> None:
    service.plan.add(fault)
    with service.peer() as peer:
        peer.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            peer.send("PUT", bytes(2**27))


# -- slowly ----------------------------------------------------------------------------------------------


def test_slow_reads_no_faster(service: Running) -> None:
    service.answer = b""
    service.plan.add(Fault("slow", bytes_per_second=100_000))
    body = bytes(range(256)) * 100
    began = time.monotonic()
    assert httpx.put(service.url, content=body).status_code == 200
    assert time.monotonic() - began >= 0.25
    assert service.bodies == [body]


def test_slow_answers_no_faster(service: Running) -> None:
    service.plan.add(Fault("slow", bytes_per_second=50_000))
    began = time.monotonic()
    with httpx.stream("GET", service.url) as answer:
        pieces = list(answer.iter_raw())
    assert time.monotonic() - began >= 0.2
    assert b"".join(pieces) == service.answer
    assert len(pieces) > 1


def test_slow_may_be_only_the_start(service: Running) -> None:
    service.plan.add(Fault("slow", bytes_per_second=1000, seconds=0.2))
    began = time.monotonic()
    assert httpx.put(service.url, content=bytes(10**6)).content == service.answer
    assert 0.2 <= time.monotonic() - began < 100
    assert service.bodies == [bytes(10**6)]


# -- in the answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reads", ["at once", "late"])
@pytest.mark.parametrize("count", CUTS)
@pytest.mark.parametrize("action", ["truncate", "reset"])
def test_so_many_bytes_of_the_answer_come(service: Running, action: Action, count: int, reads: str) -> None:
    whole = whole_answer(service)
    service.plan.add(Fault(action, after_bytes=count))
    with service.peer() as peer:
        peer.send("GET")
        if reads == "late":
            time.sleep(0.1)
        assert peer.read_all() == (whole[:count], action == "reset")
    assert service.bodies == [b""]


def test_a_reset_waits_for_the_bytes_before_it(service: Running) -> None:
    service.answer = bytes(20 * 2**20)
    service.plan.add(Fault("reset", after_bytes=16 * 2**20))
    with service.peer() as peer:
        peer.send("GET")
        time.sleep(0.2)
        received, reset = peer.read_all()
    assert (len(received), reset) == (16 * 2**20, True)


@pytest.mark.parametrize("action", ["truncate", "reset", "lost"])
def test_all_of_an_answer_may_be_lost_after_acting(service: Running, action: Action) -> None:
    service.plan.add(Fault(action))
    with service.peer() as peer:
        peer.send("PUT", b"bytes")
        assert peer.read_all() == (b"", True)
    assert service.bodies == [b"bytes"]


def test_lost_means_the_whole_answer(service: Running) -> None:
    service.plan.add(Fault("lost", after_bytes=100))
    with service.peer() as peer:
        peer.send("PUT", b"bytes")
        assert peer.read_all() == (b"", True)


@pytest.mark.parametrize("action", ["truncate", "reset"])
def test_a_cut_beyond_the_answer_still_ends_the_connection(service: Running, action: Action) -> None:
    service.plan.add(Fault(action, after_bytes=10**6))
    with service.peer() as peer:
        peer.send("GET")
        received, reset = peer.read_all()
    assert received.endswith(service.answer)
    assert reset == (action == "reset")


@pytest.mark.parametrize("count", [0, *CUTS])
@pytest.mark.parametrize("action", ["truncate", "reset"])
def test_an_answer_is_cut_by_tls_too(
    run_service: Callable[..., AbstractContextManager[Running]], action: Action, count: int
) -> None:
    trust = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    with run_service(Tls(TLS / "certificate.pem", TLS / "key.pem")) as service:
        service.plan.add(Fault(action, after_bytes=count))
        with service.peer(trust) as peer:
            peer.send("PUT", b"acted")
            received, _ = peer.read_all()  # Python's ssl does not tell a reset from an end
    assert (len(received), service.bodies) == (count, [b"acted"])


@pytest.mark.parametrize("head", ["", "Connection: close\r\n"])
@pytest.mark.parametrize("count", [0, *CUTS])
def test_half_open_says_so_much_and_then_nothing(service: Running, count: int, head: str) -> None:
    whole = whole_answer(service, head)
    service.plan.add(Fault("half_open", after_bytes=count))
    with service.peer() as peer:
        peer.send("PUT", b"acted", head=head)
        assert peer.read(count) == whole[:count]
        assert peer.hears_nothing(0.1)
    assert service.bodies == [b"acted"]


def test_half_open_is_silent_after_a_whole_answer(service: Running) -> None:
    service.plan.add(Fault("half_open", after_bytes=10**6))
    with service.peer() as peer:
        peer.send("GET")
        assert peer.read_answer().endswith(service.answer)
        peer.send("GET")
        assert peer.hears_nothing()


def test_half_open_may_end(service: Running) -> None:
    service.plan.add(Fault("half_open", after_bytes=9, seconds=0.2))
    began = time.monotonic()
    with service.peer() as peer:
        peer.send("GET")
        assert peer.read_all() == (b"HTTP/1.1 ", True)
    assert time.monotonic() - began >= 0.2


def test_garbage_is_no_http(service: Running) -> None:
    service.plan.add(Fault("garbage"))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.put(service.url, content=bytes(10**6))
    assert service.bodies == []


# -- and the rest ----------------------------------------------------------------------------------------


def test_control_routes_are_never_spoiled(service: Running) -> None:
    service.plan.add(Fault("drop"))
    assert httpx.get(f"{service.url}/__sandbox__/state").content == service.answer
    assert [fault.action for fault in service.plan] == ["drop"]


def test_a_server_stops_while_requests_are_spoiled(
    run_service: Callable[..., AbstractContextManager[Running]],
) -> None:
    faults = [
        Fault("stall", times=2),
        Fault("delay", seconds=3600),
        Fault("slow", bytes_per_second=1),
        Fault("half_open"),
    ]
    with ExitStack() as stack:
        with run_service() as service:
            service.plan.add(*faults)
            peers = [stack.enter_context(service.peer()) for _ in range(5)]
            for peer in peers:
                peer.send("PUT", b"ten bytes.")
            while list(service.plan):
                time.sleep(0.01)
        for peer in peers:
            assert peer.read_all()[0] == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(service.address, timeout=5)
