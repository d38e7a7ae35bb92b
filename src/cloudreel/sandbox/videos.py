"""Videos of the Panda family: how they come to be, what can be asked of them (panda.md 5.2, 7)."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import orjson

from cloudreel.sandbox import documents
from cloudreel.sandbox.encodings import discard_encoding
from cloudreel.sandbox.paging import filters, listing
from cloudreel.sandbox.profiles import find_profile
from cloudreel.sandbox.refusals import Refusal, bad_request, json_response, not_found

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.responses import Response

    from cloudreel.sandbox.auth import ApiRequest
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = [
    "check_size",
    "chosen_profiles",
    "create",
    "delete",
    "delete_source",
    "list_all",
    "list_encodings",
    "show",
    "show_metadata",
    "start_video",
    "video_params",
]

_PAYLOAD_LIMIT = 256
_PARAMS = ("payload", "path_format", "pipeline", "clip_length", "clip_offset")


def list_all(call: ApiRequest) -> Response:
    """Answer GET /videos.json."""
    return listing(
        call, "videos", call.world.store.list("video", scope=call.scope_id, **filters(call, "status"))
    )


def show(call: ApiRequest) -> Response:
    """Answer GET /videos/:id.json."""
    return json_response(documents.public(_found(call)))


def show_metadata(call: ApiRequest) -> Response:
    """Answer GET /videos/:id/metadata.json."""
    return json_response(_found(call)["_metadata"])


def list_encodings(call: ApiRequest) -> Response:
    """Answer GET /videos/:id/encodings.json."""
    wanted = filters(call, "status", "profile_id", "profile_name")
    encodings = call.world.store.list("encoding", parent=_found(call)["id"], **wanted)
    return listing(call, "encodings", encodings)


def create(call: ApiRequest) -> Response:
    """Answer POST /videos.json: a file or a source_url, encoded to all profiles by default."""
    source_url = call.text("source_url")
    if (call.file is None) == (source_url is None):
        raise bad_request("All required parameters were not supplied: exactly one of file, source_url")
    file_name = call.file.name if call.file else _name_in(source_url or "")
    params = video_params(call)
    profiles = chosen_profiles(call, all_by_default=True)
    if call.file is not None:
        check_size(call.world, call.file.size)
    video = start_video(
        call.world,
        call.scope_id,
        file_name=file_name,
        params=params,
        profiles=profiles,
        file=call.file.path if call.file else None,
        source_url=source_url,
    )
    return json_response(documents.public(video))


def delete(call: ApiRequest) -> Response:
    """Answer DELETE /videos/:id.json; its encodings go with it."""
    video, store = _found(call), call.world.store
    call.world.encoder.stop(video["id"])
    for encoding in store.list("encoding", parent=video["id"]):
        discard_encoding(call.world, encoding)
    _remove_source(call.world, video)
    for file in video.get("_extra_files", {}).values():
        (store.data / file).unlink(missing_ok=True)
    return json_response({"deleted": store.delete("video", video["id"])})


def delete_source(call: ApiRequest) -> Response:
    """Answer DELETE /videos/:id/source.json; later encodings fail with FileNotFound."""
    video = _found(call)
    _remove_source(call.world, video)
    call.world.store.update("video", video["id"], {"_source": None})
    return json_response({"deleted": True})


def start_video(
    world: World,
    scope_id: str,
    *,
    file_name: str,
    params: dict[str, str],
    profiles: Sequence[Document],
    file: Path | None,
    source_url: str | None = None,
) -> Document:
    """Store a new video and its encodings and begin to work on them.

    Args:
        file: the source, moved to its place; None if it must be fetched from ``source_url``.
    """
    store, now, id = world.store, world.clock.now(), documents.new_id()
    source = (
        None
        if file is None
        else store.folder("sources") / documents.source_name(id, posixpath.splitext(file_name)[1])
    )
    if file is not None and source is not None:
        file.replace(source)
    video = documents.video(
        id,
        now=now,
        scope=scope_id,
        file_name=file_name,
        params=params,
        source=None if source is None else str(source.relative_to(store.data)),
        source_url=source_url,
        file_size=None if source is None else source.stat().st_size,
    )
    store.put("video", id, video, scope=scope_id)
    for profile in profiles:
        encoding = documents.encoding(video, profile, now=now)
        store.put("encoding", encoding["id"], encoding, scope=scope_id, parent=id)
    world.encoder.submit_video(id)
    return video


def video_params(call: ApiRequest) -> dict[str, str]:
    """Return the parameters a video keeps, checked.

    Raises:
        Refusal: a payload longer than 256 characters, a path format without ``:id``, no JSON in pipeline.
    """
    params = {name: text for name in _PARAMS if (text := call.text(name)) is not None}
    if len(params.get("payload", "")) > _PAYLOAD_LIMIT:
        raise bad_request(f"payload must not be longer than {_PAYLOAD_LIMIT} characters")
    if "path_format" in params:
        documents.check_path_format(params["path_format"])
    if "pipeline" in params:
        try:
            orjson.loads(params["pipeline"])
        except orjson.JSONDecodeError as error:
            raise bad_request(f"pipeline must be JSON: {error}") from error
    return params


def chosen_profiles(call: ApiRequest, *, all_by_default: bool) -> list[Document]:
    """Return the profiles a request names by id or name; ``none`` is none of them.

    Raises:
        Refusal: 404 for a profile that is not there.
    """
    store, chosen = call.world.store, call.text("profiles")
    if call.flag("use_all_profiles") or (chosen is None and all_by_default):
        return store.list("profile", scope=call.scope_id)
    if chosen in (None, "none"):
        return []
    names = dict.fromkeys(name.strip() for name in (chosen or "").split(",") if name.strip())
    return [find_profile(store, call.scope_id, name) for name in names]


def check_size(world: World, size: int) -> None:
    """Refuse a source beyond the account's limit (panda.md section 6)."""
    limit = world.file_size_limit
    if limit is not None and size > limit:
        message = f"File size limit for this account is set to {limit} bytes"
        raise Refusal(413, "FileSizeLimitExceeded", message)


def _found(call: ApiRequest) -> Document:
    video = call.world.store.get("video", call.path["id"], scope=call.scope_id)
    if video is None:
        raise not_found("Video", call.path["id"])
    return video


def _name_in(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise bad_request(f"source_url is malformed: {error}") from error
    if not parts.scheme or not parts.path.strip("/"):
        raise bad_request(f"source_url must be a URL with a path, not {url}")
    return unquote(parts.path)


def _remove_source(world: World, video: Document) -> None:
    if video["_source"] is not None:
        (world.store.data / video["_source"]).unlink(missing_ok=True)
