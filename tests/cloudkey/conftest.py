"""A scripted service behind httpx's mock transport: it answers call by call and remembers what came."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import httpx
import pytest

from cloudreel.cloudkey import AsyncCloudKey

USER = "0123456789abcdef01234567"
KEY = "00112233445566778899aabbccddeeff00112233"
MEDIA = "4c922386dede830447000009"


class Script:
    """Answers by a script, the last step again and again."""

    def __init__(self) -> None:
        self.steps: deque[httpx.Response | Exception] = deque([httpx.Response(200, json={"result": None})])
        self.requests: list[httpx.Request] = []

    def answers(self, *steps: httpx.Response | Exception) -> None:
        """Set the answers, or the failures in their place."""
        self.steps = deque(steps)

    def results(self, *results: object) -> None:
        """Set the results of the next calls."""
        self.answers(*(httpx.Response(200, json={"result": result}) for result in results))

    def refuses(self, code: int, message: str = "no", **more: object) -> None:
        """Refuse all calls."""
        self.answers(httpx.Response(200, json={"error": {"code": code, "message": message, **more}}))

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Play the next step."""
        await request.aread()
        self.requests.append(request)
        step = self.steps.popleft() if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The bodies that came, without signatures."""
        bodies: list[dict[str, Any]] = [json.loads(request.content) for request in self.requests]
        return [{name: value for name, value in body.items() if name != "auth"} for body in bodies]

    @property
    def auths(self) -> list[str]:
        """The signatures that came."""
        return [json.loads(request.content)["auth"] for request in self.requests]

    def client(self, **options: Any) -> AsyncCloudKey:
        """Return a client of this service."""
        return AsyncCloudKey(USER, KEY, transport=httpx.MockTransport(self.handle), **options)


@pytest.fixture
def script() -> Script:
    """A scripted service."""
    return Script()
