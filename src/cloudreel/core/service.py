"""What the transport must know of a service, and how the service's failures are told. PURE."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, frozen

from cloudreel.core import redact, retry
from cloudreel.core.call import Request, Response, Signer
from cloudreel.core.failures import ErrorFamily, Failure
from cloudreel.errors import CloudReelError, RateLimitError, RequestTimedOut, TransportError


@frozen
class Lost:
    """An attempt without an answer."""

    loss: retry.Loss
    timed_out: bool
    cause: Exception | None


def _never(failure: Failure) -> bool:
    return False


@frozen
class Service:
    """A service: its name, its address, its signer and its errors.

    ``sign`` signs a request for one attempt; ``read_failure`` finds the refusal in an answer, if it is
    one; ``is_clock_skew`` recognises the refusal that a wrong clock causes.
    """

    name: str
    base_url: str
    errors: ErrorFamily
    sign: Signer
    read_failure: Callable[[Response], Failure | None]
    is_clock_skew: Callable[[Failure], bool] = _never

    def refused(self, request: Request, response: Response, failure: Failure) -> CloudReelError:
        """Return the error for a request that was refused."""
        name = redact.line(failure.name) or response.reason
        why = f": {redact.line(failure.message)}" if failure.message else ""
        text = (
            f"{self.name} refused {request.method} {request.shown_path}: {response.status_code} {name}{why}"
        )
        error = self.error(failure.category, text, request, response.attempts, response)
        if isinstance(error, RateLimitError):
            error.retry_after = failure.retry_after
        return error

    def unanswered(self, request: Request, lost: Lost, attempt: int) -> CloudReelError:
        """Return the error for a request that got no answer."""
        kind = RequestTimedOut if lost.timed_out else TransportError
        what = "no answer in time" if lost.timed_out else "no usable answer"
        why = f" ({redact.line(str(lost.cause))})" if lost.cause is not None and str(lost.cause) else ""
        acted = "nothing was sent" if lost.loss is retry.Loss.UNSENT else "it may have been acted on"
        return self.failed(kind, f"{what}{why}; {acted}", request, attempt)

    def failed(
        self,
        category: type[CloudReelError],
        what: str,
        request: Request,
        attempts: int | None = None,
        response: Response | None = None,
    ) -> CloudReelError:
        """Return the error for a request to which something happened; see `error`."""
        return self.error(category, f"{self.shown(request)}: {what}", request, attempts, response)

    def shown(self, request: Request) -> str:
        """Return a request as a log line or an error may show it."""
        return f"{self.name} {request.method} {request.shown_path}"

    def address(self, request: Request) -> str:
        """Return the whole URL of a request as a log line, a hook or an error may show it."""
        return request.shown_path if request.secret_url else redact.url(request.url(self.base_url))

    def error(
        self,
        category: type[CloudReelError],
        text: str,
        request: Request,
        attempts: int | None = None,
        response: Response | None = None,
    ) -> CloudReelError:
        """Return an error of the service's own class, which says which request failed.

        Args:
            category: of the class.
            text: what happened; the parts of a secret URL are masked in it.
            request: what was sent, or was to be.
            attempts: how many were made.
            response: the answer, if one came.
        """
        if request.secret_url:
            # The service may quote what it was asked for.
            text = redact.capability(text, request.path)
            if response is not None:
                response = evolve(response, body=redact.capability(response.text, request.path).encode())
        return self.errors.leaf(category)(
            text,
            method=request.method,
            url=self.address(request),
            status=response.status_code if response is not None else None,
            request_id=response.headers.get("x-request-id") if response is not None else None,
            attempts=attempts,
            response=response,
        )
