"""The one sender of calls: sign, send, retry, map errors, log a line."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar, Unpack
from urllib.parse import quote, urlencode

import anyio
import httpx
from attrs import evolve, frozen

from cloudreel.core import redact, retry
from cloudreel.core.call import Body, Call, Request, Response, Signer
from cloudreel.core.failures import ErrorFamily, Failure
from cloudreel.core.options import CONNECT_TIMEOUT, OptionChanges, Options, default_user_agent
from cloudreel.core.pool import Pool, unlogged
from cloudreel.errors import (
    CloudReelError,
    DecodeError,
    RateLimitError,
    RequestTimedOut,
    SigningError,
    TransportError,
)

T = TypeVar("T")

LARGEST_ANSWER = 64 * 2**20  # bytes; the contract's cap for JSON and XML

log = logging.getLogger("cloudreel")
log.addHandler(logging.NullHandler())  # without one, warnings would go to stderr uninvited


def _never(failure: Failure) -> bool:
    return False


@frozen
class Service:
    """What the transport must know of a service.

    ``sign`` signs a request for one attempt; ``read_failure`` finds the refusal in an answer, if it is
    one; ``is_clock_skew`` recognises the refusal that a wrong clock causes.
    """

    name: str
    base_url: str
    errors: ErrorFamily
    sign: Signer
    read_failure: Callable[[Response], Failure | None]
    is_clock_skew: Callable[[Failure], bool] = _never


@frozen
class _Lost:
    """An attempt without an answer."""

    loss: retry.Loss
    timed_out: bool
    cause: Exception | None


class Transport:
    """Sends calls of one service over a shared pool, with one set of options."""

    def __init__(
        self,
        service: Service,
        pool: Pool,
        options: Options,
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.service = service
        self.options = options
        self._pool = pool
        self._clock = clock
        self._jitter = jitter

    def with_options(self, **changes: Unpack[OptionChanges]) -> Transport:
        """Return a transport with other options over the same connections."""
        options = evolve(self.options, **changes)
        return Transport(self.service, self._pool, options, clock=self._clock, jitter=self._jitter)

    def for_service(self, service: Service) -> Transport:
        """Return a transport for another scope or signer over the same connections."""
        return Transport(service, self._pool, self.options, clock=self._clock, jitter=self._jitter)

    def now(self) -> float:
        """Return the UNIX time by the service's clock, as far as it is known."""
        return self._clock() + self._pool.clock_offset

    async def close(self) -> None:
        """Close the connections shared by all copies."""
        await self._pool.close()

    async def send(self, call: Call[T]) -> T:
        """Send a call and return what its answer means.

        Raises:
            ApiError: the service refused it (the service's own class of the right category).
            TransportError: no answer came (the service's own class).
            DecodeError: the answer cannot be read (the service's own class).
        """
        response = await self.exchange(call)
        try:
            return call.parse(response)
        except DecodeError as error:
            text = f"{self._shown(call.request)}: {error.message}"
            raise self._error(DecodeError, text, call.request, response.attempts, response) from error

    async def exchange(self, call: Call[T]) -> Response:
        """Send a call and return the answer, which is no refusal."""
        started = time.monotonic()
        try:
            with anyio.move_on_after(self.options.deadline):
                return await self._attempts(call, started)
            text = f"the deadline of {self.options.deadline:g} s over all attempts has passed"
            raise self._error(RequestTimedOut, f"{self._shown(call.request)}: {text}", call.request)
        except CloudReelError as error:
            log.warning("%s", error)
            raise

    async def _attempts(self, call: Call[T], started: float) -> Response:
        attempt = 0
        clock_corrected = False
        while True:
            attempt += 1
            outcome = await self._attempt(call, attempt)
            if isinstance(outcome, Response):
                failure = self.service.read_failure(outcome)
                if failure is None:
                    self._log(call.request, outcome, started)
                    return outcome
                if self.service.is_clock_skew(failure) and not clock_corrected:
                    clock_corrected = self._correct_clock(outcome)
                    if clock_corrected:
                        attempt -= 1
                        continue
                judged: retry.Loss | retry.Refusal = retry.Refusal(outcome.status_code, failure)
                error = self._refused(call.request, outcome, failure)
            else:
                judged = outcome.loss
                error = self._unanswered(call.request, outcome, attempt)
            delay = retry.decide(
                attempt,
                judged,
                repeatable=call.repeatable,
                retries=self.options.retries,
                jitter=self._jitter(),
            )
            if delay is None:
                cause = outcome.cause if isinstance(outcome, _Lost) else None
                raise error from cause
            log.debug("%s; attempt %d follows in %.2f s", error, attempt + 1, delay)
            await anyio.sleep(delay)
            if call.settled is not None and judged is not retry.Loss.UNSENT:
                settled = await self.send(call.settled)
                if settled is not None:
                    return settled

    async def _attempt(self, call: Call[T], attempt: int) -> Response | _Lost:
        client = self._pool.client()
        request = call.request
        if call.signed and request.path.startswith(("http://", "https://")):
            raise SigningError("A signed call goes to the service's own address, not to a whole URL")
        # A streamed body may take as long as the line needs as long as it moves: httpx watches each
        # read and write. A small call has to be over in time as a whole.
        limit = None if request.streamed else self.options.timeout
        try:
            async with self._pool.slot():
                # A signature ages, so it is made when the call's turn has come.
                signed = self.service.sign(request, self.now()) if call.signed else request
                with anyio.move_on_after(limit) as scope:
                    return await self._send_once(client, signed, attempt)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            return _Lost(retry.Loss.UNSENT, isinstance(error, httpx.TimeoutException), redact.error(error))
        except httpx.DecodingError as error:
            text = f"{self._shown(request)}: the answer's compression is broken"
            raise self._error(DecodeError, text, request, attempt) from redact.error(error)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            text = f"{self._shown(request)}: this is no URL that can be called"
            raise self._error(TransportError, text, request, attempt) from redact.error(error)
        except httpx.TransportError as error:
            return _Lost(retry.Loss.UNKNOWN, isinstance(error, httpx.TimeoutException), redact.error(error))
        assert scope.cancelled_caught
        return _Lost(retry.Loss.UNKNOWN, timed_out=True, cause=None)

    async def _send_once(self, client: httpx.AsyncClient, request: Request, attempt: int) -> Response:
        options = self.options
        headers = {"User-Agent": options.user_agent or default_user_agent(), **request.headers}
        content: bytes | _Pass | None
        if request.content is None:
            # Old proxies answer 411 to a POST without a length (panda.md 2).
            content = b"" if request.method in ("POST", "PUT") else None
        elif isinstance(request.content, bytes):
            content = request.content
        else:
            headers["Content-Length"] = str(request.content.length)
            content = _Pass(request.content)
        built = client.build_request(
            request.method,
            self._url(request),
            headers=headers,
            content=content,
            timeout=httpx.Timeout(options.timeout, connect=min(CONNECT_TIMEOUT, options.timeout)),
        )
        if isinstance(content, _Pass):
            # httpx has wrapped it in a generator, which a broken connection leaves open.
            built.stream = content
        with unlogged():
            answer = await client.send(built, stream=True, follow_redirects=False)
            try:
                body = await self._read(answer, request, attempt)
            finally:
                await answer.aclose()
        return Response(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body, attempt)

    async def _read(self, answer: httpx.Response, request: Request, attempt: int) -> bytes:
        body = bytearray()
        # Left by cancelling the next read: httpx's generators have to run to their end.
        with anyio.CancelScope() as reading:
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    reading.cancel()
                    body.clear()
        if reading.cancel_called:
            text = f"{self._shown(request)}: the answer is larger than {LARGEST_ANSWER} bytes"
            raise self._error(DecodeError, text, request, attempt)
        return bytes(body)

    def _url(self, request: Request) -> str:
        base = "" if request.path.startswith(("http://", "https://")) else self.service.base_url
        url = base + request.path
        if not request.params:
            return url
        texts = {name: str(value) for name, value in request.params.items() if value is not None}
        query = urlencode(texts, quote_via=quote, safe="")
        return f"{url}{'&' if '?' in url else '?'}{query}"

    def _correct_clock(self, response: Response) -> bool:
        """Adopt the service's clock from the ``Date`` of its answer, which has just come."""
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
        except ValueError:
            return False
        self._pool.clock_offset = offset = theirs - self._clock()
        log.warning("%s: our clock is off by %.0f s; signing by the service's", self.service.name, offset)
        return True

    def _refused(self, request: Request, response: Response, failure: Failure) -> CloudReelError:
        name = redact.line(failure.name) or response.reason
        why = f": {redact.line(failure.message)}" if failure.message else ""
        text = (
            f"{self.service.name} refused {request.method} {request.shown_path}: "
            f"{response.status_code} {name}{why}"
        )
        error = self._error(failure.category, text, request, response.attempts, response)
        if isinstance(error, RateLimitError):
            error.retry_after = failure.retry_after
        return error

    def _unanswered(self, request: Request, lost: _Lost, attempt: int) -> CloudReelError:
        kind = RequestTimedOut if lost.timed_out else TransportError
        what = "no answer in time" if lost.timed_out else "no usable answer"
        why = f" ({redact.line(str(lost.cause))})" if lost.cause is not None and str(lost.cause) else ""
        acted = "nothing was sent" if lost.loss is retry.Loss.UNSENT else "it may have been acted on"
        return self._error(kind, f"{self._shown(request)}: {what}{why}; {acted}", request, attempt)

    def _shown(self, request: Request) -> str:
        return f"{self.service.name} {request.method} {request.shown_path}"

    def _error(
        self,
        category: type[CloudReelError],
        text: str,
        request: Request,
        attempts: int | None = None,
        response: Response | None = None,
    ) -> CloudReelError:
        if request.secret_url:
            # The service may quote what it was asked for.
            text = redact.capability(text, request.path)
            if response is not None:
                response = evolve(response, body=redact.capability(response.text, request.path).encode())
        return self.service.errors.leaf(category)(
            text,
            method=request.method,
            url=request.shown_path if request.secret_url else redact.url(self._url(request)),
            status=response.status_code if response is not None else None,
            request_id=response.headers.get("x-request-id") if response is not None else None,
            attempts=attempts,
            response=response,
        )

    def _log(self, request: Request, response: Response, started: float) -> None:
        # The parts of an upload are many; what they amount to is told by the upload.
        level = logging.DEBUG if request.streamed else logging.INFO
        seconds, attempts = time.monotonic() - started, response.attempts
        text = "%s -> %d in %.3f s (attempt %d)"
        log.log(level, text, self._shown(request), response.status_code, seconds, attempts)


class _Pass(httpx.AsyncByteStream):
    """One pass over a body, as httpx wants it."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)
