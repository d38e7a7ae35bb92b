"""The addresses of players, streams and thumbnails, before and after they are signed. PURE.

Times are UNIX seconds; the clock and the random texts are arguments. Facts: cloudkey-rpc.md 12, 13 and 14.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, TypedDict
from urllib.parse import quote, quote_plus

from cloudreel import signing
from cloudreel.cloudkey.errors import InvalidParameter
from cloudreel.errors import SigningError

Expires: TypeAlias = "int | float | str | datetime | timedelta | None"
"""UNIX seconds (a number, or a number as text), an aware datetime, or a time from now."""

Sign: TypeAlias = Callable[[str], str]

URL_LIFE: Final = 7200  # seconds, where no expiry is given (12.2)
TOKEN_LIFE: Final = 600  # seconds (14)
DEFAULT_ASSET: Final = "mp4_h264_aac"
PROTOCOLS: Final = frozenset({"hls", "rtmp", "hps", "http", "ss", "hds", "dash"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class DrmOptions(TypedDict, total=False):
    """What a DRM token says: ``max_replay`` is how often it may be used, ``expires`` as for URLs (14)."""

    rights: Mapping[str, object] | None
    meta: Mapping[str, object] | None
    callback_url: str | None
    expires: Expires
    max_replay: int | None


def expiry(given: Expires, now: float, life: int = URL_LIFE) -> int:
    """Return the whole UNIX second at which something expires; fractions are cut off.

    Args:
        given: what the caller asked for; None and 0 leave it to ``life``.
        now: UNIX seconds.
        life: seconds from now.

    Raises:
        SigningError: this is no time.
    """
    if given is None:
        return int(now) + life
    if isinstance(given, timedelta):
        return int(now + given.total_seconds())
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise SigningError(f"expires {given.isoformat()} has no time zone: give an aware datetime")
        return (given - _EPOCH) // _SECOND
    try:
        if isinstance(given, bool):
            raise ValueError("a boolean")
        seconds = int(given) if isinstance(given, int) else int(float(given))
    except (TypeError, ValueError, OverflowError) as error:
        raise SigningError(
            f"expires {given!r} is no time: give UNIX seconds, a datetime or a timedelta"
        ) from error
    return seconds or int(now) + life


def embed_url(base_url: str, user_id: str, media_id: str) -> str:
    """Return the address of the player's page."""
    return f"{base_url}/embed/{_owned(user_id, media_id)}"


def swf_url(base_url: str, user_id: str, media_id: str) -> str:
    """Return the address of the Flash player."""
    return f"{base_url}/player/swf/{_owned(user_id, media_id)}"


def qtref_url(base_url: str, user_id: str, media_id: str) -> str:
    """Return the address of the QuickTime reference movie."""
    return f"{base_url}/stream/{_owned(user_id, media_id)}.mov"


def stream_url(
    cdn_url: str,
    user_id: str,
    media_id: str,
    asset_name: str,
    sign: Sign,
    *,
    download: bool = False,
    filename: str | None = None,
    version: int | str | None = None,
    protocol: str | None = None,
) -> str:
    """Return the signed address of an asset, or the unsigned one of a thumbnail (13.1).

    Args:
        cdn_url: where assets are; thumbnails are at the same address with ``static.`` for ``cdn.``.
        user_id: of the owner.
        media_id: of the medium.
        asset_name: such as ``"mp4_h264_aac"``.
        sign: signs an address.
        download: whether the viewer's browser saves the file.
        filename: under this name, which asks for a download, too.
        version: a number that changes when the asset does, for caches.
        protocol: one of `PROTOCOLS`; needed for names that begin with ``abs``.

    Raises:
        InvalidParameter: these arguments do not go together.
        SigningError: the URL cannot be signed.
    """
    owned = _owned(user_id, media_id)
    if protocol is not None and protocol not in PROTOCOLS:
        raise InvalidParameter(f"protocol {protocol!r} is none of {', '.join(sorted(PROTOCOLS))}")
    name = quote(_text("asset_name", asset_name), safe="") + _suffix(version)
    if asset_name.startswith("jpeg_thumbnail_"):
        return f"{cdn_url.replace('cdn.', 'static.', 1)}/{owned}/{name}.jpeg"
    if download or filename:
        protocol = "http"
    if asset_name.startswith("abs"):
        if protocol is None:
            raise InvalidParameter(f"{asset_name!r} is a set of streams: choose one with protocol=")
        extension = ""
    else:
        extension = "." + quote(asset_name.partition("_")[0], safe="")
    route = f"route/{protocol}" if protocol else "route"
    query = f"?filename={quote_plus(filename)}" if filename else ""
    return sign(f"{cdn_url}/{route}/{owned}/{name}{extension}{query}")


def secured(base_url: str) -> str:
    """Return the https form of a base URL."""
    return f"https:{base_url.removeprefix('http:')}" if base_url.startswith("http:") else base_url


def with_player_options(url: str, *, skin: str | None = None, drm_token: str | None = None) -> str:
    """Return a signed player's address with options, which the signature does not protect (13.2)."""
    skin_part = f"&skin={skin}" if skin else ""
    token_part = f"&drm_token={drm_token}" if drm_token else ""
    return url + skin_part + token_part


def drm_token(
    user_id: str, media_id: str, api_key: str, options: DrmOptions, *, now: float, nonce: str
) -> str:
    """Return the DRM token that options ask for.

    Args:
        user_id: of the owner.
        media_id: of the medium.
        api_key: the owner's.
        options: what the token says.
        now: UNIX seconds; without ``expires`` the token lives `TOKEN_LIFE` from then.
        nonce: a text that is used once.

    Raises:
        SigningError: an option is malformed, or none that there is.
    """
    if unknown := set(options) - set(DrmOptions.__annotations__):
        raise SigningError(f"drm_token has unknown options: {', '.join(sorted(unknown))}")
    return signing.drm_token(
        user_id,
        media_id,
        api_key,
        expires=expiry(options.get("expires"), now, TOKEN_LIFE),
        nonce=nonce,
        rights=options.get("rights"),
        meta=options.get("meta"),
        callback_url=options.get("callback_url"),
        max_replay=options.get("max_replay"),
    )


def _owned(user_id: str, media_id: str) -> str:
    return f"{quote(user_id, safe='')}/{quote(_text('id', media_id), safe='')}"


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidParameter(f"{name} must be a text, not {value!r}")
    return value


def _suffix(version: int | str | None) -> str:
    try:
        return f"-{int(version)}" if version else ""
    except ValueError as error:
        raise InvalidParameter(f"version must be a whole number, not {version!r}") from error
