"""Telestream Cloud (flip v3.0): factories, videos, encodings, profiles, uploads."""

from __future__ import annotations

from cloudreel.panda.models import Metadata
from cloudreel.panda.notifications import VideoNotification, parse_notification
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

__all__ = [
    "AsyncEncoding",
    "AsyncEncodings",
    "AsyncFactories",
    "AsyncFactory",
    "AsyncFlip",
    "AsyncProfile",
    "AsyncProfiles",
    "AsyncTelestream",
    "AsyncVideo",
    "AsyncVideoEncodings",
    "AsyncVideos",
    "BadRequest",
    "ConnectionFailed",
    "EncodingFailed",
    "InternalError",
    "JobProgress",
    "Metadata",
    "NoAnswer",
    "NotAuthorized",
    "RateLimited",
    "RecordNotFound",
    "TelestreamApiError",
    "TelestreamCloudException",
    "UnreadableAnswer",
    "UploadFailed",
    "VideoNotification",
    "WaitTimedOut",
    "parse_notification",
]
