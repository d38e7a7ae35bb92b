"""What is told of a media: the fields a call selects (cloudkey-rpc.md section 8), and those told without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey import addresses, stats
from cloudreel.sandbox.cloudkey.assets import MEMBERS, shown
from cloudreel.sandbox.cloudkey.errors import invalid
from cloudreel.sandbox.cloudkey.library import assets_of
from cloudreel.signing.shapes import is_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["full_view", "selected"]


def full_view(world: World, media: Document) -> Document:
    """Return what is told of a media when no fields are selected (8.6)."""
    assets = {asset["name"]: shown(asset) for asset in assets_of(world, media["id"])}
    return {"id": media["id"], "created": media["created"], "meta": media["meta"], "assets": assets}


def selected(world: World, media: Document, fields: Sequence[str] | None) -> Document:
    """Return the members of a media that dotted paths select, nested; null where there is none.

    Raises:
        CallError: 630 for a path that leads nowhere in any media.
    """
    if fields is None:
        return full_view(world, media)
    result: Document = {}
    for field in fields:
        for path, value in _members(world, media, field):
            _place(result, path, value)
    return result


def _members(world: World, media: Document, field: str) -> Iterator[tuple[Sequence[str], object]]:
    head, _, rest = field.partition(".")
    match head, rest:
        case (("id" | "created" | "meta"), ""):
            yield [head], media[head]
        case "meta", key:
            yield [head, key], media["meta"].get(key)
        case "embed_url", "":
            yield [head], addresses.embed_url(world, media)
        case "frame_ratio", "":
            yield [head], _frame_ratio(world, media)
        case "assets", _:
            yield from _assets(world, media, rest)
        case (("stats" | "extended_stats"), _):
            scope, _, interval = rest.partition(".")
            yield [head, scope, interval], stats.count(world, media, scope, interval)
        case _:
            raise invalid(f"A media has no field {field[:80]!r}")


def _assets(world: World, media: Document, path: str) -> Iterator[tuple[Sequence[str], object]]:
    name, _, member = path.partition(".")
    if member and member not in MEMBERS and member not in addresses.URLS:
        raise invalid(f"An asset has no member {member[:80]!r}")
    stored = {asset["name"]: asset for asset in assets_of(world, media["id"])}
    names = list(stored) if name in {"", "all"} else [name]
    if not names:
        yield ["assets"], {}
    for each in names:
        asset = stored.get(each)
        if member:
            yield ["assets", each, member], None if asset is None else _member(world, asset, member)
        else:
            yield ["assets", each], None if asset is None else shown(asset)


def _member(world: World, asset: Document, member: str) -> object:
    if member in {"status", "progress"}:
        return asset[member]
    if asset["status"] != "ready":
        return None
    if member in addresses.URLS:
        return addresses.URLS[member](world, asset)
    value: object = asset["_details"].get(member)
    return value


def _frame_ratio(world: World, media: Document) -> object:
    for asset in assets_of(world, media["id"]):
        if asset["_details"].get("video_aspect"):
            ratio: float = asset["_details"]["video_aspect"]
            return ratio
    return None


def _place(result: Document, path: Sequence[str], value: object) -> None:
    """Set a nested member; a map joins what is there."""
    *parents, last = path
    for parent in parents:
        inner: Document = result.get(parent) or {}
        result[parent] = inner
        result = inner
    there = result.get(last)
    if is_mapping(there) and is_mapping(value):
        result[last] = {**there, **value}
    elif not (is_mapping(there) and value is None):
        result[last] = value
