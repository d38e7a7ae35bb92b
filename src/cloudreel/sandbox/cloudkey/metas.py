"""The free-form values of a media (cloudkey-rpc.md 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey.library import find_media

if TYPE_CHECKING:
    from cloudreel.core.call import JSON
    from cloudreel.sandbox.cloudkey.methods import Caller, Id
    from cloudreel.sandbox.store import Document

__all__ = ["get_meta", "remove_meta", "set_meta"]


def set_meta(caller: Caller, id: Id, meta: dict[str, JSON]) -> None:
    """Answer media.set_meta: the keys given are set, all others stay."""
    media = find_media(caller, id)
    caller.world.store.update("media", id, {"meta": {**media["meta"], **meta}})


def get_meta(caller: Caller, id: Id, keys: list[str] | None = None) -> Document:
    """Answer media.get_meta: all values, or those asked for, null where there is none (8.5)."""
    meta: Document = find_media(caller, id)["meta"]
    return meta if keys is None else {key: meta.get(key) for key in keys}


def remove_meta(caller: Caller, id: Id, keys: list[str]) -> None:
    """Answer media.remove_meta; keys that are not there are no error."""
    meta = find_media(caller, id)["meta"]
    kept = {key: value for key, value in meta.items() if key not in keys}
    caller.world.store.update("media", id, {"meta": kept})
