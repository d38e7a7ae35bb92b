"""The URLs of media, signed by the service itself (cloudkey-rpc.md section 13)."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cloudreel.sandbox.cloudkey.assets import is_thumbnail
from cloudreel.signing import SecLevel, sign_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["URLS", "asset_path", "embed_url", "signed"]

_LIFE_SECONDS = 7200
_LETTERS = string.ascii_lowercase + string.digits


def signed(
    world: World,
    user_id: str,
    path: str,
    *,
    seclevel: int = 0,
    expires: int | None = None,
    asnum: str | None = None,
    ip: str | None = None,
    useragent: str | None = None,
) -> str:
    """Return the URL of a path on this server, signed with a user's key.

    Args:
        expires: epoch seconds; None for two hours from now.
    """
    account = world.store.get("account", user_id)
    assert account is not None, "the account of a media outlives it"
    return sign_url(
        f"{world.base_url}{path}",
        account["api_key"],
        expires=int(world.clock.now()) + _LIFE_SECONDS if expires is None else expires,
        nonce="".join(secrets.choice(_LETTERS) for _ in range(8)),
        seclevel=seclevel,
        asnum=asnum,
        ip=ip,
        useragent=useragent,
    )


def asset_path(asset: Document, protocol: str = "") -> str:
    """Return the path of an asset's file; the version, its time of creation, only defeats caches."""
    name, version = asset["name"], asset["_details"].get("created", 0)
    owner = f"{asset['_user']}/{asset['media_id']}/{name}-{version}"
    if is_thumbnail(name):
        return f"/{owner}.jpeg"
    protocol = "hls" if name.startswith("abs") else protocol
    extension = "m3u8" if protocol == "hls" else asset["_details"].get("file_extension") or "bin"
    return f"/route/{protocol + '/' if protocol else ''}{owner}.{extension}"


def embed_url(world: World, media: Document) -> str:
    """Return the URL of a media's page, open to anyone for two hours."""
    return signed(world, media["_user"], f"/player/embed/{media['_user']}/{media['id']}")


def _stream_url(world: World, asset: Document) -> str:
    path = asset_path(asset)
    if is_thumbnail(asset["name"]):
        return f"{world.base_url}{path}"
    return signed(world, asset["_user"], path, seclevel=SecLevel.DELEGATE)


def _download_url(world: World, asset: Document) -> str | None:
    if is_thumbnail(asset["name"]) or asset["name"].startswith("abs"):
        return None
    path = asset_path(asset, "http")
    query = urlencode({"filename": f"{asset['media_id']}-{path.rpartition('/')[2]}"})
    level = SecLevel.DELEGATE | SecLevel.ASNUM
    return signed(world, asset["_user"], f"{path}?{query}", seclevel=level)


def _page_url(world: World, asset: Document) -> str:
    return signed(world, asset["_user"], f"/player/embed/{asset['_user']}/{asset['media_id']}")


URLS: Mapping[str, Callable[[World, Document], str | None]] = {
    "stream_url": _stream_url,
    "download_url": _download_url,
    "embed_url": _page_url,
}
"""The URL members of an asset that is ready; they are told only when they are asked for (7.3)."""
