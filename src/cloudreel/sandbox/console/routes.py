"""The console's page, what it loads, and what it shows. Nothing in it comes from elsewhere."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from anyio import to_thread
from starlette.responses import Response
from starlette.routing import Route

from cloudreel.sandbox.console.view import view
from cloudreel.sandbox.documents import public
from cloudreel.sandbox.faults import CONTROL
from cloudreel.sandbox.journal import explanation

if TYPE_CHECKING:
    from starlette.requests import Request

    from cloudreel.sandbox.state import World

FOLDER = Path(__file__).parent
FILES = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "parts.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def console_routes(world: World) -> list[Route]:
    """Return the page at / and what belongs to it."""

    async def page(request: Request) -> Response:
        return _file("index.html", "text/html")

    async def file(request: Request) -> Response:
        name: str = request.path_params["name"]
        if name not in FILES:
            return Response("There is no such file", 404, media_type="text/plain")
        return _file(name, FILES[name])

    async def state(request: Request) -> Response:
        # A source that was not hashed yet is hashed now, which takes its time: not on the event loop.
        found = await to_thread.run_sync(view, world)
        found["config"] = world.config if is_local(request) else None
        return _json(found)

    async def asked(request: Request) -> Response:
        number: int = request.path_params["number"]
        entry = next((entry for entry in list(world.requests) if entry["number"] == number), None)
        if entry is None:
            return _json({"error": "NotFound", "message": "the sandbox does not remember this request"}, 404)
        return _json({**public(entry), "explanation": explanation(entry)})

    return [
        Route("/", page, methods=["GET"]),
        Route(f"{CONTROL}/console", state, methods=["GET"]),
        Route(f"{CONTROL}/console/{{name}}", file, methods=["GET"]),
        Route(f"{CONTROL}/requests/{{number:int}}", asked, methods=["GET"]),
    ]


def is_local(request: Request) -> bool:
    """Return whether a request comes from this machine and asked for it by a name of its own.

    Only then the page may show credentials: not to the network that a sandbox may be open to, and not to a
    page elsewhere whose name was made to lead here.
    """
    host, client = request.url.hostname, request.client
    return client is not None and _is_loopback(client.host) and host is not None and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _json(value: object, status: int = 200) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(orjson.dumps(value), status, headers=headers, media_type="application/json")


def _file(name: str, media_type: str) -> Response:
    # Small, and read at once: a file that is streamed may be left open when the server goes down.
    return Response((FOLDER / name).read_bytes(), headers=HEADERS, media_type=media_type)
