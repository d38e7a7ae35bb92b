"""Making signed CloudKey URLs (cloudkey-rpc.md section 12); `url_checks` verifies them."""

from __future__ import annotations

from cloudreel.errors import SigningError
from cloudreel.signing import level_bits
from cloudreel.signing.digest import md5
from cloudreel.signing.plain_urls import plain_url, plain_urls

TYPE_CHECKING = False  # known to type checkers by name; `typing` takes longer to import than all of ours
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudreel.signing.verdict import Reason

__all__ = ["SCHEMES", "VIEWER", "sign_url", "sign_urls"]


VIEWER: tuple[tuple[int, Reason], ...] = (
    (level_bits.ASNUM, "asnum"),
    (level_bits.IP, "ip"),
    (level_bits.USERAGENT, "useragent"),
)

# The digest joins its pieces without marks between them. Were later times accepted, a digit could move from
# the nonce or from the end of the path into `expires` and lengthen the life of a URL without changing its
# digest.
_LATEST = 9_999_999_999  # seconds since 1970: the year 2286

SCHEMES = ("http://", "https://")


def sign_url(
    url: str,
    api_key: str,
    *,
    expires: int,
    nonce: str,
    seclevel: int | None = 0,
    asnum: str | None = None,
    ip: str | None = None,
    useragent: str | None = None,
    countries: Sequence[str] | None = None,
    referers: Sequence[str] | None = None,
) -> str:
    """Return a URL with an ``auth`` parameter that opens it until it expires.

    Only what stands before the ``?`` is signed; a query is kept in front of ``auth``. With the bit DELEGATE
    nothing that other bits need is needed or used.

    Args:
        url: absolute, percent-encoded and without a fragment, which never reaches the service.
        api_key: the account's key.
        expires: seconds since 1970, 0 for never.
        nonce: ASCII letters and digits, eight random ones by custom.
        seclevel: bits of `SecLevel`, None counting as 0; unknown ones are kept.
        asnum: the viewer's AS number, for the bit ASNUM.
        ip: the viewer's address, for the bit IP.
        useragent: the viewer's program, for the bit USERAGENT.
        countries: two-letter codes to allow or, after a first item ``-``, to deny, for the bit COUNTRY.
        referers: prefixes of page addresses, for the bits REFERER and REFERER_STRICT.

    Raises:
        SigningError: something is missing or malformed.
    """
    # What most calls give is seen here: asking `_until` would cost as much as a third of the hash.
    until = str(expires) if type(expires) is int and 0 <= expires <= _LATEST else _until(expires)
    if not seclevel:
        return plain_url(url, nonce, "0", until, api_key, "") or _signed(url, nonce, "0", until, api_key, "")
    level, viewer, public = _terms(seclevel, asnum, ip, useragent, countries, referers)
    terms = str(level), until, api_key + viewer + public, public and f"-{public}"
    return plain_url(url, nonce, *terms) or _signed(url, nonce, *terms)


def sign_urls(
    urls: Iterable[str],
    api_key: str,
    *,
    expires: int,
    nonces: Iterable[str],
    seclevel: int | None = 0,
    asnum: str | None = None,
    ip: str | None = None,
    useragent: str | None = None,
    countries: Sequence[str] | None = None,
    referers: Sequence[str] | None = None,
) -> list[str]:
    """Return URLs signed as by `sign_url`, each with its own nonce; what they share is computed once.

    Args:
        urls: what is signed.
        api_key: the account's key.
        expires: seconds since 1970, 0 for never.
        nonces: one for each URL.
        seclevel: bits of `SecLevel`; they need what they need in `sign_url`.
        asnum: the viewer's AS number.
        ip: the viewer's address.
        useragent: the viewer's program.
        countries: two-letter codes to allow or, after a first item ``-``, to deny.
        referers: prefixes of page addresses.

    Raises:
        SigningError: as in `sign_url`, and where there are not as many nonces as URLs.
    """
    level, viewer, public = _terms(seclevel, asnum, ip, useragent, countries, referers)
    terms = str(level), _until(expires), api_key + viewer + public, public and f"-{public}"
    urls, nonces = list(urls), list(nonces)
    if len(urls) != len(nonces):
        raise SigningError(f"{len(urls)} URLs and {len(nonces)} nonces: each URL needs one of its own")
    signed = plain_urls(urls, nonces, *terms)
    return signed or [_signed(url, nonce, *terms) for url, nonce in zip(urls, nonces, strict=True)]


def _signed(url: str, nonce: str, level: str, expires: str, secret_end: str, suffix: str) -> str:
    if not url.isprintable() or " " in url or "#" in url or not url.startswith(SCHEMES):
        raise SigningError(_complaint(url))
    bare, _, query = url.partition("?")
    if not (nonce.isalnum() and nonce.isascii()):
        raise SigningError(f"nonce {nonce!r}: it must be one or more ASCII letters and digits")
    try:
        digest = md5(f"{level}{bare}{expires}{nonce}{secret_end}".encode()).hexdigest()
    except UnicodeEncodeError:  # hidden by `from None`: it carries the secret
        raise SigningError(
            "a lone surrogate in the API key or a viewer's value, which UTF-8 cannot express"
        ) from None
    if not query:
        return f"{bare}?auth={expires}-{level}-{nonce}-{digest}{suffix}"
    if query.startswith("auth=") or "&auth=" in query:
        raise SigningError(f"url {bare!r} has an auth parameter already: sign the URL without it")
    return f"{bare}?{query}&auth={expires}-{level}-{nonce}-{digest}{suffix}"


def _complaint(url: str) -> str:
    if not url.startswith(SCHEMES):
        return f"url {url!r} is not absolute: it must begin with http:// or https://"
    if "#" in url:
        return f"url {url!r} has a fragment, which no server sees: sign the URL without it"
    return f"url {url!r} holds white space or control characters: percent-encode them"


def _until(expires: int) -> str:
    if type(expires) is int and 0 <= expires <= _LATEST:
        return str(expires)
    raise SigningError(
        f"expires {expires!r}: it must be whole seconds (not milliseconds) since 1970, at most {_LATEST}, "
        "or 0 for never"
    )


def _terms(
    seclevel: int | None,
    asnum: str | None,
    ip: str | None,
    useragent: str | None,
    countries: Sequence[str] | None,
    referers: Sequence[str] | None,
) -> tuple[int, str, str]:
    """Return level, the viewer's values and the public part, all checked."""
    if not seclevel:
        return 0, "", ""
    level = _checked_level(seclevel)
    if level & level_bits.DELEGATE:
        return level, "", ""
    viewer = ""
    given = {"asnum": asnum, "ip": ip, "useragent": useragent}
    for bit, name in VIEWER:
        if level & bit:
            value = given[name]
            if not isinstance(value, str) or not value:
                raise SigningError(
                    f"seclevel {level} binds the URL to {name}, and {name} is {value!r}: give a text"
                )
            viewer += value
    by_country, by_referer = bool(level & level_bits.COUNTRY), bool(level & level_bits.ANY_REFERER)
    if not (by_country or by_referer):
        return level, viewer, ""
    from cloudreel.signing.public import pack  # few URLs have a public part

    return level, viewer, pack(countries, referers, by_country=by_country, by_referer=by_referer)


def _checked_level(seclevel: object) -> int:
    if isinstance(seclevel, int) and not isinstance(seclevel, bool) and 0 <= seclevel < 10**10:
        return int(seclevel)
    raise SigningError(f"seclevel {seclevel!r}: it must be a combination of SecLevel bits")
