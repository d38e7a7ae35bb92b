"""The bits of a signed URL's security level as plain numbers (cloudkey-rpc.md 12.1).

`SecLevel` names them for callers. Signing does without it: `enum` takes as long to import as all of ours, and
arithmetic on members of an IntFlag takes microseconds.
"""

from __future__ import annotations

__all__ = [
    "ANY_REFERER",
    "ASNUM",
    "COUNTRY",
    "DELEGATE",
    "IP",
    "REFERER",
    "REFERER_STRICT",
    "USEONCE",
    "USERAGENT",
]

DELEGATE = 1
ASNUM = 2
IP = 4
USERAGENT = 8
USEONCE = 16
COUNTRY = 32
REFERER = 64
REFERER_STRICT = 32768
ANY_REFERER = REFERER | REFERER_STRICT
