"""The little of redis that the fleet uses, typed."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis

from cloudreel.core.redis_server import RedisClient

Entries: TypeAlias = "Sequence[tuple[bytes, Mapping[bytes, bytes] | None]]"
"""Of a stream: ids and fields; an entry that was deleted has none."""


class Subscription(Protocol):
    """Channels that are listened to."""

    async def subscribe(self, channel: str) -> object:
        """Listen to a channel."""
        ...

    async def get_message(self, *, timeout: float) -> Mapping[str, bytes] | None:
        """Return the next message, None after so many seconds."""
        ...


class Client(RedisClient, Protocol):
    """A client of ``redis.asyncio``."""

    def xautoclaim(
        self, name: str, groupname: str, consumername: str, min_idle_time: int, *, count: int
    ) -> Awaitable[tuple[object, Entries, object]]:
        """Take over entries that nobody has renewed for so many milliseconds."""
        ...

    def xreadgroup(
        self, groupname: str, consumername: str, streams: dict[str, str], *, count: int, block: int
    ) -> Awaitable[Sequence[tuple[object, Entries]]]:
        """Take new entries; wait for them so many milliseconds."""
        ...

    def xclaim(
        self,
        name: str,
        groupname: str,
        consumername: str,
        min_idle_time: int,
        message_ids: list[str],
        *,
        justid: bool,
    ) -> Awaitable[object]:
        """Begin the idle time of entries anew."""
        ...

    def publish(self, channel: str, message: str) -> Awaitable[object]:
        """Send a message to who listens to a channel."""
        ...

    def pubsub(self, *, ignore_subscribe_messages: bool) -> AbstractAsyncContextManager[Subscription]:
        """Begin to listen."""
        ...

    async def aclose(self) -> None:
        """Close the connections, where they are its own."""
        ...


def client_of(pool: BlockingConnectionPool) -> Client:
    """Return a client over connections that stay open when it is closed."""
    client: Any = Redis(connection_pool=pool)
    return _typed(client)


def connect(url: str) -> Client:
    """Return a client with connections of its own."""
    redis: Any = Redis
    return _typed(redis.from_url(url))


def _typed(client: Any) -> Client:
    typed: Client = client
    return typed
