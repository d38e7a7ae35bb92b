"""What CloudKey's answers hold: plain dictionaries, typed. PURE.

Only what was selected by ``fields`` is there, what was selected and does not exist is None, and unknown
members are kept. Facts: cloudkey-rpc.md 7 to 11.
"""

from __future__ import annotations

from typing import NotRequired, TypeAlias, TypedDict

from cloudreel.core.call import JSON

Names: TypeAlias = "list[str]"
Meta: TypeAlias = "dict[str, JSON]"


class AssetInfo(TypedDict, total=False):
    """One version of a medium; ``status`` is ``pending``, ``processing``, ``ready`` or ``error`` (7.3).

    Times are UNIX seconds, durations seconds, sizes bytes, rates bits per second, ``progress`` per cent.
    """

    status: str
    created: int | None
    container: str | None
    duration: int | None
    file_size: int | None
    file_extension: str | None
    global_bitrate: int | None
    video_codec: str | None
    video_width: int | None
    video_height: int | None
    video_bitrate: int | None
    video_rotation: float | None
    video_fps: float | None
    video_fps_mode: str | None
    audio_codec: str | None
    audio_bitrate: int | None
    audio_nbr_channel: int | None
    audio_samplerate: int | None
    checksum: str | None
    progress: int | None
    stream_url: str | None
    download_url: str | None
    embed_url: str | None


Assets: TypeAlias = "dict[str, AssetInfo]"
"""Assets by name."""


class MediaInfo(TypedDict, total=False):
    """A medium; ``created`` is in UNIX seconds, ``stats`` counts views by scope and interval (7.2, 8.4)."""

    id: str
    created: int
    meta: Meta
    assets: Assets
    embed_url: str | None
    frame_ratio: float | None
    stats: dict[str, dict[str, int]]
    extended_stats: dict[str, JSON]


MediaList: TypeAlias = "list[MediaInfo]"


class Created(TypedDict):
    """What was created."""

    id: str


class Page(TypedDict):
    """Where a page stands among all pages; pages count from 1 (9.2). Searches add ``has_more``."""

    page: int
    pages: int
    per_page: int
    on_this_page: int
    total: int
    has_more: NotRequired[bool]


class MediaPage(Page):
    """A page of media."""

    list: MediaList


def is_last(page: MediaPage, number: int) -> bool:
    """Return whether no page follows that of this number; searches may say just ``has_more`` (9.2, 9.6)."""
    return not page["has_more"] if "has_more" in page else number >= page.get("pages", number + 1)


class UserInfo(TypedDict, total=False):
    """An account; times are UNIX seconds (10.3)."""

    id: str
    username: str
    email: str | None
    first_name: str | None
    last_name: str | None
    created: int | None
    is_active: bool
    last_login: int | None
    api_key: str | None
    permissions: JSON
    streaming_active: bool


UserList: TypeAlias = "list[UserInfo]"


class UserPage(TypedDict):
    """A page of users; ``has_more`` says whether another follows (9.6)."""

    list: UserList
    has_more: bool


class UserFields(TypedDict, total=False):
    """What may be set of an account."""

    org_id: str
    username: str
    password: str
    email: str


class AssetRequest(TypedDict):
    """An asset to be made: fetched from ``url``, or transcoded from the source without one (10.1)."""

    name: str
    url: NotRequired[str]
    action: NotRequired[str]


class UploadTarget(TypedDict):
    """Where one file may be sent, and where to ask how far it has come (11.1, 11.5)."""

    url: str
    status: NotRequired[str]


class UploadedFile(TypedDict):
    """A file that the service holds: ``url`` goes into `media.create`, ``hash`` is its SHA-1 (11.3)."""

    url: str
    name: str
    size: int
    hash: str
    seal: NotRequired[str]


class UploadStatus(TypedDict):
    """How far an upload has come: ``notfound``, ``uploading``, ``done`` or ``error``; bytes (11.6)."""

    state: str
    received: NotRequired[int]
    size: NotRequired[int]


class Item(TypedDict):
    """Something that has an id and may have a name."""

    id: str
    name: NotRequired[str]


Items: TypeAlias = "list[Item]"


class FarmNode(TypedDict):
    """A node of a farm (10.4)."""

    name: str
    weight: int
    enabled: bool
    comment: str


FarmNodes: TypeAlias = "list[FarmNode]"
