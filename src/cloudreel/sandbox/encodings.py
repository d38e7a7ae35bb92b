"""Encodings of the Panda family (panda.md 5.3, 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox import documents
from cloudreel.sandbox.outputs import output_stem, scope_folder
from cloudreel.sandbox.paging import filters, listing
from cloudreel.sandbox.profiles import find_profile
from cloudreel.sandbox.refusals import bad_request, json_response, missing_parameters, not_found

if TYPE_CHECKING:
    from starlette.responses import Response

    from cloudreel.sandbox.auth import ApiRequest
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["cancel", "create", "delete", "discard_encoding", "list_all", "retry", "show"]


def list_all(call: ApiRequest) -> Response:
    """Answer GET /encodings.json."""
    wanted = filters(call, "status", "profile_id", "profile_name", "video_id")
    return listing(call, "encodings", call.world.store.list("encoding", scope=call.scope_id, **wanted))


def show(call: ApiRequest) -> Response:
    """Answer GET /encodings/:id.json."""
    return json_response(documents.public(_found(call)))


def create(call: ApiRequest) -> Response:
    """Answer POST /encodings.json: one more encoding of a video, with one profile."""
    video_id, profile = call.text("video_id"), call.text("profile_id") or call.text("profile_name")
    if video_id is None or profile is None:
        raise missing_parameters(["video_id", "profile_id or profile_name"])
    store = call.world.store
    video = store.get("video", video_id, scope=call.scope_id)
    if video is None:
        raise not_found("Video", video_id)
    encoding = documents.encoding(video, find_profile(store, call.scope_id, profile), now=call.now())
    store.put("encoding", encoding["id"], encoding, scope=call.scope_id, parent=video_id)
    call.world.encoder.submit_encoding(encoding["id"])
    return json_response(documents.public(encoding))


def cancel(call: ApiRequest) -> Response:
    """Answer POST /encodings/:id/cancel.json: the process is killed, the encoding has failed."""
    encoding = _found(call)
    if encoding["status"] != "processing":
        raise bad_request(
            f"Only an encoding that is processing can be cancelled; this is {encoding['status']}"
        )
    call.world.encoder.cancel(encoding["id"])
    return json_response({"canceled": True})


def retry(call: ApiRequest) -> Response:
    """Answer POST /encodings/:id/retry.json."""
    encoding = _found(call)
    if encoding["status"] != "fail":
        raise bad_request(f"Only a failed encoding can be tried again; this is {encoding['status']}")
    call.world.encoder.retry(encoding["id"])
    return json_response({"retried": True})


def delete(call: ApiRequest) -> Response:
    """Answer DELETE /encodings/:id.json; its files go with it."""
    return json_response({"deleted": discard_encoding(call.world, _found(call))})


def discard_encoding(world: World, encoding: Document) -> bool:
    """Stop an encoding and remove it with all its files; say whether it was there."""
    world.encoder.stop(encoding["id"])
    stem = output_stem(world, encoding)
    folder = scope_folder(world, encoding["_scope"])
    for name in (*encoding["files"], *encoding["screenshots"]):
        (folder / name).unlink(missing_ok=True)
    stem.with_name(f"{stem.name}.log").unlink(missing_ok=True)
    return world.store.delete("encoding", encoding["id"])


def _found(call: ApiRequest) -> Document:
    encoding = call.world.store.get("encoding", call.path["id"], scope=call.scope_id)
    if encoding is None:
        raise not_found("Encoding", call.path["id"])
    return encoding
