"""The calls about media and their assets in the RPC era (cloudkey-rpc.md 10.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey import library
from cloudreel.sandbox.cloudkey.assets import is_thumbnail, shown
from cloudreel.sandbox.cloudkey.errors import invalid, not_found
from cloudreel.sandbox.cloudkey.fields import full_view, selected
from cloudreel.sandbox.cloudkey.library import find_media
from cloudreel.sandbox.cloudkey.paging import envelope, filtered, found, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.cloudkey.methods import Caller, Id
    from cloudreel.sandbox.store import Document

__all__ = [
    "create",
    "delete",
    "get_asset",
    "get_assets",
    "get_subs_urls",
    "info",
    "list_",
    "remove_assets",
    "reset",
    "reset_collection",
    "search",
    "set_assets",
    "set_thumbnail",
]

_TIMECODE = re.compile(r"(\d{1,2}):([0-5]?\d):([0-5]?\d(?:\.\d+)?)", re.ASCII)


def create(
    caller: Caller,
    url: str | None = None,
    assets_names: list[str] | None = None,
    meta: dict[str, JSON] | None = None,
    assets_parameters: dict[str, JSON] | None = None,
    asset_parameters: dict[str, JSON] | None = None,
) -> Document:
    """Answer media.create: an empty media, or one with a source and what is to be made of it.

    The parameters of assets are taken under either name and passed over.
    """
    names = library.checked_names(assets_names or [])
    if names and url is None:
        raise invalid("assets_names needs a url to make the assets of")
    if url is not None:
        library.checked_url(url)
    media = library.create_media(caller, meta or {})
    if url is not None:
        library.add_asset(caller.world, media, "source", url=url)
    for name in names:
        library.transcode(caller.world, media, name)
    return {"id": media["id"]}


def info(caller: Caller, id: Id, fields: list[str] | None = None) -> Document:
    """Answer media.info."""
    return selected(caller.world, find_media(caller, id), fields)


def list_(
    caller: Caller,
    fields: list[str] | None = None,
    page: int = 1,
    per_page: int = 10,
    filter: dict[str, JSON] | None = None,
    sort: list[JSON] | None = None,
) -> Document:
    """Answer media.list: oldest first, unless ``sort`` says otherwise."""
    views = ordered(filtered(_views(caller), filter or {}), sort or [])
    return _listing(caller, views, fields, page=page, per_page=per_page)


def search(
    caller: Caller, query: str = "", fields: list[str] | None = None, page: int = 1, per_page: int = 10
) -> Document:
    """Answer media.search: what a query finds, newest first."""
    reply = _listing(caller, found(_views(caller), query), fields, page=page, per_page=per_page)
    return reply | {"has_more": reply["page"] < reply["pages"]}


def delete(caller: Caller, id: Id) -> None:
    """Answer media.delete; its files go with it."""
    library.remove_media(caller.world, find_media(caller, id)["id"])


def reset(caller: Caller) -> None:
    """Answer media.reset: all media of the account are deleted."""
    library.remove_all_media(caller.world, caller.user_id)


def reset_collection(caller: Caller, object: str) -> None:
    """Answer system.reset, of which only the collection ``media`` is known."""
    if object != "media":
        raise invalid("object must be media")
    reset(caller)


def set_assets(caller: Caller, id: Id, assets: list[JSON]) -> None:
    """Answer media.set_assets: each is fetched from its URL, or made of the source."""
    media = find_media(caller, id)
    wanted = [_wanted(entry) for entry in assets]
    for name, url in wanted:
        if url is not None:
            library.add_asset(caller.world, media, name, url=url)
        else:
            library.transcode(caller.world, media, name)


def get_assets(caller: Caller, id: Id, assets_names: list[str] | None = None) -> Document:
    """Answer media.get_assets: by name, those that are there."""
    stored = library.assets_of(caller.world, find_media(caller, id)["id"])
    return {
        asset["name"]: shown(asset)
        for asset in stored
        if assets_names is None or asset["name"] in assets_names
    }


def get_asset(caller: Caller, id: Id, asset_name: str) -> Document:
    """Answer media.get_asset.

    Raises:
        CallError: 1010 if the media has no such asset.
    """
    asset = library.find_asset(caller.world, find_media(caller, id)["id"], asset_name)
    if asset is None:
        raise not_found("asset", asset_name)
    return shown(asset)


def remove_assets(caller: Caller, id: Id, assets_names: list[str]) -> None:
    """Answer media.remove_assets; names that are not there are no error."""
    media = find_media(caller, id)
    for name in assets_names:
        library.remove_asset(caller.world, media["id"], name)


def set_thumbnail(
    caller: Caller, id: Id, url: str | None = None, timecode: str | None = None, force: bool | None = None
) -> None:
    """Answer media.set_thumbnail: all pictures of the media are made anew, of its source or of a picture.

    Args:
        url: a picture that becomes each of them as it is.
        timecode: the time in the source to take them at, ``HH:MM:SS.mm``.
        force: nothing is known of its effect; here it has none.
    """
    if (url is None) == (timecode is None):
        raise invalid("set_thumbnail needs either a url or a timecode")
    second = None if timecode is None else _seconds(timecode)
    media = find_media(caller, id)
    if url is not None:
        library.checked_url(url)
    for asset in library.assets_of(caller.world, media["id"]):
        if is_thumbnail(asset["name"]):
            library.add_asset(caller.world, media, asset["name"], url=url, timecode=second)


def get_subs_urls(caller: Caller, id: Id, type: str = "srt") -> dict[str, str]:
    """Answer media.get_subs_urls: nothing, as no call of this era adds subtitles."""
    find_media(caller, id)
    return {}


def _views(caller: Caller) -> list[Document]:
    stored = caller.world.store.list("media", scope=caller.user_id)
    return [full_view(caller.world, media) for media in stored]


def _listing(
    caller: Caller, views: Sequence[Document], fields: list[str] | None, *, page: int, per_page: int
) -> Document:
    def show(view: Document) -> Document:
        return selected(caller.world, find_media(caller, view["id"]), fields)

    return envelope(views, show, page=page, per_page=per_page)


def _wanted(entry: JSON) -> tuple[str, str | None]:
    """Return name and URL of one entry of set_assets; no URL where it is to be transcoded."""
    match entry:
        case {"name": str(name), "url": str(url)}:
            return library.checked_name(name), library.checked_url(url)
        case {"name": str(name), **others} if others.get("url") is None:
            if others.get("action") not in {None, "transcode"}:
                raise invalid(f"The action for {name[:80]!r} must be transcode")
            if name == "source":
                raise invalid("The source needs a url")
            return library.checked_name(name), None
        case _:
            raise invalid("assets is a list of maps, each with a name and a url, or an action")


def _seconds(timecode: str) -> float:
    match = _TIMECODE.fullmatch(timecode)
    if match is None:
        raise invalid("timecode must be HH:MM:SS.mm")
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
