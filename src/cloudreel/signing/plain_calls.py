"""The canonical text of what nearly every call's arguments are, plain JSON values, in one walk. PURE.

`calls` is the reference: it takes everything and says what is wrong. What both take comes out the same.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["float_text", "plain_text"]

_kind_of: Callable[[object], object] = type  # type checkers lose track of type() of Any


class _NeedsCareError(Exception):
    """A value is not plain."""


def plain_text(value: object) -> str | None:
    """Return what `normalize` does, or None where a value needs its care.

    It takes None, booleans, finite numbers, text, lists and tuples of these, and dicts of text to these, all
    of exactly these types: what it takes also goes into the JSON as it is.
    """
    parts: list[str] = []
    try:
        _collect(value, parts.append)
        return "".join(parts)
    except (_NeedsCareError, RecursionError, TypeError):
        return None


def float_text(value: float) -> str:
    """Return a finite float as it is signed: twelve significant digits (cloudkey-rpc.md 3)."""
    text = f"{value:.12g}"
    return text if "." in text or "e" in text else f"{text}.0"


def _collect(value: Any, out: Callable[[str], None]) -> None:
    """Hand over the pieces of a value. Leaves are told apart here: a call for each would double the cost."""
    kind = _kind_of(value)
    if kind is dict:
        for key in sorted(value):
            member = value[key]
            kind = _kind_of(member)
            out(key)  # a key that is no text is refused when the pieces are joined
            if kind is str:
                out(member)
            elif kind is int:
                out(str(member))
            elif member is not None:
                _collect(member, out)
    elif kind is list or kind is tuple:
        for item in value:
            kind = _kind_of(item)
            if kind is str:
                out(item)
            elif kind is int:
                out(str(item))
            elif item is not None:
                _collect(item, out)
    elif kind is bool:
        out("true" if value else "false")
    elif kind is str or kind is int:
        out(str(value))
    elif kind is float and isfinite(value):
        out(float_text(value))
    elif value is not None:
        raise _NeedsCareError
