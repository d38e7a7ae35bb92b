"""One request that is spoiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cloudreel.sandbox.faults.streams import nothing, swallow, until_lost
from cloudreel.sandbox.faults.wire import ConnectionLost, Loss, Wire

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

CONTROL = "/__sandbox__"


@attrs.frozen
class Exchange:
    """One request on its way to the app, and the connection under it."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send

    @property
    def wire(self) -> Wire | None:
        """The connection; None where there is no socket."""
        wire: Wire | None = self.scope.get("state", {}).get("wire")
        return wire

    async def act(self, *, receive: Receive | None = None, send: Send | None = None) -> None:
        """Let the app answer."""
        await self.app(dict(self.scope), receive or self.receive, send or self.send)

    async def demand(self, method: str, path: str) -> None:
        """Have the app do something else first, whatever it answers."""
        scope: Scope = {
            **self.scope,
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "headers": [],
        }
        await self.app(scope, nothing, swallow)

    async def lost(self, loss: Loss = "broken") -> None:
        """Wait for the end of a connection that was broken.

        Raises:
            ConnectionLost: there is none.
        """
        if self.wire is None:
            raise ConnectionLost("the sandbox spoiled the connection, as asked", loss)
        await until_lost(self.receive)
