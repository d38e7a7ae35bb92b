"""PURE. The playlist of playlists: which variants of a video a player may choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable


@attrs.frozen
class Variant:
    """One choice: its playlist's address, its rate in kbit/s, the picture's size if it has one."""

    uri: str
    bitrate: int
    width: int | None
    height: int | None


def master_playlist(variants: Iterable[Variant]) -> str:
    """Return the text of a master playlist (RFC 8216, section 4.3.4.2), lowest rate first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3"]
    for variant in sorted(variants, key=lambda each: each.bitrate):
        size = f",RESOLUTION={variant.width}x{variant.height}" if variant.width and variant.height else ""
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={variant.bitrate * 1000}{size}", variant.uri]
    return "\n".join(lines) + "\n"
