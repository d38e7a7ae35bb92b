"""A cap on bytes per second: what passes is never more than it allows, whoever shares it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core import bandwidth as module
from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.bucket import Bucket
from cloudreel.core.call import Request
from cloudreel.core.options import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from conftest import Wire

RATES = st.floats(1, 1e9)
COUNTS = st.integers(0, 10**6)
STEPS = st.floats(0, 10)


# -- the bucket ------------------------------------------------------------------------------------------


@given(rate=RATES, takes=st.lists(st.tuples(COUNTS, STEPS), min_size=1))
def test_what_passes_is_never_more_than_the_rate_allows(rate: float, takes: list[tuple[int, float]]) -> None:
    bucket = Bucket(rate)
    now = 1000.0
    passed = 0  # before what passes last
    for count, step in takes:
        place = bucket.take(count, now)
        now += bucket.wait(place, now)
        assert passed <= rate * (now - 1000) * (1 + 1e-9) + 1e-3
        passed += count
        now += step


@given(rate=RATES, counts=st.lists(COUNTS, min_size=1))
def test_who_never_pauses_gets_all_that_the_rate_allows(rate: float, counts: list[int]) -> None:
    bucket = Bucket(rate)
    now = 50.0
    for count in counts:
        now += bucket.wait(bucket.take(count, now), now)
    assert now - 50 == pytest.approx(sum(counts[:-1]) / rate, rel=1e-6, abs=1e-6)


def test_nothing_is_saved_up_for_later() -> None:
    bucket = Bucket(10)
    bucket.take(10, 0)
    assert bucket.wait(bucket.take(10, 500), 500) == 0
    assert bucket.wait(bucket.take(10, 500), 500) == 1


def test_places_are_served_in_the_order_in_which_they_were_taken() -> None:
    bucket = Bucket(10)
    first, second, third = (bucket.take(20, 0) for _ in range(3))
    assert [bucket.wait(place, 1) for place in (first, second, third)] == [0, 1, 3]


def test_another_rate_holds_for_those_who_wait_already() -> None:
    bucket = Bucket(10)
    bucket.take(100, 0)
    place = bucket.take(1, 0)
    assert bucket.wait(place, 0) == 10
    bucket.set_rate(100, 5)
    assert bucket.wait(place, 5) == 0.5
    bucket.set_rate(1, 5)
    assert bucket.wait(place, 5) == 50
    bucket.set_rate(None, 5)
    assert bucket.rate is None
    assert bucket.wait(place, 5) == 0
    bucket.set_rate(1, 6)
    assert bucket.wait(bucket.take(1, 6), 6) == 0  # what passed without a limit is paid for


# -- the cap ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_a_cap_that_lets_nothing_pass_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="bytes_per_second must be more than 0, or None"):
        Bandwidth(value)
    cap = Bandwidth(5)
    with pytest.raises(ValueError, match="bytes_per_second"):
        cap.bytes_per_second = value
    assert cap.bytes_per_second == 5


def test_it_says_what_it_is() -> None:
    assert repr(Bandwidth()) == "<Bandwidth: no cap>"
    assert repr(Bandwidth(2e6)) == "<Bandwidth: 2e+06 bytes/s>"


@pytest.mark.parametrize(("rate", "step"), [(1e6, 100_000), (5, 1), (0.1, 1)])
def test_a_step_passes_within_a_moment(rate: float, step: int) -> None:
    assert Bandwidth(rate).step == step
    assert Bandwidth().step > 2**40


def test_threads_share_it() -> None:
    cap = Bandwidth(1000.0, clock=lambda: 0.0)
    threads = [threading.Thread(target=lambda: [cap.reserve(1) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cap.wait(cap.reserve(1)) == 2.0


@pytest.mark.anyio
async def test_taking_waits_and_sees_that_the_cap_was_changed(
    replace_sleep: Callable[[Callable[[float], Awaitable[None]]], None],
) -> None:
    now = 0.0
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        pauses.append(seconds)
        now += seconds
        if len(pauses) == 3:
            cap.bytes_per_second = None
        await anyio.lowlevel.checkpoint()

    replace_sleep(sleep)
    cap = Bandwidth(100.0, clock=lambda: now)
    await cap.take(1000)
    assert pauses == []
    await cap.take(1)
    assert pauses == [module.LOOK] * 3
    await cap.take(10**9)
    assert len(pauses) == 3


# -- a client that has one -------------------------------------------------------------------------------


class Frozen(Bandwidth):
    """A cap whose clock stands; it notes how much was to pass, and lets it."""

    def __init__(self, rate: float) -> None:
        super().__init__(rate, clock=lambda: 0.0)
        self.taken: list[int] = []

    async def take(self, count: int) -> None:
        self.taken.append(count)
        self.reserve(count)


class Large:
    """A streamed body of two large pieces."""

    length = 500

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for letter in (b"a", b"b"):
            yield letter * 250


@pytest.mark.anyio
async def test_bodies_of_requests_and_answers_count(wire: Wire) -> None:
    cap = Frozen(1000.0)
    wire.answers(httpx.Response(200, text="12345"))
    sender = wire.transport(pool=wire.pool(Limits(bandwidth=cap)))
    await sender.send(wire.call("POST", content=b"1234567"))
    assert cap.taken == [0]  # in line behind others; what is small then goes at once
    assert cap.reserve(0) == 7 + 5
    await sender.close()


@pytest.mark.anyio
async def test_a_streamed_body_goes_in_small_steps(wire: Wire) -> None:
    cap = Frozen(1000.0)
    bodies: list[bytes] = []

    async def keep(request: httpx.Request) -> httpx.Response:
        bodies.append(await request.aread())
        return httpx.Response(204)

    wire.answers(keep)
    sender = wire.transport(pool=wire.pool(Limits(bandwidth=cap)))
    await sender.send(wire.call("PUT", content=Large()))
    assert cap.taken == [0, 100, 100, 50, 100, 100, 50]
    assert bodies == [b"a" * 250 + b"b" * 250]
    await sender.close()


@pytest.mark.anyio
async def test_two_clients_share_one(wire: Wire) -> None:
    cap = Frozen(1000.0)
    for _ in range(2):
        sender = wire.transport(pool=wire.pool(Limits(bandwidth=cap)))
        await sender.send(wire.call("POST", content=b"1234567"))
        await sender.close()
    answers = len("status 200") * 2
    assert cap.reserve(0) == 14 + answers


@pytest.mark.anyio
async def test_an_answer_read_piece_by_piece_counts_as_it_comes(wire: Wire) -> None:
    cap = Frozen(1000.0)
    wire.answers(httpx.Response(200, text="x" * 300))
    sender = wire.transport(pool=wire.pool(Limits(bandwidth=cap)))
    async with sender.stream(Request("GET", "http://cdn.acme.test/film")) as stream:
        assert stream.response.status_code == 200
        assert [await stream.read(), await stream.read()] == [b"x" * 300, b""]
    assert cap.taken == [0, 300, 0]
    await sender.close()
