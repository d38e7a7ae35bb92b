"""Objects that are alike are read a column at a time, to the same values as field by field."""

from __future__ import annotations

from datetime import datetime

from hypothesis import example, given
from hypothesis import strategies as st

from cloudreel.core import codec
from cloudreel.core.call import JSON
from cloudreel.core.shapes import Field, read_all, read_dates, read_floats, read_objects

EVERY = [
    Field("text", codec.read_text, frozenset({str, type(None)})),
    Field("whole", codec.read_int, frozenset({int, type(None)})),
    Field("number", codec.read_float, frozenset({type(None)}), read_floats),
    Field("flag", codec.read_bool, frozenset({bool, type(None)})),
    Field("moment", codec.read_date, frozenset({type(None)}), read_dates),
    Field("texts", codec.read_texts),
]
Made = tuple[codec.Details, *tuple[object, ...]]

values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["2014/11/05 13:45:14 +0000", "2014-11-05T13:45:14Z", "12", "1.5", "true"])
    | st.lists(st.text(max_size=2) | st.integers(), max_size=2)
)
objects = st.dictionaries(st.sampled_from([*(field.name for field in EVERY), "other"]), values)


def made(details: codec.Details, *read: object) -> Made:
    return (details, *read)


def one_by_one(found: list[codec.Details], fields: list[Field]) -> list[Made] | type[Exception]:
    try:
        return [made(details, *read_all(details, fields)) for details in found]
    except (ValueError, OverflowError) as error:
        return type(error)


def at_once(found: list[codec.Details], fields: list[Field]) -> list[Made] | type[Exception]:
    try:
        return read_objects(made, found, fields)
    except (ValueError, OverflowError) as error:
        return type(error)


@given(st.lists(objects, max_size=4), st.integers(0, len(EVERY)))
def test_all_at_once_is_as_one_by_one(found: list[codec.Details], count: int) -> None:
    assert repr(at_once(found, EVERY[:count])) == repr(one_by_one(found, EVERY[:count]))


@given(objects, st.integers(1, 3))
def test_so_it_is_of_objects_that_are_all_alike(one: codec.Details, count: int) -> None:
    found = [dict(one) for _ in range(count)]
    assert repr(at_once(found, EVERY)) == repr(one_by_one(found, EVERY))


def test_values_of_subclasses_are_read() -> None:
    class Loud(str):
        def __str__(self) -> str:
            return self.upper()

    seen: list[JSON] = []
    fields = [Field("a", seen.append, frozenset({str})), Field("b", seen.append, frozenset({str}))]
    read_objects(made, [{"a": Loud("x"), "b": "y"}], fields)
    assert seen == ["x"]


texts = st.text("0123456789/-:+ TZ.W", min_size=19, max_size=27)
digits = st.text("0123456789", min_size=2, max_size=2)
nearly = st.builds(
    "{}{}/{}{}{}{}{}{}:{} {}{}{}".format,
    digits,
    digits,
    digits,
    st.sampled_from("/-+W"),
    digits,
    st.sampled_from([" ", "T", " +", "+", "/"]),
    digits,
    st.sampled_from(":/-+Z."),
    digits,
    st.sampled_from("+-"),
    digits,
    st.sampled_from(["00", ":00", "/00", "+00", "", " +00"]),
)


@given(texts | nearly)
@example("2014/11/05T13:45:14 +0000")
@example("2014/11/05 13/45/14 +0000")
@example("2014/W45/3 13:45:14 +0000")
@example("2014/11/05 +134514Z +0000")
@example("2014/11/05 13:45:14 +00/00")
@example("2014/11/05 13:45:14 +0000 +0000")
def test_dates_are_read_in_one_pass_as_with_care(text: str) -> None:
    assert moment_of(codec.read_date, text) == moment_of(codec.parse_date, text)


@given(
    st.lists(texts | nearly | st.sampled_from(["2014/11/05 13:45:14 +0000", "2014/11/05 13\n45:14 +0000"]))
)
@example(["2014/11/05 13:45:14 +000", "\n2014/11/05 13:45:14 +0000"])
@example(["2014/11/05 13:45:14 +0000", "2015/11/05T13:45:14 +0530"])
def test_many_dates_are_read_as_each_of_them(found: list[str]) -> None:
    try:
        read = read_dates(found)
    except ValueError:
        assert any(moment_of(codec.parse_date, text) is None for text in found)
    else:
        assert read is None or repr(read) == repr([codec.parse_date(text) for text in found])


def test_dates_as_the_service_writes_them_are_read_at_once() -> None:
    assert read_dates(["2014/11/05 13:45:14 +0000", "2014/11/05 13:45:15 +0000"]) is not None


def test_numbers_are_read_at_once_where_all_are_finite() -> None:
    numbers: list[JSON] = [1.5, None, 0.0]
    assert read_floats(numbers) is numbers
    assert read_floats([1.5, float("inf")]) is None
    assert read_floats([1.5, 1]) is None


def moment_of(read: object, text: str) -> tuple[datetime, object] | None:
    assert callable(read)
    try:
        moment = read(text)
    except ValueError:
        return None
    assert isinstance(moment, datetime)
    return moment, moment.utcoffset()
