"""How a command ends: exit codes, and errors as people and as machines read them. PURE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cloudreel.errors import (
    AuthenticationError,
    CloudReelError,
    NotFoundError,
    RateLimitError,
    ServiceError,
    TransportError,
)

DONE: Final = 0
FAILED: Final = 1
"""What was asked for could not be done; also a refused signature and a failed encoding."""
USAGE: Final = 2
"""The command line or the environment makes no sense."""
CREDENTIALS: Final = 3
"""The service does not accept the credentials."""
NOT_FOUND: Final = 4
"""There is no such video, file or factory."""
UNAVAILABLE: Final = 5
"""No usable answer: the network, or the service itself; the same command may succeed later."""
INTERRUPTED: Final = 130
"""Ctrl-C."""
TERMINATED: Final = 143
"""SIGTERM."""

_BY_ERROR: tuple[tuple[type[Exception], int], ...] = (
    (AuthenticationError, CREDENTIALS),
    (NotFoundError, NOT_FOUND),
    (FileNotFoundError, NOT_FOUND),
    (TransportError, UNAVAILABLE),
    (RateLimitError, UNAVAILABLE),
    (ServiceError, UNAVAILABLE),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), FAILED)


def worst(errors: Iterable[BaseException]) -> int:
    """Return the exit code for several errors: that of all of them if they agree, 1 otherwise, 0 for none."""
    codes = {exit_code(error) for error in errors}
    if not codes:
        return DONE
    return codes.pop() if len(codes) == 1 else FAILED


def sentence(error: BaseException) -> str:
    """Return what went wrong in one line; errors of the system name their file first."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def record(error: BaseException, code: int) -> dict[str, object]:
    """Return an error as one JSON object."""
    found: dict[str, object] = {"type": type(error).__name__, "message": sentence(error), "exit_code": code}
    if isinstance(error, CloudReelError):
        told = {"status": error.status, "request_id": error.request_id, "attempts": error.attempts}
        found |= {name: value for name, value in told.items() if value is not None}
    return found
