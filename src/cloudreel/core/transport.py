"""The one sender of calls: sign, send, retry, map errors, log a line."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar, Unpack

import anyio
import httpx
from attrs import evolve

from cloudreel.core import redact, retry
from cloudreel.core.call import Call, Request, Response
from cloudreel.core.filewire import in_file
from cloudreel.core.hooks import RequestEvent
from cloudreel.core.observing import is_watched, observed, retrying
from cloudreel.core.options import CONNECT_TIMEOUT, OptionChanges, Options, default_user_agent
from cloudreel.core.pool import Pool, unlogged
from cloudreel.core.service import Lost
from cloudreel.core.service import Service as Service
from cloudreel.core.streams import Pass, Stream, head_of
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
            text = f"{self.service.shown(call.request)}: {error.message}"
            raise self.service.error(DecodeError, text, call.request, response.attempts, response) from error

    async def exchange(self, call: Call[T]) -> Response:
        """Send a call and return the answer, which is no refusal."""
        started = time.monotonic()
        try:
            if self.options.deadline is None:
                return await self._attempts(call, started)
            with anyio.move_on_after(self.options.deadline):
                return await self._attempts(call, started)
            text = f"the deadline of {self.options.deadline:g} s over all attempts has passed"
            raise self.service.error(
                RequestTimedOut, f"{self.service.shown(call.request)}: {text}", call.request
            )
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

    @asynccontextmanager
    async def _slot(self, request: Request) -> AsyncGenerator[None]:
        """Hold a place for a request under way, of this client and of the processes that share a limit."""
        shared = self.options.shared_limit
        async with self._pool.slot(), shared.slot(part=request.streamed) if shared else nullcontext():
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
        # A streamed body may take as long as the line needs as long as it moves: httpx watches each
        # read and write. A small call has to be over in time as a whole.
        limit = None if request.streamed else self.options.timeout
        try:
            with anyio.move_on_after(limit) as scope:
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
                    response = head_of(
                        answer, b"" if answer.is_success else await self._read(answer, request, 1)
                    )
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
        if isinstance(error, httpx.DecodingError):
            text = f"{self.service.shown(request)}: the answer's compression is broken"
            raise self.service.error(DecodeError, text, request, attempt) from redact.error(error)
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            text = f"{self.service.shown(request)}: this is no URL that can be called"
            raise self.service.error(TransportError, text, request, attempt) from redact.error(error)
        unsent = isinstance(
            error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError
        )
        loss = retry.Loss.UNSENT if unsent else retry.Loss.UNKNOWN
        return Lost(loss, isinstance(error, httpx.TimeoutException), redact.error(error))

    async def _begin(
        self, client: httpx.AsyncClient, request: Request, *, anonymous: bool = False
    ) -> httpx.Response:
        """Send a request and return its answer, unread."""
        options = self.options
        headers = {"User-Agent": options.user_agent or default_user_agent(), **request.headers}
        content: bytes | Pass | None
        if request.content is None:
            # Old proxies answer 411 to a POST without a length (panda.md 2).
            content = b"" if request.method in ("POST", "PUT") else None
        elif isinstance(request.content, bytes):
            content = request.content
        else:
            headers["Content-Length"] = str(request.content.length)
            content = Pass(request.content, self._pool.bandwidth)
        url = request.url(self.service.base_url)
        if (wire := self._pool.wire) is not None and (part := in_file(request.content)) is not None:
            return await wire.send(request.method, url, headers, part, self._timeout)
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
        with unlogged():
            answer = await self._begin(client, request)
            try:
                body = await self._read(answer, request, attempt)
            finally:
                await answer.aclose()
        return head_of(answer, body, attempt)

    async def _read(self, answer: httpx.Response, request: Request, attempt: int) -> bytes:
        body = bytearray()
        pieces = answer.aiter_bytes()
        async for piece in pieces:
            body += piece
            if len(body) > LARGEST_ANSWER:
                break
        else:
            if self._pool.bandwidth is not None:
                self._pool.bandwidth.reserve(len(body))
            return bytes(body)
        # httpx's generators have to run to their end, which a cancelled read makes them do.
        with anyio.CancelScope() as rest:
            rest.cancel()
            async for _ in pieces:
                pass
        text = f"{self.service.shown(request)}: the answer is larger than {LARGEST_ANSWER} bytes"
        raise self.service.error(DecodeError, text, request, attempt)

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
