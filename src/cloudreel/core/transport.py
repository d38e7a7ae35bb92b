"""The one sender of calls: sign, send, retry, map errors, log a line."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar, Unpack

import anyio
import httpx
from attrs import evolve

from cloudreel.core import redact, retry
from cloudreel.core.call import Call, Request, Response
from cloudreel.core.filewire import FilePart, FileWire, in_file
from cloudreel.core.hooks import RequestEvent
from cloudreel.core.observing import is_watched, observed, retrying
from cloudreel.core.options import CONNECT_TIMEOUT, OptionChanges, Options, SharedLimit, default_user_agent
from cloudreel.core.pool import Pool, unlogged
from cloudreel.core.service import Lost
from cloudreel.core.service import Service as Service
from cloudreel.core.streams import Pass, Stream, content_of, head_of, headers_of, read
from cloudreel.errors import (
    CloudReelError,
    DecodeError,
    RequestTimedOut,
    SigningError,
    TransportError,
)

T = TypeVar("T")

LARGEST_ANSWER = 64 * 2**20  # bytes; the contract's cap for JSON and XML

log = logging.getLogger("cloudreel")
log.addHandler(logging.NullHandler())  # without one, warnings would go to stderr uninvited


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
        self._timeout = httpx.Timeout(options.timeout, connect=min(CONNECT_TIMEOUT, options.timeout))

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
            told, attempts = error.message, response.attempts
            raise self.service.failed(DecodeError, told, call.request, attempts, response) from error

    async def exchange(self, call: Call[T]) -> Response:
        """Send a call and return the answer, which is no refusal."""
        started = time.monotonic()
        try:
            if self.options.deadline is None:
                return await self._attempts(call, started)
            with anyio.move_on_after(self.options.deadline):
                return await self._attempts(call, started)
            text = f"the deadline of {self.options.deadline:g} s over all attempts has passed"
            raise self.service.failed(RequestTimedOut, text, call.request)
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
                error = self.service.refused(call.request, outcome, failure)
            else:
                judged = outcome.loss
                error = self.service.unanswered(call.request, outcome, attempt)
            delay = retry.decide(
                attempt,
                judged,
                repeatable=call.repeatable,
                retries=self.options.retries,
                jitter=self._jitter(),
            )
            if delay is None:
                cause = outcome.cause if isinstance(outcome, Lost) else None
                raise error from cause
            log.debug("%s; attempt %d follows in %.2f s", error, attempt + 1, delay)
            if is_watched(self.options.hooks):
                await retrying(self._event(call.request, attempt), self.options.hooks, error, delay)
            await anyio.sleep(delay)
            if call.settled is not None and judged is not retry.Loss.UNSENT:
                settled = await self.send(call.settled)
                if settled is not None:
                    return settled

    def _slot(self, request: Request) -> AbstractAsyncContextManager[object]:
        """Hold a place for a request under way, of this client and of the processes that share a limit."""
        shared = self.options.shared_limit
        return self._pool.slot() if shared is None else self._shared_slot(shared, request)

    @asynccontextmanager
    async def _shared_slot(self, shared: SharedLimit, request: Request) -> AsyncGenerator[None]:
        async with self._pool.slot(), shared.slot(part=request.streamed):
            yield

    def _event(self, request: Request, attempt: int) -> RequestEvent:
        return RequestEvent(self.service.name, request.method, self.service.address(request), attempt)

    async def _attempt(self, call: Call[T], attempt: int) -> Response | Lost:
        client = self._pool.client()
        request = call.request
        if call.signed and request.path.startswith(("http://", "https://")):
            raise SigningError("A signed call goes to the service's own address, not to a whole URL")
        async with self._slot(request):
            # A signature ages, so it is made when the call's turn has come.
            signed = self.service.sign(request, self.now()) if call.signed else request
            send = partial(self._try, client, request, signed, attempt)
            if not is_watched(self.options.hooks):
                return await send()
            return await observed(self._event(request, attempt), self.options.hooks, send)

    async def _try(
        self, client: httpx.AsyncClient, request: Request, signed: Request, attempt: int
    ) -> Response | Lost:
        try:
            if request.streamed:
                # It may take as long as the line needs as long as it moves: each read and write is watched.
                return await self._send_once(client, signed, attempt)
            # A small call has to be over in time as a whole.
            with anyio.move_on_after(self.options.timeout) as scope:
                return await self._send_once(client, signed, attempt)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return self._lost(error, request, attempt)
        assert scope.cancelled_caught
        return Lost(retry.Loss.UNKNOWN, timed_out=True, cause=None)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncGenerator[Stream]:
        """Send an unsigned request once and give its answer, whose body is read while the context lasts.

        Nothing goes along but the URL and the headers given: no cookie, no login of the caller's client.

        Raises:
            ApiError: the service refused it (the service's own class).
            TransportError: no answer came (the service's own class).
        """
        client = self._pool.client()
        told = partial(self._told, request)
        async with self._slot(request):
            begin = partial(self._begin, client, request, anonymous=True)
            with told():
                answer = await observed(self._event(request, 1), self.options.hooks, begin)
            stream = Stream(answer, told, self._pool.bandwidth)
            try:
                with told():
                    response = head_of(answer)
                    if not answer.is_success:
                        response = await self._whole(answer, request, 1)
                failure = self.service.read_failure(response)
                if failure is not None:
                    raise self.service.refused(request, response, failure)
                yield stream
            finally:
                await stream.close()

    @contextmanager
    def _told(self, request: Request) -> Generator[None]:
        """Raise the service's errors for httpx's."""
        try:
            with unlogged():
                yield
        except (httpx.RequestError, httpx.InvalidURL) as error:
            lost = self._lost(error, request, 1)
            raise self.service.unanswered(request, lost, 1) from lost.cause

    def _lost(self, error: httpx.RequestError | httpx.InvalidURL, request: Request, attempt: int) -> Lost:
        """Return what became of an attempt without an answer; raise where no other can do better."""
        cause = redact.error(error)
        failed = partial(self.service.failed, request=request, attempts=attempt)
        if isinstance(error, httpx.DecodingError):
            raise failed(DecodeError, "the answer's compression is broken") from cause
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            raise failed(TransportError, "this is no URL that can be called") from cause
        if isinstance(error, httpx.LocalProtocolError):
            raise failed(TransportError, f"this cannot be sent ({redact.line(str(cause))})") from cause
        unsent = isinstance(
            error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError
        )
        loss = retry.Loss.UNSENT if unsent else retry.Loss.UNKNOWN
        return Lost(loss, isinstance(error, httpx.TimeoutException), cause)

    async def _begin(
        self, client: httpx.AsyncClient, request: Request, *, anonymous: bool = False
    ) -> httpx.Response:
        """Send a request and return its answer, unread."""
        headers = self._headers(request)
        content = content_of(request, self._pool.bandwidth)
        url = request.url(self.service.base_url)
        if isinstance(content, bytes) and self._pool.bandwidth is not None:
            self._pool.bandwidth.reserve(len(content))
        # A URL with an @ may have a login in it, of which httpx's client makes a header.
        if (direct := self._pool.direct) is not None and not isinstance(content, Pass) and "@" not in url:
            return await direct.send(request.method, url, headers, content, self._timeout)
        timeout = self._timeout
        built = client.build_request(request.method, url, headers=headers, content=content, timeout=timeout)
        if isinstance(content, Pass):
            # httpx has wrapped it in a generator, which a broken connection leaves open.
            built.stream = content
        if anonymous:
            for name in ("Authorization", "Cookie"):
                built.headers.pop(name, None)
        auth = None if anonymous else httpx.USE_CLIENT_DEFAULT
        return await client.send(built, stream=True, auth=auth, follow_redirects=False)

    async def _send_once(self, client: httpx.AsyncClient, request: Request, attempt: int) -> Response:
        if (wire := self._pool.wire) is not None and (part := in_file(request.content)) is not None:
            return await self._by_wire(wire, request, part, attempt)
        with unlogged():
            return await self._whole(await self._begin(client, request), request, attempt)

    async def _by_wire(self, wire: FileWire, request: Request, part: FilePart, attempt: int) -> Response:
        url, headers = request.url(self.service.base_url), self._headers(request)
        reply = await wire.send(request.method, url, headers, part, self._timeout, LARGEST_ANSWER)
        fields, body = headers_of(reply.headers), bytes(reply.body)
        if "content-encoding" in fields or len(body) > LARGEST_ANSWER:
            unread = httpx.Response(reply.status, headers=reply.headers, stream=httpx.ByteStream(body))
            return await self._whole(unread, request, attempt)
        return Response(reply.status, fields, body, attempt)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"User-Agent": self.options.user_agent or default_user_agent(), **request.headers}
        if request.content is not None and not isinstance(request.content, bytes):
            headers["Content-Length"] = str(request.content.length)
        return headers

    async def _whole(self, answer: httpx.Response, request: Request, attempt: int) -> Response:
        """Read an answer to its end."""
        body = await read(answer, LARGEST_ANSWER)
        if body is None:
            text = f"the answer is larger than {LARGEST_ANSWER} bytes"
            raise self.service.failed(DecodeError, text, request, attempt)
        if self._pool.bandwidth is not None:
            self._pool.bandwidth.reserve(len(body))
        return head_of(answer, body, attempt)

    def _correct_clock(self, response: Response) -> bool:
        """Adopt the service's clock from the ``Date`` of its answer, which has just come."""
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
        except ValueError:
            return False
        self._pool.clock_offset = offset = theirs - self._clock()
        log.warning("%s: our clock is off by %.0f s; signing by the service's", self.service.name, offset)
        return True

    def _log(self, request: Request, response: Response, started: float) -> None:
        # The parts of an upload are many; what they amount to is told by the upload.
        level = logging.DEBUG if request.streamed else logging.INFO
        if not log.isEnabledFor(level):
            return
        seconds, attempts = time.monotonic() - started, response.attempts
        text = "%s -> %d in %.3f s (attempt %d)"
        log.log(level, text, self.service.shown(request), response.status_code, seconds, attempts)
