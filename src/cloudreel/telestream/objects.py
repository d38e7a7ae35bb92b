"""What factories and profiles do with their fields: collect what is assigned until it is saved."""

from __future__ import annotations

from typing import TypeAlias

from cloudreel.core.codec import Fields
from cloudreel.core.transport import Transport
from cloudreel.panda.objects import FieldValue, SavableObject
from cloudreel.panda.protocol import Params

Scalar: TypeAlias = "bool | int | float | str | None"


class ChangeableObject(SavableObject):
    """An object whose fields may be assigned; what changed is sent when it is saved."""

    _changes: dict[str, Scalar]

    def __init__(self, transport: Transport, record: Fields) -> None:
        super().__init__(transport, record)
        self._changes = {}

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

    def _changed(self) -> Params:
        return {name: "" if value is None else value for name, value in self._changes.items()}

    def _saved(self, sent: Params, answer: Fields) -> None:
        now = self._changed()
        for name, value in sent.items():
            if now.get(name) == value:
                self._changes.pop(name, None)
        self._record = answer

    def _reloaded(self, answer: Fields) -> None:
        self._changes.clear()
        self._record = answer
