"""A job as the service reads it: the elements of its ``api-request`` (flixcloud.md 3). PURE."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cloudreel.flixcloud.models import CuePoint, JobSpec, Location
from cloudreel.flixcloud.xml import Element


def elements_of(job: JobSpec) -> tuple[Element, ...]:
    """Return the elements that describe a job, in the order of the vendor's own client; the key is none."""
    return tuple(_elements(job))


def seconds(time: object) -> str | None:
    """Return a time as the service writes it, with a point and no exponent; None if it is no time."""
    if isinstance(time, bool) or not isinstance(time, int | float | Decimal):
        return None
    exact = Decimal(str(time))
    return format(exact, "f") if exact.is_finite() and exact >= 0 else None


def _elements(job: JobSpec) -> Iterator[Element]:
    if job.recipe_name:
        yield Element("recipe-name", job.recipe_name)
    else:
        yield Element("recipe-id", str(job.recipe_id))
    if job.notification_url:
        yield Element("notification-url", job.notification_url)
    if job.pass_through:
        yield Element("pass-through", job.pass_through)
    if job.cue_points:
        kinds = {
            "event": job.cue_points.get("event", ()),
            "navigation": job.cue_points.get("navigation", ()),
        }
        children = [
            Element(kind, children=tuple(map(_cue_point, points))) for kind, points in kinds.items() if points
        ]
        yield Element("cue-points", children=tuple(children))
    files = {
        "input": job.input,
        "output": job.output,
        "watermark": job.watermark,
        "thumbnails": job.thumbnails,
    }
    locations = [_location(name, where) for name, where in files.items() if where is not None]
    yield Element("file-locations", children=tuple(locations))


def _location(name: str, location: Location) -> Element:
    children = [Element("url", location.url)]
    if location.prefix:
        children.append(Element("prefix", location.prefix))
    if location.user and location.password:
        login = (Element("user", location.user), Element("password", location.password))
        children.append(Element("parameters", children=login))
    return Element(name, children=tuple(children))


def _cue_point(point: CuePoint) -> Element:
    parameters = [
        Element("parameter", children=(Element("key", key), Element("value", value)))
        for key, value in point.parameters.items()
    ]
    time = Element("time", seconds(point.time) or "")
    return Element("cue-point", children=(Element("name", point.name), time, *parameters))
