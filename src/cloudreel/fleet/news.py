"""What the services have posted, told to every worker of a fleet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Final, NoReturn

from attrs import frozen
from redis.exceptions import RedisError

from cloudreel.core import redact
from cloudreel.core.inbox import Inbox, Tells
from cloudreel.fleet.redis import Client

PAUSE: Final = 1.0  # seconds before Redis is asked again after it failed
LOOK: Final = 1.0  # seconds

log = logging.getLogger("cloudreel")


@frozen
class Heard:
    """What a notification to another worker was about."""

    about: Collection[str]


class News:
    """Passes on which objects the services have spoken of; what is lost costs a waiting worker time alone.

    Args:
        redis: a client.
        channel: in Redis.
        inbox: of this process.
    """

    def __init__(self, redis: Client, channel: str, inbox: Inbox) -> None:
        self._redis = redis
        self._channel = channel
        self._inbox = inbox

    async def publish(self, notification: Tells) -> None:
        """Tell every worker what a notification is about."""
        await self._redis.publish(self._channel, " ".join(notification.about))

    async def listen(self) -> NoReturn:
        """Put into the inbox what any worker tells, until this is cancelled."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(self._channel)
                    while True:
                        message = await subscription.get_message(timeout=LOOK)
                        if message is not None:
                            self._inbox.put(Heard(message["data"].decode().split()))
            except RedisError as error:
                log.warning("Notifications are not heard: %s", redact.line(str(error)))
                await asyncio.sleep(PAUSE)
