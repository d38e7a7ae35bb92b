"""The calls about media in the REST era (cloudkey-rest.md 9.2, 9.3, section 10)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey import addresses, assets, library
from cloudreel.sandbox.cloudkey.errors import invalid, not_found
from cloudreel.sandbox.cloudkey.fields import full_view
from cloudreel.sandbox.cloudkey.library import find_media
from cloudreel.sandbox.cloudkey.paging import filtered, ordered

if TYPE_CHECKING:
    from cloudreel.core.call import JSON
    from cloudreel.sandbox.cloudkey.methods import Caller, Id
    from cloudreel.sandbox.store import Document

__all__ = [
    "count",
    "create",
    "delete",
    "get_asset",
    "get_asset_url",
    "get_embed",
    "get_mediaplayer_url",
    "get_meta",
    "info",
    "list_",
    "list_asset",
    "list_meta",
    "process_asset",
    "publish",
    "remove_asset",
    "remove_meta",
    "reset",
    "set_asset",
    "set_meta",
]

_QUEUED: Document = {"status": "queued"}
_PAGE = 10


def create(caller: Caller) -> Document:
    """Answer media/create."""
    return {"id": library.create_media(caller, {})["id"]}


def info(caller: Caller, id: Id) -> Document:
    """Answer media/info."""
    media = find_media(caller, id)
    return {**_item(caller, media), "created": media["created"]}


def list_(
    caller: Caller,
    page: int | None = None,
    count: int | None = None,
    filter: dict[str, JSON] | None = None,
    fields: list[str] | None = None,
    sort: list[JSON] | None = None,
) -> list[Document]:
    """Answer media/list: all media, or a page of them; ``fields`` narrows what is told of meta only."""
    if (page is not None and page < 1) or (count is not None and count < 1):
        raise invalid("page and count must be at least 1")
    media = {each["id"]: each for each in caller.world.store.list("media", scope=caller.user_id)}
    views = [full_view(caller.world, each) for each in media.values()]
    views = ordered(filtered(views, filter or {}), sort or [])
    if page is not None or count is not None:
        size = count or _PAGE
        views = views[((page or 1) - 1) * size :][:size]
    items = [_item(caller, media[view["id"]]) for view in views]
    wanted = [field.removeprefix("meta.") for field in fields or () if field.startswith("meta.")]
    if wanted:
        for item in items:
            item["meta"] = {key: value for key, value in item["meta"].items() if key in wanted}
    return items


def count(caller: Caller) -> int:
    """Answer media/count."""
    return len(caller.world.store.list("media", scope=caller.user_id))


def delete(caller: Caller, id: Id) -> None:
    """Answer media/delete."""
    library.remove_media(caller.world, find_media(caller, id)["id"])


def reset(caller: Caller) -> None:
    """Answer media/reset: all media of the account are deleted."""
    library.remove_all_media(caller.world, caller.user_id)


def set_meta(caller: Caller, id: Id, key: str, value: str) -> None:
    """Answer media/set_meta."""
    media = find_media(caller, id)
    caller.world.store.update("media", id, {"meta": {**media["meta"], key: value}})


def get_meta(caller: Caller, id: Id, key: str) -> Document:
    """Answer media/get_meta."""
    meta = find_media(caller, id)["meta"]
    if key not in meta:
        raise not_found("meta", key)
    return {"value": meta[key]}


def list_meta(caller: Caller, id: Id) -> Document:
    """Answer media/list_meta."""
    meta: Document = find_media(caller, id)["meta"]
    return meta


def remove_meta(caller: Caller, id: Id, key: str) -> None:
    """Answer media/remove_meta."""
    meta = find_media(caller, id)["meta"]
    if key not in meta:
        raise not_found("meta", key)
    del meta[key]
    caller.world.store.update("media", id, {"meta": meta})


def set_asset(caller: Caller, id: Id, preset: str, url: str, callback_url: str | None = None) -> Document:
    """Answer media/set_asset: the file becomes the asset as it is.

    Nothing is known of what the service posted to ``callback_url``; nothing is posted here.
    """
    name, url = library.checked_name(preset), library.checked_url(url)
    library.add_asset(caller.world, find_media(caller, id), name, url=url)
    return _QUEUED


def get_asset(caller: Caller, id: Id, preset: str) -> Document:
    """Answer media/get_asset."""
    return _shown(_asset(caller, id, preset))


def list_asset(caller: Caller, id: Id) -> list[Document]:
    """Answer media/list_asset."""
    stored = library.assets_of(caller.world, find_media(caller, id)["id"])
    return [_shown(asset) for asset in stored]


def remove_asset(caller: Caller, id: Id, preset: str) -> Document:
    """Answer media/remove_asset."""
    library.remove_asset(caller.world, id, _asset(caller, id, preset)["name"])
    return _QUEUED


def process_asset(caller: Caller, id: Id, preset: str, source_preset: str = "source") -> Document:
    """Answer media/process_asset; what is wrong with it is told in a good answer (9.3)."""
    name = library.checked_name(preset)
    media = find_media(caller, id)
    if library.find_asset(caller.world, id, name) is not None:
        message = f'The preset "{name}" already exists.'
        return {"status": "error", "type": "AssetAlreadyExists", "message": message}
    if library.find_asset(caller.world, id, source_preset) is None:
        message = f'The preset "{source_preset}" does not exist.'
        return {"status": "error", "type": "AssetNotFound", "message": message}
    library.add_asset(caller.world, media, name, source=source_preset)
    return _QUEUED


def publish(caller: Caller, url: str, presets: list[str], meta: dict[str, JSON] | None = None) -> Document:
    """Answer media/publish: a media, its source and what is to be made of it in one call."""
    url, names = library.checked_url(url), library.checked_names(presets)
    media = library.create_media(caller, meta or {})
    library.add_asset(caller.world, media, "source", url=url)
    for name in names:
        library.transcode(caller.world, media, name)
    return {"id": media["id"]}


def get_asset_url(caller: Caller, id: Id, preset: str) -> str:
    """Answer media/get_asset_url with the address before it is signed (12.4)."""
    return f"{caller.world.base_url}{addresses.asset_path(_asset(caller, id, preset))}"


def get_mediaplayer_url(caller: Caller, id: Id) -> str:
    """Answer media/get_mediaplayer_url with the signed address of the page with the player."""
    return addresses.embed_url(caller.world, find_media(caller, id))


def get_embed(caller: Caller, id: Id) -> str:
    """Answer media/get_embed with HTML that shows that page."""
    return f'<iframe src="{escape(get_mediaplayer_url(caller, id))}" allowfullscreen></iframe>'


def _item(caller: Caller, media: Document) -> Document:
    stored = library.assets_of(caller.world, media["id"])
    return {"id": media["id"], "meta": media["meta"], "assets": [_shown(asset) for asset in stored]}


def _asset(caller: Caller, id: str, name: str) -> Document:
    asset = library.find_asset(caller.world, find_media(caller, id)["id"], name)
    if asset is None:
        raise not_found("asset", name)
    return asset


def _shown(asset: Document) -> Document:
    """Return an asset in the words of this era: with its name, and fewer members (9.4)."""
    told = assets.shown(asset)
    kept = {name: value for name, value in told.items() if name not in {"progress", "file_extension"}}
    return {"name": asset["name"], **kept}
