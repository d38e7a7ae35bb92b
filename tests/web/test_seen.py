"""Remembering what was told already: for how long, how much."""

from __future__ import annotations

import pytest

from cloudreel.web import MemorySeen

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_key_is_new_once_until_it_is_forgotten() -> None:
    seen = MemorySeen()
    assert [await seen.first("a", 60), await seen.first("a", 60), await seen.first("b", 60)] == [
        True,
        False,
        True,
    ]
    await seen.forget("a")
    await seen.forget("never there")
    assert [await seen.first("a", 60), await seen.first("b", 60)] == [True, False]


async def test_a_key_is_new_again_after_its_time() -> None:
    clock = Clock()
    seen = MemorySeen(clock=clock)
    assert await seen.first("a", 60)
    clock.now += 59
    assert not await seen.first("a", 60)
    clock.now += 1
    assert await seen.first("a", 60)


async def test_the_oldest_keys_make_room() -> None:
    seen = MemorySeen(most=3)
    for key in "abcd":
        assert await seen.first(key, 60)
    assert not await seen.first("c", 60)
    assert await seen.first("a", 60)


async def test_keys_whose_time_is_over_take_no_room() -> None:
    clock = Clock()
    seen = MemorySeen(clock=clock)
    for key in range(100):
        await seen.first(str(key), 60)
    clock.now += 61
    await seen.first("a", 60)
    assert list(seen._until) == ["a"]
