"""CloudKey's REST era: media, files, users, farms."""

from __future__ import annotations

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
from cloudreel.cloudkey_rest.namespaces import AsyncFarm, AsyncFile, AsyncUser

__all__ = [
    "ApiException",
    "AsyncCloudKeyRest",
    "AsyncFarm",
    "AsyncFile",
    "AsyncMedia",
    "AsyncUser",
    "AuthenticationFailed",
    "AuthorizationRequired",
    "ConnectionFailed",
    "InternalError",
    "InvalidArgument",
    "InvalidMethod",
    "InvalidNamespace",
    "MissingArgument",
    "NoAnswer",
    "NotFound",
    "RateLimited",
    "UnexpectedAnswer",
    "UnreadableAnswer",
    "UploadFailed",
]
