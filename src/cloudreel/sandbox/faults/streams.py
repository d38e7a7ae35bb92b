"""Requests and answers on their way through a fault: kept for a second time, or slowed down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from tempfile import SpooledTemporaryFile

    from starlette.types import Message, Receive, Send

CHUNK = 64 * 1024
TICKS = 20  # pieces a second that a slow line moves


async def swallow(message: Message) -> None:
    """Let a message of an answer go nowhere."""


async def nothing() -> Message:
    """Return a request's body that is empty."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def drain(receive: Receive) -> None:
    """Read a request's body to its end, or until the peer leaves."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
        pass


async def until_lost(receive: Receive) -> None:
    """Wait until the server knows that the connection is gone.

    A server that sees an app return without an answer would make one up; after this it knows better.
    """
    while (await receive())["type"] != "http.disconnect":
        pass


async def record(receive: Receive, body: SpooledTemporaryFile[bytes]) -> bool:
    """Write a request's body into a file; return whether it came to its end."""
    while (message := await receive())["type"] == "http.request":
        body.write(message.get("body", b""))
        if not message.get("more_body", False):
            return True
    return False


def replayed(body: SpooledTemporaryFile[bytes], receive: Receive) -> Receive:
    """Return a request's body as recorded, from where the file stands; afterwards what else is received."""
    ended = False

    async def replay() -> Message:
        nonlocal ended
        if ended:
            return await receive()
        chunk = body.read(CHUNK)
        ended = not chunk
        return {"type": "http.request", "body": chunk, "more_body": not ended}

    return replay


class Pace:
    """A line that moves only so many bytes a second, either way.

    Args:
        bytes_per_second: how many.
        seconds: for how long from now; None for ever.
    """

    def __init__(self, bytes_per_second: int, seconds: float | None) -> None:
        self._rate = bytes_per_second
        self._until = math.inf if seconds is None else anyio.current_time() + seconds

    async def _wait(self, waiting: memoryview) -> memoryview:
        """Return the beginning of what waits to be moved, once there was time for it."""
        if anyio.current_time() >= self._until:
            return waiting
        piece = waiting[: max(1, self._rate // TICKS)]
        await anyio.sleep(len(piece) / self._rate)
        return piece

    def receiving(self, receive: Receive) -> Receive:
        """Return the request's body at this pace."""
        waiting, more = memoryview(b""), True

        async def slowly() -> Message:
            nonlocal waiting, more
            if not waiting:
                message = await receive()
                if message["type"] != "http.request" or not message.get("body"):
                    return message
                waiting, more = memoryview(message["body"]), message.get("more_body", False)
            piece = await self._wait(waiting)
            waiting = waiting[len(piece) :]
            return {"type": "http.request", "body": bytes(piece), "more_body": more or bool(waiting)}

        return slowly

    def sending(self, send: Send) -> Send:
        """Let an answer's body out at this pace."""

        async def slowly(message: Message) -> None:
            waiting = memoryview(message.get("body", b""))
            while waiting:
                piece = await self._wait(waiting)
                waiting = waiting[len(piece) :]
                if waiting:
                    await send({"type": "http.response.body", "body": bytes(piece), "more_body": True})
                else:
                    await send({**message, "body": bytes(piece)})
            if not message.get("body"):
                await send(message)

        return slowly
