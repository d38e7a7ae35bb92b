"""The values in an element's children: None where one is missing, empty or marked as nil. PURE.

Only children of the element itself are looked at: `id`, `state`, `url` and `size` recur further down.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from cloudreel.core import codec
from cloudreel.core.call import JSON
from cloudreel.errors import DecodeError
from cloudreel.flixcloud.xml import Element

T = TypeVar("T")


def raw_text(element: Element, name: str) -> str | None:
    """Return the text of a child with its white space."""
    child = element.child(name)
    if child is None or child.attributes.get("nil") == "true":
        return None
    return child.text or None


def text(element: Element, name: str) -> str | None:
    """Return the text of a child."""
    return (raw_text(element, name) or "").strip() or None


def integer(element: Element, name: str) -> int | None:
    """Return a whole number.

    Raises:
        DecodeError: it is none.
    """
    return _read(element, name, codec.read_int, "whole number")


def boolean(element: Element, name: str) -> bool | None:
    """Return ``true`` or ``false``.

    Raises:
        DecodeError: it is neither.
    """
    return _read(element, name, codec.read_bool, "true or false")


def moment(element: Element, name: str) -> datetime | None:
    """Return a date in UTC, whatever offset it was written with.

    Raises:
        DecodeError: it is none, or has no offset.
    """
    return _read(element, name, _read_utc, "date with an offset")


def required(value: T | None, element: Element, name: str) -> T:
    """Return a value that must be there.

    Raises:
        DecodeError: it is not.
    """
    if value is None:
        raise DecodeError(f"The <{element.name[:40]}> has no <{name}>")
    return value


def _read_utc(value: JSON) -> datetime | None:
    date = codec.read_date(value)
    return None if date is None else date.astimezone(UTC)


def _read(element: Element, name: str, reader: Callable[[JSON], T | None], kind: str) -> T | None:
    try:
        return reader(text(element, name))
    except (ValueError, OverflowError):  # what is there is not quoted: it may be a key
        raise DecodeError(f"The <{name}> of the <{element.name[:40]}> is no {kind}") from None
