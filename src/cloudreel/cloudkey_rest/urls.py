"""The addresses of players and assets before they are signed. PURE. Facts: cloudkey-rest.md 12."""

from __future__ import annotations

from urllib.parse import quote

from cloudreel.cloudkey_rest.errors import InvalidArgument


def player_url(base_url: str, format: str, owner_id: str, media_id: str) -> str:
    """Return the address of the player in a format, ``"swf"`` for Flash (12.1)."""
    return f"{base_url}/{_segment('format', format)}/stream/{owner_id}/{_segment('id', media_id)}"


def embed_url(base_url: str, owner_id: str, media_id: str) -> str:
    """Return the address of the player's page (12.2)."""
    return f"{base_url}/embed/{owner_id}/{_segment('id', media_id)}"


def asset_url(cdn_url: str, owner_id: str, media_id: str, preset: str) -> str:
    """Return the address of an asset, whose extension is its name up to the first ``_`` (12.2)."""
    name = _segment("preset", preset)
    return f"{cdn_url}/route/{owner_id}/{_segment('id', media_id)}/{name}.{name.partition('_')[0]}"


def _segment(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidArgument(f"{name} must be a text, not {value!r}")
    return quote(value, safe="")
