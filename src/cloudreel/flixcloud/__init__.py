"""Flix Cloud: transcoding jobs, their status, and the notification at their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.hooks import Hooks, RequestEvent, ResponseEvent, RetryEvent
from cloudreel.core.inbox import Inbox
from cloudreel.core.lazy import on_first_use
from cloudreel.core.options import Limits
from cloudreel.flixcloud.client import AsyncFlixCloud
from cloudreel.flixcloud.errors import (
    AccessDenied,
    ConnectionFailed,
    FlixCloudApiError,
    FlixCloudError,
    InternalError,
    JobNotFound,
    JobRefused,
    NoAnswer,
    RateLimited,
    TranscodingFailed,
    UnknownParameter,
    UnreadableAnswer,
    WaitTimedOut,
)
from cloudreel.flixcloud.job import AsyncJob
from cloudreel.flixcloud.models import (
    CuePoint,
    CuePoints,
    JobInfo,
    JobStatus,
    MediaFile,
    Recipe,
    Task,
    Thumbnails,
)
from cloudreel.flixcloud.notifications import JobNotification
from cloudreel.flixcloud.params import JobParams, SentParams
from cloudreel.flixcloud.together import wait_all, wait_all_sync

if TYPE_CHECKING:  # asynchronous programs do without the synchronous twins
    from cloudreel.flixcloud.sync import FlixCloud, Job

__all__ = [
    "AccessDenied",
    "AsyncFlixCloud",
    "AsyncJob",
    "Bandwidth",
    "ConnectionFailed",
    "CuePoint",
    "CuePoints",
    "FlixCloud",
    "FlixCloudApiError",
    "FlixCloudError",
    "Hooks",
    "Inbox",
    "InternalError",
    "Job",
    "JobInfo",
    "JobNotFound",
    "JobNotification",
    "JobParams",
    "JobRefused",
    "JobStatus",
    "Limits",
    "MediaFile",
    "NoAnswer",
    "RateLimited",
    "Recipe",
    "RequestEvent",
    "ResponseEvent",
    "RetryEvent",
    "SentParams",
    "Task",
    "Thumbnails",
    "TranscodingFailed",
    "UnknownParameter",
    "UnreadableAnswer",
    "WaitTimedOut",
    "wait_all",
    "wait_all_sync",
]

if not TYPE_CHECKING:  # who would take any name for one of these
    __getattr__ = on_first_use(__name__, __all__, "cloudreel.flixcloud.sync")
