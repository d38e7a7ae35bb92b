"""The stream dialect of uploads: chunks one after the other, by ``Content-Range`` (panda.md 8.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from cloudreel.sandbox.files import Sink
from cloudreel.sandbox.refusals import bad_request, json_response, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["receive", "status"]

_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})", re.ASCII)


async def receive(
    world: World, upload: Document, request: Request, complete: Callable[[World, str], Document]
) -> Response:
    """Store one chunk, or tell what is held. The last byte is answered with the Video.

    Bytes that are held already are passed over, and the body's own length counts, not the range's end: an old
    client declares a last chunk beyond the file. What arrived before a connection broke is kept. The upload's
    ``repeated`` counts the chunks that began with bytes that were held.

    Raises:
        Refusal: the chunk leaves a gap, belongs to a file of another size or does not end in time.
    """
    start = _start(upload, request)
    if upload["_video"] is None and start is not None:
        await _store(world, upload, request, start)
        if "content-range" not in request.headers and _held(world, upload) < upload["size"]:
            raise bad_request(f"Without Content-Range all {upload['size']} bytes must come in one request")
    if _held(world, upload) == upload["size"]:
        return json_response(complete(world, upload["id"]))
    return _progress(world, upload)


def status(world: World, upload: Document, request: Request) -> Response:
    """Tell what is held, or the Video once all of it is."""
    return _progress(world, upload) if upload["_video"] is None else json_response(upload["_video"])


def _start(upload: Document, request: Request) -> int | None:
    """Return the byte a chunk begins with; None if the request only asks what is held."""
    text = request.headers.get("content-range")
    if text is None:
        return 0
    match = _RANGE.fullmatch(text)
    if match is None:
        raise bad_request(
            f"Content-Range must be 'bytes first-last/size' or 'bytes */size', not {text[:80]!r}"
        )
    if int(match[3]) != upload["size"]:
        raise bad_request(f"The file has {upload['size']} bytes, not {match[3]}")
    return None if match[1] is None else int(match[1])


async def _store(world: World, upload: Document, request: Request, start: int) -> None:
    held, size = _held(world, upload), upload["size"]
    if start > held:
        raise bad_request(f"The chunk begins at byte {start}, but only {held} bytes are held")
    passed_over, room = held - start, size - held
    if passed_over:
        world.store.update("upload", upload["id"], {"repeated": upload["repeated"] + 1})
    with Sink(world.store.data / upload["_files"][""]["path"], held) as sink:
        try:
            async for chunk in request.stream():
                fresh = chunk[passed_over:]
                passed_over -= len(chunk) - len(fresh)
                room -= len(fresh)
                if fresh and room >= 0:
                    await sink.write(fresh)
            await sink.flush()
        except ClientDisconnect:
            sink.flush_now()  # a sender that comes back at once is to hear of it
            raise
        finally:
            _hold(world, upload["id"], sink.written_to)
    if room < 0:
        raise bad_request(f"The body goes {-room} bytes beyond the {size} bytes of the file")


def _hold(world: World, id: str, held: int) -> None:
    upload = world.store.get("upload", id)
    if upload is not None and held > upload["_held"]:
        world.store.update("upload", id, {"_held": held})


def _held(world: World, upload: Document) -> int:
    current = world.store.get("upload", upload["id"])
    if current is None or current["status"] == "aborted":
        raise not_found("UploadSession", upload["id"])
    held: int = current["_held"]
    return held


def _progress(world: World, upload: Document) -> Response:
    held = _held(world, upload)
    return Response(status_code=204, headers={"range": f"0-{held - 1}"} if held else None)
