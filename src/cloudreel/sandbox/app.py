"""The sandbox as one ASGI application: routes to one module per service, outputs, and the request log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from cloudreel.sandbox import control
from cloudreel.sandbox.cloudkey.node import node_routes
from cloudreel.sandbox.cloudkey.player import player_routes
from cloudreel.sandbox.cloudkey.rpc import rpc_route
from cloudreel.sandbox.cloudkey_rest.rest import rest_route
from cloudreel.sandbox.faults import CONTROL, FaultMiddleware
from cloudreel.sandbox.flixcloud.routes import flixcloud_routes
from cloudreel.sandbox.outputs import output_route
from cloudreel.sandbox.panda import panda_routes
from cloudreel.sandbox.refusals import Refusal
from cloudreel.sandbox.telestream import telestream_routes
from cloudreel.sandbox.uploads import upload_routes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cloudreel.sandbox.state import World

__all__ = ["create_app"]


def create_app(world: World) -> Starlette:
    """Return the application over a world, which must be running while requests come in."""
    return Starlette(
        routes=[
            telestream_routes(world),
            panda_routes(world),
            upload_routes(world),
            output_route(world),
            *control.routes(world),
            rpc_route(world),
            rest_route(world),
            *node_routes(world),
            *flixcloud_routes(world),
            *player_routes(world),
        ],
        middleware=[
            Middleware(RequestLog, world=world),
            Middleware(FaultMiddleware, plan=world.faults),
        ],
        exception_handlers={Refusal: _refused, Exception: _failed},
    )


class RequestLog:
    """Notes every request but the control ones: what was asked, and the status answered or None."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note it when it begins; its status follows."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        entry: dict[str, object] = {
            "method": scope["method"],
            "path": scope["path"],
            "status": None,
            "part": headers.get(b"x-part"),
            "range": headers.get(b"content-range") or headers.get(b"range"),
        }
        self._world.requests.append(entry)
        scope.setdefault("state", {})["arrived"] = time.time()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        await self._app(scope, receive, noting)


async def _refused(_request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return refusal.response()


async def _failed(_request: Request, error: Exception) -> Response:
    """Say that the sandbox itself failed; the error still reaches the server's log."""
    return Refusal(500, "InternalError", f"The sandbox failed: {type(error).__name__}").response()
