"""The JSON-RPC era: ``POST /api``, its envelope, and who may call (cloudkey-rpc.md sections 2 to 6, 18)."""

from __future__ import annotations

import json
from hmac import compare_digest
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from cloudreel.errors import SigningError
from cloudreel.sandbox.cloudkey import errors, farm, media, metas, node, settings, users
from cloudreel.sandbox.cloudkey.errors import CallError
from cloudreel.sandbox.cloudkey.methods import Caller, Method, methods
from cloudreel.sandbox.forms import read_body
from cloudreel.sandbox.journal import note
from cloudreel.signing import Verdict, normalize
from cloudreel.signing.digest import md5_hex
from cloudreel.signing.verdict import SECRET, hide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.state import World

__all__ = ["rpc_route"]

OBJECTS: Mapping[str, Mapping[str, Method]] = {
    "media": methods(
        *(media.create, media.info, media.list_, media.search, media.delete, media.reset),
        *(media.set_assets, media.get_assets, media.get_asset, media.remove_assets),
        *(media.set_thumbnail, media.get_subs_urls),
        *(metas.set_meta, metas.get_meta, metas.remove_meta),
    ),
    "file": methods(node.upload),
    "user": methods(
        *(users.info, users.whoami, users.create, users.delete, users.list_, users.set_, users.search)
    ),
    "system": methods(reset=media.reset_collection),
    "organisation": methods(get=users.organisation),
    "player_preset": methods(list=users.player_presets),
    "encoding_settings": methods(
        *(settings.enable_asset, settings.disable_asset, settings.get_active_assets),
        *(settings.set_asset_setting, settings.get_asset_setting, settings.reset),
    ),
    "farm": methods(farm.add_node, farm.get_node, farm.list_node, farm.select_node, farm.remove),
}

_CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "Origin, X-Requested-With, Content-Type, Accept",
}


def rpc_route(world: World) -> Route:
    """Return the route all calls of the RPC era go to; the answer's status is always 200."""

    async def api(request: Request) -> Response:
        body = await read_body(request)
        name = ""
        try:
            sent = _decoded(body)
            name = _name(sent)
            reply: dict[str, object] = {"result": _answer(world, request, name, sent)}
        except CallError as error:
            note(request, refusal=f"{error.code}: {error}")
            reply = {"error": _shown(error, name)}
        text = json.dumps(reply)
        return Response(text, media_type="application/json", headers=_CORS)

    return Route("/api", api, methods=["POST"])


def _decoded(body: bytes) -> dict[str, JSON]:
    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    try:
        sent: JSON = json.loads(body, parse_constant=refuse)
        json.dumps(sent, ensure_ascii=False).encode()  # a lone surrogate is no text
    except (ValueError, RecursionError) as error:
        raise CallError(errors.SERIALIZER, f"The request is not valid JSON: {error}") from error
    if not isinstance(sent, dict):
        raise CallError(errors.INVALID_REQUEST, "The request must be a JSON object")
    return sent


def _name(sent: Mapping[str, JSON]) -> str:
    name = sent.get("call")
    if not isinstance(name, str):
        raise CallError(errors.INVALID_REQUEST, "The request has no call")
    object, _, method = name.partition(".")
    if not object or not method or "." in method:
        raise CallError(errors.INVALID_CALL, f"A call is object.method, not {name[:80]!r}")
    return name


def _answer(world: World, request: Request, name: str, sent: Mapping[str, JSON]) -> object:
    args = sent.get("args", {})
    if args == []:
        args = {}  # the PHP client's empty map
    if not isinstance(args, dict):
        raise CallError(errors.INVALID_REQUEST, "args must be an object")
    caller = _caller(world, request, sent)
    object, _, name = name.partition(".")
    if object not in OBJECTS:
        raise CallError(errors.INVALID_OBJECT, f"There is no object {object!r}")
    if name not in OBJECTS[object]:
        raise CallError(errors.INVALID_METHOD, f"'{object.title()}' object has no attribute '{name}'")
    method = OBJECTS[object][name]
    if object == "media" and "media_id" in args:  # an old name of id, which wins (10.1)
        alias = args["media_id"]
        args = {"id": alias} | {name: value for name, value in args.items() if name != "media_id"}
    return method.answer(caller, **method.checked(args))


def _caller(world: World, request: Request, sent: Mapping[str, JSON]) -> Caller:
    """Return who calls, by the digest over all the request but ``auth`` (cloudkey-rpc.md section 4).

    Raises:
        CallError: 400, for any reason not to believe the caller.
    """
    auth = sent.get("auth")
    if not isinstance(auth, str):
        raise CallError(errors.AUTHENTICATION, "The request has no auth")
    names, _, digest = auth.partition(":")
    user_id, _, acted_id = names.partition("/")
    user = world.store.get("account", user_id)
    if user is None:
        raise CallError(errors.AUTHENTICATION, f"There is no user {user_id[:80]!r}")
    text = _signed_text(sent)
    key: str = user["api_key"]
    if world.strict:
        hashed = hide(f"{names}{text}", key) + SECRET
        good = compare_digest(md5_hex(f"{names}{text}{key}").encode(), digest.encode())
        why = "the signature is valid" if good else "the digest is another one"
        note(request, verdict=Verdict(good, "" if good else "signature", why, hashed))
        if not good:
            raise CallError(errors.AUTHENTICATION, f"The digest is another one; the service hashed {hashed}")
    if not acted_id:
        return Caller(world, user, user["_root"])
    if not user["_root"]:
        raise CallError(errors.AUTHENTICATION, "Only a root account may act as another user")
    acted = world.store.get("account", acted_id)
    if acted is None:
        raise CallError(errors.AUTHENTICATION, f"There is no user {acted_id[:80]!r} to act as")
    return Caller(world, acted, is_root=acted["_root"])


def _signed_text(sent: Mapping[str, JSON]) -> str:
    try:
        return normalize({name: value for name, value in sent.items() if name != "auth"})
    except SigningError as error:
        raise CallError(errors.AUTHENTICATION, str(error)) from error


def _shown(error: CallError, name: str) -> dict[str, JSON]:
    if error.code in {errors.INVALID_PARAMETER, errors.MISSING_PARAMETER}:
        return {"code": error.code, "message": f"Invalid parameters for {name}", "data": str(error)}
    return {"code": error.code, "message": str(error)}
