"""Remembering in Redis what was told already."""

from __future__ import annotations

import secrets
from typing import Final

from cloudreel.core.redis_server import RedisClient, RedisServer, milliseconds
from cloudreel.errors import TransportError

# KEYS is the key; ARGV are a word of the one who asks and milliseconds. A client that lost the answer sends
# the command again, and finds its own word then.
FIRST: Final = """
local word = redis.call('GET', KEYS[1])
if word then return word == ARGV[1] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


class RedisSeen:
    """Keys in Redis, for an application of several processes; on asyncio only.

    One of a URL connects for each call and holds nothing open, so there is nothing to close; a client is
    used as it is and stays the caller's.

    Args:
        server: URL such as ``redis://host:6379/0``, or a client of ``redis.asyncio``.
        prefix: of every key.

    Raises:
        ImportError: redis is not installed.
        TypeError: the client is not of ``redis.asyncio``.
    """

    def __init__(self, server: str | RedisClient, *, prefix: str = "cloudreel") -> None:
        self._redis = RedisServer(server, user="RedisSeen", without="MemorySeen", failure=TransportError)
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"RedisSeen({self._redis!r}, prefix={self._prefix!r})"

    async def first(self, key: str, seconds: float) -> bool:
        """Remember a key for so many seconds; return whether it was not known before, in one step.

        Raises:
            TransportError: Redis does not work.
        """
        word = secrets.token_hex(8)
        async with self._redis.connection() as client:
            answer = await client.execute_command(
                "EVAL", FIRST, 1, self._key(key), word, milliseconds(seconds)
            )
        return answer == 1

    async def forget(self, key: str) -> None:
        """Forget a key, if it is there.

        Raises:
            TransportError: Redis does not work.
        """
        async with self._redis.connection() as client:
            await client.execute_command("DEL", self._key(key))

    def _key(self, key: str) -> str:
        return f"{self._prefix}:seen:{key}"
