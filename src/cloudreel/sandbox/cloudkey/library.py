"""The library of CloudKey: media and their assets as both eras change them.

What is stored here is worked on by the `AssetMaker`; files of a media lie in a folder of its own.
"""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey import assets
from cloudreel.sandbox.cloudkey.errors import invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.cloudkey.methods import Caller
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = [
    "add_asset",
    "assets_of",
    "checked_name",
    "checked_names",
    "checked_url",
    "create_media",
    "find_asset",
    "find_media",
    "media_folder",
    "new_media_id",
    "remove_all_media",
    "remove_asset",
    "remove_media",
    "transcode",
]

_URL_LIMIT = 4096


def new_media_id() -> str:
    """Return a fresh id of a media or a user: 24 lower-case hex digits."""
    return secrets.token_hex(12)


def create_media(caller: Caller, meta: Mapping[str, JSON]) -> Document:
    """Store a new media without assets and return it."""
    media: Document = {
        "id": new_media_id(),
        "created": int(caller.world.clock.now()),
        "meta": dict(meta),
        "_user": caller.user_id,
    }
    return caller.world.store.put("media", media["id"], media, scope=caller.user_id)


def find_media(caller: Caller, id: str) -> Document:
    """Return a media of the caller's account.

    Raises:
        CallError: 1010 if there is none.
    """
    media = caller.world.store.get("media", id, scope=caller.user_id)
    if media is None:
        raise not_found("media", id)
    return media


def remove_media(world: World, id: str) -> None:
    """Remove a media and all that belongs to it."""
    for asset in assets_of(world, id):
        remove_asset(world, id, asset["name"])
    for view in world.store.list("view", parent=id):
        world.store.delete("view", view["id"])
    world.store.delete("media", id)
    shutil.rmtree(media_folder(world, id), ignore_errors=True)


def remove_all_media(world: World, user_id: str) -> None:
    """Remove all media of an account."""
    for media in world.store.list("media", scope=user_id):
        remove_media(world, media["id"])


def media_folder(world: World, id: str) -> Path:
    """Return the folder of a media's files, which need not exist."""
    return world.store.folder("media") / id


def assets_of(world: World, media_id: str) -> list[Document]:
    """Return the assets of a media in the order in which they were asked for."""
    return world.store.list("asset", parent=media_id)


def find_asset(world: World, media_id: str, name: str) -> Document | None:
    """Return one asset of a media, or None."""
    return world.store.get("asset", assets.asset_id(media_id, name))


def add_asset(
    world: World,
    media: Document,
    name: str,
    *,
    url: str | None = None,
    source: str = "source",
    timecode: float | None = None,
) -> None:
    """Have an asset made anew: fetched from a URL, or made of another asset of the media.

    Args:
        timecode: the second a picture is taken at.
    """
    remove_asset(world, media["id"], name)
    asset = assets.new_asset(media["id"], media["_user"], name, url=url, source=source, timecode=timecode)
    world.store.put("asset", asset["id"], asset, scope=media["_user"], parent=media["id"])
    world.assets.submit(asset["id"])


def transcode(world: World, media: Document, name: str, *, source: str = "source") -> None:
    """Have an asset made of another one, unless it is there or under way already."""
    asset = find_asset(world, media["id"], name)
    if asset is None or asset["status"] == "error":
        add_asset(world, media, name, source=source)


def remove_asset(world: World, media_id: str, name: str) -> bool:
    """Remove one asset and its files; say whether it was there."""
    asset = find_asset(world, media_id, name)
    if asset is None:
        return False
    world.assets.stop(asset["id"])
    for file in asset["_files"]:
        (world.store.data / file).unlink(missing_ok=True)
    world.store.delete("asset", asset["id"])
    world.assets.submit_waiting(media_id, name)  # what waits for it would wait for ever
    return True


def checked_name(name: str) -> str:
    """Return the name of an asset the service knows.

    Raises:
        CallError: 630 for any other.
    """
    if not assets.is_known(name):
        raise invalid(f"There is no asset {name[:80]!r}")
    return name


def checked_names(names: Iterable[str]) -> list[str]:
    """Return names of assets that can be asked for, each once, in their order."""
    return [checked_name(name) for name in dict.fromkeys(names)]


def checked_url(url: str) -> str:
    """Return a URL that a file may be fetched from; whether it can be is seen later.

    Raises:
        CallError: 630 for a text that is no URL.
    """
    scheme, mark, rest = url.partition("://")
    if not (scheme.isalnum() and mark and rest and len(url) <= _URL_LIMIT and url.isprintable()):
        raise invalid(f"{url[:80]!r} is no URL to fetch a file from")
    return url
