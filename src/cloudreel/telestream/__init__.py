"""Telestream Cloud (flip v3.0): factories, videos, encodings, profiles, uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.hooks import Hooks, RequestEvent, ResponseEvent, RetryEvent
from cloudreel.core.inbox import Inbox
from cloudreel.core.lazy import on_first_use
from cloudreel.core.options import Limits
from cloudreel.downloads import DownloadProgress
from cloudreel.panda.models import Metadata
from cloudreel.panda.notifications import VideoNotification, parse_notification
from cloudreel.panda.together import wait_all, wait_all_sync
from cloudreel.panda.waiting import JobProgress
from cloudreel.telestream.client import AsyncFlip, AsyncTelestream
from cloudreel.telestream.errors import (
    BadRequest,
    ConnectionFailed,
    EncodingFailed,
    InternalError,
    NoAnswer,
    NotAuthorized,
    RateLimited,
    RecordNotFound,
    TelestreamApiError,
    TelestreamCloudException,
    UnreadableAnswer,
    UploadFailed,
    WaitTimedOut,
)
from cloudreel.telestream.factories import AsyncFactories, AsyncFactory
from cloudreel.telestream.profiles import AsyncProfile, AsyncProfiles
from cloudreel.telestream.videos import (
    AsyncEncoding,
    AsyncEncodings,
    AsyncVideo,
    AsyncVideoEncodings,
    AsyncVideos,
)
from cloudreel.uploads.plan import Progress
from cloudreel.uploads.session import AsyncUploadSession
from cloudreel.uploads.ticket import Ticket

if TYPE_CHECKING:  # asynchronous programs do without the synchronous twins
    from cloudreel.telestream.sync import (
        Encoding,
        Encodings,
        Factories,
        Factory,
        Flip,
        Profile,
        Profiles,
        Telestream,
        Video,
        VideoEncodings,
        Videos,
    )
    from cloudreel.uploads.sync import UploadSession

    TelestreamCloud = Telestream  # the name of the old client

__all__ = [
    "AsyncEncoding",
    "AsyncEncodings",
    "AsyncFactories",
    "AsyncFactory",
    "AsyncFlip",
    "AsyncProfile",
    "AsyncProfiles",
    "AsyncTelestream",
    "AsyncUploadSession",
    "AsyncVideo",
    "AsyncVideoEncodings",
    "AsyncVideos",
    "BadRequest",
    "Bandwidth",
    "ConnectionFailed",
    "DownloadProgress",
    "Encoding",
    "EncodingFailed",
    "Encodings",
    "Factories",
    "Factory",
    "Flip",
    "Hooks",
    "Inbox",
    "InternalError",
    "JobProgress",
    "Limits",
    "Metadata",
    "NoAnswer",
    "NotAuthorized",
    "Profile",
    "Profiles",
    "Progress",
    "RateLimited",
    "RecordNotFound",
    "RequestEvent",
    "ResponseEvent",
    "RetryEvent",
    "Telestream",
    "TelestreamApiError",
    "TelestreamCloud",
    "TelestreamCloudException",
    "Ticket",
    "UnreadableAnswer",
    "UploadFailed",
    "UploadSession",
    "Video",
    "VideoEncodings",
    "VideoNotification",
    "Videos",
    "WaitTimedOut",
    "parse_notification",
    "wait_all",
    "wait_all_sync",
]

if not TYPE_CHECKING:  # who would take any name for one of these
    __getattr__ = on_first_use(
        __name__, __all__, "cloudreel.telestream.sync", {"TelestreamCloud": "Telestream"}
    )
