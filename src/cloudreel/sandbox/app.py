"""The sandbox as one ASGI application: routes to one module per service, outputs, control and console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from cloudreel.sandbox import control
from cloudreel.sandbox.cloudkey.node import node_routes
from cloudreel.sandbox.cloudkey.player import player_routes
from cloudreel.sandbox.cloudkey.rpc import rpc_route
from cloudreel.sandbox.cloudkey_rest.rest import rest_route
from cloudreel.sandbox.console import console_routes
from cloudreel.sandbox.faults import FaultMiddleware
from cloudreel.sandbox.flixcloud.routes import flixcloud_routes
from cloudreel.sandbox.journal import Journal, note
from cloudreel.sandbox.outputs import output_route
from cloudreel.sandbox.panda import panda_routes
from cloudreel.sandbox.refusals import Refusal
from cloudreel.sandbox.telestream import telestream_routes
from cloudreel.sandbox.uploads import upload_routes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

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
            *console_routes(world),
            rpc_route(world),
            rest_route(world),
            *node_routes(world),
            *flixcloud_routes(world),
            *player_routes(world),
        ],
        middleware=[
            Middleware(Journal, world=world),
            Middleware(FaultMiddleware, plan=world.faults),
        ],
        exception_handlers={Refusal: _refused, Exception: _failed},
    )


async def _refused(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    note(request, refusal=str(refusal))
    return refusal.response()


async def _failed(_request: Request, error: Exception) -> Response:
    """Say that the sandbox itself failed; the error still reaches the server's log."""
    return Refusal(500, "InternalError", f"The sandbox failed: {type(error).__name__}").response()
