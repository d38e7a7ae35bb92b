"""Telestream Cloud ("flip"), API v3.0: the Panda family with factories (telestream.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox.auth import Service
from cloudreel.sandbox.panda import family_routes

if TYPE_CHECKING:
    from starlette.routing import Mount

    from cloudreel.sandbox.state import World

__all__ = ["TELESTREAM", "telestream_routes"]

TELESTREAM = Service(
    name="telestream",
    prefix="/v3.0",
    scope="factory",
    scopes="factories",
    scope_names=("factory_id", "cloud_id"),
    by_parts=True,
)


def telestream_routes(world: World) -> Mount:
    """Return the routes under ``/v3.0``."""
    return family_routes(world, TELESTREAM)
