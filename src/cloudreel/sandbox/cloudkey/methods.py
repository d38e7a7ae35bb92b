"""Remote methods as plain functions: their signatures say which arguments a call carries, of which types.

The tables of cloudkey-rpc.md section 10 and cloudkey-rest.md section 9 stand as signatures in the modules of
this room. An argument is read by the declared type of its parameter: from JSON in the RPC era, from text in
the REST era (cloudkey-rest.md section 3).
"""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING, TypeAlias

import orjson
from attrs import frozen

from cloudreel.sandbox.cloudkey.errors import MISSING_PARAMETER, CallError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["Caller", "Id", "Method", "methods"]

Id: TypeAlias = str
"""24 hexadecimal digits."""

_ID = re.compile(r"[0-9a-fA-F]{24}", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


@frozen
class Caller:
    """Who calls, in which world: the first argument of every method.

    ``user`` is the account the call runs as; ``is_root`` says whether it may manage others.
    """

    world: World
    user: Document
    is_root: bool

    @property
    def user_id(self) -> str:
        """The id of the account the call runs as."""
        id: str = self.user["id"]
        return id


@frozen
class _Parameter:
    name: str
    type: str
    is_required: bool
    is_nullable: bool

    def check(self, value: JSON) -> JSON:
        """Return a JSON value that has this parameter's type."""
        if value is None and self.is_nullable:
            return None
        if not _TYPES[self.type](value):
            raise invalid(f"{self.name} must be {_WORDS[self.type]}, not {_shown(value)}")
        try:
            orjson.dumps(value)
        except orjson.JSONEncodeError as error:
            raise invalid(f"{self.name} cannot be stored: {error}") from error
        return value

    def read(self, text: str) -> JSON:
        """Return the value a text stands for in the query of the REST era."""
        if self.type in {"str", "Id"}:
            return self.check(text)
        if text == "null" and self.is_nullable:
            return None
        if self.type == "bool":
            return self.check(_FLAGS.get(text.lower(), text))
        if self.type == "int":
            return self.check(int(text) if _INTEGER.fullmatch(text) else text)
        try:
            value: JSON = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        return self.check(value)


@frozen
class Method:
    """A function that answers calls, and what its parameters are."""

    name: str
    answer: Callable[..., object]
    parameters: Mapping[str, _Parameter]

    @classmethod
    def of(cls, name: str, function: Callable[..., object]) -> Method:
        """Return the method a function is; its first parameter is the `Caller`."""
        _, *declared = inspect.signature(function).parameters.values()
        return cls(name, function, {each.name: _parameter(each) for each in declared})

    def checked(self, args: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the arguments of an RPC call, all of the right type.

        Raises:
            CallError: 630, naming the first argument that is unknown, missing or of a wrong type.
        """
        for name in args:
            if name not in self.parameters:
                raise invalid(f"{self.name} takes no argument {name}")
        for parameter in self.parameters.values():
            if parameter.is_required and parameter.name not in args:
                raise invalid(f"{parameter.name} is missing")
        return {name: self.parameters[name].check(value) for name, value in args.items()}

    def read(self, query: Mapping[str, str]) -> dict[str, JSON]:
        """Return the arguments of a REST call; unknown ones are passed over.

        Raises:
            CallError: 650 for a missing argument, 630 for one of a wrong type.
        """
        for parameter in self.parameters.values():
            if parameter.is_required and parameter.name not in query:
                raise CallError(MISSING_PARAMETER, f"{parameter.name} is missing")
        return {
            name: parameter.read(query[name]) for name, parameter in self.parameters.items() if name in query
        }


def methods(*functions: Callable[..., object], **renamed: Callable[..., object]) -> dict[str, Method]:
    """Return functions as methods by name; an underscore at a name's end only avoids a word of Python."""
    named = {function.__name__.rstrip("_"): function for function in functions} | renamed
    return {name: Method.of(name, function) for name, function in named.items()}


def _parameter(declared: inspect.Parameter) -> _Parameter:
    type, _, null = str(declared.annotation).partition(" | ")
    if type not in _TYPES or null not in {"", "None"}:
        raise TypeError(f"{declared}: a parameter of a remote method is one of {', '.join(_TYPES)}")
    return _Parameter(declared.name, type, declared.default is inspect.Parameter.empty, null == "None")


def _is_id(value: JSON) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_integer(value: JSON) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: JSON) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_TYPES: Mapping[str, Callable[[JSON], bool]] = {
    "Id": _is_id,
    "str": lambda value: isinstance(value, str),
    "int": _is_integer,
    "bool": lambda value: isinstance(value, bool),
    "list[str]": _is_texts,
    "list[JSON]": lambda value: isinstance(value, list),
    "dict[str, JSON]": lambda value: isinstance(value, dict),
}

_WORDS: Mapping[str, str] = {
    "Id": "24 hexadecimal digits",
    "str": "a text",
    "int": "a whole number",
    "bool": "true or false",
    "list[str]": "a list of texts",
    "list[JSON]": "a list",
    "dict[str, JSON]": "a map",
}


def _shown(value: JSON) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
