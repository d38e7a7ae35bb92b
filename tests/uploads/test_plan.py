"""Parts and progress, without a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.uploads.plan import Part, Plan, Progress, count_parts


@pytest.mark.parametrize(
    ("size", "part_size", "parts", "last"),
    [
        (45_000_000, 10_000_000, 5, 5_000_000),  # telestream.md 11.16
        (1, 10, 1, 1),
        (10, 10, 1, 10),
        (11, 10, 2, 1),
        (20, 10, 2, 10),
    ],
)
def test_parts_of_a_size(size, part_size, parts, last):
    plan = Plan(size, part_size)
    assert count_parts(size, part_size) == plan.parts == plan.waiting == parts
    assert plan.smallest() == Part(parts - 1, (parts - 1) * part_size, last)


@given(st.integers(1, 500), st.integers(1, 60))
def test_parts_cover_every_byte_once(size, part_size):
    plan = Plan(size, part_size)
    end = 0
    indices = []
    while (part := plan.next()) is not None:
        assert part.offset == end
        assert 0 < part.length <= part_size
        end += part.length
        indices.append(part.index)
    assert end == size
    assert indices == list(range(plan.parts))
    assert plan.waiting == 0


def test_only_what_is_missing_is_handed_out_in_order():
    plan = Plan(45, 10)
    plan.next()
    plan.missing_is({3, 0, 4})
    assert plan.waiting == 3
    assert [plan.next(), plan.next(), plan.next(), plan.next()] == [
        Part(0, 0, 10),
        Part(3, 30, 10),
        Part(4, 40, 5),
        None,
    ]
    assert plan.progress(0).bytes_confirmed == 20


@given(st.frozensets(st.integers(0, 1999)))
def test_whatever_is_missing_comes_in_order(indices):
    plan = Plan(2000, 1)
    plan.missing_is(indices)
    handed_out = [part.index for part in iter(plan.next, None)]
    assert handed_out == sorted(indices)


def test_the_services_word_outweighs_its_acknowledgement_but_not_the_progress():
    plan = Plan(45, 10)
    for index in range(5):
        plan.confirm(index)
    assert plan.confirmed
    plan.missing_is([1])
    assert not plan.confirmed
    assert plan.next() == Part(1, 10, 10)
    assert plan.progress(0).bytes_confirmed == 45
    plan.confirm(1)
    plan.confirm(1)
    assert plan.confirmed
    assert plan.progress(0) == Progress(45, 45, 45, 5, 5, None, 0.0)


def test_a_repeated_attempt_is_counted_once():
    plan = Plan(45, 10)
    plan.sent(0, 8)
    plan.sent(0, 3)
    plan.sent(0, 8)
    assert plan.progress(0).bytes_sent == 8
    plan.sent(0, 10)
    plan.confirm(0)
    plan.sent(0, 5)
    assert plan.progress(0).bytes_sent == 10
    assert plan.progress(0).bytes_confirmed == 10


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sent"), st.integers(0, 6), st.integers(0, 10)),
        st.tuples(st.just("confirm"), st.integers(0, 6), st.just(0)),
        st.tuples(st.just("missing"), st.frozensets(st.integers(0, 6)), st.integers(0, 4)),
        st.tuples(st.just("wait"), st.floats(0, 100), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_progress_never_goes_backwards_nor_beyond_the_whole(steps):
    plan = Plan(65, 10)
    now = 100.0
    plan.start_clock(now)
    before = plan.progress(now)
    for step, value, count in steps:
        if step == "sent":
            plan.sent(value, min(count, plan.part(value).length))
        elif step == "confirm":
            plan.confirm(value)
        elif step == "missing":
            plan.missing_is(value, count if value else 0)
        else:
            now += value
        after = plan.progress(now)
        assert before.bytes_sent <= after.bytes_sent <= 65
        assert before.bytes_confirmed <= after.bytes_confirmed <= after.bytes_sent
        assert before.parts_done <= after.parts_done <= after.parts == 7
        assert after.rate is None or after.rate >= 0
        assert after.eta is None or after.eta >= 0
        before = after


def test_a_part_may_go_on_in_its_middle():
    plan = Plan(45, 10)
    plan.confirm(0)
    plan.sent(1, 10)
    plan.missing_is(range(1, 5), 7)
    assert plan.next() == Part(1, 17, 3)
    assert plan.progress(0).bytes_confirmed == plan.bytes_confirmed == 17
    assert plan.progress(0).bytes_sent == 20
    plan.sent(1, 3)
    plan.confirm(1)
    assert plan.next() == Part(2, 20, 10)
    plan.sent(2, 4)
    plan.missing_is(range(4, 5), 3)
    assert plan.next() == Part(4, 43, 2)
    assert plan.next() is None
    assert not plan.sent_whole
    plan.confirm(4)
    assert plan.sent_whole
    assert plan.progress(0) == Progress(45, 45, 45, 5, 5, None, 0.0)


@given(st.integers(1, 200), st.integers(1, 30), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30))))
def test_a_stream_goes_on_at_any_byte(size, part_size, turns):
    plan = Plan(size, part_size)
    most = 0
    for held, sent in turns:
        held = min(held, size)
        most = max(most, held)
        missing = range(held // part_size if held < size else plan.parts, plan.parts)
        plan.missing_is(missing, held % part_size if missing else 0)
        part = plan.next()
        progress = plan.progress(0)
        assert (part.offset if part else size) == held
        assert (part is None) == plan.confirmed == (held == size)
        assert progress.bytes_confirmed == most
        assert most <= progress.bytes_sent <= size
        if part is not None:
            before = progress.bytes_sent
            plan.sent(part.index, min(sent, part.length))
            assert before <= plan.progress(0).bytes_sent <= before + sent


@given(st.lists(st.integers(0, 6)))
def test_confirmed_is_the_sum_of_confirmed_parts(indices):
    plan = Plan(65, 10)
    for index in indices:
        plan.confirm(index)
    progress = plan.progress(0)
    assert progress.bytes_confirmed == sum(plan.part(index).length for index in set(indices))
    assert progress.parts_done == len(set(indices))


def test_rate_and_time_left():
    plan = Plan(1000, 100)
    plan.start_clock(50.0)
    assert plan.progress(50.0).rate is None
    assert plan.progress(50.0).eta is None
    plan.confirm(0)
    assert plan.progress(50.1).rate is None
    steady = plan.progress(51.0)
    assert steady.rate == pytest.approx(100)
    assert steady.eta == pytest.approx(9)
    plan.confirm(1)
    plan.confirm(2)
    faster = plan.progress(52.0)
    assert 100 < faster.rate < 200
    slower = plan.progress(60.0)
    assert 0 < slower.rate < faster.rate


def test_what_the_service_held_before_says_nothing_of_the_rate():
    plan = Plan(1000, 100)
    plan.start_clock(0.0)
    plan.missing_is({9})
    plan.sent(9, 50)
    assert plan.progress(1.0).rate == pytest.approx(50)


def test_a_pause_says_nothing_of_the_rate():
    plan = Plan(1000, 100)
    plan.start_clock(0.0)
    plan.confirm(0)
    assert plan.progress(1.0).rate == pytest.approx(100)
    plan.start_clock(1000.0)
    assert plan.progress(1000.1).rate == pytest.approx(100)


def test_a_hundred_thousand_parts_take_no_more_steps_each_than_ten():
    plan = Plan(100_000, 1)
    while (part := plan.next()) is not None:
        plan.sent(part.index, 1)
        plan.confirm(part.index)
        plan.progress(float(part.index))
    assert plan.confirmed
    plan.missing_is(range(50_000))
    assert plan.waiting == 50_000
