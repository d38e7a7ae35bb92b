"""A job as it is stored: how it is born, what each of its steps changes, what it costs."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING

from cloudreel.sandbox.flixcloud.recipes import RECIPES

if TYPE_CHECKING:
    from cloudreel.sandbox.flixcloud.request import JobRequest, Remote
    from cloudreel.sandbox.media import MediaInfo
    from cloudreel.sandbox.store import Document

__all__ = [
    "FINAL",
    "TASKS",
    "date",
    "ended",
    "media_members",
    "new_job",
    "output_cost",
    "progressed",
    "step",
    "transfer_cost",
]

TASKS = ("input-media-file-task", "transcoding-task", "output-media-file-task")
FINAL = frozenset({"successful_job", "failed_job", "cancelled_job"})

_STEPS = {
    "waiting_to_download_input_files": (0, "waiting"),
    "downloading_input_files": (0, "processing"),
    "waiting_to_transcode": (1, "waiting"),
    "transcoding": (1, "processing"),
    "waiting_to_upload_output_files": (2, "waiting"),
    "uploading_output_files": (2, "processing"),
}
_MEBIBYTE = 2**20
_MINUTE = 60_000  # milliseconds


def date(now: float) -> str:
    """Return an epoch second as the service writes it: ISO 8601, UTC."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def transfer_cost(size: int) -> int:
    """Return what it costs to move some bytes: 10 millicents for every mebibyte begun."""
    return 10 * ceil(size / _MEBIBYTE)


def output_cost(size: int, duration: int | None) -> int:
    """Return what an output costs: 1,000 millicents for every minute begun, and its transfer.

    Args:
        size: in bytes.
        duration: in milliseconds; None if it is not known.
    """
    return 1000 * ceil((duration or 0) / _MINUTE) + transfer_cost(size)


def new_job(id: int, request: JobRequest, now: float) -> Document:
    """Return a new job: nothing is known of its files but where they are."""
    files = {
        "input": request.input,
        "output": request.output,
        "watermark": request.watermark,
        "thumbnails": request.thumbnails,
    }
    return {
        "id": id,
        "task_state": "initialized_job",
        "tasks": _tasks(0, "initialized"),
        "recipe_id": request.recipe_id,
        "recipe_name": RECIPES[request.recipe_id][0],
        "pass_through": request.pass_through,
        "notification_url": request.notification_url,
        "error_message": None,
        "initialized_job_at": date(now),
        "finished_job_at": None,
        **{name: None if file is None else _unknown(name, file) for name, file in files.items()},
        "_outcome": None,
        "_source": None,
        "_stored": {},
        "_settings": dict(request.settings),
        "_prefix": request.thumbnails.prefix if request.thumbnails else "",
        "_logins": {name: None if file is None else file.login for name, file in files.items()},
    }


def step(state: str) -> Document:
    """Return the changes with which a job enters a state between its beginning and its end."""
    return {"task_state": state, "tasks": _tasks(*_STEPS[state])}


def progressed(job: Document, percent: float) -> Document:
    """Return the change that brings the task under way to some per cent, with one decimal."""
    tasks: list[Document] = [dict(task) for task in job["tasks"]]
    for task in tasks:
        if task["state"] == "processing":
            task["progress"] = round(percent, 1)
    return {"tasks": tasks}


def ended(job: Document, outcome: str, error: str | None, now: float) -> Document:
    """Return the changes that settle a job; what was under way or still to come has failed then.

    Args:
        outcome: one of the final states.
        error: the message of a job that failed.
    """
    tasks: list[Document] = [dict(task) for task in job["tasks"]]
    for task in tasks:
        if outcome == "successful_job":
            task.update(state="success", progress=100.0)
        elif task["state"] in {"waiting", "processing"}:
            task["state"] = "failed"
    return {"_outcome": outcome, "error_message": error, "finished_job_at": date(now), "tasks": tasks}


def media_members(info: MediaInfo, cost: int) -> Document:
    """Return what is told of a media file: pixels, bytes, milliseconds, millicents."""
    return {
        "width": info.width,
        "height": info.height,
        "size": info.file_size,
        "duration": info.duration_ms,
        "cost": cost,
    }


def _unknown(kind: str, file: Remote) -> Document:
    """Return what is known of a file before it is there: its URL; a job that fails pays for nothing."""
    members = {
        "watermark": ("size",),
        "thumbnails": ("total_size", "number_of_thumbnails"),
    }.get(kind, ("width", "height", "size", "duration"))
    return {"url": file.url, **dict.fromkeys(members), "cost": 0}


def _tasks(current: int, word: str) -> list[Document]:
    """Return the three tasks while one of them is current: those before are done, those after untouched."""
    done: Document = {"state": "success", "progress": 100.0}
    untouched: Document = {"state": "initialized", "progress": 0.0}
    states = [done] * current + [{"state": word, "progress": 0.0}] + [untouched] * (len(TASKS) - current - 1)
    return [dict(state) for state in states]
