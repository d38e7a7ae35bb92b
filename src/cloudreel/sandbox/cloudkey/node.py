"""The upload node: a one-shot URL takes a file and tells where to fetch it (cloudkey-rpc.md section 11).

The URL itself is the capability: no call is signed here, and no credentials are sent.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from cloudreel.sandbox.cloudkey.errors import invalid
from cloudreel.sandbox.documents import base_name, new_id, source_name
from cloudreel.sandbox.forms import read_form
from cloudreel.sandbox.refusals import Refusal, json_response, missing_parameters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Message

    from cloudreel.sandbox.cloudkey.methods import Caller
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["node_file", "node_routes", "upload"]

_CORS = {"access-control-allow-origin": "*"}
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,99}", re.ASCII)


def upload(
    caller: Caller, target: str | None = None, status: bool | None = None, jsonp_cb: str | None = None
) -> Document:
    """Answer file.upload: where to send a file, and where to ask how far it has come.

    Args:
        target: where a browser is sent after the upload.
        status: whether to tell the URL of the upload's status as well.
        jsonp_cb: the name of a function that the status is wrapped into; ``?`` leaves it to jQuery.
    """
    if target is not None and not target.isprintable():
        raise invalid("target must be a URL")
    world = caller.world
    document: Document = {
        "id": new_id(),
        "service": "cloudkey",
        "status": "uploading",
        "size": None,
        "name": None,
        "hash": None,
        "_seal": secrets.token_hex(16),
        "_target": target,
        "_path": None,
    }
    world.store.put("node_upload", document["id"], document, scope=caller.user_id)
    key = urlencode({"uuid": document["id"], "seal": document["_seal"]})
    query = key if target is None else f"{key}&target={quote(target, safe='')}"
    reply = {"url": f"{world.base_url}/upload?{query}"}
    if status:
        query = key if jsonp_cb is None else f"{key}&jsonp_cb={quote(jsonp_cb, safe='?')}"
        reply["status"] = f"{world.base_url}/status?{query}"
    return reply


def node_file(world: World, url: str) -> Path | None:
    """Return the file a URL of this node stands for; None for any other URL."""
    prefix = f"{world.base_url}/files/"
    return _stored(world, url.removeprefix(prefix)) if url.startswith(prefix) else None


def node_routes(world: World) -> list[Route]:
    """Return the routes of the upload node."""
    receiving: dict[str, _Progress] = {}

    async def receive(request: Request) -> Response:
        document = _sealed(world, request)
        id = document["id"]
        if document["status"] != "uploading":
            raise Refusal(403, "Forbidden", "This upload URL was used already")
        if id in receiving:
            raise Refusal(409, "Conflict", "A file is on its way to this upload URL")
        progress = receiving[id] = _Progress(request)
        try:
            document = await _receive(world, document, progress)
        finally:
            del receiving[id]
        return _received(world, document)

    async def status(request: Request) -> Response:
        document = _sealed(world, request)
        body: Document = {"state": "notfound"}
        if document["status"] == "uploaded":
            body = {"state": "done", "received": document["size"], "size": document["size"]}
        elif document["id"] in receiving:
            progress = receiving[document["id"]]
            body = {"state": "uploading", "received": progress.received, "size": progress.size}
        callback = request.query_params.get("jsonp_cb")
        if callback is None:
            return json_response(body)
        if not _CALLBACK.fullmatch(callback):
            raise Refusal(400, "BadRequest", "jsonp_cb must name a function")
        return Response(f"{callback}({json.dumps(body)});", media_type="application/javascript")

    async def file(request: Request) -> Response:
        path = _stored(world, request.path_params["name"])
        if path is None:
            return Response("There is no such file", 404, media_type="text/plain")
        return FileResponse(path)

    return [
        Route("/upload", _open_to_browsers(receive), methods=["POST"]),
        Route("/status", _open_to_browsers(status), methods=["GET"]),
        Route("/files/{name}", file, methods=["GET"]),
    ]


class _Progress:
    """A request whose body is counted while it is read."""

    def __init__(self, request: Request) -> None:
        length = request.headers.get("content-length", "")
        self.size = int(length) if length.isascii() and length.isdigit() else None
        self.received = 0
        self._receive = request.receive
        self.request = Request(request.scope, self._counted)

    async def _counted(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        return message


def _sealed(world: World, request: Request) -> Document:
    """Return the upload a URL is for.

    Raises:
        Refusal: 403 for a wrong uuid or seal.
    """
    document = world.store.get("node_upload", request.query_params.get("uuid", ""))
    seal = request.query_params.get("seal", "")
    if document is None or not compare_digest(document["_seal"].encode(), seal.encode()):
        raise Refusal(403, "Forbidden", "This is no upload URL of this node: uuid or seal is wrong")
    return document


async def _receive(world: World, document: Document, progress: _Progress) -> Document:
    form = await read_form(progress.request, world.store.folder("incoming"))
    if form.file is None:
        raise missing_parameters(["file"])
    try:
        name = base_name(form.file.name)
        limit = world.file_size_limit
        if limit is not None and form.file.size > limit:
            raise Refusal(413, "FileSizeLimitExceeded", f"A file may have {limit} bytes")
        path = world.store.folder("files") / source_name(document["id"], Path(name).suffix)
        changes = {
            "status": "uploaded",
            "size": form.file.size,
            "name": Path(name).stem,
            "hash": await to_thread.run_sync(_sha1, form.file.path),
            "_path": str(path.relative_to(world.store.data)),
        }
        form.file.path.replace(path)
    finally:
        form.file.discard()
    world.store.update("node_upload", document["id"], changes)
    return document | changes


def _received(world: World, document: Document) -> Response:
    """Tell where the file is, or send the browser on with that in the query."""
    reply = {
        "url": f"{world.base_url}/files/{Path(document['_path']).name}",
        "name": document["name"],
        "size": document["size"],
        "hash": document["hash"],
        "seal": document["_seal"],
    }
    target: str | None = document["_target"]
    if target is None:
        return json_response(reply)
    address, mark, fragment = target.partition("#")
    joint = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{joint}{urlencode(reply)}{mark}{fragment}", 302)


def _stored(world: World, name: str) -> Path | None:
    document = world.store.get("node_upload", name.partition(".")[0])
    if document is None or document["_path"] is None or Path(document["_path"]).name != name:
        return None
    return Path(world.store.data, document["_path"])


def _open_to_browsers(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint whose answers scripts of other sites may read."""

    async def opened(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except Refusal as refusal:
            response = refusal.response()
        response.headers.update(_CORS)
        return response

    return opened


def _sha1(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha1").hexdigest()
