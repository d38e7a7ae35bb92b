"""Signed CloudKey URLs: making them, taking them apart, verifying them (cloudkey-rpc.md section 12)."""

from __future__ import annotations

import re
from enum import IntFlag
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from cloudreel.errors import SigningError
from cloudreel.signing.digest import md5
from cloudreel.signing.mistakes import url_mistakes
from cloudreel.signing.plain_urls import plain_url, plain_urls
from cloudreel.signing.public import Audience, pack, unpack
from cloudreel.signing.shapes import is_count
from cloudreel.signing.verdict import SECRET, Verdict, hide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudreel.signing.verdict import Reason

__all__ = ["SecLevel", "SignedUrl", "sign_url", "sign_urls", "split_url", "verify_url"]


class SecLevel(IntFlag):
    """What a signed URL is bound to besides its expiry (cloudkey-rpc.md 12.1); members combine with ``|``."""

    NONE = 0
    DELEGATE = 1
    ASNUM = 2
    IP = 4
    USERAGENT = 8
    USEONCE = 16
    COUNTRY = 32
    REFERER = 64
    REFERER_STRICT = 32768


# Plain ints: arithmetic on members of an IntFlag takes microseconds.
_DELEGATE = int(SecLevel.DELEGATE)
_COUNTRY = int(SecLevel.COUNTRY)
_ANY_REFERER = int(SecLevel.REFERER | SecLevel.REFERER_STRICT)
_STRICT = int(SecLevel.REFERER_STRICT)
_VIEWER: tuple[tuple[int, Reason], ...] = (
    (int(SecLevel.ASNUM), "asnum"),
    (int(SecLevel.IP), "ip"),
    (int(SecLevel.USERAGENT), "useragent"),
)

# The digest joins its pieces without marks between them. Were later times accepted, a digit could move from
# the nonce or from the end of the path into `expires` and lengthen the life of a URL without changing its
# digest.
_LATEST = 9_999_999_999  # seconds since 1970: the year 2286

_SCHEMES = ("http://", "https://")
_AUTH = re.compile(
    r"(?P<expires>0|[1-9][0-9]{0,9})-(?P<level>0|[1-9][0-9]{0,9})-(?P<nonce>[A-Za-z0-9]+)-(?P<digest>[0-9a-f]{32})"
    r"(?:-(?P<public>.+))?",
    re.DOTALL,
)


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
    """Return `url` with an ``auth`` parameter that opens it until `expires`.

    `url` is absolute, percent-encoded and has no fragment (it never reaches the service). Only what stands
    before its ``?`` is signed; a query is kept in front of ``auth``. `expires` is in seconds since 1970, 0
    for never. `nonce` is ASCII letters and digits, eight random ones by custom. `seclevel` combines bits of
    `SecLevel`, None counting as 0; unknown bits are kept. Its bits ASNUM, IP and USERAGENT need `asnum`,
    `ip`, `useragent`; COUNTRY needs `countries`, two-letter codes to allow or, after a first item ``-``, to
    deny; REFERER and REFERER_STRICT need `referers`, prefixes of page addresses. With DELEGATE none of these
    is needed or used.

    Raises SigningError for anything missing or malformed.
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
    """Return `urls` signed as by `sign_url`, each with its own nonce; what they share is computed once.

    Raises SigningError as `sign_url` does, and when there are not as many nonces as URLs.
    """
    level, viewer, public = _terms(seclevel, asnum, ip, useragent, countries, referers)
    terms = str(level), _until(expires), api_key + viewer + public, public and f"-{public}"
    urls, nonces = list(urls), list(nonces)
    if len(urls) != len(nonces):
        raise SigningError(f"{len(urls)} URLs and {len(nonces)} nonces: each URL needs one of its own")
    signed = plain_urls(urls, nonces, *terms)
    return signed or [_signed(url, nonce, *terms) for url, nonce in zip(urls, nonces, strict=True)]


class SignedUrl(NamedTuple):
    """The pieces of a signed URL; nothing about it is verified."""

    bare: str
    expires: int
    seclevel: int
    nonce: str
    digest: str
    public: str


def split_url(url: str) -> SignedUrl:
    """Return the pieces of a signed URL, percent-decoded where they stood in the query.

    Raises SigningError where `url` is none.
    """
    bare, _, query = url.partition("?")
    if not url.isprintable() or " " in url or "#" in url or not bare.startswith(_SCHEMES):
        raise SigningError("this is no absolute http URL as a server sees it")
    values = [part.removeprefix("auth=") for part in query.split("&") if part.startswith("auth=")]
    if len(values) != 1:
        raise SigningError(f"the URL has {len(values)} auth parameters in place of one")
    match = _AUTH.fullmatch(unquote(values[0]))
    if match is None:
        raise SigningError("auth does not read expires-seclevel-nonce-digest[-public]")
    return SignedUrl(
        bare,
        int(match["expires"]),
        int(match["level"]),
        match["nonce"],
        match["digest"],
        match["public"] or "",
    )


def verify_url(
    url: str,
    api_key: str,
    *,
    now: float,
    asnum: str | None = None,
    ip: str | None = None,
    useragent: str | None = None,
    country: str | None = None,
    referer: str | None = None,
) -> Verdict:
    """Say whether `url` was signed with `api_key`, is not expired and may be opened by this viewer.

    `url` is what the viewer addressed, with scheme, host, path and query as the signer wrote them. `now` is
    in seconds since 1970; an expiry of 0 never expires. `asnum`, `ip`, `useragent`, `country` (two letters)
    and `referer` describe the viewer; each is used only where the URL is bound to it. A URL for listed
    countries or referers that carries no list opens to nobody, except that REFERER lets an empty referer
    pass.

    The digest does not protect the query before ``auth`` nor anything after it (cloudkey-rpc.md 12.2.2,
    12.2.3), and joins its pieces without marks: the last digits of a path and a time of expiry are not told
    apart. What DELEGATE and USEONCE ask for needs memory and is the caller's; `split_url` gives the level.
    Never raises for what a viewer can send.
    """
    try:
        signed = split_url(url)
    except SigningError as error:
        return Verdict(False, "malformed", error.message)
    level = signed.seclevel
    bound = not level & _DELEGATE

    viewer = ""
    given = {"asnum": asnum, "ip": ip, "useragent": useragent}
    for bit, name in _VIEWER:
        if bound and level & bit:
            value = given[name]
            if not value:
                return Verdict(
                    False, name, f"the URL is bound to a viewer's {name}, and this viewer's is not known"
                )
            viewer += value

    head = f"{level}{signed.bare}{signed.expires}{signed.nonce}"
    tail = viewer + signed.public
    verified = hide(head, api_key) + SECRET + hide(tail, api_key)
    if signed.expires and not now <= signed.expires:
        return Verdict(False, "expired", f"the URL expired {now - signed.expires:.0f} s ago", verified)
    if not _matches(head + api_key + tail, signed.digest):
        return _explained(url, api_key, signed, viewer, verified)
    if bound and level & (_COUNTRY | _ANY_REFERER):
        return _enforced(signed, verified, country, referer)
    return Verdict(True, verified_text=verified)


def _signed(url: str, nonce: str, level: str, expires: str, secret_end: str, suffix: str) -> str:
    if not url.isprintable() or " " in url or "#" in url or not url.startswith(_SCHEMES):
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
    if not url.startswith(_SCHEMES):
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
    if level & _DELEGATE:
        return level, "", ""
    viewer = ""
    given = {"asnum": asnum, "ip": ip, "useragent": useragent}
    for bit, name in _VIEWER:
        if level & bit:
            value = given[name]
            if not isinstance(value, str) or not value:
                raise SigningError(
                    f"seclevel {level} binds the URL to {name}, and {name} is {value!r}: give a text"
                )
            viewer += value
    by_country, by_referer = bool(level & _COUNTRY), bool(level & _ANY_REFERER)
    return level, viewer, pack(countries, referers, by_country=by_country, by_referer=by_referer)


def _checked_level(seclevel: object) -> int:
    if is_count(seclevel) and seclevel < 10**10:
        return int(seclevel)
    raise SigningError(f"seclevel {seclevel!r}: it must be a combination of SecLevel bits")


def _enforced(signed: SignedUrl, verified: str, country: str | None, referer: str | None) -> Verdict:
    try:
        audience = unpack(signed.public) if signed.public else Audience("", "")
    except SigningError as error:
        return Verdict(False, "malformed", error.message, verified)
    if signed.seclevel & _COUNTRY and not audience.has_country(country):
        return Verdict(False, "country", f"the URL is not open to country {country!r}", verified)
    if signed.seclevel & _ANY_REFERER:
        allowed = audience.has_page(referer) if referer else not signed.seclevel & _STRICT
        if not allowed:
            return Verdict(False, "referer", f"the URL is not open to pages at {referer!r}", verified)
    return Verdict(True, verified_text=verified)


def _matches(text: str, digest: str) -> bool:
    return compare_digest(md5(text.encode("utf-8", "surrogatepass")).hexdigest(), digest)


def _explained(url: str, api_key: str, signed: SignedUrl, viewer: str, verified: str) -> Verdict:
    message = "the digest is another one: the URL was changed, or signed with another key"
    if viewer:
        message += ", or for another viewer"
    refusal = Verdict(False, "signature", message, verified)
    query = url[len(signed.bare) :]
    whole = signed.bare + re.sub(r"[?&]auth=[^&]*", "", query)
    for mistake, head, tail in url_mistakes(
        whole, signed.bare, str(signed.expires), str(signed.seclevel), signed.nonce, viewer, signed.public
    ):
        if _matches(head + api_key + tail, signed.digest):
            return refusal._replace(
                mistake=mistake, signed_text=hide(head, api_key) + SECRET + hide(tail, api_key)
            )
    return refusal
