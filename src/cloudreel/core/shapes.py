"""The typed views of objects that are nearly all alike, read a field of all of them at a time. PURE.

In a list of objects the same fields hold the same types of value, in the same order. Most of them can be kept
as they are, which is seen of a whole column at once. Reading every field of every object, as `read_all` does,
is the reference; both come to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from math import isfinite
from types import NoneType
from typing import TypeAlias, TypeVar, cast

from attrs import frozen

from cloudreel.core.call import JSON

T = TypeVar("T")
Read: TypeAlias = Callable[[JSON], object]
ReadMany: TypeAlias = Callable[[Sequence[JSON]], Sequence[object] | None]
Details: TypeAlias = dict[str, JSON]

_FLOATS = frozenset({NoneType, float})
_DATE_LENGTH = len("2014/11/05 13:45:14 +0000")


@frozen
class Field:
    """One field of an object.

    Args:
        name: of it.
        read: how its value is read.
        kept: the exact types of value that come out of that as they are.
        read_many: reads many values as ``read`` does each; None says that they need it one by one.
    """

    name: str
    read: Read
    kept: frozenset[type] = frozenset()
    read_many: ReadMany | None = None

    def column(self, values: Sequence[JSON]) -> Sequence[object]:
        """Return the field of many objects, read."""
        if self.kept.issuperset(map(type, values)):
            return values
        if self.read_many is not None and (read := self.read_many(values)) is not None:
            return read
        return [*map(self.read, values)]


def read_all(details: Details, fields: Sequence[Field]) -> list[object]:
    """Return every field of an object, read."""
    return [field.read(details.get(field.name)) for field in fields]


def read_objects(make: Callable[..., T], objects: Sequence[Details], fields: Sequence[Field]) -> list[T]:
    """Return what ``make(details, *read_all(details, fields))`` gives for each object.

    Args:
        make: takes the service's object, and then the values in the order of the fields.
        objects: as the service has them; what is missing in one is read as None.
        fields: the known ones.

    What the fields' readers raise passes through.
    """
    columns = _columns(objects, [field.name for field in fields])
    read = [field.column(values) for field, values in zip(fields, columns, strict=True)]
    return [*map(make, objects, *read)]


def read_floats(values: Sequence[JSON]) -> Sequence[object] | None:
    """Return finite numbers and None as they are, None for what needs `Field.read`."""
    numbers = cast("Sequence[float | None]", values)
    plain = _FLOATS.issuperset(map(type, values)) and all(map(isfinite, filter(None, numbers)))
    return values if plain else None


def read_dates(values: Sequence[JSON]) -> Sequence[object] | None:
    """Return aware datetimes of many ``2014/11/05 13:45:14 +0000``, joined to one text; see `read_floats`.

    Raises:
        ValueError: a number in one of them is too large.
    """
    if set(map(type, values)) != {str}:
        return None
    texts = cast("Sequence[str]", values)
    joined, count, step = "\n".join(texts), len(texts), _DATE_LENGTH + 1
    if not (
        set(map(len, texts)) == {_DATE_LENGTH}
        and joined[4::step] == joined[7::step] == "/" * count
        and joined[19::step] == " " * count
        and joined[20::step] == "+" * count
        and joined.count("\n") == count - 1
    ):
        return None
    return [*map(datetime.fromisoformat, joined.replace("/", "-").replace(" +", "+").split("\n"))]


def _columns(objects: Sequence[Details], names: Sequence[str]) -> list[Sequence[JSON]]:
    """Return the values that all objects have under each name."""
    if not objects:
        return [()] * len(names)
    keys = [*objects[0]]
    if all(map(keys.__eq__, map(list, objects))):  # nearly always: then nothing has to be looked up
        found = dict(zip(keys, zip(*[details.values() for details in objects], strict=True), strict=False))
        missing = (None,) * len(objects)
        return [found.get(name, missing) for name in names]
    return [[details.get(name) for details in objects] for name in names]
