"""Messages in a Redis stream that outlive the worker that was at them."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncGenerator
from functools import partial
from typing import Final

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from taskiq import AckableMessage
from taskiq_redis import RedisStreamBroker

from cloudreel.core import redact
from cloudreel.fleet.redis import Client, Entries, client_of

BLOCK: Final = 1.0  # seconds to wait for a message before the abandoned ones are looked at again
PAUSE: Final = 1.0  # seconds before Redis is asked again after it failed
RENEWALS: Final = 3  # of the messages in hand within the time after which they count as abandoned

log = logging.getLogger("cloudreel")

ACK = """
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
"""


class FleetBroker(RedisStreamBroker):
    """A `RedisStreamBroker` whose workers renew the messages in their hands, and take over those of the dead.

    taskiq's own looks for abandoned messages only after a new one has come, and takes a long task for an
    abandoned one. This one looks whenever it is idle, takes one message at a time, so that none waits in
    a busy worker, and forgets a message that is done.

    Args:
        url: of Redis.
        queue_name: key of the stream.
        idle: seconds after which a message that nobody renews goes to another worker.
    """

    def __init__(self, url: str, *, queue_name: str, idle: float) -> None:
        super().__init__(
            url,
            queue_name=queue_name,
            consumer_group_name="workers",
            consumer_name=f"{socket.gethostname()}, process {os.getpid()}, {secrets.token_hex(4)}",
            consumer_id="0",  # what was sent before the first worker came is for the workers, too
            xread_block=round(BLOCK * 1000),
        )
        self._idle = idle
        self._in_hand: set[str] = set()
        self._renewing: asyncio.Task[None] | None = None

    @property
    def redis(self) -> Client:
        """A client over the broker's connections, which the broker closes."""
        return client_of(self.connection_pool)

    async def startup(self) -> None:
        """Make the stream; in a worker, begin to renew the messages in hand."""
        await super().startup()
        if self.is_worker_process:
            self._renewing = asyncio.create_task(self._renew())

    async def shutdown(self) -> None:
        """Leave what is still in hand to other workers, and close the connections."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        await super().shutdown()

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Yield abandoned messages and new ones; while Redis is away, wait for it."""
        while True:
            try:
                taken = await self._abandoned() or await self._new()
            except (RedisConnectionError, RedisTimeoutError) as error:
                log.warning("The fleet's queue cannot be read: %s", _told(error))
                await asyncio.sleep(PAUSE)
                continue
            for message_id, data in taken:
                self._in_hand.add(message_id)
                yield AckableMessage(data=data, ack=partial(self._done_with, message_id))

    async def _abandoned(self) -> list[tuple[str, bytes]]:
        group, me, milliseconds = self.consumer_group_name, self.consumer_name, round(self._idle * 1000)
        answer = await self.redis.xautoclaim(self.queue_name, group, me, milliseconds, count=1)
        return _messages(answer[1])

    async def _new(self) -> list[tuple[str, bytes]]:
        streams = await self.redis.xreadgroup(
            self.consumer_group_name, self.consumer_name, {self.queue_name: ">"}, count=1, block=self.block
        )
        return [message for _, entries in streams or () for message in _messages(entries)]

    async def _done_with(self, message_id: str) -> None:
        keys_and_args = (self.queue_name, self.consumer_group_name, message_id)
        await self.redis.execute_command("EVAL", ACK, 1, *keys_and_args)
        self._in_hand.discard(message_id)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._idle / RENEWALS)
            try:
                if in_hand := list(self._in_hand):
                    group, me = self.consumer_group_name, self.consumer_name
                    await self.redis.xclaim(self.queue_name, group, me, 0, in_hand, justid=True)
            except RedisError as error:
                log.warning("The messages in hand cannot be renewed: %s", _told(error))


def _messages(entries: Entries) -> list[tuple[str, bytes]]:
    """Return ids and contents of entries."""
    return [(message_id.decode(), fields[b"data"]) for message_id, fields in entries if fields]


def _told(error: RedisError) -> str:
    return redact.line(str(error)) or type(error).__name__
