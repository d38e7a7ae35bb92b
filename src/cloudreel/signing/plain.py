"""The canonical query of what nearly every request is, plain values under plain names, in one pass. PURE.

`params` is the reference: it takes everything, in three passes. What both take comes out the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from cloudreel.signing.params import UNSIGNED, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["plain_query"]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_]+")
_SECRET_NAME = re.compile("secret|password|encryption", re.IGNORECASE)
_LONGEST_KEPT = 64  # characters

# Most short values recur: profiles, states, scopes. Secrets are kept nowhere.
_escape_kept = lru_cache(maxsize=512)(escape)


def plain_query(params: Mapping[str, object]) -> str | None:
    """Return what `canonical_query` does, or None where a parameter needs its care.

    It takes None, exact texts, whole numbers and booleans, under names of letters, digits and underscores.

    Raises SigningError for a lone surrogate, as `canonical_query` does.
    """
    pairs: list[str] = []
    try:
        names = sorted(params)
    except TypeError:  # not all of them are text
        return None
    for name in names:
        escaper = _escaper(name)
        if escaper is None:
            return None
        value = params[name]
        if type(value) is str:
            text = value
        elif value is None:
            continue
        elif type(value) is int:
            text = str(value)
        elif type(value) is bool:
            text = "true" if value else "false"
        else:
            return None
        if not (text.isalnum() and text.isascii()):
            text = escaper(text) if len(text) <= _LONGEST_KEPT else escape(text)
        pairs.append(f"{name}={text}")
    return "&".join(pairs)


@lru_cache(maxsize=256)
def _escaper(name: str) -> Callable[[str], str] | None:
    """Return how values under a name are escaped, None if the name is not plain."""
    if type(name) is not str or name in UNSIGNED or not _PLAIN_NAME.fullmatch(name):
        return None
    if name == "timestamp":
        return _escape_moment
    return escape if _SECRET_NAME.search(name) else _escape_kept


def _escape_moment(text: str) -> str:
    """Return a time escaped; only its fraction of a second, ``2015-08-03T09:15:27.123456+00:00``, is news."""
    fraction = text[20:26]
    if not (fraction.isalnum() and fraction.isascii()):
        fraction = escape(fraction)
    return f"{_escape_kept(text[:20])}{fraction}{_escape_kept(text[26:])}"
