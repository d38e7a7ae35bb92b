"""What ``GET /__sandbox__/state`` shows: everything the sandbox knows, as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey.library import assets_of
from cloudreel.sandbox.documents import public
from cloudreel.sandbox.flixcloud.storage import served_at
from cloudreel.sandbox.parts import missing

if TYPE_CHECKING:
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["snapshot"]


def snapshot(world: World) -> dict[str, list[Document]]:
    """Return all uploads, objects, notifications and requests, oldest first.

    A finished source carries the SHA-256 of the stored file, which is computed when it is first asked for:
    call this off the event loop where sources may be large.
    """
    store = world.store
    return {
        "uploads": [
            *(_upload(world, upload) for upload in store.list("upload")),
            *(_node_upload(world, upload) for upload in store.list("node_upload")),
        ],
        "videos": [public(video) | _digest(world, video) for video in store.list("video")],
        "encodings": [public(encoding) for encoding in store.list("encoding")],
        "media": [_media(world, media) for media in store.list("media")],
        "jobs": [_job(world, job) for job in store.list("job")],
        "notifications": [public(delivery) for delivery in store.list("delivery")],
        "requests": [public(entry) for entry in list(world.requests)],
    }


def _upload(world: World, upload: Document) -> Document:
    by_parts = upload["_by_parts"] and upload["status"] == "uploading"
    video = world.store.get("video", upload["video_id"]) if upload["video_id"] else None
    return {
        **public(upload),
        "missing": missing(world, upload, upload["_files"][""]) if by_parts else [],
        "sha256": _digest(world, video)["sha256"] if video else None,
    }


def _node_upload(world: World, upload: Document) -> Document:
    held: Document = {"missing": [], "repeated": 0, **_file_digest(world, upload["_path"])}
    return public(upload) | held


def _media(world: World, media: Document) -> Document:
    assets = assets_of(world, media["id"])
    source = next((asset for asset in assets if asset["name"] == "source" and asset["_files"]), None)
    return {
        **public(media),
        "user_id": media["_user"],
        "assets": {asset["name"]: public(asset) | {"details": asset["_details"]} for asset in assets},
        **_file_digest(world, source["_files"][0] if source else None),
    }


def _job(world: World, job: Document) -> Document:
    shown = public(job) | _file_digest(world, job["_source"])
    if stored := job["_stored"]:
        sha256 = _file_digest(world, f"storage/{stored['output']}")["sha256"]
        shown["output"] = job["output"] | {"served_at": served_at(world, stored["output"]), "sha256": sha256}
        if job["thumbnails"]:
            pictures = [served_at(world, place) for place in stored["thumbnails"]]
            shown["thumbnails"] = job["thumbnails"] | {"served_at": pictures}
    return shown


def _digest(world: World, video: Document) -> Document:
    return _file_digest(world, video["_source"])


def _file_digest(world: World, file: str | None) -> Document:
    found = world.store.digest(world.store.data / file) if file else None
    return {"size": found[0], "sha256": found[1]} if found else {"size": None, "sha256": None}
