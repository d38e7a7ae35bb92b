"""What the objects of Panda are besides: dictionaries of the service's JSON values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from datetime import datetime
from typing import ClassVar, Self, TypeVar

from cloudreel.core.call import JSON
from cloudreel.core.codec import Details, Fields, format_date, structure, to_json_text
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.transport import Transport
from cloudreel.errors import DecodeError, InvalidRequestError
from cloudreel.panda.errors import FAMILY
from cloudreel.panda.objects import SavableObject, ServiceObject
from cloudreel.panda.protocol import Param, Params
from cloudreel.signing.shapes import is_list, is_mapping

DictT = TypeVar("DictT", bound="DictObject")


class DictObject(ServiceObject, MutableMapping[str, JSON]):
    """An object that is a dictionary of its JSON values, with a typed view of them as attributes.

    ``video["duration"]`` is what the service said, ``video.created_at`` a datetime of it. Assigning to
    either changes both.
    """

    _errors: ClassVar[ErrorFamily] = FAMILY
    _fields: ClassVar[type[Fields]]

    def __getitem__(self, key: str) -> JSON:
        return self._record.details[key]

    def __setitem__(self, key: str, value: JSON) -> None:
        self._view({**self._record.details, key: value})

    def __delitem__(self, key: str) -> None:
        details = dict(self._record.details)
        del details[key]
        self._view(details)

    def __iter__(self) -> Iterator[str]:
        return iter(self._record.details)

    def __len__(self) -> int:
        return len(self._record.details)

    def __eq__(self, other: object) -> bool:
        return is_mapping(other) and self._record.details == dict(other)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self[name] = _json_of(name, value)

    def to_json(self, indent: int | None = None) -> str:
        """Return the service's values as JSON text, on several lines where ``indent`` (spaces) is given."""
        return to_json_text(self._record.details, indent)

    def dup(self) -> Self:
        """Return a copy without id, which shares nothing with this one; `create` makes it another object."""
        other = self.__copy__()
        other._reloaded(structure({}, self._fields))
        other.update({name: deepcopy(value) for name, value in self.items() if name != "id"})
        return other

    def _view(self, details: Details) -> None:
        """Hold these values from now on."""
        try:
            self._record = structure(details, self._fields)
        except DecodeError as error:
            raise self._errors.leaf(InvalidRequestError)(f"{self} cannot hold this: {error}") from error


class CreatableObject(DictObject):
    """An object that can be made of its values."""

    _made: ClassVar[frozenset[str]]
    """What the service makes, and nobody sends."""

    async def create(self) -> Self:
        """Create an object of these values on the service; this is that one from then on, and is returned."""
        sent = {name: value for name, value in self.items() if name not in self._made}
        self._reloaded(await self._create(_params(sent)))
        return self

    @abstractmethod
    async def _create(self, params: Params) -> Fields:
        """Send what `create` is to send and return the answer."""


class SavableDictObject(SavableObject, DictObject):
    """An object of which `save` sends the values that differ from what the service said last."""

    _base: Details  # what the service said last

    def __init__(self, transport: Transport, record: Fields) -> None:
        super().__init__(transport, record)
        self._base = deepcopy(record.details)

    def _changed(self) -> Params:
        return _params(
            {name: "" if self[name] is None else self[name] for name in self if self._differs(name)}
        )

    def _differs(self, name: str) -> bool:
        value, base = self[name], self._base.get(name)
        return name not in self._base or type(value) is not type(base) or value != base

    def _saved(self, sent: Params, answer: Fields) -> None:
        now = self._changed()
        later = {name: self[name] for name, value in now.items() if name not in sent or sent[name] != value}
        self._reloaded(answer)
        self.update(later)

    def _reloaded(self, answer: Fields) -> None:
        self._record = answer
        self._base = deepcopy(answer.details)


def filled(item: DictT, fields: Params) -> DictT:
    """Give an object these fields and return it."""
    item.update({name: _json_of(name, value) for name, value in fields.items()})
    return item


def _json_of(name: str, value: object) -> JSON:
    """Return what a field is given as the service writes it, sharing nothing with it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return format_date(value)
    if isinstance(value, bytes):
        return value.decode()
    if is_mapping(value):
        return {str(key): _json_of(name, inner) for key, inner in value.items()}
    if is_list(value):
        return [_json_of(name, inner) for inner in value]
    raise TypeError(f"{name!r} takes a JSON value or a date, not {type(value).__name__}")


def _params(values: Mapping[str, JSON]) -> dict[str, Param]:
    """Return values as parameters, which share nothing with them."""
    return {name: _param(value) for name, value in values.items()}


def _param(value: JSON) -> Param:
    if isinstance(value, list):
        return [item if isinstance(item, str) else to_json_text(item) for item in value]
    return deepcopy(value)
