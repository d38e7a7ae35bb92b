"""The one retry decision, as a table and as properties over everything that can happen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core import retry
from cloudreel.core.call import Response
from cloudreel.core.failures import Failure, category_of
from cloudreel.core.retry import Loss, Refusal, decide, outcome_of
from cloudreel.errors import (
    ApiError,
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServiceError,
    TransportError,
)


def refusal(status: int, category: type[ApiError] | None = None, retry_after: float | None = None) -> Refusal:
    """Return a refusal, of the category of its status unless another is given."""
    return Refusal(status, Failure(category or category_of(status), "", retry_after=retry_after))


@pytest.mark.parametrize(
    ("outcome", "repeatable", "unrepeatable"),
    [
        (Loss.UNSENT, True, True),
        (Loss.UNKNOWN, True, False),
        (refusal(400), False, False),
        (refusal(401), False, False),
        (refusal(403), False, False),
        (refusal(404), False, False),
        (refusal(408), True, True),
        (refusal(410), False, False),
        (refusal(413), False, False),
        (refusal(429), True, True),
        (refusal(500), True, False),
        (refusal(502), True, False),
        (refusal(503), True, True),
        (refusal(504), True, False),
        # answers whose status says nothing: RPC codes (410 counts as 429, 200 as 5xx)
        (refusal(200, RateLimitError), True, True),
        (refusal(200, ServiceError), True, False),
        (refusal(200, NotFoundError), False, False),
        (refusal(200, InvalidRequestError), False, False),
        (refusal(500, AuthenticationError), False, False),
    ],
)
def test_what_is_repeated(outcome: Loss | Refusal, repeatable: bool, unrepeatable: bool) -> None:
    for may_repeat, again in ((True, repeatable), (False, unrepeatable)):
        delay = decide(1, outcome, repeatable=may_repeat, retries=2, jitter=0.0)
        assert (delay is not None) is again


@pytest.mark.parametrize(
    ("attempt", "earliest", "latest"),
    [
        (1, 0.25, 0.5),
        (2, 0.5, 1.0),
        (3, 1.0, 2.0),
        (4, 2.0, 4.0),
        (5, 4.0, 8.0),
        (6, 4.0, 8.0),
        (5000, 4.0, 8.0),
    ],
)
def test_pauses_double_up_to_a_limit_and_jitter_takes_half_of_them(
    attempt: int, earliest: float, latest: float
) -> None:
    def pause(jitter: float) -> float | None:
        return decide(attempt, Loss.UNSENT, repeatable=True, retries=attempt, jitter=jitter)

    assert pause(0.0) == earliest
    assert pause(0.5) == (earliest + latest) / 2
    assert pause(1.0) == latest


@pytest.mark.parametrize(
    ("asked", "pause"), [(0.0, 0.0), (0.5, 0.5), (7.0, 7.0), (10.0, 10.0), (10.5, 10.0), (86400.0, 10.0)]
)
@pytest.mark.parametrize("status", [429, 503, 500])
def test_the_service_may_ask_for_a_pause_of_ten_seconds_at_most(
    status: int, asked: float, pause: float
) -> None:
    outcome = refusal(status, retry_after=asked)
    assert decide(1, outcome, repeatable=True, retries=1, jitter=0.9) == pause


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(("headers", "asked"), [({"retry-after": "2"}, 2.0), ({}, None)])
def test_an_error_tells_what_its_call_came_to(
    status: int, headers: dict[str, str], asked: float | None
) -> None:
    error = category_of(status)("no", status=status, response=Response(status, headers, b""))
    assert outcome_of(error) == Refusal(status, Failure(type(error), "no", retry_after=asked))


def test_an_error_without_an_answer_tells_that_nobody_knows() -> None:
    assert outcome_of(TransportError("gone")) is Loss.UNKNOWN


outcomes = st.sampled_from(Loss) | st.builds(
    refusal,
    st.integers(200, 599),
    st.sampled_from(
        [AuthenticationError, NotFoundError, InvalidRequestError, RateLimitError, ServiceError, ApiError]
    ),
    st.none() | st.floats(0, 1e9),
)
attempts = st.integers(1, 10_000)
jitters = st.floats(0, 1, exclude_max=True)


@given(attempts, outcomes, st.booleans(), st.integers(0, 10), jitters)
def test_a_pause_is_short_and_there_are_never_more_attempts_than_allowed(
    attempt: int, outcome: Loss | Refusal, repeatable: bool, retries: int, jitter: float
) -> None:
    delay = decide(attempt, outcome, repeatable=repeatable, retries=retries, jitter=jitter)
    if attempt > retries:
        assert delay is None
    assert delay is None or 0 <= delay <= retry.LONGEST_RETRY_AFTER


@given(attempts, st.integers(0, 20_000), jitters)
def test_what_may_have_been_acted_on_is_never_sent_again(attempt: int, retries: int, jitter: float) -> None:
    assert decide(attempt, Loss.UNKNOWN, repeatable=False, retries=retries, jitter=jitter) is None


@given(attempts, outcomes, jitters)
def test_whatever_may_not_be_repeated_is_repeated_only_where_the_repeatable_is(
    attempt: int, outcome: Loss | Refusal, jitter: float
) -> None:
    cautious = decide(attempt, outcome, repeatable=False, retries=attempt, jitter=jitter)
    bold = decide(attempt, outcome, repeatable=True, retries=attempt, jitter=jitter)
    assert cautious in (None, bold)


@given(st.integers(1, 20), jitters, jitters)
def test_more_jitter_never_means_a_shorter_pause(attempt: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    pauses = [
        decide(attempt, Loss.UNSENT, repeatable=True, retries=20, jitter=jitter) for jitter in (low, high)
    ]
    assert pauses[0] is not None
    assert pauses[1] is not None
    assert pauses[0] <= pauses[1] <= retry.LONGEST_DELAY
    assert pauses[1] <= 2 * pauses[0]
