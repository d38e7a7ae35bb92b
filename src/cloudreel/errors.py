"""Every error cloudreel raises, in one tree.

::

    CloudReelError                  the root: `except CloudReelError` catches whatever the SDK raises
      TransportError                no usable answer came back: refused, reset, unresolvable
        RequestTimedOut             (also TimedOut) nothing came back in time
      ApiError                      the service answered, and the answer is a refusal
        AuthenticationError         wrong key, wrong signature, expired signature
        NotFoundError               no such object
        InvalidRequestError         the service does not accept the request as it is
        RateLimitError              too many calls; `retry_after` says when
        ServiceError                the service failed; the call may be repeated later
        JobFailed                   an encoding, video or job ended in failure; `job` is it
      DecodeError                   an answer or a notification that cannot be read
      UploadError                   an upload cannot go on; `ticket` continues it
      SigningError                  (also ValueError) what was to be signed is malformed
      TimedOut                      (also the builtin TimeoutError) a wait ran out of time
      WrongEventLoopError           a client was used on another event loop, or after a fork

Each service adds its old client's names as classes that mix its own root with one of these.
"""

from __future__ import annotations

__all__ = [
    "ApiError",
    "AuthenticationError",
    "CloudReelError",
    "DecodeError",
    "InvalidRequestError",
    "JobFailed",
    "NotFoundError",
    "RateLimitError",
    "RequestTimedOut",
    "ServiceError",
    "SigningError",
    "TimedOut",
    "TransportError",
    "UploadError",
    "WrongEventLoopError",
]

TYPE_CHECKING = False  # known to type checkers by name; `typing` takes longer to import than signing does
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Answer(Protocol):
        """What an error keeps of the service's answer."""

        @property
        def status_code(self) -> int:
            """The HTTP status."""
            ...

        @property
        def headers(self) -> Mapping[str, str]:
            """The headers, names in lower case."""
            ...

        @property
        def body(self) -> bytes:
            """The body as it came."""
            ...

        @property
        def text(self) -> str:
            """The body as text."""
            ...

    class Resumable(Protocol):
        """What an error keeps of an upload that it stopped."""

        def to_json(self) -> str:
            """Return the ticket as text that another process can go on with."""
            ...


class CloudReelError(Exception):
    """The root of every error cloudreel raises.

    ``method``, ``url`` (redacted), ``status``, ``request_id`` and ``attempts`` say which call failed and
    how; they are None where no call was made. ``response`` is the last answer, if one came back.
    ``ticket`` continues an upload that this error stopped. Errors pickle without secrets.
    """

    method: str | None = None
    url: str | None = None
    status: int | None = None
    request_id: str | None = None
    attempts: int | None = None
    response: Answer | None = None
    ticket: Resumable | None = None
    _cause_text: str | None = None

    def __init__(self, message: str = "", **context: object) -> None:
        super().__init__(message)
        for name, value in context.items():
            setattr(self, name, value)

    @property
    def message(self) -> str:
        """What happened, to what, and what to do about it."""
        return str(self.args[0]) if self.args else ""

    @message.setter
    def message(self, text: str) -> None:
        self.args = (text, *self.args[1:])

    @property
    def cause(self) -> str | None:
        """The text of the error underneath, also after pickling (when ``__cause__`` is gone)."""
        if self.__cause__ is not None:
            return f"{type(self.__cause__).__name__}: {self.__cause__}"
        return self._cause_text

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        state: dict[str, object] = {
            name: value.redacted() if hasattr(value, "redacted") else value  # a copy without secrets
            for name, value in self.__dict__.items()
            if not name.startswith("__")
        }
        state["_cause_text"] = self.cause
        return _rebuild, (type(self), self.args, state)


def _rebuild(
    kind: type[CloudReelError], args: tuple[object, ...], state: Mapping[str, object]
) -> CloudReelError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class TimedOut(CloudReelError, TimeoutError):
    """A wait ran out of time; what was waited for may still happen."""


class TransportError(CloudReelError):
    """No usable answer came back: the connection was refused, reset or never made."""


class RequestTimedOut(TransportError, TimedOut):
    """No answer came back in time; the service may or may not have acted."""


class ApiError(CloudReelError):
    """The service answered, and the answer is a refusal."""


class AuthenticationError(ApiError):
    """The service does not accept the credentials or the signature."""


class NotFoundError(ApiError):
    """The service knows no such object."""


class InvalidRequestError(ApiError):
    """The service does not accept the request as it is."""


class RateLimitError(ApiError):
    """Too many calls in too short a time."""

    retry_after: float | None = None


class ServiceError(ApiError):
    """The service failed while it worked on the call."""


class JobFailed(ApiError):
    """An encoding, a video or a job ended in failure.

    ``job`` is the object that failed; a pickled error carries the fields of it.
    """

    job: object = None


class DecodeError(CloudReelError):
    """An answer or a notification cannot be read."""


class UploadError(CloudReelError):
    """An upload cannot go on as it stands; ``ticket`` continues it where that makes sense."""


class SigningError(CloudReelError, ValueError):
    """What was to be signed is malformed; nothing was signed."""


class WrongEventLoopError(CloudReelError, RuntimeError):
    """A client was used on another event loop than before, or in a forked child."""
