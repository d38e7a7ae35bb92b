"""What the fleet remembers of each upload, so that it is made once whoever works at it."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from cloudreel.core.redis_server import RedisClient
from cloudreel.errors import DecodeError
from cloudreel.uploads import Ticket

# KEYS is the job, ARGV are a value and seconds. A script runs as a whole.
BEGIN: Final = """
redis.call('HSETNX', KEYS[1], 'ticket', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('HMGET', KEYS[1], 'ticket', 'video')
"""
FINISH: Final = """
redis.call('HSET', KEYS[1], 'video', ARGV[1])
return redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


@frozen
class Entry:
    """An upload that was begun.

    Args:
        ticket: as it was before the first byte.
        video_id: of the video, None until it has arrived.
    """

    ticket: Ticket
    video_id: str | None


class Ledger:
    """The uploads of all jobs, by the ids of the jobs.

    Args:
        redis: a client.
        prefix: of every key.
        keep: seconds after the last entry until a job is forgotten.
    """

    def __init__(self, redis: RedisClient, *, prefix: str, keep: float) -> None:
        self._redis = redis
        self._prefix = prefix
        self._keep = str(round(keep))

    async def find(self, job: str) -> Entry | None:
        """Return the upload of a job, None if no worker has begun it."""
        return _read(await self._redis.execute_command("HMGET", self._key(job), "ticket", "video"))

    async def begin(self, job: str, ticket: Ticket) -> Entry:
        """Enter the ticket of a job, and return the entry that holds: an earlier one, if there is any."""
        entry = _read(await self._run(BEGIN, job, ticket.to_json()))
        assert entry is not None
        return entry

    async def finish(self, job: str, video_id: str) -> None:
        """Enter the video that a job has made."""
        await self._run(FINISH, job, video_id)

    async def _run(self, script: str, job: str, value: str) -> object:
        return await self._redis.execute_command("EVAL", script, 1, self._key(job), value, self._keep)

    def _key(self, job: str) -> str:
        return f"{{{self._prefix}}}:job:{job}"


def _read(answer: object) -> Entry | None:
    match answer:
        case [None, None]:
            return None
        case [bytes(ticket), None | bytes() as video]:
            return Entry(Ticket.from_json(ticket), None if video is None else video.decode())
        case _:
            raise DecodeError("Redis does not say what became of a job")
