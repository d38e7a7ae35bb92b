"""The public part of a signed URL: the countries and pages it is open to (cloudkey-rpc.md 12.2, 12.3).

Few URLs have one, so what it needs is imported when one does.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import NamedTuple

from cloudreel.errors import SigningError
from cloudreel.signing.digest import utf8
from cloudreel.signing.shapes import is_list

__all__ = ["Audience", "pack", "unpack"]

_COUNTRIES = r"-?[a-zA-Z]{2}(,[a-zA-Z]{2})*"  # compiled when it is needed
_LIMIT = 64 * 1024  # bytes a public part may unpack to
# Both base64 alphabets, with or without padding and line ends.
_STANDARD_BASE64 = str.maketrans("-_", "+/", "=\r\n")


class Audience(NamedTuple):
    """Whom a public part opens its URL to: both texts as they stand in it, empty where nobody is listed."""

    countries: str
    referers: str

    def has_country(self, country: str | None) -> bool:
        """Say whether viewers in `country` may open the URL."""
        if not country:
            return False
        listed = country.lower() in self.countries.removeprefix("-").split(",")
        return listed != self.countries.startswith("-")

    def has_page(self, referer: str) -> bool:
        """Say whether pages at the address `referer` may link to the URL."""
        prefixes = [prefix for prefix in self.referers.split(" ") if prefix]
        return referer.replace(" ", "%20").startswith(tuple(prefixes))


def pack(countries: object, referers: object, *, by_country: bool, by_referer: bool) -> str:
    """Return the public part for lists of countries and referers, of those that are asked for.

    Its bytes depend on the zlib build. Raises SigningError for a missing or malformed list.
    """
    members: list[str] = []
    if by_country:
        members.append("cc=" + _country_list(_listed("countries", countries)))
    if by_referer:
        members.append("rf=" + _referer_list(_listed("referers", referers)))
    return _compressed("&".join(members)) if members else ""


def unpack(public: str) -> Audience:
    """Return what a public part says.

    Both base64 alphabets are read, padded or not. Raises SigningError for what cannot be unpacked or grows
    beyond 64 KiB.
    """
    from base64 import b64decode
    from urllib.parse import unquote_plus

    encoded = public.translate(_STANDARD_BASE64)
    unzip = zlib.decompressobj()
    try:
        text = unzip.decompress(
            b64decode(encoded + "=" * (-len(encoded) % 4), validate=True), _LIMIT
        ).decode()
    except (ValueError, zlib.error) as error:
        raise SigningError(f"the public part of auth cannot be unpacked: {error}") from None
    if not unzip.eof:
        raise SigningError("the public part of auth is cut short, or unpacks to more than 64 KiB")
    members: dict[str, str] = {}
    for member in text.split("&"):
        name, _, listed = member.partition("=")
        members[name] = listed
    return Audience(members.get("cc", ""), unquote_plus(members.get("rf", "")))


def _listed(name: str, items: object) -> list[str]:
    """Return `items` as a list of texts; one text alone is no list, it would be read as its characters."""
    if is_list(items) and items:
        texts = [item for item in items if isinstance(item, str) and item]
        if len(texts) == len(items):
            return texts
    raise SigningError(f"seclevel asks for {name}, and they are {items!r}: give a list of non-empty texts")


def _country_list(countries: list[str]) -> str:
    joined = "-" + ",".join(countries[1:]) if countries[0] == "-" else ",".join(countries)
    if re.fullmatch(_COUNTRIES, joined) is None:
        raise SigningError(
            f"countries {countries!r}: each must be two letters; a first item '-' denies the others"
        )
    return joined.lower()


def _referer_list(referers: list[str]) -> str:
    from urllib.parse import quote_plus

    return quote_plus(utf8(" ".join([referer.replace(" ", "%20") for referer in referers])))


@lru_cache(maxsize=64)
def _compressed(public: str) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(zlib.compress(public.encode())).decode("ascii")
