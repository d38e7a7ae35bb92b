"""Async-first SDK for hosted video-encoding clouds.

The facades, `SecLevel` and the root errors are importable from here; everything else lives in the
service modules (`cloudreel.telestream`), `cloudreel.signing`, `cloudreel.uploads` and `cloudreel.sandbox`.
Names are loaded on first use, so that signing a URL does not pay for an HTTP client.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # known to type checkers by name; importing `typing` would cost more than all else
if TYPE_CHECKING:
    from cloudreel.cloudkey import AsyncCloudKey, CloudKey
    from cloudreel.cloudkey_rest import AsyncCloudKeyRest, CloudKeyRest
    from cloudreel.errors import (
        ApiError,
        AuthenticationError,
        CloudReelError,
        DecodeError,
        InvalidRequestError,
        JobFailed,
        NotFoundError,
        RateLimitError,
        RequestTimedOut,
        ServiceError,
        SigningError,
        TimedOut,
        TransportError,
        UploadError,
        WrongEventLoopError,
    )
    from cloudreel.flixcloud import AsyncFlixCloud, FlixCloud
    from cloudreel.panda import AsyncPanda, Panda
    from cloudreel.signing import SecLevel
    from cloudreel.telestream import AsyncTelestream, Telestream

_HOMES = {
    "cloudreel.cloudkey": ("AsyncCloudKey", "CloudKey"),
    "cloudreel.cloudkey_rest": ("AsyncCloudKeyRest", "CloudKeyRest"),
    "cloudreel.errors": (
        "ApiError",
        "AuthenticationError",
        "CloudReelError",
        "DecodeError",
        "InvalidRequestError",
        "JobFailed",
        "NotFoundError",
        "RateLimitError",
        "RequestTimedOut",
        "ServiceError",
        "SigningError",
        "TimedOut",
        "TransportError",
        "UploadError",
        "WrongEventLoopError",
    ),
    "cloudreel.flixcloud": ("AsyncFlixCloud", "FlixCloud"),
    "cloudreel.panda": ("AsyncPanda", "Panda"),
    "cloudreel.signing": ("SecLevel",),
    "cloudreel.telestream": ("AsyncTelestream", "Telestream"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ApiError",
    "AsyncCloudKey",
    "AsyncCloudKeyRest",
    "AsyncFlixCloud",
    "AsyncPanda",
    "AsyncTelestream",
    "AuthenticationError",
    "CloudKey",
    "CloudKeyRest",
    "CloudReelError",
    "DecodeError",
    "FlixCloud",
    "InvalidRequestError",
    "JobFailed",
    "NotFoundError",
    "Panda",
    "RateLimitError",
    "RequestTimedOut",
    "SecLevel",
    "ServiceError",
    "SigningError",
    "Telestream",
    "TimedOut",
    "TransportError",
    "UploadError",
    "WrongEventLoopError",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'cloudreel' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
