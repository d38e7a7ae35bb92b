"""Upload sessions of the Panda family: made by a signed call, fed through a location that is the capability.

A session speaks one of two dialects: parts by ``X-Part`` (telestream.md 8.2 to 8.6), or a stream by
``Content-Range`` (panda.md 8.3). Either also takes the whole file as a multipart form. What has arrived is in
the store before it is acknowledged, so sessions outlive the process.

The service had other hosts for locations. The sandbox has one port, so its locations are on its own host.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Mount, Route

from cloudreel.sandbox import parts, ranges
from cloudreel.sandbox.cors import ANY_ORIGIN
from cloudreel.sandbox.documents import base_name, new_id, public
from cloudreel.sandbox.forms import read_form, whole_number
from cloudreel.sandbox.refusals import bad_request, json_response, missing_parameters, not_found
from cloudreel.sandbox.videos import check_size, chosen_profiles, start_video, video_params

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.auth import ApiRequest
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["create", "move", "upload_routes"]

_MOUNT = "/upload"
_PATH = "/session"


def create(call: ApiRequest) -> Response:
    """Answer POST /videos/upload.json with 201 and where to send the file."""
    if call.text("file_size") is None or call.text("file_name") is None:
        raise missing_parameters(["file_size", "file_name"])
    world = call.world
    by_parts = call.service.by_parts and call.flag("multi_chunk")
    main = _new_file(world, "", call.text("file_name") or "", call.whole("file_size", 0, low=1))
    extra = _extra_files(world, call.params.get("extra_files")) if by_parts else {}
    upload: Document = {
        "id": new_id(),
        "service": call.service.name,
        "file_name": main["name"],
        "size": main["size"],
        "part_size": world.part_size,
        "status": "uploading",
        "repeated": 0,
        "moves": 0,
        "video_id": None,
        "_scope": call.scope_id,
        "_by_parts": by_parts,
        "_held": 0,
        "_files": {"": main, **extra},
        "_params": video_params(call),
        "_profiles": [profile["id"] for profile in chosen_profiles(call, all_by_default=False)],
        "_video": None,
    }
    for number, file in enumerate(upload["_files"].values()):
        file["path"] = f"uploads/{upload['id']}.{number}"
        with (world.store.folder("uploads") / f"{upload['id']}.{number}").open("wb") as stream:
            stream.truncate(file["size"])
    world.store.put("upload", upload["id"], upload, scope=call.scope_id)
    reply = {"id": upload["id"], "location": _location(world, upload)}
    if by_parts:
        sizes = {"parts": str(main["parts"]), "part_size": str(world.part_size)}
        reply |= {**sizes, "max_connections": str(world.max_connections)}
    if extra:
        reply["extra_files"] = {
            tag: {
                "name": file["name"],
                "tag": tag,
                "parts": str(file["parts"]),
                "part_size": str(world.part_size),
            }
            for tag, file in extra.items()
        }
    return json_response(reply, 201)


def move(world: World, id: str) -> str:
    """Move an upload that speaks ``Content-Range`` and return its new location.

    From now on every answer at an older location names the new one in its ``Location`` header; the older ones
    go on working, for a sender that never saw the answer (panda.md 8.3).

    Raises:
        Refusal: there is no such upload, or it takes parts: nothing is known of those being moved.
    """
    upload = world.store.get("upload", id)
    if upload is None or upload["status"] == "aborted":
        raise not_found("UploadSession", id)
    if upload["_by_parts"]:
        raise bad_request("An upload in parts cannot be moved")
    upload["moves"] += 1
    world.store.update("upload", id, {"moves": upload["moves"]})
    return _location(world, upload)


def upload_routes(world: World) -> Mount:
    """Return the routes of upload locations, which need no signature; pages of any origin may use them."""

    async def send(request: Request, upload: Document) -> Response:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            return await _receive_whole(world, upload, request)
        if upload["_by_parts"]:
            return await parts.receive(world, upload, request, complete)
        return await ranges.receive(world, upload, request, complete)

    async def status(request: Request, upload: Document) -> Response:
        if upload["_by_parts"]:
            return parts.status(world, upload, request)
        return ranges.status(world, upload, request)

    async def abort(request: Request, upload: Document) -> Response:
        if upload["status"] == "uploading":
            for file in upload["_files"].values():
                (world.store.data / file["path"]).unlink(missing_ok=True)
        world.store.drop_parts(upload["id"])
        world.store.update("upload", upload["id"], {"status": "aborted"})
        return Response()

    def route(handler: Callable[[Request, Document], Awaitable[Response]], *verbs: str) -> list[Route]:
        async def endpoint(request: Request) -> Response:
            upload = _found(world, request)
            response = await handler(request, upload)
            current = world.store.get("upload", upload["id"]) or upload
            if _moves_before(request) < current["moves"]:
                response.headers["location"] = _location(world, current)
            return response

        return [Route(path, endpoint, methods=list(verbs)) for path in (_PATH, f"{_PATH}/{{moves:int}}")]

    routes = [*route(status, "GET"), *route(send, "PUT", "POST"), *route(abort, "DELETE")]
    return Mount(_MOUNT, routes=routes, middleware=[ANY_ORIGIN])


def complete(world: World, id: str) -> Document:
    """Turn an upload whose last byte is stored into a video; called again, return the same one."""
    upload = world.store.get("upload", id)
    if upload is None or upload["status"] == "aborted":
        raise not_found("UploadSession", id)
    if upload["_video"] is None:
        data, files = world.store.data, upload["_files"]
        found = (world.store.get("profile", profile) for profile in upload["_profiles"])
        video = start_video(
            world,
            upload["_scope"],
            file_name=upload["file_name"],
            params=upload["_params"],
            profiles=[profile for profile in found if profile is not None],
            file=data / files[""]["path"],
        )
        extra_files = {tag: file["path"] for tag, file in files.items() if tag}
        world.store.update("video", video["id"], {"_extra_files": extra_files})
        changes = {
            "status": "uploaded",
            "video_id": video["id"],
            "_held": upload["size"],
            "_video": public(video),
        }
        upload |= changes
        world.store.update("upload", id, changes)
    shown: Document = upload["_video"]
    return shown


async def _receive_whole(world: World, upload: Document, request: Request) -> Response:
    """Take the whole file from a browser's form (panda.md 8.3)."""
    form = await read_form(request, world.store.folder("incoming"))
    if form.file is None:
        raise missing_parameters(["file"])
    try:
        if form.file.size != upload["size"]:
            raise bad_request(
                f"The file has {form.file.size} bytes, the session was made for {upload['size']}"
            )
        if len(upload["_files"]) > 1:
            raise bad_request("A session with extra files takes parts only")
        _found(world, request)
        if upload["status"] == "uploading":
            form.file.path.replace(world.store.data / upload["_files"][""]["path"])
            for part in range(upload["_files"][""]["parts"]):
                world.store.add_part(upload["id"], "", part, time.time())
    finally:
        form.file.discard()
    return json_response(complete(world, upload["id"]))


def _found(world: World, request: Request) -> Document:
    id = request.query_params.get("id", "")
    upload = world.store.get("upload", id)
    if upload is None or upload["status"] == "aborted" or _moves_before(request) > upload["moves"]:
        raise not_found("UploadSession", id)
    return upload


def _location(world: World, upload: Document) -> str:
    """Return where an upload is now: ``/upload/session?id=``, or ``/upload/session/2?id=`` if moved twice."""
    moved = f"/{upload['moves']}" if upload["moves"] else ""
    return f"{world.base_url}{_MOUNT}{_PATH}{moved}?id={upload['id']}"


def _moves_before(request: Request) -> int:
    """Return how often an upload was moved before it came to the location that is asked."""
    moves: int = request.path_params.get("moves", 0)
    return moves


def _new_file(world: World, tag: str, name: str, size: int) -> Document:
    check_size(world, size)
    return {"tag": tag, "name": base_name(name), "size": size, "parts": -(-size // world.part_size)}


def _extra_files(world: World, asked: JSON) -> dict[str, Document]:
    """Return the extra files a session is to receive, by tag (telestream.md 8.6)."""
    if asked in (None, "", []):
        return {}
    if not isinstance(asked, list):
        raise bad_request("extra_files must be a list of objects with tag, file_name and file_size")
    files: dict[str, Document] = {}
    for entry in asked:
        if not isinstance(entry, dict) or not {"tag", "file_name", "file_size"} <= entry.keys():
            raise bad_request("Every extra file needs tag, file_name and file_size")
        tag, name, size = str(entry["tag"]), str(entry["file_name"]), whole_number(str(entry["file_size"]))
        if not tag or tag in files or not size:
            raise bad_request(f"The extra file {tag!r} needs a tag of its own and at least one byte")
        files[tag] = _new_file(world, tag, name, size)
    return files
