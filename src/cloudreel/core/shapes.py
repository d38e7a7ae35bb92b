"""The typed views of objects that are nearly all alike, without looking at each of their values. PURE.

In a list of objects the same fields hold the same types of value. Which of them have to be read is found out
once for each such shape. Reading every field of every object, as `read_all` does, is the reference; both come
to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TypeAlias, TypeVar

from attrs import frozen

from cloudreel.core.call import JSON

T = TypeVar("T")
Read: TypeAlias = Callable[[JSON], object]
Details: TypeAlias = dict[str, JSON]
Shape: TypeAlias = tuple[type, ...]

MOST = 256  # shapes that are remembered of one kind: services have a handful, a hostile one any number


@frozen
class Field:
    """One field: how its value is read, and the exact types of value that come out of that as they are."""

    name: str
    read: Read
    kept: frozenset[type] = frozenset()


def read_all(details: Details, fields: Sequence[Field]) -> list[object]:
    """Return every field of an object, read."""
    return [field.read(details.get(field.name)) for field in fields]


def reader_of(make: Callable[..., T], fields: Sequence[Field]) -> Callable[[Iterable[Details]], list[T]]:
    """Return what makes objects of a service's ones, as ``make(details, *read_all(details, fields))`` does.

    Args:
        make: takes the service's object, and then the values in the order of the fields.
        fields: what is missing in an object is read as None.

    What the fields' readers raise passes through.
    """
    names = [field.name for field in fields]
    unread: dict[Shape, list[tuple[int, Read]]] = {}

    def read(objects: Iterable[Details]) -> list[T]:
        made: list[T] = []
        last: Shape | None = None
        readers: list[tuple[int, Read]] = []
        values_of = _getter(names)
        for details in objects:
            try:
                values = values_of(details)
            except KeyError:
                values = [*map(details.get, names)]
            shape = tuple(map(type, values))
            if shape != last:
                last, readers = shape, _remembered(unread, shape, fields)
            arguments: list[object] = [details, *values]
            for at, reader in readers:
                arguments[at] = reader(values[at - 1])
            made.append(make(*arguments))
        return made

    return read


def _remembered(
    unread: dict[Shape, list[tuple[int, Read]]], shape: Shape, fields: Sequence[Field]
) -> list[tuple[int, Read]]:
    """Return where among the arguments of a shape something has to be read, and how."""
    if shape not in unread:
        if len(unread) == MOST:
            unread.clear()
        unread[shape] = [
            (at, field.read)
            for at, (field, kind) in enumerate(zip(fields, shape, strict=True), 1)
            if kind not in field.kept
        ]
    return unread[shape]


def _getter(names: Sequence[str]) -> Callable[[Details], Sequence[JSON]]:
    """Return what takes values out of an object; it raises KeyError where one is missing."""
    if len(names) > 1:
        return itemgetter(*names)  # of less than two it would make no tuple
    return lambda details: [details[name] for name in names]
