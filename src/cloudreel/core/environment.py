"""Credentials and endpoints from environment variables, for ``from_env()``."""

from __future__ import annotations

import os
from typing import TypedDict
from urllib.parse import urlsplit

from cloudreel.core import redact
from cloudreel.errors import CloudReelError


def required(name: str) -> str:
    """Return a variable that must be set.

    Raises:
        CloudReelError: it is not set, or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise CloudReelError(f"The environment variable {name} is not set")
    return value


def optional(name: str) -> str | None:
    """Return a variable, None where it is not set or empty."""
    return os.environ.get(name) or None


class Endpoint(TypedDict, total=False):
    """What the environment says of where a service is."""

    scheme: str
    api_host: str
    api_port: int | str


def endpoint(service: str) -> Endpoint:
    """Return where a service is, as far as the environment says.

    ``<SERVICE>_BASE_URL`` names scheme, host and port, ``<SERVICE>_API_HOST`` and ``_API_PORT`` the last two.

    Raises:
        CloudReelError: the base URL is none.
    """
    found: Endpoint = {}
    if base := optional(f"{service}_BASE_URL"):
        try:
            parts = urlsplit(base)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise CloudReelError(
                f"{service}_BASE_URL is no http(s) URL ({error}): {redact.url(base)!r}"
            ) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CloudReelError(f"{service}_BASE_URL is no http(s) URL: {redact.url(base)!r}")
        found = {"scheme": parts.scheme, "api_host": parts.hostname, "api_port": port}
    if host := optional(f"{service}_API_HOST"):
        found["api_host"] = host
    if number := optional(f"{service}_API_PORT"):
        found["api_port"] = number
    return found
