"""What may go wrong on request: a plan of faults, and the middleware that plays it.

A fault is spent by the first request it matches. Answers (``status``) and waits (``delay``) are played here;
for broken connections the middleware asks the `Wire` that the server leaves in the request's state.
Where there is no wire, because client and app share a loop without a socket, it raises `ConnectionLost`.
"""

from __future__ import annotations

import math
from collections import deque
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import anyio
import attrs
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from cloudreel.signing.shapes import is_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Action = Literal["status", "drop", "delay", "stall", "truncate", "garbage"]
ACTIONS: tuple[Action, ...] = get_args(Action)
CONTROL = "/__sandbox__"
GARBAGE = b"\x16\x03\xff\x00this is not HTTP\r\n\xde\xad\xbe\xef\r\n\r\n"

ERROR_NAMES = {
    400: "BadRequest",
    401: "NotAuthorized",
    404: "RecordNotFound",
    413: "FileSizeLimitExceeded",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}


class BadFault(ValueError):
    """A fault was asked for that does not exist; the text says what is wrong with it."""


class ConnectionLost(ConnectionError):
    """The sandbox broke a connection that has no socket; ``garbage`` if it sent nonsense first."""

    def __init__(self, text: str, *, garbage: bool = False) -> None:
        super().__init__(text)
        self.garbage = garbage


class Wire(Protocol):
    """The connection under a request, as far as faults need it."""

    def write(self, data: bytes) -> None:
        """Send these bytes as they are."""
        ...

    def reset(self) -> None:
        """Break the connection now; what was not sent yet is lost."""
        ...

    def close(self) -> None:
        """Send what is left, then end the connection."""
        ...

    def truncate(self, count: int) -> None:
        """Let this many more bytes out, then break the connection."""
        ...

    async def gone(self) -> None:
        """Wait until the peer has left."""
        ...


@attrs.frozen
class Fault:
    """One thing that goes wrong.

    With ``drop`` and ``stall`` the service sees the body up to ``after_bytes``; a body that ends before that
    is acted upon, and only the answer is lost.

    Args:
        action: ``status`` answers with ``status`` instead of acting; ``delay`` waits ``seconds`` and then
            acts; ``drop`` breaks the connection once ``after_bytes`` of the request's body have arrived;
            ``stall`` holds still from there for ``seconds`` (or until the peer leaves), then breaks it;
            ``truncate`` acts and sends only ``after_bytes`` bytes of the answer, head included; ``garbage``
            answers with no HTTP at all.
        method: the request's method; ``*`` for any.
        path: a glob over the request's path.
        times: how many requests it spoils.
        seconds: the wait of ``delay`` and ``stall``; with ``status``, the answer's ``Retry-After``.
    """

    action: Action
    path: str = "*"
    method: str = "*"
    times: int = 1
    status: int = 500
    after_bytes: int = 0
    seconds: float | None = None

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """Read a fault from decoded JSON.

        Raises:
            BadFault: naming the first thing that is wrong.
        """
        if not is_mapping(value):
            raise BadFault(f"a fault is a JSON object, not {value!r}")
        given: Mapping[str, object] = {str(name): each for name, each in value.items() if each is not None}
        unknown = sorted(given.keys() - {field.name for field in attrs.fields(cls)})
        if unknown:
            raise BadFault(f"a fault has no field {unknown[0]!r}")
        return cls(
            action=_action(given.get("action")),
            path=_text(given, "path"),
            method=_text(given, "method").upper(),
            times=_count(given, "times", default=1, low=1, high=1_000_000),
            status=_count(given, "status", default=500, low=200, high=599),
            after_bytes=_count(given, "after_bytes", default=0, low=0, high=2**63),
            seconds=_seconds(given),
        )

    def to_json(self) -> dict[str, object]:
        """Return the fault as plain JSON values."""
        return attrs.asdict(self)

    def matches(self, method: str, path: str) -> bool:
        """Say whether the fault spoils such a request."""
        return self.method in {"*", method} and fnmatchcase(path, self.path)


class FaultPlan:
    """The faults still to be played, in the order they were asked for."""

    def __init__(self) -> None:
        self._left: deque[Fault] = deque()

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._left))

    def add(self, *faults: Fault) -> None:
        """Put faults at the end of the plan."""
        self._left.extend(faults)

    def clear(self) -> None:
        """Forget all faults."""
        self._left.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault for such a request, one turn of it spent; None if there is none."""
        for index, fault in enumerate(self._left):
            if fault.matches(method, path):
                if fault.times > 1:
                    self._left[index] = attrs.evolve(fault, times=fault.times - 1)
                else:
                    del self._left[index]
                return fault
        return None


class FaultMiddleware:
    """Plays the plan's faults around an app, and ends requests in silence whose sender has left."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self.app = app
        self.plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or spoil it."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self.app(scope, receive, send)
            return
        fault = self.plan.take(scope["method"], scope["path"])
        try:
            if fault is None:
                await self.app(scope, receive, send)
            else:
                await self._play(fault, scope, receive, send)
        except ClientDisconnect:
            return

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        wire: Wire | None = scope.get("state", {}).get("wire")
        if fault.action == "status":
            await _drain(receive)
            await _refusal(fault)(scope, receive, send)
        elif fault.action == "delay":
            await anyio.sleep(fault.seconds or 0.0)
            await self.app(scope, receive, send)
        elif fault.action == "garbage":
            await _drain(receive)
            if wire is None:
                raise ConnectionLost("the sandbox answered with garbage, as asked", garbage=True)
            wire.write(GARBAGE)
            wire.close()
            await _until_lost(receive)
        elif fault.action == "truncate":
            await self._truncate(fault, wire, scope, receive, send)
        else:
            await self._cut(fault, wire, scope, receive, send)

    async def _truncate(
        self, fault: Fault, wire: Wire | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        async def truncated(message: Message) -> None:
            if wire is None:
                return
            if message["type"] == "http.response.start":
                wire.truncate(fault.after_bytes)
            await send(message)

        await self.app(scope, receive, truncated)
        if wire is None:
            raise ConnectionLost("the sandbox cut its answer short, as asked")
        wire.close()

    async def _cut(self, fault: Fault, wire: Wire | None, scope: Scope, receive: Receive, send: Send) -> None:
        left = fault.after_bytes
        broken = left == 0

        async def short() -> Message:
            nonlocal left, broken
            if left <= 0:
                broken = True
                await _break(fault, wire)
                return {"type": "http.disconnect"}
            message = await receive()
            if message["type"] == "http.request":
                body: bytes = message.get("body", b"")[:left]
                left -= len(body)
                more: bool = message.get("more_body", False) or left <= 0
                return {"type": "http.request", "body": body, "more_body": more}
            return message

        async def silent(message: Message) -> None:
            nonlocal broken
            if not broken:
                broken = True
                await _break(fault, wire)

        if broken:
            await _break(fault, wire)
        else:
            with suppress(ClientDisconnect):
                await self.app(scope, short, silent)
            if not broken:
                await _break(fault, wire)
        if wire is None:
            raise ConnectionLost("the sandbox dropped the connection, as asked")
        await _until_lost(receive)


async def _break(fault: Fault, wire: Wire | None) -> None:
    if fault.action == "stall":
        if wire is not None:
            with anyio.move_on_after(math.inf if fault.seconds is None else fault.seconds):
                await wire.gone()
        elif fault.seconds is not None:
            await anyio.sleep(fault.seconds)
    if wire is not None:
        wire.reset()


async def _drain(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
        pass


async def _until_lost(receive: Receive) -> None:
    # A server that sees an app return without an answer would make one up; after this it knows better.
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(fault: Fault) -> JSONResponse:
    name = ERROR_NAMES.get(fault.status, "InternalError" if fault.status >= 500 else "Refused")
    body = {"error": name, "message": "The sandbox refuses this request, as asked"}
    wait = None if fault.seconds is None else {"retry-after": f"{math.ceil(fault.seconds)}"}
    return JSONResponse(body, fault.status, headers=wait)


def _action(value: object) -> Action:
    for action in ACTIONS:
        if value == action:
            return action
    raise BadFault(f"action must be one of {', '.join(ACTIONS)}, not {value!r}")


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name, "*")
    if not isinstance(value, str) or not value:
        raise BadFault(f"{name} must be text, not {value!r}")
    return value


def _count(given: Mapping[str, object], name: str, *, default: int, low: int, high: int) -> int:
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadFault(f"{name} must be a whole number from {low} to {high}, not {value!r}")
    return value


def _seconds(given: Mapping[str, object]) -> float | None:
    value = given.get("seconds")
    if value is None:
        if given.get("action") == "delay":
            raise BadFault("a delay needs seconds")
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 86_400:
        raise BadFault(f"seconds must be a number from 0 to 86400, not {value!r}")
    return float(value)
