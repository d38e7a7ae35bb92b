"""What the objects of the Panda family have in common: their fields are read from the last answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Self, TypeAlias

from cloudreel.core.call import JSON
from cloudreel.core.codec import Details, Fields
from cloudreel.core.failures import ErrorFamily
from cloudreel.errors import InvalidRequestError

Scalar: TypeAlias = "bool | int | float | str | None"
FieldValue: TypeAlias = "JSON | datetime"


class ServiceObject:
    """An object that lives on the service; assigning to its fields is refused.

    The classes also derive from their `Fields`, which tells type checkers the fields; the values stand
    in ``_record``, replaced as a whole by whatever the service said last. Methods are never hidden by a
    field of the same name.
    """

    _kind: ClassVar[str]
    _errors: ClassVar[ErrorFamily]
    _record: Fields

    def __init__(self, record: Fields) -> None:
        object.__setattr__(self, "_record", record)

    def __getattr__(self, name: str) -> FieldValue:
        if name.startswith("_"):
            raise AttributeError(name)
        record = self._record
        if name in vars(record):
            value: FieldValue = getattr(record, name)
            return value
        if name in record.details:
            return record.details[name]
        raise AttributeError(f"{self} has no field or method {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        raise self._errors.root(f"{self._kind} objects are immutable; {name!r} was not set")

    def __str__(self) -> str:
        return f"{self._kind} {self._record.details.get('id') or '(without id)'}"

    def __repr__(self) -> str:
        return str(self)

    def __copy__(self) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __reduce__(self) -> tuple[Callable[[Fields], Fields], tuple[Fields]]:
        # The connection and the keys stay here; what is pickled arrives as its bare fields.
        return _fields, (self._record,)

    def _id(self) -> str:
        """Return the id that the service's paths want."""
        value = self._record.details.get("id")
        if value is None or value == "":
            raise self._errors.leaf(InvalidRequestError)(f"This {self._kind} has no id yet")
        return str(value)


def _fields(record: Fields) -> Fields:
    return record


class ChangeableObject(ServiceObject):
    """An object whose fields may be assigned; what changed is sent when it is saved."""

    _changes: dict[str, Scalar]

    def __init__(self, record: Fields) -> None:
        super().__init__(record)
        object.__setattr__(self, "_changes", {})

    def __getattr__(self, name: str) -> FieldValue:
        if not name.startswith("_") and name in self._changes:
            return self._changes[name]
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        if value is not None and not isinstance(value, bool | int | float | str):
            raise TypeError(
                f"{self}: {name!r} takes text, a number, a boolean or None, not {type(value).__name__}"
            )
        known = self._record.details
        if name in known and known[name] == value and type(known[name]) is type(value):
            self._changes.pop(name, None)
        else:
            self._changes[name] = value

    def _changed(self) -> dict[str, Scalar]:
        """Return what `save` has to send; None, which no parameter can say, goes as empty text."""
        return {name: "" if value is None else value for name, value in self._changes.items()}

    def _saved(self, sent: dict[str, Scalar], answer: Fields) -> None:
        """Take over the service's answer, keeping what was assigned while it was under way."""
        now = self._changed()
        for name, value in sent.items():
            if now.get(name) == value:
                self._changes.pop(name, None)
        object.__setattr__(self, "_record", answer)

    def _reloaded(self, answer: Fields) -> None:
        """Take over the service's state, forgetting what was assigned and not saved."""
        self._changes.clear()
        object.__setattr__(self, "_record", answer)


def id_of(details: Details) -> str:
    """Return the id of a JSON object as text, empty where it has none."""
    return str(details.get("id") or "")
