"""A scripted service behind httpx's mock transport, and clients of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.flixcloud import AsyncFlixCloud

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "2j1l:kd3add:0:ivzf:2e1y"


class Wire:
    """Answers with what it was given, the last of it again and again, and remembers what it was sent."""

    def __init__(self) -> None:
        self.script: deque[httpx.Response | Exception] = deque([self.accepted()])
        self.requests: list[httpx.Request] = []
        self.bodies: list[str] = []

    def answers(self, *answers: httpx.Response | Exception) -> None:
        """Set the script: answers, or errors of the connection."""
        self.script = deque(answers)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Play the next answer."""
        self.requests.append(request)
        self.bodies.append((await request.aread()).decode())
        step = self.script.popleft() if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    def client(self, api_key: Any = KEY, **options: Any) -> AsyncFlixCloud:
        """Return a client whose requests end here."""
        return AsyncFlixCloud(
            api_key, transport=httpx.MockTransport(self.handle), **{"retries": 0, **options}
        )

    @staticmethod
    def xml(status: int, document: str) -> httpx.Response:
        """Return an answer with a document."""
        return httpx.Response(
            status,
            headers={"Content-Type": "application/xml; charset=utf-8"},
            content=f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode(),
        )

    @classmethod
    def accepted(cls, id: int = 3254) -> httpx.Response:
        """Return the acceptance of a job as the service sends it."""
        return cls.xml(
            201,
            f'<job>\n  <id type="integer">{id}</id>\n'
            '  <initialized-job-at type="datetime">2009-04-07T21:15:33Z</initialized-job-at>\n</job>',
        )

    @classmethod
    def refused(cls, *reasons: str, status: int = 200) -> httpx.Response:
        """Return a refusal as the service sends it."""
        return cls.xml(
            status, f"<errors>{''.join(f'<error>{reason}</error>' for reason in reasons)}</errors>"
        )

    @classmethod
    def status(cls, task_state: str) -> httpx.Response:
        """Return a short status."""
        return cls.xml(200, f'<job><id type="integer">1</id><task-state>{task_state}</task-state></job>')


@pytest.fixture
def wire() -> Wire:
    """A scripted service."""
    return Wire()


@pytest.fixture
async def fc(wire: Wire, anyio_backend: str) -> AsyncIterator[AsyncFlixCloud]:
    """A client of the scripted service."""
    async with wire.client() as client:
        yield client
