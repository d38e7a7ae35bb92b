"""Parameters of Panda and Telestream requests as text: on the wire, and in the canonical query."""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING

from cloudreel.errors import SigningError
from cloudreel.signing.shapes import is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["UNSIGNED", "Texts", "canonical_query", "escape", "flatten", "param_text", "query_of", "texts_of"]

Texts = dict[str, str | dict[str, str]]
"""Parameters as text; a nested mapping stays one."""

UNSIGNED = frozenset({"file", "signature"})
"""Names that take no part in the canonical query (panda.md 3.3)."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._~-]")
_PERCENT = {chr(byte): f"%{byte:02X}" for byte in range(0x80)}
# The outer name of a nested parameter goes into the canonical query unescaped: these characters would let one
# parameter pass for two.
_OUTER = re.compile(r"[^&=\[\]\x00-\x1f]+")


def canonical_query(params: Mapping[str, object]) -> str:
    """Return the canonical query of `params`, as it is signed (panda.md 3.3).

    `params` maps names to text, numbers, booleans, bytes in UTF-8, lists of these (joined by commas), or to
    one further mapping of names to these, which is written ``outer[inner]=value``. None is left out, and so
    are ``signature`` and, at any depth, ``file``. Keys are sorted by code point. `params` is not modified.

    Raises SigningError for what has no text: deeper nesting, nan, undecodable bytes, other types; and for a
    name with brackets, which would be signed otherwise than the service reads it: pass a mapping instead.
    """
    return query_of(texts_of(params))


def flatten(params: Mapping[str, object]) -> dict[str, str]:
    """Return `params` as they go on the wire, before percent-encoding: nested names as ``outer[inner]``.

    None is left out. A ``file`` stays if it is text (its name, say) and is left out if it is contents.
    Raises SigningError as `canonical_query` does.
    """
    return flat(texts_of(params))


def param_text(value: object) -> str:
    """Return the text of one scalar, or of a list of scalars joined by commas (panda.md section 4).

    Booleans become ``true`` and ``false``, floats their shortest form, bytes are read as UTF-8.
    Raises SigningError for everything else, None, nan and infinities included.
    """
    if is_list(value):
        return ",".join([_scalar(item) for item in value])
    return _scalar(value)


def escape(text: str) -> str:
    """Return `text` percent-encoded by RFC 3986: ``A-Z a-z 0-9 - _ . ~`` stay, hex digits in upper case."""
    return text if text.isascii() and text.isalnum() else _UNSAFE.sub(_percent, text)


# Names recur and are no secrets; values may be secret and are never cached.
_escape_name = lru_cache(maxsize=256)(escape)


def texts_of(params: Mapping[str, object], *, wire: bool = False) -> Texts:
    """Return `params` as text, None left out.

    With `wire` they are read as a server sees them: a name ``outer[inner]`` is a member of a nested
    parameter. Without, a name with brackets is refused.
    """
    texts: Texts = {}
    key: object
    for key, value in params.items():
        name = key if type(key) is str else _key_text(key)
        bracketed = "[" in name or "]" in name
        if type(value) is str and not bracketed:  # nearly every parameter
            _put(texts, name, value)
        elif _is_left_out(name, value):
            continue
        elif is_mapping(value):
            _nest(texts, name, value)
        elif not bracketed:
            _put(texts, name, _named_text(name, value))
        elif not wire:
            raise SigningError(f"parameter {name!r}: brackets in a name; pass a mapping for outer[inner]")
        else:
            outer, _, inner = name.partition("[")
            if outer and inner.endswith("]"):
                _nest(texts, outer, {inner.removesuffix("]"): value})
            else:
                _put(texts, name, _named_text(name, value))
    return texts


def query_of(texts: Texts, *, unsigned: frozenset[str] = UNSIGNED) -> str:
    """Return the canonical query of parameters that are text already, without the names in `unsigned`."""
    pairs: list[str] = []
    for name in sorted(texts):
        if name in unsigned:
            continue
        value = texts[name]
        if isinstance(value, str):
            pairs.append(f"{_escape_name(name)}={escape(value)}")
        else:
            pairs += [
                f"{name}[{_escape_name(member)}]={escape(value[member])}"
                for member in sorted(value)
                if member != "file" or "file" not in unsigned
            ]
    return "&".join(pairs)


def flat(texts: Texts) -> dict[str, str]:
    """Return `texts` with nested names written ``outer[inner]``."""
    wire: dict[str, str] = {}
    for name, value in texts.items():
        if isinstance(value, dict):
            wire |= {f"{name}[{member}]": text for member, text in value.items()}
        else:
            wire[name] = value
    return wire


def _nest(texts: Texts, outer: str, members: Mapping[object, object]) -> None:
    if _OUTER.fullmatch(outer) is None:
        raise SigningError(
            f"parameter {outer!r}: the name of a nested parameter cannot hold & = [ ] or controls"
        )
    nested = texts.setdefault(outer, {})
    if not isinstance(nested, dict):
        raise SigningError(f"parameter {outer!r} is given twice, as a value and as a mapping")
    for key, value in members.items():
        member = _key_text(key)
        if _is_left_out(member, value):
            continue
        label = f"{outer}[{member}]"
        if is_mapping(value):
            raise SigningError(f"parameter {label!r}: nesting deeper than one level has no signed form")
        if member in nested:
            raise SigningError(f"parameter {label!r} is given twice")
        nested[member] = _named_text(label, value)


def _is_left_out(name: str, value: object) -> bool:
    """Say whether a parameter is absent: None, or the contents of a file, which travel apart."""
    return value is None or (name == "file" and not isinstance(value, str))


def _put(texts: Texts, name: str, text: str) -> None:
    if name in texts:
        raise SigningError(f"parameter {name!r} is given twice")
    texts[name] = text


def _named_text(name: str, value: object) -> str:
    try:
        return param_text(value)
    except SigningError as error:
        raise SigningError(f"parameter {name!r}: {error.message}") from None


def _key_text(key: object) -> str:
    if isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool)):
        return _scalar(key)
    raise SigningError(f"a parameter is named by a {type(key).__name__}; names are text")


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return str.__str__(value)  # the value of a StrEnum member or of any other subclass
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float) and isfinite(value):
        return float.__repr__(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise SigningError("the bytes are not UTF-8 text") from None
    shown = (
        repr(value)
        if value is None or isinstance(value, float)
        else f"a value of type {type(value).__name__}"
    )
    raise SigningError(f"{shown} has no text; give text, a number, a boolean or a list of these")


def _percent(match: re.Match[str]) -> str:
    char = match[0]
    try:
        return _PERCENT.get(char) or "".join([f"%{byte:02X}" for byte in char.encode()])
    except UnicodeEncodeError:
        raise SigningError("a parameter holds a lone surrogate, which UTF-8 cannot express") from None
