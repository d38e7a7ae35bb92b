"""The security level of a signed URL, for callers."""

from __future__ import annotations

from enum import IntFlag

from cloudreel.signing import level_bits

__all__ = ["SecLevel"]


class SecLevel(IntFlag):
    """What a signed URL is bound to besides its expiry (cloudkey-rpc.md 12.1); members combine with ``|``."""

    NONE = 0
    DELEGATE = level_bits.DELEGATE
    ASNUM = level_bits.ASNUM
    IP = level_bits.IP
    USERAGENT = level_bits.USERAGENT
    USEONCE = level_bits.USEONCE
    COUNTRY = level_bits.COUNTRY
    REFERER = level_bits.REFERER
    REFERER_STRICT = level_bits.REFERER_STRICT
