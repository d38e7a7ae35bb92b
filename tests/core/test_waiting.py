"""Looking again and again: how often, until when, and what counts as news."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio
import pytest

from cloudreel.core import waiting
from cloudreel.core.waiting import until, watch
from cloudreel.errors import TimedOut

pytestmark = pytest.mark.anyio

T = TypeVar("T")


def looks(states: Sequence[T]) -> tuple[Callable[[], Awaitable[T]], list[T]]:
    """Return a look that sees one state after the other, the last one forever, and what it has seen."""
    seen: list[T] = []

    async def look() -> T:
        await anyio.lowlevel.checkpoint()
        seen.append(states[min(len(seen), len(states) - 1)])
        return seen[-1]

    return look, seen


def late() -> TimedOut:
    return TimedOut("Video 1f was not ready after 0.05 s")


async def test_until_looks_at_once_and_until_it_is_settled(pauses: list[float]) -> None:
    look, seen = looks([1, 2, 3])
    assert await until(look, lambda state: state == 3, timeout=None, poll=None, late=late) == 3
    assert seen == [1, 2, 3]
    assert len(pauses) == 2
    look, _ = looks([3])
    assert await until(look, lambda state: state == 3, timeout=30, poll=1, late=late) == 3
    assert len(pauses) == 2


async def test_looks_begin_quickly_and_slow_down(pauses: list[float]) -> None:
    look, _ = looks(range(40))
    await until(look, lambda state: state == 39, timeout=None, poll=None, late=late)
    assert pauses[0] < 1
    assert pauses == sorted(pauses)
    assert max(pauses) == pauses[-1] == waiting.LONGEST_PAUSE


async def test_a_given_poll_is_kept(pauses: list[float]) -> None:
    look, _ = looks(range(5))
    await until(look, lambda state: state == 4, timeout=None, poll=0, late=late)
    assert pauses == [0] * 4


async def test_until_runs_out_of_time() -> None:
    look, seen = looks(["processing"])
    with pytest.raises(TimedOut, match="not ready after"):
        await until(look, lambda state: False, timeout=0.05, poll=0.01, late=late)
    assert seen


async def test_until_also_ends_a_look_that_hangs() -> None:
    with pytest.raises(TimeoutError):
        await until(anyio.sleep_forever, lambda state: True, timeout=0.05, poll=None, late=late)


async def test_the_caller_s_own_deadline_is_not_taken_for_ours() -> None:
    look, _ = looks(["processing"])
    with anyio.move_on_after(0.05) as scope:
        await until(look, lambda state: False, timeout=None, poll=0.01, late=late)
    assert scope.cancelled_caught


async def test_a_failing_look_is_raised() -> None:
    async def look() -> str:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        await until(look, lambda state: True, timeout=1, poll=None, late=late)


async def test_what_settled_raises_ends_the_wait(pauses: list[float]) -> None:
    def settled(state: str) -> bool:
        if state == "failed":
            raise LookupError(state)
        return False

    look, seen = looks(["processing", "failed", "ready"])
    with pytest.raises(LookupError):
        await until(look, settled, timeout=None, poll=1, late=late)
    assert (seen, pauses) == (["processing", "failed"], [1])


async def test_a_watch_tells_news_once_and_ends_with_what_is_final(pauses: list[float]) -> None:
    look, seen = looks([1, 2, 12, 3, 13, 9])
    watched = watch(look, lambda state: state == 13, poll=None, news=lambda state: state % 10)
    assert [state async for state in watched] == [1, 2, 3]
    assert seen == [1, 2, 12, 3, 13]
    assert pauses == [waiting.FIRST_PAUSE * waiting.GROWTH**n for n in range(4)]
    with pytest.raises(StopAsyncIteration):
        await anext(watched)


@pytest.mark.parametrize("state", [None, 0, []])
async def test_a_watch_tells_the_first_state_whatever_it_is(state: object) -> None:
    look, _ = looks([state])
    assert [found async for found in watch(look, lambda _: True, poll=0, news=lambda state: state)] == [state]


async def test_a_watch_goes_on_after_a_look_that_failed(pauses: list[float]) -> None:
    failures = [ConnectionResetError("gone")]
    inner, seen = looks([1, 2])

    async def look() -> int:
        if len(seen) == 1 and failures:
            raise failures.pop()
        return await inner()

    watched = watch(look, lambda state: state == 2, poll=1, news=lambda state: state)
    assert await anext(watched) == 1
    with pytest.raises(ConnectionResetError):
        await anext(watched)
    assert [state async for state in watched] == [2]
