"""Panda, API v2, and the routes it shares with Telestream: which request goes where (panda.md section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Mount, Route

from cloudreel.sandbox import encodings, profiles, scopes, uploads, videos
from cloudreel.sandbox.auth import ApiRequest, Service, receive
from cloudreel.sandbox.cors import ANY_ORIGIN
from cloudreel.sandbox.refusals import Refusal, bad_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from cloudreel.sandbox.state import World

__all__ = ["PANDA", "family_routes", "panda_routes"]

PANDA = Service(
    name="panda",
    prefix="/v2",
    scope="cloud",
    scopes="clouds",
    scope_names=("cloud_id",),
    by_parts=False,
)

_VERBS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]


def panda_routes(world: World) -> Mount:
    """Return the routes under ``/v2``."""
    return family_routes(world, PANDA)


def family_routes(world: World, service: Service) -> Mount:
    """Return the routes of one member of the family, under its version prefix."""

    def route(verb: str, path: str, handler: Callable[[ApiRequest], Response]) -> Route:
        return Route(path, _endpoint(world, service, handler), methods=[verb])

    scope = f"/{service.scopes}"
    return Mount(
        service.prefix,
        routes=[
            route("GET", f"{scope}.json", scopes.list_all),
            route("POST", f"{scope}.json", scopes.create),
            route("GET", scope + "/{id}.json", scopes.show),
            route("PUT", scope + "/{id}.json", scopes.change),
            route("GET", "/videos.json", videos.list_all),
            route("POST", "/videos.json", videos.create),
            route("POST", "/videos/upload.json", uploads.create),
            route("GET", "/videos/{id}.json", videos.show),
            route("DELETE", "/videos/{id}.json", videos.delete),
            route("DELETE", "/videos/{id}/source.json", videos.delete_source),
            route("GET", "/videos/{id}/metadata.json", videos.show_metadata),
            route("GET", "/videos/{id}/encodings.json", videos.list_encodings),
            route("GET", "/encodings.json", encodings.list_all),
            route("POST", "/encodings.json", encodings.create),
            route("GET", "/encodings/{id}.json", encodings.show),
            route("DELETE", "/encodings/{id}.json", encodings.delete),
            route("POST", "/encodings/{id}/cancel.json", encodings.cancel),
            route("POST", "/encodings/{id}/retry.json", encodings.retry),
            route("GET", "/profiles.json", profiles.list_all),
            route("POST", "/profiles.json", profiles.create),
            route("GET", "/profiles/{id}.json", profiles.show),
            route("PUT", "/profiles/{id}.json", profiles.change),
            route("DELETE", "/profiles/{id}.json", profiles.delete),
            route("GET", "/profiles/{id}/encodings.json", profiles.list_encodings),
            route("GET", "/notifications.json", scopes.show_notifications),
            route("PUT", "/notifications.json", scopes.change_notifications),
            Route("/{rest:path}", _unknown, methods=_VERBS),
        ],
        middleware=[ANY_ORIGIN],
    )


def _endpoint(
    world: World, service: Service, handler: Callable[[ApiRequest], Response]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.headers.get("expect", "").lower() == "100-continue":
            # The proxy in front of the service did so (panda.md section 2), and without reading the body.
            text = "Expectation Failed: send no Expect: 100-continue"
            return Response(text, 417, {"connection": "close"}, media_type="text/plain")
        call = await receive(request, world, service)
        try:
            return handler(call)
        finally:
            if call.file is not None:
                call.file.discard()

    return endpoint


async def _unknown(request: Request) -> Response:
    path = request.path_params["rest"]
    if not path.endswith(".json"):
        raise bad_request("Currently only .json is supported as a format")
    raise Refusal(404, "RecordNotFound", f"There is no {request.method} /{path}")
