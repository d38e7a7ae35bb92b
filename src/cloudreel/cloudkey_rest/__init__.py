"""CloudKey's REST era: media, files, users, farms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.cloudkey_rest.client import AsyncCloudKeyRest
from cloudreel.cloudkey_rest.errors import (
    ApiException,
    AuthenticationFailed,
    AuthorizationRequired,
    ConnectionFailed,
    InternalError,
    InvalidArgument,
    InvalidMethod,
    InvalidNamespace,
    MissingArgument,
    NoAnswer,
    NotFound,
    RateLimited,
    UnexpectedAnswer,
    UnreadableAnswer,
    UploadFailed,
)
from cloudreel.cloudkey_rest.media import AsyncMedia
from cloudreel.cloudkey_rest.models import Account, AssetInfo, MediaInfo, MetaEntry, Queued
from cloudreel.cloudkey_rest.namespaces import AsyncFarm, AsyncFile, AsyncRemoteMethod, AsyncUser
from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.hooks import Hooks, RequestEvent, ResponseEvent, RetryEvent
from cloudreel.core.lazy import on_first_use
from cloudreel.core.options import Limits
from cloudreel.downloads import DownloadProgress
from cloudreel.signing import SecLevel

if TYPE_CHECKING:  # asynchronous programs do without the synchronous twins
    from cloudreel.cloudkey_rest.sync import CloudKeyRest, Farm, File, Media, RemoteMethod, User

__all__ = [
    "Account",
    "ApiException",
    "AssetInfo",
    "AsyncCloudKeyRest",
    "AsyncFarm",
    "AsyncFile",
    "AsyncMedia",
    "AsyncRemoteMethod",
    "AsyncUser",
    "AuthenticationFailed",
    "AuthorizationRequired",
    "Bandwidth",
    "CloudKeyRest",
    "ConnectionFailed",
    "DownloadProgress",
    "Farm",
    "File",
    "Hooks",
    "InternalError",
    "InvalidArgument",
    "InvalidMethod",
    "InvalidNamespace",
    "Limits",
    "Media",
    "MediaInfo",
    "MetaEntry",
    "MissingArgument",
    "NoAnswer",
    "NotFound",
    "Queued",
    "RateLimited",
    "RemoteMethod",
    "RequestEvent",
    "ResponseEvent",
    "RetryEvent",
    "SecLevel",
    "UnexpectedAnswer",
    "UnreadableAnswer",
    "UploadFailed",
    "User",
]

if not TYPE_CHECKING:  # who would take any name for one of these
    __getattr__ = on_first_use(__name__, __all__, "cloudreel.cloudkey_rest.sync")
