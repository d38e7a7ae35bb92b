"""From statuses and service words to exception classes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel import errors
from cloudreel.core.call import Response
from cloudreel.core.failures import ErrorFamily, Failure, category_of, retry_after


class Root(errors.CloudReelError):
    """A service's root."""


class Missing(Root, errors.NotFoundError):
    """A service's leaf."""


class Refused(Root, errors.ApiError):
    """A service's leaf for all other refusals."""


FAMILY = ErrorFamily(Root, {errors.NotFoundError: Missing, errors.ApiError: Refused})


@pytest.mark.parametrize(
    ("category", "leaf"),
    [
        (errors.NotFoundError, Missing),
        (errors.ServiceError, Refused),
        (errors.ApiError, Refused),
        (errors.TransportError, Root),
        (errors.RequestTimedOut, Root),
        (errors.CloudReelError, Root),
    ],
)
def test_the_leaf_is_that_of_the_category_or_of_the_nearest_above(
    category: type[errors.CloudReelError], leaf: type[errors.CloudReelError]
) -> None:
    assert FAMILY.leaf(category) is leaf


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (400, errors.InvalidRequestError),
        (401, errors.AuthenticationError),
        (403, errors.AuthenticationError),
        (404, errors.NotFoundError),
        (408, errors.InvalidRequestError),
        (410, errors.NotFoundError),
        (413, errors.InvalidRequestError),
        (422, errors.InvalidRequestError),
        (429, errors.RateLimitError),
        (499, errors.InvalidRequestError),
        (500, errors.ServiceError),
        (503, errors.ServiceError),
        (599, errors.ServiceError),
        (999, errors.ServiceError),
    ],
)
def test_statuses_have_categories(status: int, category: type[errors.ApiError]) -> None:
    assert category_of(status) is category


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("\u0663", None),
        ("\u00b2", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_understood_in_seconds(header: str, seconds: float | None) -> None:
    assert retry_after(Response(429, {"retry-after": header}, b"")) == seconds


def test_without_a_header_nothing_was_asked() -> None:
    assert retry_after(Response(429, {}, b"")) is None


@given(st.text())
def test_no_header_is_too_strange(header: str) -> None:
    seconds = retry_after(Response(429, {"retry-after": header}, b""))
    assert seconds is None or seconds >= 0


def test_a_failure_needs_no_more_than_a_category_and_a_message() -> None:
    failure = Failure(errors.ServiceError, "broken")
    assert (failure.name, failure.retry_after) == ("", None)
