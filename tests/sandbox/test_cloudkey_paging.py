"""The pure parts of CloudKey's stand-in: pages, orders, arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.sandbox.cloudkey.errors import CallError
from cloudreel.sandbox.cloudkey.methods import Method
from cloudreel.sandbox.cloudkey.paging import envelope, filtered, found, lookup, ordered
from cloudreel.sandbox.cloudkey.rpc import OBJECTS
from cloudreel.sandbox.cloudkey_rest.rest import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Callable

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
METHODS = [
    method for table in (OBJECTS, NAMESPACES) for object in table.values() for method in object.values()
]


def outcome(read: Callable[[], dict[str, Any]]) -> dict[str, Any] | int:
    """Return what was read, or the code of the error."""
    try:
        return read()
    except CallError as error:
        return error.code


@given(st.integers(0, 60), st.integers(1, 100))
def test_pages_together_are_the_list(count: int, per_page: int) -> None:
    items = [{"no": number} for number in range(count)]
    pages = envelope(items, lambda item: item, page=1, per_page=per_page)["pages"]
    together = [
        item
        for page in range(1, pages + 1)
        for item in envelope(items, lambda item: item, page=page, per_page=per_page)["list"]
    ]
    assert together == items
    assert envelope(items, lambda item: item, page=pages + 1, per_page=per_page)["on_this_page"] == 0


@given(st.sampled_from(METHODS), st.data())
def test_arguments_are_right_or_refused(method: Method, data: st.DataObject) -> None:
    names = st.sampled_from([*method.parameters, "other"])
    args = data.draw(st.dictionaries(names, json_values, max_size=4))
    assert outcome(lambda: method.checked(args)) in (630, args)


@given(st.sampled_from(METHODS), st.data())
def test_query_arguments_are_right_or_refused(method: Method, data: st.DataObject) -> None:
    names = st.sampled_from([*method.parameters, "other"])
    texts = (
        st.text(max_size=8)
        | json_values.map(str)
        | st.sampled_from(["null", "true", "0", "{}", '["a"]', "[1]"])
    )
    query = data.draw(st.dictionaries(names, texts, max_size=4))
    values = outcome(lambda: method.read(query))
    assert values in {630, 650} if isinstance(values, int) else values.keys() <= method.parameters.keys()


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b.c"]), json_values, max_size=2), max_size=6))
def test_any_values_can_be_ordered(metas: list[dict[str, Any]]) -> None:
    views = [{"id": str(no), "created": 1, "meta": meta} for no, meta in enumerate(metas)]
    for direction in (1, -1):
        once = ordered(views, [["meta.a", direction], ["created", 1]])
        assert sorted(view["id"] for view in once) == sorted(view["id"] for view in views)
        assert ordered(once, [["meta.a", direction]]) == once
    assert found(views, "") == views[::-1]
    assert filtered(views, {}) == views


def test_paths_lead_through_maps() -> None:
    view = {"meta": {"a.b": 1, "c": {"d": 2}}, "id": "x"}
    assert lookup(view, "meta.a.b") == 1
    assert lookup(view, "meta.c.d") == 2
    assert lookup(view, "id.x") is None
    assert lookup(view, "nothing") is None


def test_a_parameter_of_no_known_type_is_noticed_at_once() -> None:
    def method(caller: object, when: complex) -> None:
        raise AssertionError(when)

    with pytest.raises(TypeError, match="complex"):
        Method.of("method", method)
