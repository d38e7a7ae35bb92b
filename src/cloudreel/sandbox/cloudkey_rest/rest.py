"""The REST era: ``GET /json/{namespace}/{method}`` with Basic authentication (cloudkey-rest.md 2 to 6)."""

from __future__ import annotations

import base64
import binascii
import json
from hmac import compare_digest
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cloudreel.sandbox.cloudkey import errors, farm, settings
from cloudreel.sandbox.cloudkey.errors import CallError
from cloudreel.sandbox.cloudkey.methods import Caller, Method, methods
from cloudreel.sandbox.cloudkey_rest import media, users

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["rest_route"]

NAMESPACES: Mapping[str, Mapping[str, Method]] = {
    "user": methods(
        *(users.whoami, settings.enable_asset, settings.disable_asset, settings.get_active_assets),
        *(settings.set_asset_setting, settings.get_asset_setting),
        reset_encoding_settings=settings.reset,
    ),
    "media": methods(
        *(media.create, media.info, media.list_, media.count, media.delete, media.reset, media.publish),
        *(media.set_meta, media.get_meta, media.list_meta, media.remove_meta),
        *(media.set_asset, media.get_asset, media.list_asset, media.remove_asset, media.process_asset),
        *(media.get_asset_url, media.get_embed, media.get_mediaplayer_url),
    ),
    "file": methods(users.upload),
    "farm": methods(farm.add_node, farm.get_node, farm.list_node, farm.select_node, farm.remove),
}

_ERRORS = {
    errors.NOT_FOUND: (404, "ApiNotFound"),
    errors.MISSING_PARAMETER: (400, "ApiMissingParam"),
    errors.INVALID_PARAMETER: (400, "ApiInvalidParam"),
}


def rest_route(world: World) -> Route:
    """Return the route all calls of the REST era go to."""

    async def call(request: Request) -> Response:
        namespace, _, name = request.path_params["path"].partition("/")
        method = NAMESPACES.get(namespace, {}).get(name)
        if method is None:
            return PlainTextResponse("There is no such method", 404)
        query = dict(request.query_params)
        caller = _caller(world, request.headers.get("authorization", ""), query.get("__user__"))
        if caller is None:
            challenge = {"www-authenticate": 'Basic realm="CloudKey"'}
            return PlainTextResponse("Give a login and its password", 401, headers=challenge)
        try:
            value = method.answer(caller, **method.read(query))
        except CallError as error:
            status, kind = _ERRORS[error.code]
            body = {"status_code": status, "type": kind, "message": str(error)}
            return Response(json.dumps(body), status, media_type="application/json")
        if value is None:
            return Response(status_code=204)
        return Response(json.dumps(value), media_type="application/json")

    return Route("/json/{path:path}", call, methods=["GET"])


def _caller(world: World, authorization: str, acted: str | None) -> Caller | None:
    """Return who calls; None if that is nobody, or a root account that acts as nobody (section 5)."""
    user = _user(world, authorization)
    if user is None or acted is None or not user["_root"]:
        return None if user is None else Caller(world, user, user["_root"])
    target = _named(world, acted)
    return None if target is None else Caller(world, target, target["_root"])


def _user(world: World, authorization: str) -> Document | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    user = _named(world, name)
    if user is None:
        return None
    matches = compare_digest(user["_password"].encode(), password.encode())
    return user if matches or not world.strict else None


def _named(world: World, name: str) -> Document | None:
    return next(iter(world.store.list("account", username=name)), None)
