"""A limit on what all processes of a fleet ask of a service together, kept in Redis."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import anyio
from redis.exceptions import RedisError

from cloudreel.core import redact
from cloudreel.core.redis_server import RedisClient
from cloudreel.errors import TransportError, WrongEventLoopError
from cloudreel.fleet.redis import Client, connect

LEASE: Final = 30.0  # seconds until the places of a dead process are free again
RENEWALS: Final = 3  # of a living one's within that time
LOOK: Final = 0.05  # seconds between two looks for a free place

log = logging.getLogger("cloudreel")

# Places are members of a sorted set, by the moment at which they become free. All times are Redis's own.
NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# KEYS is the set; ARGV are the limit, the lease in milliseconds and the place.
TAKE: Final = f"""{NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
# KEYS is the set; ARGV are the lease in milliseconds and the places.
RENEW: Final = f"""{NOW}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[i]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
# KEYS is the moment of the next turn; ARGV are the microseconds between two turns. Gives those to wait.
TURN: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local turn = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local after = turn + ARGV[1]
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
return turn - now
"""


class RedisLimit:
    """A limit that every process keeps to that is given one of the same name; on asyncio only.

    Give it to clients as ``shared_limit``; a client's own ``limits`` hold besides. A process that dies leaves
    its places to the others after half a minute at most.

    Args:
        server: URL of Redis, or a client of ``redis.asyncio``, which stays the caller's.
        parts: of files under way at once, in all processes, None for no limit.
        per_second: requests started per second, in all processes, None for no limit.
        name: of the limit.
        lease: seconds until the places of a dead process are free again.

    Raises:
        ValueError: a number is too small to let anything pass.
    """

    def __init__(
        self,
        server: str | RedisClient,
        *,
        parts: int | None = None,
        per_second: float | None = None,
        name: str = "cloudreel",
        lease: float = LEASE,
    ) -> None:
        if parts is not None and parts < 1:
            raise ValueError(f"parts must be 1 or more, not {parts}")
        if per_second is not None and not per_second > 0:
            raise ValueError(f"per_second must be more than 0, not {per_second}")
        if not lease > 0:
            raise ValueError(f"lease must be more than 0 seconds, not {lease}")
        self._server = server
        self._parts = parts
        self._per_second = per_second
        self._places = f"{{{name}}}:parts"
        self._turns = f"{{{name}}}:turn"
        self._lease = lease
        self._own: Client | None = None  # where the server is a URL
        self._held: set[str] = set()
        self._renewing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def slot(self, *, part: bool) -> AsyncGenerator[None]:
        """Wait until a request may start, and hold its place while it is under way.

        Args:
            part: whether it sends the content of a file.

        Raises:
            TransportError: Redis cannot be asked.
        """
        place = secrets.token_hex(8)
        try:
            if part and self._parts is not None:
                await self._take(place, self._parts)
            if self._per_second is not None:
                await self._turn(self._per_second)
            yield
        finally:
            if part and self._parts is not None:
                with anyio.CancelScope(shield=True):
                    await self._give_back(place)

    async def close(self) -> None:
        """Close the connections to Redis, where they are its own."""
        if self._own is not None:
            own, self._own = self._own, None
            await own.aclose()

    def __repr__(self) -> str:
        return f"<RedisLimit: {self._parts} parts, {self._per_second} requests/s>"

    async def _take(self, place: str, parts: int) -> None:
        while not await self._run(TAKE, self._places, parts, self._milliseconds, place):  # noqa: ASYNC110
            await anyio.sleep(LOOK)
        self._held.add(place)
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())

    async def _give_back(self, place: str) -> None:
        self._held.discard(place)
        if not self._held and self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        try:
            await self._ask("ZREM", self._places, place)
        except TransportError as error:
            log.warning("A place remains taken for %g s: %s", self._lease, error)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease / RENEWALS)
            try:
                await self._run(RENEW, self._places, self._milliseconds, *self._held)
            except TransportError as error:
                log.warning("Places may be given to others: %s", error)

    async def _turn(self, per_second: float) -> None:
        microseconds = await self._run(TURN, self._turns, round(1e6 / per_second))
        await anyio.sleep(microseconds / 1e6)

    @property
    def _milliseconds(self) -> int:
        return round(self._lease * 1000)

    async def _run(self, script: str, key: str, *args: str | int) -> int:
        answer = await self._ask("EVAL", script, 1, key, *args)
        assert isinstance(answer, int)
        return answer

    async def _ask(self, *command: str | int) -> object:
        client = self._client()
        try:
            return await client.execute_command(*command)
        except (RedisError, OSError) as error:
            told = redact.line(str(error)) or type(error).__name__
            raise TransportError(f"The limit that is kept in Redis cannot be asked: {told}") from None

    def _client(self) -> RedisClient:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise WrongEventLoopError("RedisLimit works on asyncio only, as redis does") from None
        if not isinstance(self._server, str):
            return self._server
        if self._own is None:
            self._own = connect(self._server)
        return self._own
