"""What the answers of CloudKey's REST era hold: plain dictionaries, typed. PURE.

Members that are not listed are kept. Facts: cloudkey-rest.md 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypeAlias, TypedDict

from cloudreel.core.call import JSON

Scalar: TypeAlias = "str | int | float | bool"
Sort: TypeAlias = "Sequence[tuple[str, int]]"
"""Dotted paths, each with 1 to rise or -1 to fall (10.4)."""


class Account(TypedDict):
    """The account that calls run as (9.1)."""

    id: str
    username: str
    api_key: NotRequired[str]


class AssetInfo(TypedDict):
    """One version of a medium; ``status`` is ``pending``, ``processing``, ``ready`` or ``error`` (9.4).

    ``created`` is in UNIX seconds, ``duration`` in seconds, ``file_size`` in bytes; a thumbnail has no
    sound and no duration, and what is not ready has its name and status only.
    """

    name: str
    status: str
    container: NotRequired[str]
    created: NotRequired[int]
    duration: NotRequired[int]
    file_size: NotRequired[int]
    global_bitrate: NotRequired[int]
    video_codec: NotRequired[str]
    video_width: NotRequired[int]
    video_height: NotRequired[int]
    video_bitrate: NotRequired[int]
    audio_codec: NotRequired[str]
    audio_bitrate: NotRequired[int]


Assets: TypeAlias = "list[AssetInfo]"


class MediaInfo(TypedDict):
    """A medium; in lists without ``created`` (UNIX seconds) (9.2, 10.5)."""

    id: str
    meta: dict[str, JSON]
    assets: Assets
    created: NotRequired[int]


MediaList: TypeAlias = "list[MediaInfo]"


class MetaEntry(TypedDict):
    """A meta entry."""

    value: JSON


class Queued(TypedDict):
    """What became of a job: ``status`` is ``queued``, or ``error``, which the others explain (9.3)."""

    status: str
    type: NotRequired[str]
    message: NotRequired[str]
