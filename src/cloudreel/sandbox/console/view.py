"""What the console shows: the last of everything, whatever the service, in one shape."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from cloudreel.sandbox.cloudkey.addresses import asset_path, signed
from cloudreel.sandbox.cloudkey.assets import is_thumbnail
from cloudreel.sandbox.cloudkey.library import assets_of
from cloudreel.sandbox.documents import public
from cloudreel.sandbox.faults import ACTIONS
from cloudreel.sandbox.parts import missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["cells", "view"]

FILMS: Final = 12  # of each service
UPLOADS: Final = 12
NOTIFICATIONS: Final = 30
REQUESTS: Final = 60
CELLS: Final = 96  # of an upload's strip; a finer one shows nothing more

PLAYED: Final = (".mp4", ".webm", ".ogg", ".m4v")
STATES: Final = {
    "success": "good",
    "ready": "good",
    "successful_job": "good",
    "uploaded": "good",
    "fail": "bad",
    "error": "bad",
    "failed_job": "bad",
    "cancelled_job": "bad",
    "aborted": "bad",
}
"""What the services' words mean; all others mean that something is under way."""


def view(world: World) -> dict[str, object]:
    """Return what the console shows, the newest first; call it off the event loop."""
    store = world.store
    films = [
        *_videos(world),
        *(_medium(world, each) for each in _last(FILMS, store.list("media"))),
        *(_job(each) for each in _last(FILMS, store.list("job"))),
    ]
    uploads = [
        *(_upload(world, each) for each in _last(UPLOADS, store.list("upload"))),
        *(_node_upload(each) for each in _last(UPLOADS, store.list("node_upload"))),
    ]
    return {
        "base_url": world.base_url,
        "strict": world.strict,
        "now": world.clock.now(),
        "films": films,
        "uploads": uploads,
        "notifications": [_delivery(each) for each in _last(NOTIFICATIONS, store.list("delivery"))],
        "requests": [public(each) for each in islice(_requests(world), REQUESTS)],
        "faults": [fault.to_json() for fault in world.faults],
        "actions": ACTIONS,
    }


def _last(count: int, found: list[Document]) -> list[Document]:
    return found[: -count - 1 : -1]


def _requests(world: World) -> Iterator[Document]:
    return (entry for entry in reversed(list(world.requests)) if not entry["_picture"])


def _state(status: str) -> str:
    return STATES.get(status, "busy")


# Videos, media and jobs: all are films with outputs


def _videos(world: World) -> list[Document]:
    encodings: dict[str, list[Document]] = defaultdict(list)
    for encoding in world.store.list("encoding"):
        encodings[encoding["video_id"]].append(encoding)
    videos = _last(FILMS, world.store.list("video"))
    return [_video(world, video, encodings[video["id"]]) for video in videos]


def _video(world: World, video: Document, encodings: list[Document]) -> Document:
    pictures = [
        _output(encoding["_scope"], name) for encoding in encodings for name in encoding["screenshots"][2:3]
    ]
    service = "telestream" if world.store.get("factory", video["_scope"]) else "panda"
    seconds = video["duration"] / 1000 if video["duration"] is not None else None
    return {
        "service": service,
        "id": video["id"],
        "title": video["original_filename"],
        "size": f"{video['width']}x{video['height']}" if video["width"] else None,
        "seconds": seconds,
        "status": video["status"],
        "state": _state(video["status"]),
        "error": video["error_message"],
        "picture": pictures[0] if pictures else None,
        "outputs": [_encoding(encoding) for encoding in encodings],
    }


def _encoding(encoding: Document) -> Document:
    files = [name for name in encoding["files"] if name.endswith(PLAYED)]
    return {
        "id": encoding["id"],
        "name": encoding["profile_name"],
        "status": encoding["status"],
        "state": _state(encoding["status"]),
        "percent": 100 if encoding["status"] == "success" else encoding["encoding_progress"] or 0,
        "error": encoding["error_message"],
        "url": _output(encoding["_scope"], files[0]) if files else None,
    }


def _output(scope: str, name: str) -> str:
    return f"/outputs/{scope}/{quote(name)}"


def _medium(world: World, medium: Document) -> Document:
    assets = assets_of(world, medium["id"])
    ready = [asset for asset in assets if asset["status"] == "ready"]
    source = next((asset for asset in ready if asset["name"] == "source"), None)
    details: Document = source["_details"] if source else {}
    pictures = [asset_path(asset) for asset in ready if is_thumbnail(asset["name"])]
    states = {_state(asset["status"]) for asset in assets}
    state = next((each for each in ("bad", "busy") if each in states), "good")
    return {
        "service": "cloudkey",
        "id": medium["id"],
        "title": str(medium["meta"].get("title") or medium["id"]),
        "size": f"{details['video_width']}x{details['video_height']}" if details.get("video_width") else None,
        "seconds": details.get("duration"),
        "status": {"good": "ready", "busy": "processing", "bad": "error"}[state],
        "state": state,
        "error": None,
        "picture": pictures[-1] if pictures else None,
        "outputs": [_asset(world, asset) for asset in assets],
    }


def _asset(world: World, asset: Document) -> Document:
    path = asset_path(asset) if asset["status"] == "ready" else ""
    return {
        "id": asset["id"],
        "name": asset["name"],
        "status": asset["status"],
        "state": _state(asset["status"]),
        "percent": 100 if asset["status"] == "ready" else asset["_details"].get("progress") or 0,
        "error": None,
        "url": signed(world, asset["_user"], path) if path.endswith(PLAYED) else None,
    }


def _job(job: Document) -> Document:
    stored: Document = job["_stored"] or {}
    url = f"/storage/{quote(stored['output'])}" if stored else None
    pictures = [f"/storage/{quote(place)}" for place in stored.get("thumbnails", ())]
    return {
        "service": "flixcloud",
        "id": str(job["id"]),
        "title": str(job["input"]["url"]).rpartition("/")[2],
        "size": None,
        "seconds": None,
        "status": job["task_state"],
        "state": _state(job["task_state"]),
        "error": job["error_message"],
        "picture": pictures[0] if pictures else None,
        "outputs": [
            {
                "id": str(job["id"]),
                "name": job["recipe_name"],
                "status": job["task_state"],
                "state": _state(job["task_state"]),
                "percent": 100 if stored else job["tasks"][1]["progress"],
                "error": None,
                "url": url if url and url.endswith(PLAYED) else None,
            }
        ],
    }


# Uploads


def _upload(world: World, upload: Document) -> Document:
    status: str = upload["status"]
    if status == "uploaded":
        strip = [1.0]
    elif status == "aborted":
        strip = [0.0]
    elif upload["_by_parts"]:
        file = upload["_files"][""]
        strip = cells(file["parts"], missing(world, upload, file))
    else:
        strip = _filled(upload["_held"] / upload["size"])
    parts = upload["_files"][""]["parts"] if upload["_by_parts"] else 0
    return {
        "service": upload["service"],
        "id": upload["id"],
        "name": upload["file_name"],
        "size": upload["size"],
        "status": status,
        "state": _state(status),
        "parts": parts,
        "repeated": upload["repeated"],
        "strip": strip,
        "done": sum(strip) / len(strip),
    }


def _node_upload(upload: Document) -> Document:
    done = 1.0 if upload["status"] == "uploaded" else 0.0
    return {
        "service": "cloudkey",
        "id": upload["id"],
        "name": upload["name"] or "(not sent yet)",
        "size": upload["size"],
        "status": upload["status"],
        "state": _state(upload["status"]),
        "parts": 0,
        "repeated": 0,
        "strip": [done],
        "done": done,
    }


def cells(parts: int, missing: Collection[int], most: int = CELLS) -> list[float]:
    """Return how full each cell of a strip is, 0 to 1: a part each, or several where there are many parts.

    Args:
        parts: of the upload, at least 1.
        missing: indices of those that are not stored.
        most: cells of a strip.
    """
    count = min(parts, most)
    borders = [parts * cell // count for cell in range(count + 1)]
    absent = set(missing)
    return [
        sum(part not in absent for part in range(begin, end)) / (end - begin)
        for begin, end in pairwise(borders)
    ]


def _filled(share: float, most: int = CELLS) -> list[float]:
    """Return a strip that is filled from its beginning."""
    return [min(max(share * most - cell, 0.0), 1.0) for cell in range(most)]


def _delivery(delivery: Document) -> Document:
    body = delivery["body"]
    return {
        "id": delivery["id"],
        "event": body.get("event") or body.get("state") or "notification",
        "about": body.get("encoding_id") or body.get("video_id") or body.get("id"),
        "url": delivery["url"],
        "attempts": delivery["attempts"],
        "delivered": delivery["delivered"],
        "body": body,
    }
