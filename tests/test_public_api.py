"""The public names, and what importing them costs. Whoever changes a name here changes what users rely on."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import cloudreel

ERRORS = {
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
}

HOOKS = {"Hooks", "RequestEvent", "ResponseEvent", "RetryEvent"}


def twice(*names: str) -> set[str]:
    """Return the names of what does I/O, which exists for async and for plain code."""
    return {*names, *(f"Async{name}" for name in names)}


PUBLIC: dict[str, set[str]] = {
    "cloudreel": ERRORS
    | {"SecLevel"}
    | twice("CloudKey", "CloudKeyRest", "FlixCloud", "Panda", "Telestream"),
    "cloudreel.errors": ERRORS,
    "cloudreel.signing": {
        "SecLevel",
        "Verdict",
        "canonical_query",
        "drm_token",
        "normalize",
        "sign_call",
        "sign_request",
        "sign_url",
        "sign_urls",
        "signed_params",
        "verify_request",
        "verify_url",
    },
    "cloudreel.uploads": {
        "Claim",
        "FileTicketStore",
        "Fingerprint",
        "Lease",
        "Leased",
        "Progress",
        "RedisTicketStore",
        "SizedStream",
        "Source",
        "SourceLike",
        "Spooled",
        "Ticket",
        "TicketStore",
        "open_source",
        "upload_many",
        "upload_many_sync",
        *twice("UploadSession"),
    },
    "cloudreel.fleet": {"Fleet", "FleetBroker", "Ready", "RedisLimit", "Uploaded"},
    "cloudreel.downloads": {"Destination", "DownloadProgress", "Writer", "download"},
    "cloudreel.telestream": {
        "Bandwidth",
        "Limits",
        *HOOKS,
        "DownloadProgress",
        *twice(
            "Encoding",
            "Encodings",
            "Factories",
            "Factory",
            "Flip",
            "Profile",
            "Profiles",
            "Telestream",
            "UploadSession",
            "Video",
            "VideoEncodings",
            "Videos",
        ),
        "TelestreamCloud",
        "JobProgress",
        "Progress",
        "Ticket",
        "Metadata",
        "VideoNotification",
        "parse_notification",
        "Inbox",
        "wait_all",
        "wait_all_sync",
        "BadRequest",
        "ConnectionFailed",
        "EncodingFailed",
        "InternalError",
        "NoAnswer",
        "NotAuthorized",
        "RateLimited",
        "RecordNotFound",
        "TelestreamApiError",
        "TelestreamCloudException",
        "UnreadableAnswer",
        "UploadFailed",
        "WaitTimedOut",
    },
    "cloudreel.panda": {
        "Bandwidth",
        "Limits",
        *HOOKS,
        "DownloadProgress",
        *twice(
            "Cloud",
            "Clouds",
            "Encoding",
            "Encodings",
            "NotificationSettings",
            "Notifications",
            "Panda",
            "Profile",
            "Profiles",
            "UploadSession",
            "Video",
            "Videos",
        ),
        "JobProgress",
        "Progress",
        "Ticket",
        "Metadata",
        "VideoNotification",
        "parse_notification",
        "Inbox",
        "wait_all",
        "wait_all_sync",
        "BadRequest",
        "ConnectionFailed",
        "EncodingFailed",
        "InternalError",
        "NoAnswer",
        "NotAuthorized",
        "PandaApiError",
        "PandaError",
        "RateLimited",
        "RecordNotFound",
        "UnreadableAnswer",
        "UploadFailed",
        "WaitTimedOut",
    },
    "cloudreel.cloudkey": {
        *twice(
            "CloudKey",
            "EncodingSettings",
            "Farm",
            "File",
            "Media",
            "Organisation",
            "PlayerPreset",
            "RemoteMethod",
            "RemoteObject",
            "System",
            "User",
        ),
        "SecLevel",
        "Bandwidth",
        "DownloadProgress",
        "Limits",
        *HOOKS,
        "AssetInfo",
        "AssetRequest",
        "DrmOptions",
        "MediaInfo",
        "MediaPage",
        "UploadStatus",
        "UploadTarget",
        "UploadedFile",
        "UserInfo",
        "UserPage",
        "ApplicationException",
        "AssetFailed",
        "AuthenticationError",
        "Exists",
        "InvalidCall",
        "InvalidMethod",
        "InvalidObject",
        "InvalidParameter",
        "InvalidRequest",
        "LimitExceeded",
        "MalformedRequest",
        "MissingParameter",
        "NotFound",
        "ProcessorException",
        "RPCException",
        "RateLimitExceeded",
        "SerializerError",
        "TransportException",
        "TransportTimedOut",
        "UnlistedError",
        "UploadFailed",
        "WaitTimedOut",
        "wait_all",
        "wait_all_sync",
    },
    "cloudreel.cloudkey_rest": {
        *twice("CloudKeyRest", "Farm", "File", "Media", "RemoteMethod", "User"),
        "SecLevel",
        "Bandwidth",
        "DownloadProgress",
        "Limits",
        *HOOKS,
        "Account",
        "AssetInfo",
        "MediaInfo",
        "MetaEntry",
        "Queued",
        "ApiException",
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
    },
    "cloudreel.flixcloud": {
        "Bandwidth",
        "Limits",
        *HOOKS,
        *twice("FlixCloud", "Job"),
        "Inbox",
        "CuePoint",
        "CuePoints",
        "JobInfo",
        "JobNotification",
        "JobParams",
        "JobStatus",
        "MediaFile",
        "Recipe",
        "SentParams",
        "Task",
        "Thumbnails",
        "AccessDenied",
        "ConnectionFailed",
        "FlixCloudApiError",
        "FlixCloudError",
        "InternalError",
        "JobNotFound",
        "JobRefused",
        "NoAnswer",
        "RateLimited",
        "TranscodingFailed",
        "UnknownParameter",
        "UnreadableAnswer",
        "WaitTimedOut",
        "wait_all",
        "wait_all_sync",
    },
    "cloudreel.notifications": {"JobNotification", "Notification", "VideoNotification", "parse"},
    "cloudreel.sandbox": {"Sandbox"},
    "cloudreel.web": {
        "Clients",
        "Event",
        "Inbox",
        "MemorySeen",
        "RedisSeen",
        "RequestBody",
        "Seen",
        "Subject",
        "browser_uploads",
        "cloudkey",
        "cloudkey_rest",
        "flixcloud",
        "inbox",
        "lifespan",
        "panda",
        "telestream",
        "webhooks",
    },
}

# Names that an old client documented for errors of its own.
REFINED = {"cloudreel.cloudkey": {"AuthenticationError"}}

HEAVY = {"httpx", "httpcore", "anyio", "trio", "attr", "attrs", "cattrs", "orjson", "logging", "asyncio"}
EXTRAS = {"click", "rich", "starlette", "uvicorn", "httptools", "imageio_ffmpeg", "httpx_aiohttp", "pytest"}


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_are_these(module: str) -> None:
    names: list[str] = import_module(module).__all__
    assert set(names) == PUBLIC[module]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_leads_somewhere_and_says_what_it_is(module: str) -> None:
    things = {name: getattr(import_module(module), name) for name in PUBLIC[module]}
    assert [name for name, thing in things.items() if callable(thing) and not thing.__doc__] == []


@pytest.mark.parametrize("module", [name for name in PUBLIC if name != "cloudreel"])
def test_what_the_package_offers_is_what_the_module_has(module: str) -> None:
    home = import_module(module)
    for name in PUBLIC["cloudreel"] & PUBLIC[module] - REFINED.get(module, set()):
        assert getattr(cloudreel, name) is getattr(home, name)


@pytest.mark.parametrize(("module", "name"), [(m, name) for m, names in REFINED.items() for name in names])
def test_an_old_name_that_is_also_a_category_s_is_caught_as_both(module: str, name: str) -> None:
    refined, category = getattr(import_module(module), name), getattr(cloudreel, name)
    assert refined is not category
    assert issubclass(refined, category)


@pytest.mark.parametrize(
    ("module", "root"),
    [
        ("cloudreel.cloudkey", "RPCException"),
        ("cloudreel.cloudkey_rest", "ApiException"),
        ("cloudreel.flixcloud", "FlixCloudError"),
        ("cloudreel.panda", "PandaError"),
        ("cloudreel.telestream", "TelestreamCloudException"),
    ],
)
def test_every_error_of_a_service_is_caught_by_its_old_root_and_by_a_category(module: str, root: str) -> None:
    old_root = getattr(import_module(module), root)
    assert issubclass(old_root, cloudreel.CloudReelError)
    kinds = {name: getattr(import_module(module), name) for name in PUBLIC[module]}
    errors = {name for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert len(errors) > 8
    categories = tuple(getattr(cloudreel, name) for name in ERRORS - {"CloudReelError"})
    for name in errors - {root}:
        assert issubclass(kinds[name], old_root)
        assert issubclass(kinds[name], categories)


def test_the_package_lists_its_names_and_has_no_others() -> None:
    assert set(dir(cloudreel)) == PUBLIC["cloudreel"]
    with pytest.raises(AttributeError, match="module 'cloudreel' has no attribute 'Televideo'"):
        cloudreel.Televideo  # noqa: B018


def test_the_old_name_of_telestream_is_the_same_class() -> None:
    telestream = import_module("cloudreel.telestream")
    assert telestream.TelestreamCloud is telestream.Telestream


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import cloudreel",
        "import cloudreel.errors",
        "import cloudreel.signing",
        "from cloudreel import CloudReelError, SecLevel",
        "from cloudreel.signing import sign_url; dir(__import__('cloudreel'))",
    ],
)
def test_signing_and_catching_load_no_http_client(statement: str) -> None:
    # What the interpreter loads for itself does not count: coverage, for one, brings some of these.
    assert (loaded_by(statement) - loaded_by("pass")) & (HEAVY | EXTRAS) == set()


SERVICES = ["cloudkey", "cloudkey_rest", "flixcloud", "panda", "telestream"]


def test_services_need_no_extra() -> None:
    rooms = [*SERVICES, "downloads", "notifications", "uploads"]
    modules = ", ".join(f"cloudreel.{room}" for room in rooms)
    # Looking is not enough: httpx loads click and rich wherever they are.
    assert "cloudreel" in loaded_by(
        f"import sys; sys.modules.update(dict.fromkeys({sorted(EXTRAS)})); import {modules}"
    )


@pytest.mark.parametrize("room", SERVICES)
def test_a_service_loads_its_synchronous_twins_on_first_use(room: str) -> None:
    code = (
        f"import sys, cloudreel.{room} as room; "
        f"assert 'cloudreel.{room}.sync' not in sys.modules; "
        "assert all(hasattr(room, name) for name in room.__all__); "
        f"assert 'cloudreel.{room}.sync' in sys.modules; "
        "assert not hasattr(room, 'Nonsense')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
