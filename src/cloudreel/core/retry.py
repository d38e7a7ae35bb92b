"""May a failed attempt be repeated, and when? One decision for every service. PURE."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from cloudreel.core.call import Response
from cloudreel.core.failures import Failure, retry_after
from cloudreel.errors import ApiError, CloudReelError, RateLimitError, ServiceError

FIRST_DELAY = 0.25
LONGEST_DELAY = 8.0
LONGEST_RETRY_AFTER = 10.0


class Loss(Enum):
    """How an attempt came to nothing when no answer says so."""

    UNSENT = "unsent"  # no connection: the service has not seen the request
    UNKNOWN = "unknown"  # the connection broke or timed out: the service may have acted


@frozen
class Refusal:
    """An answer that is a failure, with its HTTP status."""

    status_code: int
    failure: Failure


def outcome_of(error: CloudReelError) -> Loss | Refusal:
    """Return what a call came to that has ended in an error, for who repeats it as a whole."""
    if not isinstance(error, ApiError):
        return Loss.UNKNOWN
    asked = retry_after(error.response) if isinstance(error.response, Response) else None
    return Refusal(error.status or 0, Failure(type(error), error.message, retry_after=asked))


def decide(
    attempt: int, outcome: Loss | Refusal, *, repeatable: bool, retries: int, jitter: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    A call that is not ``repeatable`` is sent again only when the service cannot have acted on it: it
    never saw it, or it said that it did not take it (408, 429, 503).

    Args:
        attempt: the number of the attempt that failed, from 1.
        outcome: what became of it.
        repeatable: whether sending the call twice does no harm.
        retries: how many attempts may follow the first.
        jitter: a random number in [0, 1) that spreads the clients of a fleet.
    """
    if attempt > retries:
        return None
    if outcome is Loss.UNKNOWN and not repeatable:
        return None
    if isinstance(outcome, Refusal) and not _may_repeat(outcome, repeatable):
        return None
    asked = outcome.failure.retry_after if isinstance(outcome, Refusal) else None
    if asked is not None:
        return min(asked, LONGEST_RETRY_AFTER)
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempt, 16))
    return ceiling * (0.5 + jitter / 2)


def _may_repeat(refusal: Refusal, repeatable: bool) -> bool:
    if refusal.status_code in (408, 429, 503) or issubclass(refusal.failure.category, RateLimitError):
        return True
    return repeatable and issubclass(refusal.failure.category, ServiceError)
