"""Faults of the line: too slow, broken or silent, on the way there or back.

Each function plays the action of its name (see `Fault`). Where there is no wire, because client and app share
a loop without a socket, a broken connection is told by raising `ConnectionLost`.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from starlette.requests import ClientDisconnect

from cloudreel.sandbox.faults.streams import Pace, drain, swallow

if TYPE_CHECKING:
    from starlette.types import Message

    from cloudreel.sandbox.faults.exchange import Exchange
    from cloudreel.sandbox.faults.plan import Fault
    from cloudreel.sandbox.faults.wire import Wire

GARBAGE = b"\x16\x03\xff\x00this is not HTTP\r\n\xde\xad\xbe\xef\r\n\r\n"


async def delay(fault: Fault, exchange: Exchange) -> None:
    """Wait, then act."""
    await anyio.sleep(fault.seconds or 0.0)
    await exchange.act()


async def slow(fault: Fault, exchange: Exchange) -> None:
    """Act at a slow pace."""
    pace = Pace(fault.bytes_per_second or 1, fault.seconds)
    await exchange.act(receive=pace.receiving(exchange.receive), send=pace.sending(exchange.send))


async def drop(fault: Fault, exchange: Exchange) -> None:
    """Reset the connection in the request."""

    async def end(wire: Wire | None) -> None:
        if wire is not None:
            wire.reset()

    await _cut_request(fault, exchange, end)


async def stall(fault: Fault, exchange: Exchange) -> None:
    """Hold still in the request, then reset the connection."""

    async def end(wire: Wire | None) -> None:
        await _silence(fault, wire)
        if wire is not None:
            wire.reset()

    await _cut_request(fault, exchange, end)


async def _cut_request(
    fault: Fault, exchange: Exchange, end: Callable[[Wire | None], Awaitable[None]]
) -> None:
    """Let some bytes of the body in and end the connection; if the body ends before, act, and end it then."""
    left = fault.after_bytes
    ended = False

    async def end_once() -> None:
        nonlocal ended
        if not ended:
            ended = True
            await end(exchange.wire)

    async def short() -> Message:
        nonlocal left
        if left <= 0:
            await end_once()
            return {"type": "http.disconnect"}
        message = await exchange.receive()
        if message["type"] != "http.request":
            return message
        body: bytes = message.get("body", b"")[:left]
        left -= len(body)
        return {**message, "body": body, "more_body": message.get("more_body", False) or left <= 0}

    async def silent(message: Message) -> None:
        await end_once()

    if left:
        with suppress(ClientDisconnect):
            await exchange.act(receive=short, send=silent)
    await end_once()
    await exchange.lost()


async def garbage(fault: Fault, exchange: Exchange) -> None:
    """Answer with no HTTP."""
    await drain(exchange.receive)
    if exchange.wire is not None:
        exchange.wire.write(GARBAGE)
        exchange.wire.finish()
    await exchange.lost("garbage")


async def lost(fault: Fault, exchange: Exchange) -> None:
    """Act, then reset the connection before the answer."""
    await exchange.act(send=swallow)
    if exchange.wire is not None:
        exchange.wire.reset()
    await exchange.lost()


async def truncate(fault: Fault, exchange: Exchange) -> None:
    """End the connection in the answer."""

    async def end(wire: Wire) -> None:
        # A connection that ends without a byte looks idle to some clients, and they send again.
        if fault.after_bytes:
            wire.finish()
        else:
            wire.reset()

    await _cut_answer(fault, exchange, end)
    await exchange.lost()


async def reset(fault: Fault, exchange: Exchange) -> None:
    """Reset the connection in the answer."""

    async def end(wire: Wire) -> None:
        await wire.drained()
        wire.reset()

    await _cut_answer(fault, exchange, end)
    await exchange.lost()


async def half_open(fault: Fault, exchange: Exchange) -> None:
    """Fall silent in the answer."""

    async def end(wire: Wire) -> None:
        wire.limit(0)
        await _silence(fault, wire)
        wire.reset()

    await _cut_answer(fault, exchange, end)
    if exchange.wire is None:
        await _silence(fault, None)
    await exchange.lost("silence")


async def _cut_answer(fault: Fault, exchange: Exchange, end: Callable[[Wire], Awaitable[None]]) -> None:
    """Act, let some bytes of the answer out, and end the connection: where it is cut, or else after it."""
    ended = False

    async def end_once() -> None:
        nonlocal ended
        if not ended and exchange.wire is not None:
            ended = True
            await end(exchange.wire)

    async def cut(message: Message) -> None:
        if ended or exchange.wire is None:
            return
        if message["type"] == "http.response.start":
            exchange.wire.limit(fault.after_bytes)
        await exchange.send(message)
        if exchange.wire.spent:
            await end_once()

    await exchange.act(send=cut)
    await end_once()


async def _silence(fault: Fault, wire: Wire | None) -> None:
    if wire is not None:
        with anyio.move_on_after(math.inf if fault.seconds is None else fault.seconds):
            await wire.gone()
    elif fault.seconds is not None:
        await anyio.sleep(fault.seconds)
