"""The calls that Panda v2 and Telestream v3.0 share, and how they are refused. PURE.

Paths are below the service's base URL (``/v2``, ``/v3.0``); the scope (cloud or factory) is added by
the signer. Facts: panda.md 3 to 8, telestream.md 3 to 8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

from attrs import field, frozen

from cloudreel.core import codec, redact
from cloudreel.core.call import Body, Call, Request, Response
from cloudreel.core.failures import Failure, category_of, retry_after
from cloudreel.errors import ApiError, AuthenticationError, DecodeError, InvalidRequestError, NotFoundError
from cloudreel.panda.models import (
    CloudFields,
    EncodingFields,
    Metadata,
    NotificationsFields,
    ProfileFields,
    VideoFields,
    metadata_of,
)

Param: TypeAlias = "str | bytes | int | float | bool | Sequence[str] | Mapping[str, object] | None"
Params: TypeAlias = Mapping[str, Param]

NONE: Params = {}

PER_PAGE = 100  # objects of a page, the most the service gives (panda.md 7)


# -- refusals --------------------------------------------------------------------------------------------

_BY_NAME: dict[str, type[ApiError]] = {
    "NotAuthorized": AuthenticationError,
    "RecordNotFound": NotFoundError,
    "BadRequest": InvalidRequestError,
}


def read_failure(response: Response) -> Failure | None:
    """Return the refusal that an answer is, if it is one.

    The status counts, and so does an ``error`` in the body of a 200: a refused upload session may
    come that way (telestream.md 3). An error body may be empty or HTML.
    """
    if response.ok and b'"error"' not in response.body[:256]:
        return None
    name, message = _error_of(response)
    if response.ok:
        if not name:
            return None
        return Failure(_BY_NAME.get(name, InvalidRequestError), message, name)
    category = _BY_NAME.get(name) or category_of(response.status_code)
    return Failure(category, message, name, retry_after(response))


def _error_of(response: Response) -> tuple[str, str]:
    try:
        body = codec.json_of(response)
    except DecodeError:
        return "", response.text[:200] if not response.ok else ""
    if not isinstance(body, dict):
        return "", ""
    return str(body.get("error") or ""), str(body.get("message") or "")


def is_clock_skew(failure: Failure) -> bool:
    """Return whether a refusal is the one that a wrong clock causes (panda.md 6)."""
    return failure.category is AuthenticationError and "expired" in failure.message


# -- answers ---------------------------------------------------------------------------------------------


def _done(key: str, response: Response) -> bool:
    """Read the answer of a delete, cancel or retry: empty means done, else truthiness decides (7.1)."""
    if not response.body.strip():
        return True
    value = codec.json_of(response)
    return bool(value.get(key, True)) if isinstance(value, dict) else bool(value)


def _deleted(response: Response) -> bool:
    return _done("deleted", response)


def _canceled(response: Response) -> bool:
    return _done("canceled", response)


def _retried(response: Response) -> bool:
    return _done("retried", response)


def _metadata(response: Response) -> Metadata:
    return metadata_of(codec.object_of(response))


_video = codec.record_of(VideoFields)
_videos = codec.records_of(VideoFields, "videos")
_encoding = codec.record_of(EncodingFields)
_encodings = codec.records_of(EncodingFields, "encodings")
_cloud = codec.record_of(CloudFields)
_clouds = codec.records_of(CloudFields, "clouds")
_notifications = codec.record_of(NotificationsFields)
_profile = codec.record_of(ProfileFields)
_profiles = codec.records_of(ProfileFields, "profiles")


def segment(identifier: str) -> str:
    """Return an id or name as one path segment, escaped once for wire and signature (panda.md 3.2)."""
    return quote(identifier, safe="")


def raw(verb: str, path: str, params: Mapping[str, object] | None) -> Call[Response]:
    """Return a call of any path, whose answer is not read; only a GET is sent twice on doubt."""
    return Call(
        Request(verb.upper(), canonical(path), params or {}), lambda response: response, verb.upper() == "GET"
    )


def canonical(path: str) -> str:
    """Return a path as it is signed and called: with one slash in front and none behind (panda.md 3.2)."""
    return "/" + path.strip(" \t\n\r\0\x0b/")


# -- videos ----------------------------------------------------------------------------------------------


def list_videos(params: Params = NONE) -> Call[list[VideoFields]]:
    """Return the call that lists a page of videos."""
    return Call(Request("GET", "/videos.json", params), _videos)


def find_video(video_id: str) -> Call[VideoFields]:
    """Return the call that fetches one video."""
    return Call(Request("GET", f"/videos/{segment(video_id)}.json"), _video)


def create_video(params: Params, body: Body | None = None, content_type: str = "") -> Call[VideoFields]:
    """Return the call that creates a video, from a URL in ``params`` or from a multipart ``body``."""
    headers = {"Content-Type": content_type} if content_type else {}
    return Call(Request("POST", "/videos.json", params, headers, body), _video, repeatable=False)


def delete_video(video_id: str) -> Call[bool]:
    """Return the call that deletes a video and its encodings."""
    return Call(Request("DELETE", f"/videos/{segment(video_id)}.json"), _deleted)


def delete_source(video_id: str) -> Call[bool]:
    """Return the call that deletes a video's source file."""
    return Call(Request("DELETE", f"/videos/{segment(video_id)}/source.json"), _deleted)


def video_metadata(video_id: str) -> Call[Metadata]:
    """Return the call that fetches what the analyser found in the source."""
    return Call(Request("GET", f"/videos/{segment(video_id)}/metadata.json"), _metadata)


def video_encodings(video_id: str, params: Params = NONE) -> Call[list[EncodingFields]]:
    """Return the call that lists the encodings of one video."""
    return Call(Request("GET", f"/videos/{segment(video_id)}/encodings.json", params), _encodings)


@frozen
class OpenedUpload:
    """Where an upload goes, and how: numbers may come as text (telestream.md 8.2)."""

    session_id: str = field(repr=False)  # the location contains it
    location: str = field(repr=redact.location)
    parts: int = 1
    part_size: int = 0
    max_connections: int = 1


def open_upload(params: Params) -> Call[OpenedUpload]:
    """Return the call that opens an upload session; one opened in vain does no harm, so it may repeat.

    Args:
        params: ``file_size`` in bytes, ``file_name``, and what else the service takes.
    """
    return Call(Request("POST", "/videos/upload.json", params), _opened_upload)


def _opened_upload(response: Response) -> OpenedUpload:
    reply = codec.object_of(response)
    location = codec.read_text(reply.get("location"))
    if not location:
        raise DecodeError("The upload session has no location")
    try:
        numbers = [codec.read_int(reply.get(name)) for name in ("parts", "part_size", "max_connections")]
    except ValueError as error:
        raise DecodeError(f"The upload session has no usable numbers: {error}") from error
    return OpenedUpload(
        codec.read_text(reply.get("id")) or "",
        location,
        *(
            number if number is not None else default
            for number, default in zip(numbers, (1, 0, 1), strict=True)
        ),
    )


# -- encodings -------------------------------------------------------------------------------------------


def list_encodings(params: Params = NONE) -> Call[list[EncodingFields]]:
    """Return the call that lists a page of encodings."""
    return Call(Request("GET", "/encodings.json", params), _encodings)


def find_encoding(encoding_id: str) -> Call[EncodingFields]:
    """Return the call that fetches one encoding."""
    return Call(Request("GET", f"/encodings/{segment(encoding_id)}.json"), _encoding)


def create_encoding(params: Params) -> Call[EncodingFields]:
    """Return the call that encodes a video with one more profile."""
    return Call(Request("POST", "/encodings.json", params), _encoding, repeatable=False)


def delete_encoding(encoding_id: str) -> Call[bool]:
    """Return the call that deletes an encoding."""
    return Call(Request("DELETE", f"/encodings/{segment(encoding_id)}.json"), _deleted)


def cancel_encoding(encoding_id: str) -> Call[bool]:
    """Return the call that stops an encoding."""
    return Call(Request("POST", f"/encodings/{segment(encoding_id)}/cancel.json"), _canceled)


def retry_encoding(encoding_id: str) -> Call[bool]:
    """Return the call that starts a failed encoding again."""
    return Call(Request("POST", f"/encodings/{segment(encoding_id)}/retry.json"), _retried, repeatable=False)


# -- profiles --------------------------------------------------------------------------------------------


def list_profiles(params: Params = NONE) -> Call[list[ProfileFields]]:
    """Return the call that lists a page of profiles."""
    return Call(Request("GET", "/profiles.json", params), _profiles)


def find_profile(id_or_name: str) -> Call[ProfileFields]:
    """Return the call that fetches one profile, by id or by name."""
    return Call(Request("GET", f"/profiles/{segment(id_or_name)}.json"), _profile)


def create_profile(params: Params) -> Call[ProfileFields]:
    """Return the call that creates a profile from a preset or a command."""
    return Call(Request("POST", "/profiles.json", params), _profile, repeatable=False)


def update_profile(profile_id: str, params: Params) -> Call[ProfileFields]:
    """Return the call that changes fields of a profile."""
    return Call(Request("PUT", f"/profiles/{segment(profile_id)}.json", params), _profile)


def delete_profile(profile_id: str) -> Call[bool]:
    """Return the call that deletes a profile."""
    return Call(Request("DELETE", f"/profiles/{segment(profile_id)}.json"), _deleted)


# -- clouds ----------------------------------------------------------------------------------------------


def list_clouds(params: Params = NONE) -> Call[list[CloudFields]]:
    """Return the call that lists a page of clouds."""
    return Call(Request("GET", "/clouds.json", params), _clouds)


def find_cloud(cloud_id: str) -> Call[CloudFields]:
    """Return the call that fetches one cloud."""
    return Call(Request("GET", f"/clouds/{segment(cloud_id)}.json"), _cloud)


def create_cloud(params: Params) -> Call[CloudFields]:
    """Return the call that creates a cloud."""
    return Call(Request("POST", "/clouds.json", params), _cloud, repeatable=False)


def update_cloud(cloud_id: str, params: Params) -> Call[CloudFields]:
    """Return the call that changes fields of a cloud."""
    return Call(Request("PUT", f"/clouds/{segment(cloud_id)}.json", params), _cloud)


def delete_cloud(cloud_id: str) -> Call[bool]:
    """Return the call that asks to delete a cloud, which the service refuses (panda.md 7)."""
    return Call(Request("DELETE", f"/clouds/{segment(cloud_id)}.json"), _deleted)


# -- notification settings -------------------------------------------------------------------------------


def get_notifications() -> Call[NotificationsFields]:
    """Return the call that fetches the notification settings."""
    return Call(Request("GET", "/notifications.json"), _notifications)


def update_notifications(settings: Params) -> Call[NotificationsFields]:
    """Return the call that changes the settings given; the others stay."""
    return Call(Request("PUT", "/notifications.json", settings), _notifications)
