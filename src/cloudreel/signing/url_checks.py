"""Taking signed CloudKey URLs apart and verifying them (cloudkey-rpc.md section 12); `urls` makes them."""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import NamedTuple
from urllib.parse import unquote

from cloudreel.errors import SigningError
from cloudreel.signing import level_bits
from cloudreel.signing.digest import md5
from cloudreel.signing.mistakes import url_mistakes
from cloudreel.signing.public import Audience, unpack
from cloudreel.signing.urls import SCHEMES, VIEWER
from cloudreel.signing.verdict import SECRET, Verdict, hide

__all__ = ["SignedUrl", "split_url", "verify_url"]

_AUTH = re.compile(
    r"(?P<expires>0|[1-9][0-9]{0,9})-(?P<level>0|[1-9][0-9]{0,9})-(?P<nonce>[A-Za-z0-9]+)-(?P<digest>[0-9a-f]{32})"
    r"(?:-(?P<public>.+))?",
    re.DOTALL,
)


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
    if not url.isprintable() or " " in url or "#" in url or not bare.startswith(SCHEMES):
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
    bound = not level & level_bits.DELEGATE

    viewer = ""
    given = {"asnum": asnum, "ip": ip, "useragent": useragent}
    for bit, name in VIEWER:
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
    if bound and level & (level_bits.COUNTRY | level_bits.ANY_REFERER):
        return _enforced(signed, verified, country, referer)
    return Verdict(True, verified_text=verified)


def _enforced(signed: SignedUrl, verified: str, country: str | None, referer: str | None) -> Verdict:
    try:
        audience = unpack(signed.public) if signed.public else Audience("", "")
    except SigningError as error:
        return Verdict(False, "malformed", error.message, verified)
    if signed.seclevel & level_bits.COUNTRY and not audience.has_country(country):
        return Verdict(False, "country", f"the URL is not open to country {country!r}", verified)
    if signed.seclevel & level_bits.ANY_REFERER:
        allowed = audience.has_page(referer) if referer else not signed.seclevel & level_bits.REFERER_STRICT
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
