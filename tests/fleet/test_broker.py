"""Messages that outlive their workers: who gets them, when, and how often."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from taskiq.message import BrokerMessage

from cloudreel.fleet import FleetBroker
from cloudreel.fleet import broker as broker_module

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from taskiq import AckableMessage

pytestmark = pytest.mark.anyio

IDLE = 0.3  # seconds


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "BLOCK", 0.1)
    monkeypatch.setattr(broker_module, "PAUSE", 0.05)


@asynccontextmanager
async def at_work(url: str, queue: str, *, idle: float = IDLE) -> AsyncGenerator[FleetBroker]:
    """A broker as it is in a worker."""
    broker = FleetBroker(url, queue_name=queue, idle=idle)
    broker.is_worker_process = True
    await broker.startup()
    try:
        yield broker
    finally:
        await broker.shutdown()


async def send(broker: FleetBroker, text: str) -> None:
    message = BrokerMessage(task_id=uuid.uuid4().hex, task_name="t", message=text.encode(), labels={})
    await broker.kick(message)


async def first(broker: FleetBroker, seconds: float = 30) -> AckableMessage | None:
    """Return the next message, None if there is none for so long."""
    listening = broker.listen()
    try:
        with anyio.move_on_after(seconds):
            return await anext(listening)
        return None
    finally:
        await listening.aclose()


async def test_a_message_goes_to_one_worker_and_is_forgotten_when_done(redis_url: str, name: str) -> None:
    async with at_work(redis_url, name) as one, at_work(redis_url, name) as other:
        await send(one, "film")
        message = await first(one)
        assert message is not None
        assert message.data == b"film"
        assert await first(other, 0.2) is None
        await message.ack()
        assert await one.redis.execute_command("XLEN", name) == 0
        assert await first(other, IDLE * 2) is None


async def test_what_was_sent_before_the_first_worker_is_not_lost(redis_url: str, name: str) -> None:
    sender = FleetBroker(redis_url, queue_name=name, idle=IDLE)
    await send(sender, "early")
    await sender.connection_pool.disconnect()
    async with at_work(redis_url, name) as worker:
        message = await first(worker)
        assert message is not None
        assert message.data == b"early"


async def test_the_message_of_a_dead_worker_goes_to_another_although_no_new_one_comes(
    redis_url: str, name: str
) -> None:
    async with at_work(redis_url, name) as other:
        async with at_work(redis_url, name) as dead:
            await send(other, "film")
            assert await first(dead) is not None
        message = await first(other)
        assert message is not None
        assert message.data == b"film"


async def test_a_message_in_hand_is_not_taken_away_however_long_it_takes(redis_url: str, name: str) -> None:
    async with at_work(redis_url, name) as one, at_work(redis_url, name) as other:
        await send(one, "film")
        assert await first(one) is not None
        assert await first(other, IDLE * 4) is None


async def test_a_busy_worker_leaves_messages_to_others(redis_url: str, name: str) -> None:
    async with at_work(redis_url, name) as one, at_work(redis_url, name) as other:
        for number in range(2):
            await send(one, str(number))
        found = [await first(one), await first(other)]
        assert [message.data for message in found if message] == [b"0", b"1"]


async def test_a_deleted_message_is_passed_over(redis_url: str, name: str) -> None:
    async with at_work(redis_url, name) as other:
        async with at_work(redis_url, name) as dead:
            await send(other, "film")
            assert await first(dead) is not None
        await other.redis.execute_command("XTRIM", name, "MAXLEN", 0)
        await send(other, "next")
        await anyio.sleep(IDLE * 2)
        message = await first(other)
        assert message is not None
        assert message.data == b"next"


async def test_a_worker_waits_for_a_redis_that_is_away(
    redis_url: str, name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [RedisConnectionError("gone"), RedisTimeoutError()]

    async def fail(*args: object, **options: object) -> None:
        raise failures.pop()

    async with at_work(redis_url, name) as worker:
        await send(worker, "film")
        execute = Redis.execute_command

        async def failing_at_first(self: Redis, *command: object, **options: object) -> object:
            return await (fail() if failures else execute(self, *command, **options))

        monkeypatch.setattr(Redis, "execute_command", failing_at_first)
        message = await first(worker)
        assert message is not None
        assert message.data == b"film"
    assert caplog.messages == [
        "The fleet's queue cannot be read: TimeoutError",
        "The fleet's queue cannot be read: gone",
    ]
