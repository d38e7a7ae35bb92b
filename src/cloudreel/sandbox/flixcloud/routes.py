"""The calls of Flix Cloud: a job is made and looked at, recipes are listed (flixcloud.md sections 1 to 5)."""

from __future__ import annotations

import base64
import binascii
import re
from hmac import compare_digest
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cloudreel.errors import DecodeError
from cloudreel.flixcloud.xml import read_xml
from cloudreel.sandbox.flixcloud import documents, storage
from cloudreel.sandbox.flixcloud.account import settings
from cloudreel.sandbox.flixcloud.jobs import new_job
from cloudreel.sandbox.flixcloud.request import BadSchema, JobRequest, check_shape, read_request
from cloudreel.sandbox.forms import read_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["flixcloud_routes"]

_SECOND_ROOT = re.compile(rb"</api-request>(\s*<recipe-settings>.*</recipe-settings>)\s*", re.DOTALL)
_NUMBERS = "flixcloud_numbers"


def flixcloud_routes(world: World) -> list[Route]:
    """Return the routes of the service, and that of the files its jobs store."""

    async def create(request: Request) -> Response:
        return _create(world, await read_body(request))

    async def status(request: Request) -> Response:
        if not _is_key(world, _password(request.headers.get("authorization", ""))):
            challenge = {"www-authenticate": 'Basic realm="Flix Cloud"'}
            return PlainTextResponse("Access denied.", 401, headers=challenge)
        job = world.store.get("job", request.path_params["id"])
        if job is None:
            return _xml(documents.errors(["There is no such job"]), 404)
        return _xml(documents.status(job))

    async def recipes(request: Request) -> Response:
        if not _is_key(world, request.query_params.get("api_key", "")):
            return PlainTextResponse("Access denied.", 401)
        return _xml(documents.recipes())

    return [
        Route("/jobs", create, methods=["POST"]),
        Route("/jobs/{id}/status", status, methods=["GET"]),
        Route("/recipes", recipes, methods=["GET"]),
        storage.storage_route(world),
    ]


def _create(world: World, body: bytes) -> Response:
    if settings(world)["second_root"]:
        body = _SECOND_ROOT.sub(rb"\1</api-request>", body)
    try:
        root = read_xml(body)
    except DecodeError:
        return _xml(documents.errors(["Malformed XML"]), 400)
    try:
        check_shape(root)
    except BadSchema as error:
        return _xml(documents.errors([f"Schema is invalid: {error}"]), 400)
    key = root.value("api-key")
    if key and not _is_key(world, key):
        return Response(status_code=401)
    asked = read_request(root, storage.place, storage.folder_place)
    if isinstance(asked, JobRequest) and key:
        return _xml(documents.created(_new_job(world, asked)), 201)
    errors = [] if isinstance(asked, JobRequest) else asked
    return _xml(documents.errors([*errors, *([] if key else ["api_key is required"])]))


def _new_job(world: World, asked: JobRequest) -> Document:
    # The number outlives a reset: the service never gave one twice.
    number = (world.store.setting(_NUMBERS) or {"job": 0})["job"] + 1
    world.store.set_setting(_NUMBERS, {"job": number})
    job = world.store.put("job", str(number), new_job(number, asked, world.clock.now()))
    world.flixcloud.submit(number)
    return job


def _password(authorization: str) -> str:
    """Return the password of a Basic header, in which keys have colons; the user's name does not count."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _is_key(world: World, key: str) -> bool:
    matches = compare_digest(world.credentials["flixcloud"]["api_key"].encode(), key.encode())
    return matches or (key != "" and not world.strict)


def _xml(document: bytes, status: int = 200) -> Response:
    return Response(document, status, headers={"content-type": "application/xml; charset=utf-8"})
