"""What a job lacks before the service has to say so: all of it at once. PURE.

The texts are the old client's where it had one, for what it did not check the vendor's other clients'
(flixcloud.md 7). They quote no URL, which may have a password. Whether a host exists is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cloudreel.core.call import Credential
from cloudreel.flixcloud.documents import seconds
from cloudreel.flixcloud.models import CuePoint, CuePoints, JobSpec, Location
from cloudreel.flixcloud.xml import forbidden

READ_FROM: Final = ("http", "https", "ftp", "sftp", "s3")
WRITTEN_TO: Final = ("ftp", "sftp", "s3")
NOTIFIED_AT: Final = ("http", "https")
CUE_POINTS: Final = ("event", "navigation")

_RECIPE_ID: Final = re.compile(r"[0-9]{1,18}")


def validate(job: JobSpec, api_key: Credential) -> list[str]:
    """Return what is wrong with a job, nothing if it can be sent."""
    return list(_problems(job, api_key))


def _problems(job: JobSpec, api_key: Credential) -> Iterator[str]:
    yield from _recipe(job)
    if not api_key:
        yield "API key is required."
    if job.input is None or job.output is None:
        yield "Input and output files are required."
    yield from _file("Input", job.input, READ_FROM)
    yield from _file("Output", job.output, WRITTEN_TO)
    yield from _file("Watermark", job.watermark, READ_FROM)
    yield from _file("Thumbnails", job.thumbnails, WRITTEN_TO)
    if job.thumbnails is not None and not job.thumbnails.prefix:
        yield "Thumbnails: Prefix is required."
    if job.notification_url:
        yield from _url("Notification", job.notification_url, NOTIFIED_AT)
    yield from _text("pass_through", job.pass_through)
    if job.cue_points:
        yield from _cue_points(job.cue_points)


def _recipe(job: JobSpec) -> Iterator[str]:
    by_id = job.recipe_id is not None and job.recipe_id != ""
    if by_id and job.recipe_name:
        yield "recipe_id and recipe_name cannot both be used."
    if not by_id and not job.recipe_name:
        yield "Either recipe_id or recipe_name is required."
    if by_id and not _RECIPE_ID.fullmatch(str(job.recipe_id)):
        yield "recipe_id must be an integer."
    yield from _text("recipe_name", job.recipe_name)


def _file(name: str, location: Location | None, schemes: tuple[str, ...]) -> Iterator[str]:
    if location is None:
        return
    if location.url:
        yield from _url(name, location.url, schemes)
    else:
        yield f"{name}: Url is required."
    if bool(location.user) != bool(location.password):
        yield f"{name}: Both user & password are required."
    yield from _text(f"{name}: User", location.user)
    yield from _text(f"{name}: Password", location.password)
    yield from _text(f"{name}: Prefix", location.prefix)


def _url(name: str, url: object, schemes: tuple[str, ...]) -> Iterator[str]:
    if (problem := _text_problem(url)) is not None:
        yield f"{name}: Url {problem}"
    elif not str(url).lower().startswith(tuple(f"{scheme}://" for scheme in schemes)):
        *others, last = (f"{scheme}://" for scheme in schemes)
        yield f"{name}: Url must begin with {', '.join(others)} or {last}"


def _text(name: str, value: object) -> Iterator[str]:
    if value is not None and (problem := _text_problem(value)) is not None:
        yield f"{name} {problem}"


def _text_problem(value: object) -> str | None:
    if not isinstance(value, str):
        return f"must be text, not {type(value).__name__}."
    character = forbidden(value)
    return None if character is None else f"has {character}, a character that XML cannot hold."


def _cue_points(cue_points: CuePoints) -> Iterator[str]:
    for unknown in (kind for kind in cue_points if kind not in CUE_POINTS):
        yield f"Cue points: There is no kind {unknown!r}; there are {' and '.join(CUE_POINTS)}."
    for number, point in enumerate(cue_points.get("event", ()), 1):
        yield from _cue_point(f"Cue points: Event {number}:", point)
    for number, point in enumerate(cue_points.get("navigation", ()), 1):
        yield from _cue_point(f"Cue points: Navigation {number}:", point)


def _cue_point(name: str, point: object) -> Iterator[str]:
    if not isinstance(point, CuePoint):
        yield f"{name} It must be a CuePoint, not {type(point).__name__}."
        return
    if point.name:
        yield from _text(f"{name} Name", point.name)
    else:
        yield f"{name} Name is required."
    if seconds(point.time) is None:
        yield f"{name} Time must be a number of seconds, 0 or more."
    for key, value in point.parameters.items():
        yield from _text(f"{name} The key of a parameter", key)
        yield from _text(f"{name} Parameter {key!r}", value)
