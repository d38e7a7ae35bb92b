"""A Redis, by its URL or through a client of the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from inspect import iscoroutinefunction
from typing import Protocol

import anyio

from cloudreel.core import redact
from cloudreel.errors import CloudReelError, WrongEventLoopError

TIMEOUT = 10.0  # seconds for a connection or an answer, unless the URL says otherwise


class RedisClient(Protocol):
    """What is needed of a ``redis.asyncio.Redis`` or ``RedisCluster``."""

    def execute_command(self, *args: str | int | bytes) -> Awaitable[object]:
        """Send a command and return its answer."""
        ...


class RedisServer:
    """Where something is kept that several processes share; on asyncio only.

    One of a URL connects for each use and holds nothing open; a client is used as it is and stays the
    caller's.

    Args:
        server: URL such as ``redis://host:6379/0``, or a client of ``redis.asyncio``.
        user: the class that keeps something there, as errors name it.
        without: the class to use on trio, as errors name it.
        failure: what is raised where Redis does not work.

    Raises:
        ImportError: redis is not installed.
        TypeError: the client is not of ``redis.asyncio``.
    """

    def __init__(
        self, server: str | RedisClient, *, user: str, without: str, failure: type[CloudReelError]
    ) -> None:
        if find_spec("redis") is None:
            raise ImportError(f"{user} needs redis: pip install 'cloudreel[redis]'")
        if not isinstance(server, str) and not iscoroutinefunction(server.execute_command):
            raise TypeError(f"{user} needs a client of redis.asyncio, and this one is synchronous")
        self._server = server
        self._user = user
        self._without = without
        self._failure = failure

    def __repr__(self) -> str:
        """Return where it is, without a password."""
        return repr(
            redact.url(self._server) if isinstance(self._server, str) else type(self._server).__name__
        )

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[RedisClient]:
        """Give a client to send commands with.

        Raises:
            WrongEventLoopError: this is not asyncio.
            CloudReelError: of the kind given, where Redis does not work.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise WrongEventLoopError(
                f"{self._user} works on asyncio only, as redis does; on trio, use {self._without}"
            ) from None
        from redis.asyncio import from_url
        from redis.exceptions import RedisError

        try:
            if isinstance(self._server, str):
                client = from_url(self._server, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
                try:
                    yield client
                finally:
                    with anyio.CancelScope(shield=True):
                        await client.aclose()
            else:
                yield self._server
        except (RedisError, OSError) as error:
            # Redis quotes the arguments of what it does not understand, and they may be secret.
            told = redact.line(str(error).partition(", with args beginning with")[0])
            why = told or type(error).__name__
            raise self._failure(f"{self._user} at {self!r} does not work: {why}") from None


def milliseconds(seconds: float) -> str:
    """Return a time as Redis takes it, at least one millisecond."""
    return str(max(1, round(seconds * 1000)))
