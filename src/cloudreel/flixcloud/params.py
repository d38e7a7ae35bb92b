"""Jobs from parameters by name, as the old client took them. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict

from cloudreel.flixcloud.errors import UnknownParameter
from cloudreel.flixcloud.models import CuePoints, JobSpec, Location


class JobParams(TypedDict, total=False):
    """The parameters of a job; what is None counts as left out.

    ``recipe_id`` or ``recipe_name`` says what is made, ``input_url`` of what, ``output_url`` where it goes.
    ``thumbnails_url`` is a folder. ``pass_through`` comes back in the notification, which goes to
    ``notification_url``.
    """

    recipe_id: int | str | None
    recipe_name: str | None
    input_url: str | None
    input_user: str | None
    input_password: str | None
    output_url: str | None
    output_user: str | None
    output_password: str | None
    watermark_url: str | None
    watermark_user: str | None
    watermark_password: str | None
    thumbnails_url: str | None
    thumbnails_prefix: str | None
    thumbnails_user: str | None
    thumbnails_password: str | None
    notification_url: str | None
    pass_through: str | None
    cue_points: CuePoints | None


class SentParams(JobParams, total=False):
    """The parameters of a job, and whether it is sent as soon as it is made."""

    send: bool


_NAMES: Final = tuple(JobParams.__annotations__)


def spec_of(params: JobParams) -> JobSpec:
    """Return the job that parameters describe; whether it makes sense is for `validate` to say.

    Raises:
        UnknownParameter: there is no parameter of some name.
    """
    _know(params)
    return JobSpec(
        recipe_id=params.get("recipe_id"),
        recipe_name=params.get("recipe_name"),
        input=_location(params.get("input_url"), params.get("input_user"), params.get("input_password")),
        output=_location(params.get("output_url"), params.get("output_user"), params.get("output_password")),
        watermark=_location(
            params.get("watermark_url"), params.get("watermark_user"), params.get("watermark_password")
        ),
        thumbnails=_location(
            params.get("thumbnails_url"),
            params.get("thumbnails_user"),
            params.get("thumbnails_password"),
            params.get("thumbnails_prefix"),
        ),
        notification_url=params.get("notification_url"),
        pass_through=params.get("pass_through"),
        cue_points=params.get("cue_points"),
    )


def _know(params: Mapping[str, object]) -> None:
    """Make sure that there is a parameter of each name: types are checked by few, and at no time here."""
    if "send" in params:
        raise UnknownParameter("send is for Job and for AsyncJob.create; everything else has methods to send")
    if unknown := [name for name in params if name not in _NAMES]:
        raise UnknownParameter(
            f"A job has no parameter {', '.join(map(repr, unknown))}; there are {', '.join(_NAMES)}"
        )


def _location(
    url: str | None, user: str | None, password: str | None, prefix: str | None = None
) -> Location | None:
    if url is None and user is None and password is None and prefix is None:
        return None
    return Location("" if url is None else url, user, password, prefix)
