"""CloudKey's exceptions: the old client's tree, each class under its category. PURE.

::

    RPCException                        100, and any code that is not listed (`UnlistedError`)
      ProcessorException                200   the service failed while it worked on the call
      TransportException                300   no usable answer came back
        TransportTimedOut                     nothing came back in time
      AuthenticationError               400   credentials, signature or permission
        RateLimitExceeded               410   too many calls
      SerializerError                   500   an answer is no JSON
        MalformedRequest                      the service says so of the request
      InvalidRequest                    600   the envelope of the call is malformed
        InvalidObject                   610   no such object (the part before the dot)
        InvalidMethod                   620   no such method of the object
        InvalidParameter                630   an argument is invalid, or missing
          MissingParameter              650   an argument is missing
        InvalidCall                     640   the call is not of the form object.method
      ApplicationException              1000
        NotFound                        1010  the item does not exist
        Exists                          1020  the item exists already
        LimitExceeded                   1030  no more of these are allowed
      AssetFailed                             an asset that was waited for ended in failure
      UploadFailed                            an upload cannot go on
      WaitTimedOut                            an asset was not ready in time

Facts: cloudkey-rpc.md 6.
"""

from __future__ import annotations

from attrs import frozen

from cloudreel import errors
from cloudreel.core import codec, redact
from cloudreel.core.call import JSON, Response
from cloudreel.core.failures import ErrorFamily


@frozen
class Refusal:
    """What stands under ``error`` in an answer; ``code`` is None where the service forgot it."""

    code: int | None
    message: str
    data: JSON = None


def refusal_of(response: Response) -> Refusal | None:
    """Return the refusal in an answer, None if there is none; the HTTP status does not matter (5)."""
    if b'"error"' not in response.body:  # most answers are results, and large ones are read once
        return None
    try:
        body = codec.json_of(response)
    except errors.DecodeError:
        return None
    found = body.get("error") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not found:
        return None
    if not isinstance(found, dict):  # as something in front of the service may say it
        return Refusal(
            None, redact.line(": ".join(str(part) for part in (found, body.get("message")) if part))
        )
    code = found.get("code")
    return Refusal(
        code if isinstance(code, int) else None,
        redact.line(str(found.get("message") or "")),
        _masked(found.get("data")),
    )


def _masked(data: JSON) -> JSON:
    try:
        return codec.from_json(redact.text(codec.to_json_text(data)))
    except errors.DecodeError:
        return redact.MASK


class RPCException(errors.CloudReelError):
    """Anything that went wrong with CloudKey.

    ``code`` is the service's number for it, or that of the class where the service said nothing;
    ``message`` its explanation, or ours; ``data`` what it added, None for nothing.
    """

    code: int = 100
    data: JSON = None

    def __init__(self, message: str = "", **context: object) -> None:
        super().__init__(message, **context)
        refusal = refusal_of(self.response) if isinstance(self.response, Response) else None
        if refusal is None:
            return
        if refusal.code is not None:
            self.code = refusal.code
        self.data = refusal.data
        if refusal.message:
            self.message = refusal.message
            self.add_note(message)

    def __str__(self) -> str:
        data = f" [{self.data}]" if self.data else ""
        return f"{self.code}: {self.message}{data}"


class UnlistedError(RPCException, errors.ApiError):
    """The service refused the call with a code that is not listed."""


class ProcessorException(RPCException, errors.ServiceError):
    """The service failed while it worked on the call."""

    code = 200


class TransportException(RPCException, errors.TransportError):
    """No usable answer came back."""

    code = 300


class TransportTimedOut(TransportException, errors.RequestTimedOut):
    """No answer came back in time."""


class AuthenticationError(RPCException, errors.AuthenticationError):
    """The user, the signature or the permission is not accepted."""

    code = 400


class RateLimitExceeded(AuthenticationError, errors.RateLimitError):
    """Too many calls; ``retry_after`` says when to go on, in seconds."""

    code = 410


class SerializerError(RPCException, errors.DecodeError):
    """An answer is no JSON, or not of the shape that the protocol says."""

    code = 500


class MalformedRequest(SerializerError, errors.InvalidRequestError):
    """The service could not read the request as JSON."""


class InvalidRequest(RPCException, errors.InvalidRequestError):
    """The envelope of the call is malformed."""

    code = 600


class InvalidObject(InvalidRequest):
    """There is no such object: the part of the call before the dot."""

    code = 610


class InvalidMethod(InvalidRequest):
    """The object has no such method."""

    code = 620


class InvalidParameter(InvalidRequest):
    """An argument is invalid; the service may say the same of a missing one."""

    code = 630


class InvalidCall(InvalidRequest):
    """The call is not of the form ``object.method``."""

    code = 640


class MissingParameter(InvalidParameter):
    """An argument is missing."""

    code = 650


class ApplicationException(RPCException, errors.ApiError):
    """The call is well-formed, and what it asks for cannot be done."""

    code = 1000


class NotFound(ApplicationException, errors.NotFoundError):
    """The item does not exist."""

    code = 1010


class Exists(ApplicationException, errors.InvalidRequestError):
    """The item exists already."""

    code = 1020


class LimitExceeded(ApplicationException, errors.InvalidRequestError):
    """There are as many of these as the account may have."""

    code = 1030


class AssetFailed(RPCException, errors.JobFailed):
    """An asset ended in failure; ``job`` is a mapping of its name and what the service says of it."""


class UploadFailed(RPCException, errors.UploadError):
    """An upload cannot go on."""


class WaitTimedOut(RPCException, errors.TimedOut):
    """An asset was not ready in time; it may still become so."""


BY_CODE: dict[int, type[errors.ApiError]] = {
    100: UnlistedError,
    200: ProcessorException,
    400: AuthenticationError,
    410: RateLimitExceeded,
    500: MalformedRequest,
    600: InvalidRequest,
    610: InvalidObject,
    620: InvalidMethod,
    630: InvalidParameter,
    640: InvalidCall,
    650: MissingParameter,
    1000: ApplicationException,
    1010: NotFound,
    1020: Exists,
    1030: LimitExceeded,
}
"""The class of a refusal by the service's code."""

FAMILY = ErrorFamily(
    RPCException,
    {
        **{kind: kind for kind in BY_CODE.values()},
        errors.ApiError: UnlistedError,
        errors.AuthenticationError: AuthenticationError,
        errors.NotFoundError: NotFound,
        errors.InvalidRequestError: InvalidRequest,
        errors.RateLimitError: RateLimitExceeded,
        errors.ServiceError: ProcessorException,
        errors.JobFailed: AssetFailed,
        errors.TransportError: TransportException,
        errors.RequestTimedOut: TransportTimedOut,
        errors.DecodeError: SerializerError,
        errors.UploadError: UploadFailed,
        errors.TimedOut: WaitTimedOut,
    },
)
