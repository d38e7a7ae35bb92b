"""Profiles of the Panda family: how a source is to be encoded (panda.md 5.4)."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cloudreel.sandbox.documents import check_path_format, date, new_id, public
from cloudreel.sandbox.forms import boolean
from cloudreel.sandbox.media import PRESETS, BadProfile, recipe_from_profile
from cloudreel.sandbox.paging import filters, listing
from cloudreel.sandbox.refusals import bad_request, json_response, missing_parameters, not_found

if TYPE_CHECKING:
    from starlette.responses import Response

    from cloudreel.sandbox.auth import ApiRequest
    from cloudreel.sandbox.store import Document, Store

__all__ = [
    "change",
    "create",
    "delete",
    "find_profile",
    "list_all",
    "list_encodings",
    "preset_profile",
    "show",
]

_TEXTS = (
    *(
        "title",
        "name",
        "preset_name",
        "extname",
        "aspect_mode",
        "aspect_ratio",
        "command",
        "stack",
        "variants",
    ),
    *("clip_length", "clip_offset", "watermark_url", "watermark_top", "watermark_bottom", "watermark_left"),
    *("watermark_right", "watermark_width", "watermark_height", "frame_offsets", "frame_interval"),
    *("h264_profile", "h264_level", "h264_tune", "encryption_key", "encryption_iv", "encryption_key_url"),
    *("closed_captions", "path_format", "dash_profile", "deinterlace", "interlace", "x264_options"),
)
_NUMBERS = (
    *("width", "height", "video_bitrate", "fps", "keyframe_interval", "keyframe_rate", "audio_bitrate"),
    *("audio_sample_rate", "audio_channels", "frame_count", "h264_crf", "priority", "buffer_size"),
)
_LARGEST = 1e9
_FLAGS = ("upscale", "two_pass", "encryption", "cbr")


def preset_profile(preset: str, *, now: float, scope: str) -> Document:
    """Return the profile every factory or cloud has of a preset from the start."""
    return _born({"name": preset, "preset_name": preset, **PRESETS[preset]}, now=now, scope=scope)


def find_profile(store: Store, scope_id: str, id_or_name: str) -> Document:
    """Return a profile by its id or, failing that, its name.

    Raises:
        Refusal: there is none.
    """
    profile = store.get("profile", id_or_name, scope=scope_id)
    if profile is None:
        profile = next(iter(store.list("profile", scope=scope_id, name=id_or_name)), None)
    if profile is None:
        raise not_found("Profile", id_or_name)
    return profile


def list_all(call: ApiRequest) -> Response:
    """Answer GET /profiles.json."""
    return listing(call, "profiles", call.world.store.list("profile", scope=call.scope_id))


def show(call: ApiRequest) -> Response:
    """Answer GET /profiles/:id_or_name.json."""
    return json_response(public(_found(call)))


def list_encodings(call: ApiRequest) -> Response:
    """Answer GET /profiles/:id/encodings.json."""
    wanted = {"profile_id": _found(call)["id"], **filters(call, "status")}
    return listing(call, "encodings", call.world.store.list("encoding", scope=call.scope_id, **wanted))


def create(call: ApiRequest) -> Response:
    """Answer POST /profiles.json: a preset, or a command and an extname."""
    given = _given(call)
    if given.get("preset_name"):
        given = {**PRESETS.get(given["preset_name"], {}), **given}
    elif not (given.get("command") and given.get("extname")):
        raise missing_parameters(["preset_name"])
    profile = _born(given, now=call.now(), scope=call.scope_id)
    if not profile["name"]:
        profile["name"] = _free_name(call, profile)
    _check(call, profile)
    call.world.store.put("profile", profile["id"], profile, scope=call.scope_id)
    return json_response(public(profile))


def change(call: ApiRequest) -> Response:
    """Answer PUT /profiles/:id.json: what may be written is, everything else is passed over."""
    profile = _found(call) | _given(call) | {"updated_at": date(call.now())}
    _check(call, profile)
    call.world.store.update("profile", profile["id"], profile)
    return json_response(public(profile))


def delete(call: ApiRequest) -> Response:
    """Answer DELETE /profiles/:id.json; encodings made with the profile stay."""
    return json_response({"deleted": call.world.store.delete("profile", _found(call)["id"])})


def _found(call: ApiRequest) -> Document:
    return find_profile(call.world.store, call.scope_id, call.path["id"])


def _born(members: Document, *, now: float, scope: str) -> Document:
    return {
        "id": new_id(),
        "title": None,
        "name": None,
        "preset_name": None,
        "extname": None,
        "width": None,
        "height": None,
        "upscale": True,
        "aspect_mode": "letterbox",
        **members,
        "created_at": date(now),
        "updated_at": date(now),
        "_scope": scope,
    }


def _given(call: ApiRequest) -> Document:
    """The profile's own members among the parameters, with the types they are stored in."""
    texts: Document = {name: call.text(name) for name in _TEXTS if name in call.params}
    numbers = {name: _number(name, call.text(name)) for name in _NUMBERS if name in call.params}
    flags = {name: boolean(name, call.params[name]) for name in _FLAGS if name in call.params}
    return {**texts, **numbers, **flags}


def _number(name: str, text: str | None) -> float | str | None:
    if text is None or (name == "fps" and text == "same_as_source"):
        return text
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not abs(number) < _LARGEST:
        raise bad_request(f"{name} must be a number, not {text[:40]}")
    return int(number) if number.is_integer() else number


def _free_name(call: ApiRequest, profile: Document) -> str:
    wanted: str = profile["preset_name"] or profile["id"]
    taken = call.world.store.list("profile", scope=call.scope_id, name=wanted)
    return f"{wanted}-{profile['id'][:8]}" if taken else wanted


def _check(call: ApiRequest, profile: Document) -> None:
    name: str = profile["name"] or ""
    if not name or "," in name or "/" in name:
        raise bad_request("name must not be empty and must hold neither comma nor slash")
    others = call.world.store.list("profile", scope=call.scope_id, name=name)
    if any(other["id"] != profile["id"] for other in others):
        raise bad_request(f"The name {name} is taken by another profile")
    if profile.get("path_format"):
        check_path_format(profile["path_format"])
    if not profile.get("command"):
        try:
            recipe_from_profile(profile)
        except BadProfile as error:
            raise bad_request(str(error)) from error
