"""What the objects of the Panda family have in common: their fields are read from the last answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Self, TypeAlias

from cloudreel.core.call import JSON, Call
from cloudreel.core.codec import Fields
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.transport import Transport
from cloudreel.errors import InvalidRequestError
from cloudreel.panda.protocol import Params

FieldValue: TypeAlias = "JSON | datetime"


class ServiceObject(ABC):
    """An object that lives on the service; assigning to its fields is refused.

    The classes also derive from their `Fields`, which tells type checkers the fields; the values stand
    in ``_record``, replaced as a whole by whatever the service said last. Methods are never hidden by a
    field of the same name.

    Args:
        transport: sends the object's calls, about the cloud or factory that it came from.
        record: what the service said of it.
    """

    _kind: ClassVar[str]
    _errors: ClassVar[ErrorFamily]
    _transport: Transport
    _record: Fields

    def __init__(self, transport: Transport, record: Fields) -> None:
        self._transport = transport
        self._record = record

    async def reload(self) -> None:
        """Fetch it again; what was assigned and not saved is forgotten."""
        self._reloaded(await self._transport.send(self._find()))

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
        vars(other).update(vars(self))
        return other

    def __reduce__(self) -> tuple[Callable[[Fields], Fields], tuple[Fields]]:
        # The connection and the keys stay here; what is pickled arrives as its bare fields.
        return _fields, (self._record,)

    @abstractmethod
    def _find(self) -> Call[Fields]:
        """Return the call that fetches the object."""

    def _reloaded(self, answer: Fields) -> None:
        """Take over the service's state."""
        self._record = answer

    def _id(self) -> str:
        """Return the id that the service's paths want."""
        value = self._record.details.get("id")
        if value is None or value == "":
            raise self._errors.leaf(InvalidRequestError)(f"This {self._kind} has no id yet")
        return str(value)

    def _needed(self, value: str | None, name: str) -> str:
        """Return a field that a call cannot do without."""
        if not value:
            raise self._errors.leaf(InvalidRequestError)(f"{self} has no {name}")
        return value


class SavableObject(ServiceObject):
    """An object of which the service takes changes."""

    async def save(self) -> None:
        """Send the fields that were changed, and take over the service's answer."""
        if sent := self._changed():
            self._saved(sent, await self._transport.send(self._update(sent)))

    @abstractmethod
    def _update(self, params: Params) -> Call[Fields]:
        """Return the call that changes these fields."""

    @abstractmethod
    def _changed(self) -> Params:
        """Return what has to be sent; None, which no parameter can say, goes as empty text."""

    @abstractmethod
    def _saved(self, sent: Params, answer: Fields) -> None:
        """Take over the service's answer, keeping what was changed while it was under way."""


def _fields(record: Fields) -> Fields:
    return record
