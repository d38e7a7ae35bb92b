"""Flix Cloud's exceptions: one root, and a leaf of it for each category. PURE.

The old client had none: it answered False and kept a list of texts, which is ``errors`` here.
"""

from __future__ import annotations

from cloudreel import errors
from cloudreel.core.failures import ErrorFamily


class FlixCloudError(errors.CloudReelError):
    """Anything that went wrong with Flix Cloud.

    ``errors`` has each reason that the service, or the validation before it, gave. ``response`` is the
    service's answer, None where nothing came back.
    """

    errors: tuple[str, ...] = ()


class FlixCloudApiError(FlixCloudError, errors.ApiError):
    """The service refused the call."""


class AccessDenied(FlixCloudError, errors.AuthenticationError):
    """The API key is not accepted."""


class JobNotFound(FlixCloudError, errors.NotFoundError):
    """There is no such job, or no Flix Cloud at this address."""


class JobRefused(FlixCloudError, errors.InvalidRequestError):
    """The service, or the validation before it, does not accept the job."""


class UnknownParameter(JobRefused, TypeError):
    """A job has no parameter of this name; nothing was sent."""


class RateLimited(FlixCloudError, errors.RateLimitError):
    """Too many calls; ``retry_after`` says when to go on, in seconds."""


class InternalError(FlixCloudError, errors.ServiceError):
    """The service failed while it worked on the call."""


class TranscodingFailed(FlixCloudError, errors.JobFailed):
    """A job failed or was cancelled; ``job`` is its last status."""


class ConnectionFailed(FlixCloudError, errors.TransportError):
    """No usable answer came back."""


class NoAnswer(FlixCloudError, errors.RequestTimedOut):
    """No answer came back in time."""


class UnreadableAnswer(FlixCloudError, errors.DecodeError):
    """The service's answer is not what the protocol says."""


class WaitTimedOut(FlixCloudError, errors.TimedOut):
    """A job had not ended in time; it may still end well."""


FAMILY = ErrorFamily(
    FlixCloudError,
    {
        errors.ApiError: FlixCloudApiError,
        errors.AuthenticationError: AccessDenied,
        errors.NotFoundError: JobNotFound,
        errors.InvalidRequestError: JobRefused,
        errors.RateLimitError: RateLimited,
        errors.ServiceError: InternalError,
        errors.JobFailed: TranscodingFailed,
        errors.TransportError: ConnectionFailed,
        errors.RequestTimedOut: NoAnswer,
        errors.DecodeError: UnreadableAnswer,
        errors.TimedOut: WaitTimedOut,
    },
)
