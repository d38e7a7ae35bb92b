"""Tickets in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TypeGuard

from cloudreel.core.redis_server import RedisClient, RedisServer, milliseconds
from cloudreel.errors import DecodeError, UploadError
from cloudreel.uploads.stores import Claim, TicketStore, no_ticket, oldest_first
from cloudreel.uploads.ticket import Ticket

# KEYS are ticket, lease and index. A script runs as a whole, so nothing happens between its lines.
SAVE = """
redis.call('SET', KEYS[1], ARGV[1])
if ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('SADD', KEYS[3], ARGV[3])
"""
REMOVE = """
redis.call('DEL', KEYS[1], KEYS[2])
return redis.call('SREM', KEYS[3], ARGV[1])
"""
FORGET_IF_EXPIRED = """
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[3], ARGV[1]) end
return 0
"""
CLAIM = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return redis.call('PTTL', KEYS[2]) .. ' ' .. holder end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return ARGV[2] .. ' ' .. ARGV[1]
"""
RENEW = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return redis.call('PEXPIRE', KEYS[2], ARGV[2])
"""
RELEASE = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[2])
"""


class RedisTicketStore(TicketStore):
    """Tickets in Redis, shared by workers on any number of hosts; on asyncio only.

    Who may read these keys can continue the uploads. Leases expire by the clock of Redis. A store of a URL
    connects for each call and holds nothing open, so there is nothing to close; a client is used as it is
    and stays the caller's.

    Args:
        server: URL such as ``redis://host:6379/0``, or a client of ``redis.asyncio``.
        prefix: of every key. The braces around it keep all keys on one node of a cluster.
        ttl: seconds after which a ticket that nobody works on is forgotten, None to keep it.
        clock: UNIX seconds, to tell when a lease ends.

    Raises:
        ImportError: redis is not installed.
        TypeError: the client is not of ``redis.asyncio``.
    """

    def __init__(
        self,
        server: str | RedisClient,
        *,
        prefix: str = "cloudreel",
        ttl: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = RedisServer(
            server, user="RedisTicketStore", without="FileTicketStore", failure=UploadError
        )
        self._prefix = f"{{{prefix}}}"
        self._index = f"{self._prefix}:tickets"
        self._ttl = "" if ttl is None else milliseconds(ttl)
        self._clock = clock

    def __repr__(self) -> str:
        return f"RedisTicketStore({self._redis!r}, prefix={self._prefix[1:-1]!r})"

    async def save(self, ticket: Ticket) -> None:
        """Store a ticket under its key, in place of an earlier one."""
        await self._run(SAVE, ticket.key, ticket.to_json(), self._ttl, ticket.key)

    async def load(self, key: str) -> Ticket | None:
        """Return a ticket, None if there is none.

        Raises:
            DecodeError: what is stored is not the key's ticket; it is left as it is.
        """
        async with self._redis.connection() as client:
            text = await client.execute_command("GET", self._ticket_key(key))
        return None if text is None else self._ticket(key, text)

    async def keys(self) -> list[str]:
        """Return the keys of all tickets."""
        return [key for key, _ in await self._stored()]

    async def tickets(self) -> list[Ticket]:
        """Return the tickets of all unfinished uploads, the oldest first."""
        return oldest_first(self._ticket(key, text) for key, text in await self._stored())

    async def remove(self, key: str) -> None:
        """Forget a ticket and its lease, if they are there."""
        await self._run(REMOVE, key, key)

    async def claim(self, key: str, holder: str, seconds: float) -> Claim:
        """Take the lease of an upload, unless another holder has it and it has not expired."""
        answer = await self._run(CLAIM, key, holder, milliseconds(seconds), self._ttl)
        if answer is None:
            raise no_ticket(key)
        left, _, found = _text(answer).partition(" ")
        return Claim(found, self._clock() + int(left) / 1000)

    async def renew(self, key: str, holder: str, seconds: float) -> bool:
        """Prolong a lease to so many seconds from now; return False when the holder has lost it."""
        return await self._run(RENEW, key, holder, milliseconds(seconds), self._ttl) == 1

    async def release(self, key: str, holder: str) -> None:
        """Give a lease back, if the holder still has it."""
        await self._run(RELEASE, key, holder)

    # -- Redis -----------------------------------------------------------------------------------------

    async def _run(self, script: str, key: str, *args: str) -> object:
        keys = (self._ticket_key(key), f"{self._prefix}:lease:{key}", self._index)
        async with self._redis.connection() as client:
            return await client.execute_command("EVAL", script, len(keys), *keys, *args)

    async def _stored(self) -> list[tuple[str, object]]:
        """Return every key with its ticket's text, and forget the keys of tickets that expired."""
        async with self._redis.connection() as client:
            members = await client.execute_command("SMEMBERS", self._index)
            keys = sorted(_text(member) for member in _items(members))
            if not keys:
                return []
            texts = await client.execute_command("MGET", *map(self._ticket_key, keys))
        stored = list(zip(keys, _items(texts), strict=True))
        for key, text in stored:
            if text is None:
                await self._run(FORGET_IF_EXPIRED, key, key)
        return [(key, text) for key, text in stored if text is not None]

    def _ticket_key(self, key: str) -> str:
        return f"{self._prefix}:ticket:{key}"

    def _ticket(self, key: str, text: object) -> Ticket:
        try:
            ticket = Ticket.from_json(_text(text))
        except DecodeError as error:
            raise DecodeError(f"{self._ticket_key(key)} cannot be read. {error}; rename it") from None
        if ticket.key != key:
            raise DecodeError(f"{self._ticket_key(key)} holds the ticket of another upload; rename it")
        return ticket


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _items(answer: object) -> Collection[object]:
    if not _is_collection(answer):
        raise DecodeError(f"Redis answered with {type(answer).__name__} where a list was expected")
    return answer


def _is_collection(answer: object) -> TypeGuard[Collection[object]]:
    return isinstance(answer, list | set | tuple)
