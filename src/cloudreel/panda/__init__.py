"""Panda (API v2): clouds, videos, encodings, profiles, notifications, uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.hooks import Hooks, RequestEvent, ResponseEvent, RetryEvent
from cloudreel.core.inbox import Inbox
from cloudreel.core.lazy import on_first_use
from cloudreel.core.options import Limits
from cloudreel.downloads import DownloadProgress
from cloudreel.panda.client import AsyncPanda
from cloudreel.panda.clouds import AsyncCloud, AsyncClouds
from cloudreel.panda.errors import (
    BadRequest,
    ConnectionFailed,
    EncodingFailed,
    InternalError,
    NoAnswer,
    NotAuthorized,
    PandaApiError,
    PandaError,
    RateLimited,
    RecordNotFound,
    UnreadableAnswer,
    UploadFailed,
    WaitTimedOut,
)
from cloudreel.panda.models import Metadata
from cloudreel.panda.notifications import VideoNotification, parse_notification
from cloudreel.panda.profiles import AsyncProfile, AsyncProfiles
from cloudreel.panda.settings import AsyncNotifications, AsyncNotificationSettings
from cloudreel.panda.together import wait_all, wait_all_sync
from cloudreel.panda.videos import AsyncEncoding, AsyncEncodings, AsyncVideo, AsyncVideos
from cloudreel.panda.waiting import JobProgress
from cloudreel.uploads.plan import Progress
from cloudreel.uploads.session import AsyncUploadSession
from cloudreel.uploads.ticket import Ticket

if TYPE_CHECKING:  # asynchronous programs do without the synchronous twins
    from cloudreel.panda.sync import (
        Cloud,
        Clouds,
        Encoding,
        Encodings,
        Notifications,
        NotificationSettings,
        Panda,
        Profile,
        Profiles,
        Video,
        Videos,
    )
    from cloudreel.uploads.sync import UploadSession

__all__ = [
    "AsyncCloud",
    "AsyncClouds",
    "AsyncEncoding",
    "AsyncEncodings",
    "AsyncNotificationSettings",
    "AsyncNotifications",
    "AsyncPanda",
    "AsyncProfile",
    "AsyncProfiles",
    "AsyncUploadSession",
    "AsyncVideo",
    "AsyncVideos",
    "BadRequest",
    "Bandwidth",
    "Cloud",
    "Clouds",
    "ConnectionFailed",
    "DownloadProgress",
    "Encoding",
    "EncodingFailed",
    "Encodings",
    "Hooks",
    "Inbox",
    "InternalError",
    "JobProgress",
    "Limits",
    "Metadata",
    "NoAnswer",
    "NotAuthorized",
    "NotificationSettings",
    "Notifications",
    "Panda",
    "PandaApiError",
    "PandaError",
    "Profile",
    "Profiles",
    "Progress",
    "RateLimited",
    "RecordNotFound",
    "RequestEvent",
    "ResponseEvent",
    "RetryEvent",
    "Ticket",
    "UnreadableAnswer",
    "UploadFailed",
    "UploadSession",
    "Video",
    "VideoNotification",
    "Videos",
    "WaitTimedOut",
    "parse_notification",
    "wait_all",
    "wait_all_sync",
]

if not TYPE_CHECKING:  # who would take any name for one of these
    __getattr__ = on_first_use(__name__, __all__, "cloudreel.panda.sync")
