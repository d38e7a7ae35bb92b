"""The documents the service writes: answers to a job's owner, and the notification at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from cloudreel.flixcloud.xml import Element, write_xml
from cloudreel.sandbox.flixcloud.jobs import TASKS
from cloudreel.sandbox.flixcloud.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudreel.sandbox.store import Document

__all__ = ["Fields", "created", "errors", "notification", "notification_fields", "recipes", "status"]

Fields: TypeAlias = "Mapping[str, str | int | Fields | None]"
"""What a notification says, by the names of its elements; None is unset."""

_TYPES = {
    "id": "integer",
    "recipe-id": "integer",
    "initialized-job-at": "datetime",
    "finished-job-at": "datetime",
}


def created(job: Document) -> bytes:
    """Return the answer to a job that was accepted (flixcloud.md section 4)."""
    fields: Fields = {"id": job["id"], "initialized-job-at": job["initialized_job_at"]}
    return write_xml(_job(fields))


def errors(texts: Iterable[str]) -> bytes:
    """Return what the service says to a request it refuses."""
    return write_xml(Element("errors", children=tuple(Element("error", text) for text in texts)))


def recipes() -> bytes:
    """Return the list of the account's recipes, all of them active."""
    return write_xml(
        Element(
            "recipes",
            children=tuple(
                Element(
                    "recipe",
                    children=(
                        Element("id", str(id), attributes={"type": "integer"}),
                        Element("name", name),
                        Element("active", "true"),
                    ),
                )
                for id, (name, _) in RECIPES.items()
            ),
        )
    )


def status(job: Document) -> bytes:
    """Return how far a job is; of every task a word and a percentage (flixcloud.md section 5)."""
    tasks = (
        Element(
            name,
            children=(
                # Ids of tasks grow as those of jobs do, three to a job.
                Element("task_id", str(len(TASKS) * job["id"] + number), attributes={"type": "integer"}),
                Element("state", task["state"]),
                Element("state", f"{task['progress']:.1f}", attributes={"type": "float"}),
            ),
        )
        for number, (name, task) in enumerate(zip(TASKS, job["tasks"], strict=True))
    )
    id = Element("id", str(job["id"]), attributes={"type": "integer"})
    return write_xml(Element("job", children=(id, Element("task-state", job["task_state"]), *tasks)))


def notification_fields(job: Document) -> Fields:
    """Return what is told at the end of a job (flixcloud.md section 6).

    Watermark and thumbnails are mentioned only where the job asked for them.
    """
    fields: dict[str, str | int | Fields | None] = {
        "id": job["id"],
        "initialized-job-at": job["initialized_job_at"],
        "pass-through": job["pass_through"],
        "recipe-name": job["recipe_name"],
        "recipe-id": job["recipe_id"],
        "state": job["_outcome"],
        "error-message": job["error_message"] or "",
        "finished-job-at": job["finished_job_at"],
        "input-media-file": job["input"],
        "output-media-file": job["output"],
    }
    if job["watermark"]:
        fields["watermark-file"] = job["watermark"]
    if thumbnails := job["thumbnails"]:
        total_size, number = thumbnails["total_size"], thumbnails["number_of_thumbnails"]
        fields["thumbnail-media-file"] = {
            "url": thumbnails["url"],
            "total-size": total_size,
            "cost": thumbnails["cost"],
            "number_of_thumbnails": number,
        }
    return fields


def notification(fields: Fields) -> bytes:
    """Return a notification as it is sent."""
    return write_xml(_job(fields))


def _job(fields: Fields) -> Element:
    return Element("job", children=tuple(_element(name, value) for name, value in fields.items()))


def _element(name: str, value: str | int | Fields | None) -> Element:
    if isinstance(value, str | int):
        return Element(name, str(value), attributes={"type": _TYPES[name]} if name in _TYPES else {})
    if value is None:
        return Element(name, attributes={"nil": "true"} if name == "pass-through" else {})
    return Element(name, children=tuple(Element(part, _text(each)) for part, each in value.items()))


def _text(value: object) -> str:
    return "" if value is None else str(value)
