"""The one-line address of an account: ``http(s)://ACCESS:SECRET@HOST:PORT/CLOUD_ID`` (panda.md 1). PURE."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import unquote, urlsplit

from cloudreel.errors import CloudReelError


class Address(TypedDict):
    """What the facade's constructor takes of an address."""

    access_key: str
    secret_key: str
    cloud_id: str | None
    api_host: str
    api_port: int


def read_address(text: str) -> Address:
    """Return what an address says.

    The scheme says nothing but the port where that is left out; the port decides between http and https.

    Raises:
        CloudReelError: it is none.
    """
    wanted = "PANDASTREAM_URL must read https://ACCESS:SECRET@HOST:PORT/CLOUD_ID"
    try:
        parts = urlsplit(text.strip())
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        raise CloudReelError(wanted) from None  # the cause quotes the secret
    if parts.scheme not in ("http", "https") or not (parts.hostname and parts.username and parts.password):
        raise CloudReelError(wanted)
    return {
        "access_key": unquote(parts.username),
        "secret_key": unquote(parts.password),
        "cloud_id": unquote(parts.path.strip("/")) or None,
        "api_host": parts.hostname,
        "api_port": port,
    }
