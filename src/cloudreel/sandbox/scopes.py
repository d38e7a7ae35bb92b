"""What an account is divided into, factories or clouds, and the notification settings of each."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

from cloudreel.sandbox import documents
from cloudreel.sandbox.forms import boolean
from cloudreel.sandbox.media import PRESETS
from cloudreel.sandbox.outputs import scope_url
from cloudreel.sandbox.paging import listing
from cloudreel.sandbox.profiles import preset_profile
from cloudreel.sandbox.refusals import bad_request, json_response, missing_parameters, not_found

if TYPE_CHECKING:
    from starlette.responses import Response

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.auth import ApiRequest
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["change", "change_notifications", "create", "furnish", "list_all", "show", "show_notifications"]

_COMMON: Document = {"name": None, "s3_videos_bucket": "sandbox", "s3_private_access": False}
_MEMBERS: dict[str, Document] = {
    "factory": {**_COMMON, "upload_original_video": False},
    "cloud": {**_COMMON, "priority": 99},
}
"""What may be written of each kind, as it is at first. Keys of a storage service are taken and not kept."""
_PRIORITIES = range(2, 201)


def furnish(world: World, kind: str, id: str, members: Document) -> Document:
    """Store a new factory or cloud; every preset is one of its profiles from the start."""
    now = world.clock.now()
    for preset in PRESETS:
        profile = preset_profile(preset, now=now, scope=id)
        world.store.put("profile", profile["id"], profile, scope=id)
    settings = documents.notifications(with_payload=kind == "factory")
    world.store.put("notifications", id, settings, scope=id)
    dates = {"created_at": documents.date(now), "updated_at": documents.date(now)}
    return world.store.put(kind, id, {"id": id, **_MEMBERS[kind], **dates, **members})


def list_all(call: ApiRequest) -> Response:
    """Answer GET /factories.json or /clouds.json."""
    scopes = [_shown(call, scope) for scope in call.world.store.list(call.service.scope)]
    return listing(call, call.service.scopes, scopes)


def create(call: ApiRequest) -> Response:
    """Answer POST /factories.json or /clouds.json."""
    if call.text("name") is None:
        raise missing_parameters(["name"])
    return json_response(
        _shown(call, furnish(call.world, call.service.scope, documents.new_id(), _given(call)))
    )


def show(call: ApiRequest) -> Response:
    """Answer GET /factories/:id.json or /clouds/:id.json."""
    return json_response(_shown(call, _found(call)))


def change(call: ApiRequest) -> Response:
    """Answer PUT /factories/:id.json or /clouds/:id.json; what may not be written is passed over."""
    changes = {**_given(call), "updated_at": documents.date(call.now())}
    scope = _found(call) | changes
    call.world.store.update(call.service.scope, scope["id"], changes)
    return json_response(_shown(call, scope))


def show_notifications(call: ApiRequest) -> Response:
    """Answer GET /notifications.json."""
    return json_response(_settings(call))


def change_notifications(call: ApiRequest) -> Response:
    """Answer PUT /notifications.json: what is not sent stays as it is."""
    settings = _settings(call)
    if "url" in call.params:
        settings["url"] = _notification_url(call.text("url"))
    settings["delay"] = call.whole("delay", settings["delay"], low=0)
    if "send_video_payload" in settings and "send_video_payload" in call.params:
        settings["send_video_payload"] = boolean("send_video_payload", call.params["send_video_payload"])
    for event, value in _given_events(call).items():
        if event not in settings["events"]:
            raise bad_request(f"There is no event {event}; there are {', '.join(settings['events'])}")
        settings["events"][event] = boolean(event, value)
    call.world.store.update("notifications", call.scope_id, settings)
    return json_response(settings)


def _found(call: ApiRequest) -> Document:
    scope = call.world.store.get(call.service.scope, call.path["id"])
    if scope is None:
        raise not_found(call.service.scope_model, call.path["id"])
    return scope


def _shown(call: ApiRequest, scope: Document) -> Document:
    return {**scope, "url": scope_url(call.world, scope["id"])}


def _given(call: ApiRequest) -> Document:
    members = _MEMBERS[call.service.scope]
    return {name: _value(call, name) for name in members if name in call.params}


def _value(call: ApiRequest, name: str) -> bool | int | str | None:
    if name in {"s3_private_access", "upload_original_video"}:
        return boolean(name, call.params[name])
    if name != "priority":
        return call.text(name)
    priority = call.whole(name, _MEMBERS["cloud"][name], low=min(_PRIORITIES))
    if priority not in _PRIORITIES:
        raise bad_request(f"{name} must be a whole number up to {max(_PRIORITIES)}, not {priority}")
    return priority


def _settings(call: ApiRequest) -> Document:
    settings = call.world.store.get("notifications", call.scope_id)
    if settings is None:
        raise not_found(call.service.scope_model, call.scope_id)
    return settings


def _notification_url(text: str | None) -> str | None:
    if text in (None, "null"):
        return None
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
        raise bad_request(f"url must be an http or https URL, not {text}")
    return text


def _given_events(call: ApiRequest) -> dict[str, JSON]:
    """The events of a request: bracketed, or as one JSON object (panda.md section 4)."""
    whole: JSON = call.params.get("events", {})
    if isinstance(whole, str):
        try:
            whole = orjson.loads(whole)
        except orjson.JSONDecodeError as error:
            raise bad_request("events must be sent as events[name]=true or as a JSON object") from error
    if not isinstance(whole, dict):
        raise bad_request("events must be a mapping")
    bracketed = {
        name[len("events[") : -1]: value
        for name, value in call.params.items()
        if name.startswith("events[") and name.endswith("]")
    }
    return {**whole, **bracketed}
