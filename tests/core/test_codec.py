"""Bytes to values: what the services write loosely is read strictly, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import ParamSpec, TypeVar

import pytest
from attrs import Factory, define
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core import codec
from cloudreel.core.call import JSON, Response
from cloudreel.errors import DecodeError

P = ParamSpec("P")
R = TypeVar("R")

SECRET = "s3cr3t-V4lue"


@define(slots=False, eq=False)
class Clip(codec.Fields):
    """One field of each kind."""

    id: str | None = None
    width: int | None = None
    fps: float | None = None
    rate: float | str | None = None
    upscale: bool | None = None
    created_at: datetime | None = None
    files: list[str] = Factory(list[str])
    extra: codec.Details = Factory(codec.Details)


def answer(value: object) -> Response:
    """Return an answer with a JSON value."""
    return Response(200, {}, json.dumps(value).encode())


def outcome(function: Callable[P, R], *args: P.args, **named: P.kwargs) -> R | Exception:
    """Return what a function returns, or the error that it may raise."""
    try:
        return function(*args, **named)
    except (ValueError, OverflowError, DecodeError) as error:
        return error


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # A lone surrogate is no text that JSON bytes can hold.
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


# -- JSON ------------------------------------------------------------------------------------------------


@given(json_values)
def test_what_is_written_is_read_back(value: JSON) -> None:
    assert codec.from_json(codec.to_json(value)) == value
    assert codec.from_json(codec.to_json_text(value)) == value
    assert codec.from_json(codec.to_json_text(value, indent=2)) == value


def test_text_for_people_is_indented_and_not_escaped() -> None:
    assert codec.to_json_text({"a": ["ü"]}, indent=2) == '{\n  "a": [\n    "ü"\n  ]\n}'
    assert codec.to_json_text({"a": ["ü"]}) == '{"a":["ü"]}'


@pytest.mark.parametrize(
    "data", [b"", b" ", b"<html>", b'{"a":', b"\xff\xfe", b"nan", "", "{'a': 1}", "[" * 5000, '"\ud800"']
)
def test_what_is_no_json_is_told_and_shown_in_part(data: bytes | str) -> None:
    with pytest.raises(DecodeError, match="This is no JSON") as caught:
        codec.from_json(data)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "data", [f'{{"signature": "{SECRET}", oops', f'{{"auth": "{SECRET}', f"<api-key>{SECRET}</api-key>"]
)
def test_what_is_shown_of_a_broken_text_holds_no_secret(data: str) -> None:
    for form in (data, data.encode()):
        with pytest.raises(DecodeError) as caught:
            codec.from_json(form)
        assert SECRET not in str(caught.value)
        assert SECRET not in str(caught.value.cause)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_decode_error(data: bytes) -> None:
    value = outcome(codec.json_of, Response(200, {}, data))
    assert isinstance(value, DecodeError) or codec.from_json(codec.to_json(value)) == value


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ([], "an array"),
        ("x", "text"),
        (True, "a boolean"),
        (None, "null"),
        (1, "a number"),
        (1.5, "a number"),
    ],
)
def test_an_object_is_asked_for_and_nothing_else_is_taken(value: JSON, named: str) -> None:
    with pytest.raises(DecodeError, match=f"A JSON object was expected, but {named} came"):
        codec.object_of(answer(value))
    assert codec.object_of(answer({"a": value})) == {"a": value}


@pytest.mark.parametrize("value", [[], [{"id": "1"}], [{"id": "1"}, {}]])
def test_a_list_of_objects_may_stand_under_its_root(value: list[JSON]) -> None:
    assert codec.objects_of(answer(value)) == value
    assert codec.objects_of(answer(value), "clips") == value
    assert codec.objects_of(answer({"clips": value, "total": 9}), "clips") == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"other": []}, "A JSON array was expected, but an object came"),
        ({"clips": {}}, "A JSON array was expected, but an object came"),
        ({"clips": None}, "A JSON array was expected, but null came"),
        ("x", "A JSON array was expected, but text came"),
        ([{}, 1], "something else stands in it"),
    ],
)
def test_anything_else_is_no_list_of_objects(value: JSON, text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        codec.objects_of(answer(value), "clips")


# -- dates -----------------------------------------------------------------------------------------------

DATES = {
    "2014/11/05 13:45:14 +0000": datetime(2014, 11, 5, 13, 45, 14, tzinfo=UTC),
    "2009/10/13 21:11:05 +0100": datetime(2009, 10, 13, 20, 11, 5, tzinfo=UTC),
    "2014/11/05 13:45:14 -0730": datetime(2014, 11, 5, 21, 15, 14, tzinfo=UTC),
    "2014-11-05T13:45:14Z": datetime(2014, 11, 5, 13, 45, 14, tzinfo=UTC),
    "2014-11-05T13:45:14.250000+00:00": datetime(2014, 11, 5, 13, 45, 14, 250000, tzinfo=UTC),
    "2014-11-05T13:45:14-08:00": datetime(2014, 11, 5, 21, 45, 14, tzinfo=UTC),
    "2014-11-05 13:45:14+0000": datetime(2014, 11, 5, 13, 45, 14, tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "moment"), DATES.items())
def test_dates_of_both_shapes_and_any_offset_are_aware(text: str, moment: datetime) -> None:
    assert codec.parse_date(text) == moment
    assert codec.parse_date(text).tzinfo is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1415195114",
        "2014-11-05",
        "2014/11/05",
        "2014/11/05 13:45:14",
        "2014-11-05T13:45:14",
        "2014/13/05 13:45:14 +0000",
        "2014/11/05 25:45:14 +0000",
        "2014/11-05 13:45:14 +0000",
        "2014/11/05 13:45:14X+0000",
        "2014/11/05 13:45:14.5 +0000",
    ],
)
def test_what_is_no_date_or_has_no_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.parse_date(text)


offsets = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 2), datetime(2999, 12, 30), timezones=offsets)


@given(moments)
def test_a_date_in_the_services_shape_is_read_back_with_its_offset(moment: datetime) -> None:
    read = codec.parse_date(codec.format_date(moment))
    assert read == moment.replace(microsecond=0)
    assert read.utcoffset() == moment.utcoffset()


@given(moments)
def test_an_iso_date_is_read_back(moment: datetime) -> None:
    assert codec.parse_date(moment.isoformat()) == moment


@given(st.text(max_size=30) | st.text("0123456789/-:+ TZ.W", max_size=30))
def test_any_text_is_an_aware_date_or_a_value_error(text: str) -> None:
    moment = outcome(codec.parse_date, text)
    assert isinstance(moment, ValueError) or moment.tzinfo is not None


# -- single values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        (codec.read_text, "", ""),
        (codec.read_text, "a", "a"),
        (codec.read_text, 7, "7"),
        (codec.read_text, 7.5, "7.5"),
        (codec.read_text, True, "true"),
        (codec.read_text, False, "false"),
        (codec.read_text, None, None),
        (codec.read_int, 7, 7),
        (codec.read_int, -7, -7),
        (codec.read_int, 2**63, 2**63),
        (codec.read_int, 7.0, 7),
        (codec.read_int, 7.6, 8),
        (codec.read_int, "7", 7),
        (codec.read_int, "-7", -7),
        (codec.read_int, " 7 ", 7),
        (codec.read_int, "9007199254740993", 9007199254740993),
        (codec.read_int, "7.6", 8),
        (codec.read_int, "", None),
        (codec.read_int, None, None),
        (codec.read_float, 7, 7.0),
        (codec.read_float, 29.97, 29.97),
        (codec.read_float, "29.97", 29.97),
        (codec.read_float, "-1e3", -1000.0),
        (codec.read_float, "", None),
        (codec.read_float, None, None),
        (codec.read_bool, True, True),
        (codec.read_bool, False, False),
        (codec.read_bool, "true", True),
        (codec.read_bool, "False", False),
        (codec.read_bool, "1", True),
        (codec.read_bool, "0", False),
        (codec.read_bool, 1, True),
        (codec.read_bool, 0, False),
        (codec.read_bool, "", None),
        (codec.read_bool, None, None),
        (codec.read_date, "", None),
        (codec.read_date, None, None),
        (codec.read_number_or_text, 25, 25.0),
        (codec.read_number_or_text, 29.97, 29.97),
        (codec.read_number_or_text, "same_as_source", "same_as_source"),
        (codec.read_number_or_text, "", None),
        (codec.read_number_or_text, None, None),
        (codec.read_texts, None, []),
        (codec.read_texts, "", []),
        (codec.read_texts, ["a", 1, None, "b"], ["a", "1", "b"]),
    ],
)
def test_loose_values_are_read(read: Callable[[JSON], object], value: JSON, result: object) -> None:
    got = read(value)
    assert got == result
    assert type(got) is type(result)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (codec.read_text, []),
        (codec.read_text, {}),
        (codec.read_int, "seven"),
        (codec.read_int, "+-7"),
        (codec.read_int, True),
        (codec.read_int, [7]),
        (codec.read_int, float("nan")),
        (codec.read_float, "inf"),
        (codec.read_float, "1e999"),
        (codec.read_float, False),
        (codec.read_float, {}),
        (codec.read_bool, "yes"),
        (codec.read_bool, 2),
        (codec.read_bool, 1.0),
        (codec.read_bool, []),
        (codec.read_date, 1415195114),
        (codec.read_date, "soon"),
        (codec.read_number_or_text, True),
        (codec.read_number_or_text, []),
        (codec.read_texts, "a"),
        (codec.read_texts, {"a": "b"}),
        (codec.read_texts, [["a"]]),
    ],
)
def test_what_cannot_be_meant_is_refused(read: Callable[[JSON], object], value: JSON) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(value)


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (codec.read_text, str),
        (codec.read_int, int),
        (codec.read_float, float),
        (codec.read_bool, bool),
        (codec.read_date, datetime),
        (codec.read_number_or_text, float | str),
        (codec.read_texts, list),
    ],
)
@given(value=json_values)
def test_any_json_value_is_read_as_that_kind_or_refused(
    read: Callable[[JSON], object], kind: type, value: JSON
) -> None:
    assert isinstance(outcome(read, value), kind | None | ValueError | OverflowError)


@given(st.integers())
def test_whole_numbers_are_exact_as_numbers_and_as_text(number: int) -> None:
    assert codec.read_int(number) == number
    assert codec.read_int(str(number)) == number


# -- objects ---------------------------------------------------------------------------------------------

LOOSE: codec.Details = {
    "id": 17,
    "width": "640",
    "fps": "29.97",
    "rate": "same_as_source",
    "upscale": "false",
    "created_at": "2014/11/05 13:45:14 +0100",
    "files": ["a.mp4"],
    "extra": {"k": [1]},
    "unknown": {"kept": True},
}


def test_an_object_is_read_field_by_field_and_kept_as_it_came() -> None:
    clip = codec.structure(LOOSE, Clip)
    assert (clip.id, clip.width, clip.fps, clip.rate) == ("17", 640, 29.97, "same_as_source")
    assert (clip.upscale, clip.files, clip.extra) == (False, ["a.mp4"], {"k": [1]})
    assert clip.created_at == datetime(2014, 11, 5, 12, 45, 14, tzinfo=UTC)
    assert clip.details is LOOSE


@pytest.mark.parametrize("details", [{}, dict.fromkeys(["id", "width", "fps", "files", "extra"]), {"new": 1}])
def test_nothing_has_to_be_there(details: codec.Details) -> None:
    clip = codec.structure(details, Clip)
    assert (clip.id, clip.width, clip.fps, clip.rate, clip.upscale, clip.created_at) == (None,) * 6
    assert (clip.files, clip.extra) == ([], {})
    assert clip.details == details


def test_objects_without_anything_share_nothing() -> None:
    one, other = Clip(), Clip()
    one.details["a"] = 1
    one.files.append("a")
    assert (other.details, other.files) == ({}, [])


def test_parsers_read_one_object_or_a_list_of_them() -> None:
    assert codec.record_of(Clip)(answer(LOOSE)).width == 640
    clips = codec.records_of(Clip, "clips")(answer({"clips": [LOOSE, {}]}))
    assert [clip.width for clip in clips] == [640, None]


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({"id": "c1", "width": "wide"}, r"Clip c1 cannot be read: width: could not convert.*'wide'"),
        ({"width": [1]}, r"Clip  cannot be read: width: a number was expected, not an array"),
        ({"id": "c1", "upscale": "maybe"}, r"Clip c1 .*upscale: true or false was expected, not 'maybe'"),
        ({"id": "c1", "created_at": "2014-11-05"}, r"created_at: a date without time zone"),
        ({"id": "c1", "created_at": 5}, r"created_at: a date was expected, not a number"),
        ({"id": "c1", "files": "a"}, r"files: a list was expected, not text"),
        ({"id": "c1", "extra": []}, r"extra: an object was expected, not an array"),
        ({"id": {}}, r"id: text was expected, not an object"),
        ({"id": "c1", "fps": "inf"}, r"fps: a finite number was expected"),
        ({"id": "c1", "width": [], "fps": {}}, r"width: .*; fps: a number was expected, not an object"),
    ],
)
def test_a_field_of_the_wrong_type_is_named_with_its_object(details: codec.Details, text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        codec.structure(details, Clip)


@given(st.dictionaries(st.sampled_from([*LOOSE, "other"]), json_values))
def test_any_object_is_read_and_kept_or_refused_by_field(details: codec.Details) -> None:
    clip = outcome(codec.structure, details, Clip)
    if isinstance(clip, Clip):
        assert clip.details is details
    else:
        assert "cannot be read: " in str(clip)


@define(slots=False, eq=False)
class Reel(codec.Fields):
    """A field of a type that has no reader of its own."""

    sizes: list[int] = Factory(list[int])


def test_a_reader_serves_its_own_type_only() -> None:
    assert codec.structure({"sizes": ["1", 2]}, Reel).sizes == [1, 2]
