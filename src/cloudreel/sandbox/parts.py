"""The parts dialect of uploads: any order, side by side, each whole or not at all (telestream.md 8.3)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.responses import Response

from cloudreel.sandbox.files import Sink
from cloudreel.sandbox.forms import whole_number
from cloudreel.sandbox.refusals import bad_request, json_response, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["missing", "receive", "status"]


async def receive(
    world: World, upload: Document, request: Request, complete: Callable[[World, str], Document]
) -> Response:
    """Store one part. The one that completes all files is answered with the Video, any other with nothing.

    Raises:
        Refusal: the part does not exist or has not the length it must have; it is not stored then.
    """
    id, file = upload["id"], _file(upload, request)
    part = _index(file, request)
    offset = part * upload["part_size"]
    expected = min(upload["part_size"], file["size"] - offset)
    announced = request.headers.get("content-length")
    if announced is not None and announced != str(expected):
        raise bad_request(f"Part {part} has {expected} bytes, not {announced}")
    stored = world.store.part_stored(id, file["tag"], part)
    if stored is not None:
        await _read_again(request, part, expected)
        if stored < request.state.arrived:  # else it was on its way already when the other was stored
            _count_repeated(world, id)
    else:
        with Sink(world.store.data / file["path"], offset) as sink:
            await _fill(sink, request, part, expected)
        world.store.add_part(id, file["tag"], part, time.time())
    current = world.store.get("upload", id)
    if current is None or current["status"] == "aborted":
        raise not_found("UploadSession", id)
    if world.store.count_parts(id) < sum(each["parts"] for each in upload["_files"].values()):
        return Response()
    return json_response(complete(world, id))


def status(world: World, upload: Document, request: Request) -> Response:
    """Answer with the indices not stored yet, and with the video's id once it is one."""
    body: Document = {"missing_parts": missing(world, upload, _file(upload, request))}
    if upload["video_id"] is not None:
        body["media_id"] = upload["video_id"]
    return json_response(body)


def missing(world: World, upload: Document, file: Document) -> list[int]:
    """Return the indices of a file's parts that are not stored yet."""
    stored = world.store.parts(upload["id"], file["tag"])
    return [part for part in range(file["parts"]) if part not in stored]


def _file(upload: Document, request: Request) -> Document:
    tag = request.headers.get("x-extra-file-tag", "")
    if tag not in upload["_files"]:
        raise bad_request(f"The session expects no extra file with the tag {tag}")
    file: Document = upload["_files"][tag]
    return file


def _index(file: Document, request: Request) -> int:
    text = request.headers.get("x-part", "")
    part = whole_number(text)
    if part is None or part >= file["parts"]:
        raise bad_request(
            f"X-Part must be a number from 0 to {file['parts'] - 1}, not {text[:40] or 'absent'}"
        )
    return part


async def _fill(sink: Sink, request: Request, part: int, expected: int) -> None:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if chunk and received <= expected:
            await sink.write(chunk)
    _check_length(part, expected, received)
    await sink.flush()


async def _read_again(request: Request, part: int, expected: int) -> None:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
    _check_length(part, expected, received)


def _check_length(part: int, expected: int, received: int) -> None:
    if received != expected:
        raise bad_request(f"Part {part} has {expected} bytes; {received} arrived")


def _count_repeated(world: World, id: str) -> None:
    upload = world.store.get("upload", id)
    if upload is not None:
        world.store.update("upload", id, {"repeated": upload["repeated"] + 1})
