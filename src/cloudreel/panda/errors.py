"""Panda's exceptions: the old client's one name, and a leaf of it for each category."""

from __future__ import annotations

from cloudreel import errors
from cloudreel.core.failures import ErrorFamily


class PandaError(errors.CloudReelError):
    """Anything that went wrong with Panda.

    ``response`` is the service's answer (``.status_code``, ``.body``), None where nothing came back.
    """


class PandaApiError(PandaError, errors.ApiError):
    """The service refused the call."""


class NotAuthorized(PandaError, errors.AuthenticationError):
    """The access key, the signature or its time is not accepted."""


class RecordNotFound(PandaError, errors.NotFoundError):
    """There is no such cloud, video, encoding or profile."""


class BadRequest(PandaError, errors.InvalidRequestError):
    """The service, or the client before it, does not accept the arguments."""


class RateLimited(PandaError, errors.RateLimitError):
    """Too many calls; ``retry_after`` says when to go on, in seconds."""


class InternalError(PandaError, errors.ServiceError):
    """The service failed while it worked on the call."""


class EncodingFailed(PandaError, errors.JobFailed):
    """A video or an encoding ended in failure; ``job`` is it."""


class ConnectionFailed(PandaError, errors.TransportError):
    """No usable answer came back."""


class NoAnswer(PandaError, errors.RequestTimedOut):
    """No answer came back in time."""


class UnreadableAnswer(PandaError, errors.DecodeError):
    """The service's answer is not what the protocol says."""


class UploadFailed(PandaError, errors.UploadError):
    """An upload cannot go on; ``ticket`` continues it where that makes sense."""


class WaitTimedOut(PandaError, errors.TimedOut):
    """A video or an encoding was not ready in time; it may still become so."""


FAMILY = ErrorFamily(
    PandaError,
    {
        errors.ApiError: PandaApiError,
        errors.AuthenticationError: NotAuthorized,
        errors.NotFoundError: RecordNotFound,
        errors.InvalidRequestError: BadRequest,
        errors.RateLimitError: RateLimited,
        errors.ServiceError: InternalError,
        errors.JobFailed: EncodingFailed,
        errors.TransportError: ConnectionFailed,
        errors.RequestTimedOut: NoAnswer,
        errors.DecodeError: UnreadableAnswer,
        errors.UploadError: UploadFailed,
        errors.TimedOut: WaitTimedOut,
    },
)
