"""The window against every history of arrivals and troubles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.uploads.window import Window

LIMITS = st.integers(1, 64)
HISTORIES = st.lists(st.tuples(st.sampled_from(["arrived", "troubled"]), st.booleans()), max_size=200)


def live(window, history):
    """Let parts begin and end; a part told late began before what happened last."""
    mark = window.begin()
    for what, late in history:
        mark = mark if late else window.begin()
        getattr(window, what)(mark)
        yield what


@given(LIMITS, HISTORIES)
def test_it_stays_between_one_and_the_limit(limit, history):
    window = Window(limit)
    assert window.size == limit
    for _ in live(window, history):
        assert 1 <= window.size <= limit


@given(LIMITS, HISTORIES)
def test_arrivals_never_shrink_it_and_trouble_never_grows_it(limit, history):
    window = Window(limit)
    before = window.size
    for what in live(window, history):
        assert window.size >= before if what == "arrived" else window.size <= before
        before = window.size


@given(LIMITS, HISTORIES)
def test_after_any_history_it_grows_back_by_one_per_window_at_least(limit, history):
    window = Window(limit)
    for _ in live(window, history):
        pass
    while (size := window.size) < limit:
        for _ in range(size + 1):
            window.arrived(window.begin())
        assert window.size > size


@pytest.mark.parametrize(("limit", "sizes"), [(16, [8, 4, 2, 1, 1]), (5, [2, 1, 1]), (1, [1, 1])])
def test_trouble_halves_it(limit, sizes):
    window = Window(limit)
    found = []
    for _ in sizes:
        window.troubled(window.begin())
        found.append(window.size)
    assert found == sizes


@given(LIMITS, st.integers(2, 64))
def test_parts_that_began_together_halve_it_once(limit, parts):
    window = Window(limit)
    marks = [window.begin() for _ in range(parts)]
    for mark in marks:
        window.troubled(mark)
    assert window.size == max(1, limit // 2)


def test_what_began_before_the_trouble_says_nothing_of_the_line_after_it():
    window = Window(8)
    early = window.begin()
    window.troubled(window.begin())
    for _ in range(100):
        window.arrived(early)
    assert window.size == 4
