"""The exceptions of CloudKey's REST era: the old client's names, each under its category. PURE.

The answers that they stand for are listed in cloudkey-rest.md 6 and 7.
"""

from __future__ import annotations

from cloudreel import errors
from cloudreel.core.failures import ErrorFamily


class ApiException(errors.CloudReelError):
    """Anything that went wrong with CloudKey; ``response`` is the answer, None where nothing came back."""


class UnexpectedAnswer(ApiException, errors.ApiError):
    """The service refused the call in a way that has no name of its own."""


class AuthorizationRequired(ApiException, errors.AuthenticationError):
    """The call needs a login, and the client has none."""


class AuthenticationFailed(ApiException, errors.AuthenticationError):
    """The login, or the user to act as, is not accepted."""


class NotFound(ApiException, errors.NotFoundError):
    """There is no such medium, meta entry, asset or node."""


class MissingArgument(ApiException, errors.InvalidRequestError):
    """An argument that the method needs was not given."""


class InvalidArgument(ApiException, errors.InvalidRequestError):
    """An argument is not what the method takes."""


class InvalidMethod(ApiException, errors.InvalidRequestError):
    """The service has no such method."""


class InvalidNamespace(ApiException, errors.InvalidRequestError, AttributeError):
    """The client has no such namespace; nothing was sent."""


class RateLimited(ApiException, errors.RateLimitError):
    """Too many calls; ``retry_after`` says when to go on, in seconds."""


class InternalError(ApiException, errors.ServiceError):
    """The service failed while it worked on the call."""


class ConnectionFailed(ApiException, errors.TransportError):
    """No usable answer came back."""


class NoAnswer(ApiException, errors.RequestTimedOut):
    """No answer came back in time."""


class UnreadableAnswer(ApiException, errors.DecodeError):
    """The service's answer is not what the protocol says."""


class UploadFailed(ApiException, errors.UploadError):
    """An upload cannot go on as it stands."""


FAMILY = ErrorFamily(
    ApiException,
    {
        errors.ApiError: UnexpectedAnswer,
        errors.AuthenticationError: AuthenticationFailed,
        errors.NotFoundError: NotFound,
        errors.InvalidRequestError: InvalidArgument,
        errors.RateLimitError: RateLimited,
        errors.ServiceError: InternalError,
        errors.TransportError: ConnectionFailed,
        errors.RequestTimedOut: NoAnswer,
        errors.DecodeError: UnreadableAnswer,
        errors.UploadError: UploadFailed,
        # What the protocol tells apart within a category.
        AuthorizationRequired: AuthorizationRequired,
        MissingArgument: MissingArgument,
        InvalidMethod: InvalidMethod,
    },
)
