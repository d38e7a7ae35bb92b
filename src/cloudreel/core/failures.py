"""From an answer to the right exception class. PURE.

A service says what failed as a `Failure`; its `ErrorFamily` says which of its own classes that is.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cloudreel.core.call import Response
from cloudreel.errors import (
    ApiError,
    AuthenticationError,
    CloudReelError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServiceError,
)


@frozen
class Failure:
    """What a service refused, and why.

    ``category`` is one of the `ApiError` classes, ``name`` the service's own word or code for it,
    ``message`` its explanation (may be empty), ``retry_after`` seconds it asked to wait.
    """

    category: type[ApiError]
    message: str
    name: str = ""
    retry_after: float | None = None


@frozen
class ErrorFamily:
    """One service's exception classes by category.

    ``leaves`` maps a category of `cloudreel.errors` to the service's class for it, which derives from
    both ``root`` and the category.
    """

    root: type[CloudReelError]
    leaves: Mapping[type[CloudReelError], type[CloudReelError]]

    def leaf(self, category: type[CloudReelError]) -> type[CloudReelError]:
        """Return the service's class for ``category``, or for the nearest category above it."""
        for kind in category.__mro__:
            if kind in self.leaves:
                return self.leaves[kind]
        return self.root


def category_of(status_code: int) -> type[ApiError]:
    """Return the category of an HTTP status of 400 or more."""
    by_status: dict[int, type[ApiError]] = {
        401: AuthenticationError,
        403: AuthenticationError,
        404: NotFoundError,
        410: NotFoundError,
        429: RateLimitError,
    }
    if status_code in by_status:
        return by_status[status_code]
    return ServiceError if status_code >= 500 else InvalidRequestError


def read_status(response: Response) -> Failure | None:
    """Return the refusal that an answer is, if it is one, of what refuses by HTTP status alone."""
    if response.ok:
        return None
    return Failure(category_of(response.status_code), response.text[:200], retry_after=retry_after(response))


def retry_after(response: Response) -> float | None:
    """Return the seconds of a ``Retry-After`` header; a date, which needs a clock, is not understood."""
    value = response.headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() else None
