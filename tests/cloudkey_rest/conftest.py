"""A scripted service behind httpx's mock transport, and clients of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.cloudkey_rest import AsyncCloudKeyRest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Wire:
    """Answers with what it was given, the last of it again and again, and remembers what it was sent."""

    def __init__(self) -> None:
        self.script: deque[httpx.Response] = deque([httpx.Response(204)])
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def answers(self, *answers: object) -> None:
        """Set the script: answers, or JSON values to answer with."""
        self.script = deque(
            answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
            for answer in answers
        )

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Play the next answer."""
        self.requests.append(request)
        self.bodies.append(await request.aread())
        step = self.script.popleft() if len(self.script) > 1 else self.script[0]
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    def client(self, *login: Any, **options: Any) -> AsyncCloudKeyRest:
        """Return a client whose requests end here."""
        username, password = login or ("alice", "s3cret")
        return AsyncCloudKeyRest(
            username, password, transport=httpx.MockTransport(self.handle), **{"retries": 0, **options}
        )

    @staticmethod
    def refusal(status: int, kind: str, message: str = "why") -> httpx.Response:
        """Return an error object as the service sends it."""
        return httpx.Response(status, json={"status_code": status, "type": kind, "message": message})

    @property
    def asked(self) -> list[tuple[str, dict[str, str]]]:
        """The path and arguments of each request."""
        return [(request.url.path, dict(request.url.params)) for request in self.requests]


@pytest.fixture
def wire() -> Wire:
    """A scripted service."""
    return Wire()


@pytest.fixture
async def ck(wire: Wire, anyio_backend: str) -> AsyncIterator[AsyncCloudKeyRest]:
    """A client of the scripted service."""
    async with wire.client() as client:
        yield client
