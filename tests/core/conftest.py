"""A scripted service behind httpx's mock transport, for the tests of what speaks to services."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import httpx
import pytest
from attrs import evolve

from cloudreel import errors
from cloudreel.core.call import NO_HEADERS, NO_PARAMS, Body, Call, Request, Response
from cloudreel.core.failures import ErrorFamily, Failure, category_of, retry_after
from cloudreel.core.options import Limits, Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.service import Service
from cloudreel.core.transport import Transport

SECRET = "s3cr3t-V4lue"

Step = int | httpx.Response | Exception | Callable[[httpx.Request], Awaitable[httpx.Response]]


class AcmeError(errors.CloudReelError):
    """The root of the service's errors."""


LEAVES: dict[type[errors.CloudReelError], type[errors.CloudReelError]] = {
    category: type(f"Acme{category.__name__}", (AcmeError, category), {})
    for category in (
        errors.ApiError,
        errors.AuthenticationError,
        errors.NotFoundError,
        errors.InvalidRequestError,
        errors.RateLimitError,
        errors.ServiceError,
        errors.TransportError,
        errors.RequestTimedOut,
        errors.DecodeError,
    )
}
globals().update({leaf.__name__: leaf for leaf in LEAVES.values()})  # pickle looks for them here


def read_failure(response: Response) -> Failure | None:
    """Return the refusal that an answer is, by its status."""
    if response.ok:
        return None
    name = response.headers.get("x-error", "")
    return Failure(category_of(response.status_code), response.text, name, retry_after(response))


class Pieces:
    """A streamed body that counts how often it was read."""

    def __init__(self) -> None:
        self.length = 6
        self.passes = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.passes += 1
        for piece in (b"abc", b"def"):
            yield piece


class Wire:
    """A service that answers by a script, the last step again and again, and remembers what it was sent."""

    def __init__(self) -> None:
        self.script: deque[Step] = deque([200])
        self.requests: list[httpx.Request] = []
        self.signed_at: list[float] = []

    def answers(self, *steps: Step) -> None:
        """Set the script: statuses, answers, errors to raise, or handlers."""
        self.script = deque(steps)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Play the next step."""
        self.requests.append(request)
        step = self.script.popleft() if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, headers=step.headers, stream=step.stream)
        if isinstance(step, int):
            return httpx.Response(step, text=f"status {step}")
        return await step(request)

    def sign(self, request: Request, now: float) -> Request:
        """Sign as the old services do: with secrets in the query, different each time."""
        self.signed_at.append(now)
        number = len(self.signed_at)
        signed = {"access_key": SECRET, "timestamp": now, "signature": f"{SECRET}{number}"}
        return evolve(request, params={**request.params, **signed})

    @staticmethod
    def call(
        method: str = "GET",
        path: str = "/things.json",
        params: Mapping[str, object] = NO_PARAMS,
        headers: Mapping[str, str] = NO_HEADERS,
        content: bytes | Body | None = None,
        *,
        repeatable: bool = True,
    ) -> Call[Response]:
        """Return a signed call whose answer is not read."""
        return Call(Request(method, path, params, headers, content), lambda response: response, repeatable)

    @staticmethod
    def pieces() -> Pieces:
        """Return a streamed body of six bytes."""
        return Pieces()

    def service(self, base_url: str = "http://api.acme.test/v1") -> Service:
        """Return the service as the transport knows it."""
        return Service(
            "acme",
            base_url,
            ErrorFamily(AcmeError, LEAVES),
            self.sign,
            read_failure,
            lambda failure: failure.name == "Expired",
        )

    def pool(self, limits: Limits | None = None, http_client: httpx.AsyncClient | None = None) -> Pool:
        """Return a pool whose connections end here."""
        transport = None if http_client else httpx.MockTransport(self.handle)
        return Pool(Wiring(limits or Limits(), http_client, transport))

    def transport(
        self,
        options: Options | None = None,
        *,
        pool: Pool | None = None,
        clock: Callable[[], float] = lambda: 1000.0,
    ) -> Transport:
        """Return a transport that speaks to this service, without jitter."""
        return Transport(
            self.service(), pool or self.pool(), options or Options(), clock=clock, jitter=lambda: 0.0
        )


@pytest.fixture
def wire() -> Wire:
    """A scripted service."""
    return Wire()
