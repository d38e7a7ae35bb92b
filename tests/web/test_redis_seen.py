"""Remembering in Redis what was told already."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.core import redis_server
from cloudreel.errors import TransportError, WrongEventLoopError
from cloudreel.web import RedisSeen

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def prefix() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def seen(redis_url: str, prefix: str) -> RedisSeen:
    return RedisSeen(redis_url, prefix=prefix)


async def test_a_key_is_new_once_until_it_is_forgotten(seen: RedisSeen) -> None:
    asked = [await seen.first(key, 60) for key in "aab"]
    assert asked == [True, False, True]
    await seen.forget("a")
    await seen.forget("never there")
    assert [await seen.first(key, 60) for key in "ab"] == [True, False]


async def test_a_key_is_new_again_after_its_time(seen: RedisSeen) -> None:
    assert await seen.first("a", 0.01)
    with anyio.fail_after(60):
        while not await seen.first("a", 0.01):
            await anyio.sleep(0.01)


async def test_of_all_who_ask_at_once_one_is_the_first(redis_url: str, prefix: str) -> None:
    answers: list[bool] = []

    async def ask() -> None:
        answers.append(await RedisSeen(redis_url, prefix=prefix).first("a", 60))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(ask)
    assert sorted(answers) == [False] * 7 + [True]


async def test_prefixes_keep_applications_apart(seen: RedisSeen, redis_url: str, prefix: str) -> None:
    assert await seen.first("a", 60)
    assert await RedisSeen(redis_url, prefix=f"{prefix}-2").first("a", 60)


async def test_who_lost_the_answer_and_asks_again_is_still_the_first(redis_url: str, prefix: str) -> None:
    from redis.asyncio import from_url

    async with from_url(redis_url) as client:

        class Twice:
            async def execute_command(self, *args: str | int | bytes) -> object:
                await client.execute_command(*args)
                return await client.execute_command(*args)

        assert await RedisSeen(Twice(), prefix=prefix).first("a", 60)
        assert not await RedisSeen(client, prefix=prefix).first("a", 60)


async def test_a_redis_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    seen = RedisSeen(f"unix://user:pa55word@{tmp_path}/no.sock")
    for asked in (seen.first("a", 60), seen.forget("a")):
        with pytest.raises(TransportError, match=r"RedisSeen at .*no\.sock.* does not work") as caught:
            await asked
        assert "pa55word" not in f"{seen!r} {caught.value}"


def test_trio_is_refused_clearly() -> None:
    with pytest.raises(WrongEventLoopError, match=r"asyncio only.*use MemorySeen"):
        anyio.run(RedisSeen("redis://redis.example").first, "a", 60, backend="trio")


def test_without_redis_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"RedisSeen needs redis.*cloudreel\[redis\]"):
        RedisSeen("redis://redis.example")
