"""Faults before the service: what it does not get to see, sees twice, or sees with other eyes.

Each function plays the action of its name (see `Fault`).
"""

from __future__ import annotations

import math
from contextvars import ContextVar
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.responses import JSONResponse, Response

from cloudreel.sandbox.faults.exchange import CONTROL
from cloudreel.sandbox.faults.streams import drain, record, replayed, swallow

if TYPE_CHECKING:
    from cloudreel.sandbox.faults.exchange import Exchange
    from cloudreel.sandbox.faults.plan import Fault

SPOOLED = 2**20  # bytes of a request that are kept in memory to be delivered again; more go into a file

ERROR_NAMES = {
    400: "BadRequest",
    401: "NotAuthorized",
    404: "RecordNotFound",
    413: "FileSizeLimitExceeded",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}

skew: ContextVar[float] = ContextVar("skew", default=0.0)
"""Seconds by which the sandbox's clock is off for the request that is being answered."""


async def status(fault: Fault, exchange: Exchange) -> None:
    """Answer with a refusal."""
    name = ERROR_NAMES.get(fault.status, "InternalError" if fault.status >= 500 else "Refused")
    body = {"error": name, "message": "The sandbox refuses this request, as asked"}
    wait = None if fault.seconds is None else {"retry-after": f"{math.ceil(fault.seconds)}"}
    await _answer(exchange, JSONResponse(body, fault.status, headers=wait))


async def redirect(fault: Fault, exchange: Exchange) -> None:
    """Answer with a redirect."""
    query: bytes = exchange.scope["query_string"]
    asked = exchange.scope["path"] + (f"?{query.decode('latin-1')}" if query else "")
    await _answer(exchange, Response(status_code=fault.status, headers={"location": fault.location or asked}))


async def expired(fault: Fault, exchange: Exchange) -> None:
    """Forget the upload first, then act."""
    await exchange.demand("DELETE", exchange.scope["path"])
    await exchange.act()


async def moved(fault: Fault, exchange: Exchange) -> None:
    """Move the upload first, then act."""
    id = dict(parse_qsl(exchange.scope["query_string"].decode("latin-1"))).get("id", "-")
    await exchange.demand("POST", f"{CONTROL}/uploads/{quote(id, safe='')}/move")
    await exchange.act()


async def duplicate(fault: Fault, exchange: Exchange) -> None:
    """Act twice on the same request; the second answer comes back."""
    # Closed without awaiting anything: a server that goes down would leave it open.
    with SpooledTemporaryFile(max_size=SPOOLED) as body:
        if await record(exchange.receive, body):
            for send in (swallow, exchange.send):
                body.seek(0)
                await exchange.act(receive=replayed(body, exchange.receive), send=send)


async def skewed(fault: Fault, exchange: Exchange) -> None:
    """Act with a clock that is off."""
    right = skew.set(fault.seconds or 0.0)
    try:
        await exchange.act()
    finally:
        skew.reset(right)


async def early(fault: Fault, exchange: Exchange) -> None:
    """Send an informational answer, then act."""
    if exchange.wire is not None:
        phrase = HTTPStatus(fault.status).phrase
        exchange.wire.write(f"HTTP/1.1 {fault.status} {phrase}\r\n\r\n".encode())
    await exchange.act()


async def _answer(exchange: Exchange, response: Response) -> None:
    await drain(exchange.receive)
    await response(exchange.scope, exchange.receive, exchange.send)
