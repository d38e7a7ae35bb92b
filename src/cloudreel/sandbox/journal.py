"""What was asked of the sandbox: every request with its answer, and what was found of its signature."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cloudreel.sandbox.faults import CONTROL

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document
    from cloudreel.signing import Verdict

__all__ = ["Journal", "explanation", "note"]


class Journal:
    """Notes every request but the control ones: what was asked, and the status answered or None."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note it when it begins; the rest follows."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL) or scope["path"] == "/":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self._count += 1
        entry: Document = {
            "number": self._count,
            "method": scope["method"],
            "path": scope["path"],
            "status": None,
            "part": headers.get(b"x-part"),
            "range": headers.get(b"content-range") or headers.get(b"range"),
            "signature": None,
            "refusal": None,
            "fault": None,
            "_picture": headers.get(b"sec-fetch-dest") == "image",  # the console loads some itself
        }
        self._world.requests.append(entry)
        scope.setdefault("state", {}).update(arrived=time.time(), entry=entry)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        await self._app(scope, receive, noting)


def note(request: Request, *, verdict: Verdict | None = None, refusal: str | None = None) -> None:
    """Write down what was found of a request's signature, or why it was refused.

    A request that did not come through the `Journal` is passed over.
    """
    entry: Document | None = getattr(request.state, "entry", None)
    if entry is None:
        return
    if verdict is not None:
        entry["signature"] = "accepted" if verdict else verdict.reason
        entry["_verdict"] = verdict
    if refusal is not None:
        entry["refusal"] = refusal


def explanation(entry: Document) -> str | None:
    """Return what was verified of a request, in the words of `Verdict.explain`; None if nothing was."""
    verdict: Verdict | None = entry.get("_verdict")
    return None if verdict is None else verdict.explain()
