"""Telestream's exceptions: the old client's one name, and a leaf of it for each category."""

from __future__ import annotations

from cloudreel import errors
from cloudreel.core.failures import ErrorFamily


class TelestreamCloudException(errors.CloudReelError):
    """Anything that went wrong with Telestream Cloud.

    ``response`` is the service's answer (``.status_code``, ``.body``), None where nothing came back.
    """


class TelestreamApiError(TelestreamCloudException, errors.ApiError):
    """The service refused the call."""


class NotAuthorized(TelestreamCloudException, errors.AuthenticationError):
    """The access key, the signature or its time is not accepted."""


class RecordNotFound(TelestreamCloudException, errors.NotFoundError):
    """There is no such factory, video, encoding or profile."""


class BadRequest(TelestreamCloudException, errors.InvalidRequestError):
    """The service, or the client before it, does not accept the arguments."""


class RateLimited(TelestreamCloudException, errors.RateLimitError):
    """Too many calls; ``retry_after`` says when to go on, in seconds."""


class InternalError(TelestreamCloudException, errors.ServiceError):
    """The service failed while it worked on the call."""


class EncodingFailed(TelestreamCloudException, errors.JobFailed):
    """A video or an encoding ended in failure; ``job`` is it."""


class ConnectionFailed(TelestreamCloudException, errors.TransportError):
    """No usable answer came back."""


class NoAnswer(TelestreamCloudException, errors.RequestTimedOut):
    """No answer came back in time."""


class UnreadableAnswer(TelestreamCloudException, errors.DecodeError):
    """The service's answer is not what the protocol says."""


class UploadFailed(TelestreamCloudException, errors.UploadError):
    """An upload cannot go on; ``ticket`` continues it where that makes sense."""


class WaitTimedOut(TelestreamCloudException, errors.TimedOut):
    """A video or an encoding was not ready in time; it may still become so."""


FAMILY = ErrorFamily(
    TelestreamCloudException,
    {
        errors.ApiError: TelestreamApiError,
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
