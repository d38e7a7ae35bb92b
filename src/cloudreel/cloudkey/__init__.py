"""CloudKey, the RPC API of Dailymotion Cloud: media, assets, users, uploads, signed URLs."""

from __future__ import annotations

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
    MissingParameter,
    NotFound,
    ProcessorException,
    RateLimitExceeded,
    RPCException,
    SerializerError,
    TransportException,
    UploadFailed,
    WaitTimedOut,
)
from cloudreel.signing import SecLevel

__all__ = [
    "ApplicationException",
    "AssetFailed",
    "AsyncCloudKey",
    "AuthenticationError",
    "Exists",
    "InvalidCall",
    "InvalidMethod",
    "InvalidObject",
    "InvalidParameter",
    "InvalidRequest",
    "LimitExceeded",
    "MissingParameter",
    "NotFound",
    "ProcessorException",
    "RPCException",
    "RateLimitExceeded",
    "SecLevel",
    "SerializerError",
    "TransportException",
    "UploadFailed",
    "WaitTimedOut",
]
