"""The middleware that spoils requests as the plan says, and ends those in silence whose sender has left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from cloudreel.sandbox.faults import breaks, detours
from cloudreel.sandbox.faults.exchange import CONTROL, Exchange
from cloudreel.sandbox.faults.plan import Action, Fault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cloudreel.sandbox.faults.plan import FaultPlan

PLAYERS: dict[Action, Callable[[Fault, Exchange], Awaitable[None]]] = {
    "status": detours.status,
    "redirect": detours.redirect,
    "expired": detours.expired,
    "moved": detours.moved,
    "duplicate": detours.duplicate,
    "skew": detours.skewed,
    "early": detours.early,
    "delay": breaks.delay,
    "slow": breaks.slow,
    "drop": breaks.drop,
    "stall": breaks.stall,
    "lost": breaks.lost,
    "truncate": breaks.truncate,
    "reset": breaks.reset,
    "half_open": breaks.half_open,
    "garbage": breaks.garbage,
}


class FaultMiddleware:
    """Plays the plan's faults around an app; the sandbox's own routes are never spoiled."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or spoil it."""
        # Set for every request: a connection's next one may be answered in the context of the last.
        detours.skew.set(0.0)
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        fault = self._plan.take(scope["method"], scope["path"])
        try:
            if fault is None:
                await self._app(scope, receive, send)
            else:
                entry = scope.get("state", {}).get("entry")
                if entry is not None:
                    entry["fault"] = fault.action
                await PLAYERS[fault.action](fault, Exchange(self._app, scope, receive, send))
        except ClientDisconnect:
            return
