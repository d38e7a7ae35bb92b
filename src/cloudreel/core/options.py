"""How a client behaves: frozen values that copies of it may replace."""

from __future__ import annotations

import platform
import ssl
from importlib.metadata import version
from typing import Literal

import httpx
from attrs import frozen

Http = Literal["httpx", "aiohttp"]


@frozen
class Limits:
    """What a client may ask of a service.

    Args:
        in_flight: requests under way at once; also the number of connections.
        per_second: requests started per second, None for no limit.
    """

    in_flight: int = 16
    per_second: float | None = None


@frozen
class Options:
    """What `with_options` may replace; see the constructors for units and defaults."""

    timeout: float = 30.0
    connect_timeout: float = 5.0
    retries: int = 2
    deadline: float | None = None
    user_agent: str | None = None


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


def default_user_agent() -> str:
    """Return the product tokens sent when the caller gives none."""
    return f"cloudreel/{version('cloudreel')} python/{platform.python_version()} httpx/{httpx.__version__}"
