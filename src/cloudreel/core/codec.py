"""Bytes to values and back: the one converter. PURE.

The services are old and loose: numbers arrive as text, dates in two shapes, fields come and go. What
is known is given its type, what is unknown is kept in ``details``, what is missing is None.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial
from math import isfinite
from operator import eq
from types import NoneType
from typing import TYPE_CHECKING, TypeVar, cast, get_origin

import attrs
import orjson
from attrs import Factory, define

from cloudreel.core import redact
from cloudreel.core.call import JSON, Response
from cloudreel.core.shapes import Details as Details
from cloudreel.core.shapes import Field, Read, ReadMany, read_all, read_dates, read_floats, read_objects
from cloudreel.errors import DecodeError

if TYPE_CHECKING:
    import cattrs

F = TypeVar("F", bound="Fields")

_from_iso = datetime.fromisoformat


@define(slots=False, eq=False)
class Fields:
    """Base of the typed views: ``details`` is the service's object with its JSON values unchanged."""

    details: Details = Factory(Details)


def to_json(value: object) -> bytes:
    """Return the JSON bytes of a value."""
    return orjson.dumps(value)


def to_json_text(value: object, indent: int | None = None) -> str:
    """Return the JSON text of a value, for people where ``indent`` (spaces) is given."""
    if indent is None:
        return orjson.dumps(value).decode()
    return json.dumps(value, indent=indent, ensure_ascii=False)


def from_json(data: bytes | str) -> JSON:
    """Return the value of a JSON text.

    Raises:
        DecodeError: the text is no JSON.
    """
    try:
        return cast(JSON, orjson.loads(data))
    except orjson.JSONDecodeError as error:
        begin = data[:80] if isinstance(data, str) else data[:80].decode("utf-8", "replace")
        raise DecodeError(f"This is no JSON ({error}): {redact.text(begin)!r}") from error


def json_of(response: Response) -> JSON:
    """Return the JSON value of an answer."""
    return from_json(response.body)


def object_of(response: Response) -> Details:
    """Return the JSON object of an answer, which may be nothing else."""
    value = json_of(response)
    if not isinstance(value, dict):
        raise DecodeError(f"A JSON object was expected, but {_named(value)} came")
    return value


def objects_of(response: Response, root: str = "") -> list[Details]:
    """Return the JSON objects of a list, which may stand under the key ``root``."""
    value = json_of(response)
    if isinstance(value, dict) and root in value:
        value = value[root]
    if not isinstance(value, list):
        raise DecodeError(f"A JSON array was expected, but {_named(value)} came")
    if set(map(type, value)) - {dict}:
        raise DecodeError("An array of JSON objects was expected, but something else stands in it")
    return cast("list[Details]", value)


def record_of(kind: type[F]) -> Callable[[Response], F]:
    """Return a parser: one JSON object to one ``kind``."""
    return lambda response: structure(object_of(response), kind)


def records_of(kind: type[F], root: str = "") -> Callable[[Response], list[F]]:
    """Return a parser: an array of JSON objects to a list of ``kind``."""
    return lambda response: structure_all(objects_of(response, root), kind)


def structure(details: Details, kind: type[F]) -> F:
    """Return the typed view of a JSON object; the object itself becomes its ``details``.

    Raises:
        DecodeError: a known field holds something that is not of its type.
    """
    try:
        return kind(details, *read_all(details, _fields_of(kind)))
    except (ValueError, OverflowError):
        raise _explained(kind.__name__, details, _fields_of(kind)) from None


def structure_all(objects: list[Details], kind: type[F]) -> list[F]:
    """Return the typed views of JSON objects, as `structure` does for one.

    Raises:
        DecodeError: as `structure` does, for the first such object.
    """
    try:
        return read_objects(kind, objects, _fields_of(kind))
    except (ValueError, OverflowError):
        return [structure(details, kind) for details in objects]  # which says what is wrong with which


def parse_date(text: str) -> datetime:
    """Return an aware datetime of ``2014/11/05 13:45:14 +0000`` (panda.md 5) or of an ISO 8601 text.

    Raises:
        ValueError: neither shape, or no time zone.
    """
    if text[4:5] == text[7:8] == "/" and text[19:20] == " ":
        text = f"{text[:4]}-{text[5:7]}-{text[8:19]}{text[20:]}"
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a date without time zone: {text!r}")
    return moment


def format_date(moment: datetime) -> str:
    """Return an aware datetime in the services' own shape, ``2014/11/05 13:45:14 +0000``."""
    return moment.strftime("%Y/%m/%d %H:%M:%S %z")


# -- readers of single values: None for null and, but for text, for the empty string ----------------


def read_text(value: JSON) -> str | None:
    """Return text; numbers and booleans are spelled as JSON does."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(f"text was expected, not {_named(value)}")


def read_int(value: JSON) -> int | None:
    """Return a whole number of an int, a float or numeric text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = read_float(value)
    if number is None:
        return None
    if isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        return int(value)
    return round(number)


def read_float(value: JSON) -> float | None:
    """Return a number of an int, a float or numeric text."""
    if type(value) is float and isfinite(value):
        return value
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"a number was expected, not {_named(value)}")
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"a finite number was expected, not {value!r}")
    return number


def read_bool(value: JSON) -> bool | None:
    """Return a boolean of true, false, 0, 1 or their texts."""
    if value is None or value == "":
        return None
    known = {"true": True, "false": False, "1": True, "0": False}
    name = str(value).lower()
    if name not in known or isinstance(value, float):
        raise ValueError(f"true or false was expected, not {value!r}")
    return known[name]


def read_date(value: JSON) -> datetime | None:
    """Return an aware datetime."""
    if isinstance(value, str) and value[19:21] == " +" and value[4:8:3] == "//":
        # Nearly every date is one of these; `parse_date` says the same of them in twice the time.
        return _from_iso(value.replace("/", "-").replace(" +", "+"))
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"a date was expected, not {_named(value)}")
    return parse_date(value)


def read_number_or_text(value: JSON) -> float | str | None:
    """Return a number, or text that is none as it is (``fps`` may be ``same_as_source``)."""
    try:
        return read_float(value)
    except ValueError:
        if isinstance(value, str):
            return value
        raise


def read_texts(value: JSON) -> list[str]:
    """Return a list of texts; null is an empty one."""
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise ValueError(f"a list was expected, not {_named(value)}")
    return [text for item in value if (text := read_text(item)) is not None]


def _read_details(value: JSON) -> Details:
    if isinstance(value, dict):
        return value
    if value is None or value == "":
        return {}
    raise ValueError(f"an object was expected, not {_named(value)}")


_fields: dict[type[Fields], list[Field]] = {}


def _fields_of(kind: type[Fields]) -> list[Field]:
    if kind not in _fields:
        attrs.resolve_types(kind)
        _fields[kind] = [_field(a.name, a.type) for a in attrs.fields(kind) if a.name != "details"]
    return _fields[kind]


def _explained(kind: str, details: Mapping[str, JSON], fields: list[Field]) -> DecodeError:
    reasons: list[str] = []
    for field in fields:
        try:
            field.read(details.get(field.name))
        except (ValueError, OverflowError) as error:
            reasons.append(f"{field.name}: {error}")
    return DecodeError(f"{kind} {details.get('id', '')} cannot be read: {'; '.join(reasons)}")


def _field(name: str, kind: object) -> Field:
    if kind in _READERS:
        return Field(name, *_READERS[kind])
    if _is_mapping(kind):
        return Field(name, _read_details)
    hook = _converter().get_structure_hook(kind)
    return Field(name, lambda value: hook(value, kind))


@cache
def _converter() -> cattrs.Converter:
    """Return what reads fields of all other types; none of ours has one, so that it costs them no import."""
    import cattrs

    made = cattrs.Converter(detailed_validation=False)
    for kind, (reader, *_) in _READERS.items():
        made.register_structure_hook_func(partial(eq, kind), _hook(reader))
    made.register_structure_hook_func(_is_mapping, _hook(_read_details))
    made.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, Fields),
        lambda value, kind: structure(_read_details(value), kind),
    )
    return made


def _is_mapping(kind: object) -> bool:
    return get_origin(kind) is dict


def _hook(reader: Read) -> Callable[[JSON, object], object]:
    return lambda value, _: reader(value)


def _named(value: object) -> str:
    names: dict[type[object], str] = {
        dict: "an object",
        list: "an array",
        str: "text",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "a number")


# How values of a type are read, the types of value that come out of that as they are, and how many are read.
_READERS: dict[object, tuple[Read, frozenset[type], ReadMany | None]] = {
    str | None: (read_text, frozenset({NoneType, str}), None),
    int | None: (read_int, frozenset({NoneType, int}), None),
    float | None: (read_float, frozenset({NoneType}), read_floats),  # not all numbers are finite
    bool | None: (read_bool, frozenset({NoneType, bool}), None),
    datetime | None: (read_date, frozenset({NoneType}), read_dates),
    float | str | None: (read_number_or_text, frozenset({NoneType}), None),
    list[str]: (read_texts, frozenset(), None),
}
