"""What an answer says of the file in it, and how the rest of that file is asked for. PURE.

Facts: RFC 9110 section 8.8 (validators), 13.1.5 (If-Range), 14 (ranges), 15.4 (redirects).
"""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from attrs import frozen

from cloudreel.core.call import Response

_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/(?:([0-9]+)|\*)", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Unusable(Exception):
    """An answer with which a download cannot go on, however often it is asked for; the text says why."""


@frozen
class Part:
    """The part of a file that an answer brings.

    Args:
        offset: of its first byte.
        total: bytes of the file, None where the service does not say.
        validator: tells this file from another one at the same address: its strong ETag, or else the time of
            its last change as the service writes it; None where the service gives neither.
    """

    offset: int
    total: int | None
    validator: str | None

    def same_file(self, other: Part) -> bool:
        """Return whether both are surely of the same file."""
        same_size = self.total == other.total or None in (self.total, other.total)
        return same_size and self.validator is not None and self.validator == other.validator


def request_headers(offset: int, known: Part | None) -> dict[str, str]:
    """Return what asks for a file from an offset on, if it is still the one known, and else for all of it.

    Args:
        offset: of the first byte that is missing.
        known: what earlier answers said of the file.
    """
    headers = {"Accept-Encoding": "identity"}  # sizes and offsets count bytes of the file
    if offset and known is not None and known.validator is not None:
        headers |= {"Range": f"bytes={offset}-", "If-Range": known.validator}
    return headers


def read_part(response: Response, offset: int) -> Part:
    """Return what part of the file an answer brings.

    Args:
        response: the head of the answer, which is no refusal.
        offset: where the part was asked to begin.

    Raises:
        Unusable: the answer brings no such part.
    """
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise Unusable(f"the file comes compressed ({coding[:20]}), though it was asked for as it is")
    validator = _validator(response)
    if response.status_code == HTTPStatus.OK:
        return Part(0, _length(response), validator)
    if response.status_code != HTTPStatus.PARTIAL_CONTENT or not offset:
        raise Unusable(f"the answer's status is {response.status_code}, which brings no file")
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if found is None or int(found[1]) != offset:
        raise Unusable(f"byte {offset} was asked for, and another range came")
    return Part(offset, int(found[3]) if found[3] else None, validator)


def read_redirect(url: str, response: Response) -> str | None:
    """Return where an answer sends its reader on to, None where it does not.

    Args:
        url: what was called.
        response: the head of the answer.

    Raises:
        Unusable: that address must not be followed: it is none, leaves https, or has a login in it.
    """
    if response.status_code not in _REDIRECTS:
        return None
    target = _joined(url, response.headers.get("location", ""))
    if target is None:
        raise Unusable("the service redirects to no address that may be followed")
    return target


def _joined(url: str, location: str) -> str | None:
    try:
        target = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(target)
    except ValueError:
        return None
    secure = new.scheme == "https" or new.scheme == old.scheme
    return target if secure and new.hostname and "@" not in new.netloc and target != url else None


def _validator(response: Response) -> str | None:
    etag = response.headers.get("etag", "").strip()
    if len(etag) > 2 and etag[0] == etag[-1] == '"':  # a weak one does not vouch for every byte
        return etag
    return response.headers.get("last-modified", "").strip() or None


def _length(response: Response) -> int | None:
    length = response.headers.get("content-length", "").strip()
    return int(length) if length.isascii() and length.isdigit() else None
