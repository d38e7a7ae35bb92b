"""One limit for many: places that come free, turns, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.errors import TransportError, WrongEventLoopError
from cloudreel.fleet import RedisLimit
from cloudreel.fleet.redis import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloudreel.fleet.redis import Client

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    """A client, which stays the test's own."""
    client = connect(redis_url)
    yield client
    await client.aclose()


async def test_no_more_parts_are_under_way_than_all_may_send_together(redis: Client, name: str) -> None:
    limits = [RedisLimit(redis, parts=3, name=name) for _ in range(2)]
    under_way = 0
    most = 0

    async def send(limit: RedisLimit) -> None:
        nonlocal under_way, most
        async with limit.slot(part=True):
            under_way += 1
            most = max(most, under_way)
            await anyio.sleep(0.01)
            under_way -= 1

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(send, limits[number % 2])
    assert most == 3
    assert await redis.execute_command("ZCARD", f"{{{name}}}:parts") == 0


async def test_only_parts_wait_for_parts(redis: Client, name: str) -> None:
    limit = RedisLimit(redis, parts=1, name=name)
    async with limit.slot(part=True), limit.slot(part=False):
        assert await redis.execute_command("ZCARD", f"{{{name}}}:parts") == 1


async def test_names_keep_limits_apart(redis: Client, name: str) -> None:
    first, second = (RedisLimit(redis, parts=1, name=f"{name}{number}") for number in range(2))
    async with first.slot(part=True), second.slot(part=True):
        pass


async def test_who_stops_waiting_leaves_no_place_behind(redis: Client, name: str) -> None:
    limit = RedisLimit(redis, parts=1, name=name)
    async with limit.slot(part=True):
        with anyio.move_on_after(0.1) as scope:
            async with limit.slot(part=True):
                raise AssertionError
        assert scope.cancelled_caught
    async with limit.slot(part=True):
        assert await redis.execute_command("ZCARD", f"{{{name}}}:parts") == 1


async def test_a_place_is_kept_as_long_as_it_is_needed(redis: Client, name: str) -> None:
    limit, other = (RedisLimit(redis, parts=1, name=name, lease=0.6) for _ in range(2))
    async with limit.slot(part=True):
        with anyio.move_on_after(1.5) as scope:
            async with other.slot(part=True):
                raise AssertionError
        assert scope.cancelled_caught


HOLD = """
import sys, anyio
from cloudreel.fleet import RedisLimit

async def main():
    async with RedisLimit(sys.argv[1], parts=1, name=sys.argv[2], lease=1.0).slot(part=True):
        print("held", flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


async def test_the_place_of_a_killed_process_comes_free(redis_url: str, name: str) -> None:
    command = [sys.executable, "-c", HOLD, redis_url, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
    limit = RedisLimit(redis_url, parts=1, name=name)
    with anyio.fail_after(30):
        async with limit.slot(part=True):
            pass
    await limit.close()


async def test_requests_start_no_faster_than_all_may_together(redis: Client, name: str) -> None:
    limits = [RedisLimit(redis, per_second=50, name=name) for _ in range(2)]
    begun = time.monotonic()

    async def send(limit: RedisLimit) -> None:
        async with limit.slot(part=False):
            pass

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(send, limits[number % 2])
    assert time.monotonic() - begun >= 19 / 50 - 0.05  # clocks of two kinds
    await anyio.sleep(0.1)
    assert await redis.execute_command("EXISTS", f"{{{name}}}:turn") == 0


async def test_without_a_limit_redis_is_not_asked(name: str) -> None:
    async with RedisLimit("redis://nowhere.invalid", name=name).slot(part=True):
        pass


async def test_a_redis_that_is_not_there_is_told(tmp_path: object) -> None:
    limit = RedisLimit(f"unix://user:pa55word@{tmp_path}/no.sock", per_second=1)
    with pytest.raises(TransportError, match="cannot be asked") as caught:
        async with limit.slot(part=False):
            raise AssertionError
    await limit.close()
    assert "pa55word" not in str(caught.value) + repr(limit)


def test_trio_is_refused_clearly() -> None:
    async def hold() -> None:
        async with RedisLimit("redis://localhost", per_second=1).slot(part=False):
            raise AssertionError

    with pytest.raises(WrongEventLoopError, match="asyncio only"):
        anyio.run(hold, backend="trio")


@pytest.mark.parametrize("wrong", [{"parts": 0}, {"per_second": 0.0}, {"lease": 0.0}])
def test_what_lets_nothing_pass_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RedisLimit("redis://localhost", **wrong)
