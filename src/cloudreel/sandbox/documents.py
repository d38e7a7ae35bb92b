"""The objects of the Panda family as they are stored: how each is born and changed (panda.md section 5)."""

from __future__ import annotations

import posixpath
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloudreel.sandbox.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudreel.sandbox.media import MediaInfo
    from cloudreel.sandbox.store import Document

__all__ = [
    "base_name",
    "check_path_format",
    "date",
    "encoding",
    "expand_path",
    "failure",
    "info_members",
    "new_id",
    "notifications",
    "public",
    "restarted",
    "source_name",
    "video",
]

_NAME_LIMIT = 100
_PATH_LIMIT = 100
_ORIGINAL = "original"
_PATH_TOKEN = re.compile(":(video_id|original|date|profile|type|resolution|id)")

_INFO = (
    "mime_type",
    "width",
    "height",
    "fps",
    "file_size",
    "video_bitrate",
    "audio_bitrate",
    "audio_channels",
    "audio_sample_rate",
    "video_codec",
    "audio_codec",
)


def new_id() -> str:
    """Return a fresh object id: 32 lower-case hex characters."""
    return secrets.token_hex(16)


def date(now: float) -> str:
    """Return an epoch second in the service's slash format."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y/%m/%d %H:%M:%S +0000")


def public(document: Mapping[str, object]) -> Document:
    """Return a document without the members that are the sandbox's own."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


def video(
    id: str,
    *,
    now: float,
    scope: str,
    file_name: str,
    params: Mapping[str, str],
    source: str | None,
    source_url: str | None = None,
    file_size: int | None = None,
) -> Document:
    """Return a new Video: processing, its numbers unknown until the source is analysed.

    Args:
        source: the stored file, relative to the data directory; None if it must be fetched first.
        params: ``payload``, ``path_format``, ``pipeline``, ``clip_length``, ``clip_offset``, all optional.
    """
    stem, extname = posixpath.splitext(base_name(file_name))
    path_format = params.get("path_format") or ":id"
    return {
        "id": id,
        "original_filename": base_name(file_name),
        "source_url": source_url,
        "extname": extname,
        "path": expand_path(path_format, id=id, video_id=id, original=stem, now=now),
        "status": "processing",
        **dict.fromkeys(("duration", *_INFO)),
        "file_size": file_size,
        "payload": params.get("payload"),
        "error_class": None,
        "error_message": None,
        "created_at": date(now),
        "updated_at": date(now),
        "_scope": scope,
        "_source": source,
        "_metadata": {},
        "_path_format": path_format,
        "_pipeline": params.get("pipeline"),
        "_clip": {name: params[name] for name in ("clip_length", "clip_offset") if params.get(name)},
    }


def encoding(of: Document, profile: Document, *, now: float) -> Document:
    """Return a new Encoding of a video with a profile: processing, progress 0, no files."""
    id = new_id()
    width, height = profile.get("width"), profile.get("height")
    return {
        "id": id,
        "video_id": of["id"],
        "profile_id": profile["id"],
        "profile_name": profile["name"],
        "extname": profile["extname"],
        "path": expand_path(
            profile.get("path_format") or of["_path_format"],
            id=id,
            video_id=of["id"],
            original=posixpath.splitext(of["original_filename"])[0],
            now=now,
            profile=profile["name"],
            resolution=f"{width}x{height}" if width and height else _ORIGINAL,
        ),
        "status": "processing",
        **dict.fromkeys(("duration", *_INFO)),
        "width": width,
        "height": height,
        **_UNSTARTED,
        "external_id": None,
        "parent_encoding_id": None,
        "created_at": date(now),
        "updated_at": date(now),
        "_scope": of["_scope"],
        "_profile": public(profile),
    }


_UNSTARTED: Document = {
    "encoding_progress": 0,
    "started_encoding_at": None,
    "encoding_time": None,
    "files": [],
    "screenshots": [],
    "logfile_url": None,
    "error_class": None,
    "error_message": None,
}


def restarted(now: float) -> Document:
    """Return the changes that put a failed encoding back to its beginning."""
    return {"status": "processing", **_UNSTARTED, "files": [], "screenshots": [], "updated_at": date(now)}


def failure(error_class: str, message: str, *, now: float) -> Document:
    """Return the changes that make a video or an encoding a failed one."""
    return {"status": "fail", "error_class": error_class, "error_message": message, "updated_at": date(now)}


def info_members(info: MediaInfo) -> Document:
    """Return what an analysed file tells about itself in the service's words; duration in milliseconds."""
    return {"duration": info.duration_ms, **{name: getattr(info, name) for name in _INFO}}


def notifications(*, with_payload: bool) -> Document:
    """Return the notification settings of a new factory or cloud: nothing is sent.

    Args:
        with_payload: whether they have ``send_video_payload``, as those of factories.
    """
    events = ("video_created", "video_encoded", "encoding_progress", "encoding_completed")
    payload = {"send_video_payload": False} if with_payload else {}
    return {"delay": 0, "url": None, **payload, "events": dict.fromkeys(events, False)}


def base_name(path: str) -> str:
    """Return the last component of a path in either system's spelling (old clients send whole paths)."""
    name = path.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(char for char in name if char.isprintable()) or "file"


def expand_path(
    path_format: str,
    *,
    id: str,
    video_id: str,
    original: str,
    now: float,
    profile: str = _ORIGINAL,
    resolution: str = _ORIGINAL,
) -> str:
    """Return the output path a path format stands for (panda.md section 7).

    Args:
        profile: the name of the encoding's profile; that of a source is ``original``.
        resolution: its frame, ``WxH``; ``original`` where no profile sets one.
    """
    values = {
        "id": id,
        "video_id": video_id,
        "original": original.lstrip(".")[:_NAME_LIMIT] or "file",
        "date": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d"),
        "profile": profile,
        "type": _ORIGINAL if profile == _ORIGINAL else "encodings",
        "resolution": resolution,
    }
    return _PATH_TOKEN.sub(lambda token: values[token[1]], path_format)


def check_path_format(path_format: str) -> None:
    """Refuse a path format without ``:id``, or one that leaves the folder of the outputs."""
    if ":id" not in path_format:
        raise bad_request("path_format must contain :id")
    components = path_format.split("/")
    if "\\" in path_format or not path_format.isprintable() or {"", ".", ".."} & set(components):
        raise bad_request("path_format must be a relative path of printable names, without . and ..")
    if len(path_format.encode()) > _PATH_LIMIT:
        raise bad_request(f"path_format must not be longer than {_PATH_LIMIT} bytes")


def source_name(id: str, extname: str) -> str:
    """Return the file name a source is kept under; only a harmless extension is taken over."""
    return id + extname.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", extname) else id
