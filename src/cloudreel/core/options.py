"""How a client behaves: frozen values that copies of it may replace."""

from __future__ import annotations

import ssl
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Literal, Protocol, TypedDict

import httpx
from attrs import frozen

from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.hooks import NO_HOOKS, Hooks

CONNECT_TIMEOUT = 5.0
"""Seconds a connection may take to be made."""

Http = Literal["httpx", "aiohttp"]


@frozen
class Limits:
    """What a client may ask of a service.

    Args:
        in_flight: requests under way at once; also the number of connections.
        per_second: requests started per second, None for no limit.
        bandwidth: bytes per second, None for no limit; keep it to change the cap while the client runs, and
            give it to several clients to have them share one.
    """

    in_flight: int = 16
    per_second: float | None = None
    bandwidth: Bandwidth | None = None

    def __attrs_post_init__(self) -> None:
        if self.in_flight < 1:
            raise ValueError(f"in_flight must be 1 or more, not {self.in_flight}")
        if self.per_second is not None and not self.per_second > 0:
            raise ValueError(f"per_second must be more than 0, not {self.per_second}")


class SharedLimit(Protocol):
    """A limit that many processes keep to together, such as `cloudreel.fleet.RedisLimit`."""

    def slot(self, *, part: bool) -> AbstractAsyncContextManager[None]:
        """Wait until a request may start, and hold its place while it is under way.

        Args:
            part: whether it sends the content of a file.
        """
        ...


@frozen
class Options:
    """How calls are sent.

    Args:
        timeout: seconds for one attempt; connecting takes `CONNECT_TIMEOUT` of them at most.
        retries: attempts that may follow a failed one.
        deadline: seconds over all attempts of a call, None for no limit.
        user_agent: instead of cloudreel's product tokens.
        hooks: functions that are told of each request.
        shared_limit: what other processes keep to as well.
    """

    timeout: float = 30.0
    retries: int = 2
    deadline: float | None = None
    user_agent: str | None = None
    hooks: Hooks = NO_HOOKS
    shared_limit: SharedLimit | None = None


class OptionChanges(TypedDict, total=False):
    """What ``with_options`` takes; what is left out stays as it is."""

    timeout: float
    retries: int
    deadline: float | None
    user_agent: str | None
    hooks: Hooks
    shared_limit: SharedLimit | None


@frozen(repr=False)
class Wiring:
    """How the connection pool is made; fixed once a client exists."""

    limits: Limits = Limits()
    http_client: httpx.AsyncClient | None = None
    transport: httpx.AsyncBaseTransport | None = None
    http: Http = "httpx"
    fast_path: bool = True
    proxy: str | None = None
    verify: bool | ssl.SSLContext = True


@cache  # the version is read from disk
def default_user_agent() -> str:
    """Return the product tokens sent when the caller gives none."""
    import platform
    from importlib.metadata import version  # with all of `email` and `zipfile` behind it

    return f"cloudreel/{version('cloudreel')} python/{platform.python_version()} httpx/{httpx.__version__}"
