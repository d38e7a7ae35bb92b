"""How often a media was played, and where (cloudkey-rpc.md 8.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey.errors import invalid
from cloudreel.sandbox.documents import new_id

if TYPE_CHECKING:
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["INTERVALS", "count", "note_play"]

_DAY = 86_400.0
INTERVALS = {
    "last_minute": 60.0,
    "last_hour": 3600.0,
    "last_day": _DAY,
    "last_week": 7 * _DAY,
    "last_month": 30 * _DAY,
    "last_year": 365 * _DAY,
    "total": float("inf"),
}
"""The intervals that can be asked for, in seconds back from now."""

_COUNTRY = re.compile(r"[a-z]{2}", re.ASCII)


def note_play(world: World, media: Document, country: str | None) -> None:
    """Count one play, begun now by a viewer in a country (two letters), if it is known."""
    view: Document = {"id": new_id(), "at": world.clock.now(), "country": (country or "").lower()}
    world.store.put("view", view["id"], view, scope=media["_user"], parent=media["id"])


def count(world: World, media: Document, scope: str, interval: str) -> int:
    """Return the number of plays.

    Args:
        scope: ``global`` or a country's two letters.
        interval: one of `INTERVALS`.

    Raises:
        CallError: 630 for any other.
    """
    if interval not in INTERVALS or not (scope == "global" or _COUNTRY.fullmatch(scope)):
        raise invalid(f"Statistics are <global or a country>.<{', '.join(INTERVALS)}>")
    since = world.clock.now() - INTERVALS[interval]
    where = {} if scope == "global" else {"country": scope}
    return sum(view["at"] > since for view in world.store.list("view", parent=media["id"], **where))
