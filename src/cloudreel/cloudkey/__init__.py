"""CloudKey, the RPC API of Dailymotion Cloud: media, assets, users, uploads, signed URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.cloudkey.account import (
    AsyncEncodingSettings,
    AsyncFarm,
    AsyncOrganisation,
    AsyncPlayerPreset,
    AsyncSystem,
    AsyncUser,
)
from cloudreel.cloudkey.client import AsyncCloudKey
from cloudreel.cloudkey.errors import (
    ApplicationException,
    AssetFailed,
    AuthenticationError,
    Exists,
    InvalidCall,
    InvalidMethod,
    InvalidObject,
    InvalidParameter,
    InvalidRequest,
    LimitExceeded,
    MalformedRequest,
    MissingParameter,
    NotFound,
    ProcessorException,
    RateLimitExceeded,
    RPCException,
    SerializerError,
    TransportException,
    TransportTimedOut,
    UnlistedError,
    UploadFailed,
    WaitTimedOut,
)
from cloudreel.cloudkey.files import AsyncFile
from cloudreel.cloudkey.media import AsyncMedia
from cloudreel.cloudkey.models import (
    AssetInfo,
    AssetRequest,
    MediaInfo,
    MediaPage,
    UploadedFile,
    UploadStatus,
    UploadTarget,
    UserInfo,
    UserPage,
)
from cloudreel.cloudkey.remote import AsyncRemoteMethod, AsyncRemoteObject
from cloudreel.cloudkey.together import wait_all, wait_all_sync
from cloudreel.cloudkey.urls import DrmOptions
from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.hooks import Hooks, RequestEvent, ResponseEvent, RetryEvent
from cloudreel.core.lazy import on_first_use
from cloudreel.core.options import Limits
from cloudreel.downloads import DownloadProgress
from cloudreel.signing import SecLevel

if TYPE_CHECKING:  # asynchronous programs do without the synchronous twins
    from cloudreel.cloudkey.sync import (
        CloudKey,
        EncodingSettings,
        Farm,
        File,
        Media,
        Organisation,
        PlayerPreset,
        RemoteMethod,
        RemoteObject,
        System,
        User,
    )

__all__ = [
    "ApplicationException",
    "AssetFailed",
    "AssetInfo",
    "AssetRequest",
    "AsyncCloudKey",
    "AsyncEncodingSettings",
    "AsyncFarm",
    "AsyncFile",
    "AsyncMedia",
    "AsyncOrganisation",
    "AsyncPlayerPreset",
    "AsyncRemoteMethod",
    "AsyncRemoteObject",
    "AsyncSystem",
    "AsyncUser",
    "AuthenticationError",
    "Bandwidth",
    "CloudKey",
    "DownloadProgress",
    "DrmOptions",
    "EncodingSettings",
    "Exists",
    "Farm",
    "File",
    "Hooks",
    "InvalidCall",
    "InvalidMethod",
    "InvalidObject",
    "InvalidParameter",
    "InvalidRequest",
    "LimitExceeded",
    "Limits",
    "MalformedRequest",
    "Media",
    "MediaInfo",
    "MediaPage",
    "MissingParameter",
    "NotFound",
    "Organisation",
    "PlayerPreset",
    "ProcessorException",
    "RPCException",
    "RateLimitExceeded",
    "RemoteMethod",
    "RemoteObject",
    "RequestEvent",
    "ResponseEvent",
    "RetryEvent",
    "SecLevel",
    "SerializerError",
    "System",
    "TransportException",
    "TransportTimedOut",
    "UnlistedError",
    "UploadFailed",
    "UploadStatus",
    "UploadTarget",
    "UploadedFile",
    "User",
    "UserInfo",
    "UserPage",
    "WaitTimedOut",
    "wait_all",
    "wait_all_sync",
]

if not TYPE_CHECKING:  # who would take any name for one of these
    __getattr__ = on_first_use(__name__, __all__, "cloudreel.cloudkey.sync")
