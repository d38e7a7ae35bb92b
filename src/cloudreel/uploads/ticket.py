"""What continues an upload in another process or on another host. PURE."""

from __future__ import annotations

import hashlib
import math
import re
from typing import TypeVar
from urllib.parse import urlsplit

from attrs import asdict, evolve, field, fields, frozen

from cloudreel.core import redact
from cloudreel.core.call import JSON
from cloudreel.core.codec import from_json, to_json, to_json_text
from cloudreel.errors import DecodeError
from cloudreel.uploads.plan import count_parts

VERSION = 1  # rises when an older reader would misread a ticket; it ignores members that are merely new
LARGEST_TEXT = 64 * 1024  # characters of a ticket as JSON; a real one has about 700
MOST_PARTS = 10_000_000  # a plan keeps a byte per part

T = TypeVar("T")


@frozen
class Fingerprint:
    """What tells a source from a changed one.

    Args:
        size: bytes.
        mtime_ns: time of the last change of a real file in nanoseconds, None for other sources.
        sha256: hexadecimal digest over samples from the head, the middle and the tail, None while the
            source is still coming.
    """

    size: int
    mtime_ns: int | None
    sha256: str | None


@frozen
class Ticket:
    """An upload in progress as a small value; whoever has it and the source can continue.

    It holds no API key, but ``location`` is a capability: treat the ticket as a secret.

    Args:
        service: name of the service, such as ``telestream``.
        endpoint: base URL of its API.
        scope: id of the factory or cloud, None without one.
        session_id: the service's id of the upload.
        location: absolute URL of the upload.
        dialect: how one speaks to the location: ``parts``, ``ranges`` or ``multipart``.
        size: bytes of the source.
        part_size: bytes of every part but the last.
        parts: number of parts, ``ceil(size / part_size)``.
        max_connections: how many parts the service takes at a time.
        file_name: base name of the source.
        fingerprint: what the source looked like.
        created: UNIX seconds.
        version: of this format.

    Raises:
        DecodeError: the values contradict each other or cannot belong to an upload.
    """

    service: str
    endpoint: str
    scope: str | None
    session_id: str = field(repr=False)  # the location contains it
    location: str = field(repr=redact.location)
    dialect: str
    size: int
    part_size: int
    parts: int
    max_connections: int
    file_name: str
    fingerprint: Fingerprint
    created: float
    version: int = VERSION

    def __attrs_post_init__(self) -> None:
        _require(self.version == VERSION, f"its version {self.version} is not {VERSION}")
        _require(self.dialect in ("parts", "ranges", "multipart"), f"no dialect {self.dialect!r} is known")
        _require(self.size > 0, "it has no bytes")
        _require(self.part_size > 0, "its parts have no bytes")
        expected = count_parts(self.size, self.part_size)
        _require(
            self.parts == expected,
            f"{self.size} bytes in parts of {self.part_size} make {expected} parts, not {self.parts}",
        )
        _require(self.parts <= MOST_PARTS, f"more than {MOST_PARTS} parts")
        _require(self.max_connections > 0, "it allows no connection")
        _require(self.fingerprint.size == self.size, "the fingerprint is of a source of another size")
        _require(math.isfinite(self.created), "its time of creation is no number")
        _require(is_http_url(self.location), "its location is no absolute http or https URL")
        _require(is_http_url(self.endpoint), "its endpoint is no absolute http or https URL")

    @property
    def key(self) -> str:
        """Name of the upload in a store: 32 hexadecimal digits that give nothing away.

        It stays the same when the service moves the upload to another location.
        """
        identity = [self.service, self.endpoint, self.scope, self.session_id]
        return hashlib.sha256(to_json(identity)).hexdigest()[:32]

    def to_json(self) -> str:
        """Return the ticket as JSON text. Keep it secret: the location in it is a capability."""
        return to_json_text(asdict(self))

    def redacted(self) -> Ticket:
        """Return a copy that may leave the process, with which no upload can be continued."""
        return evolve(self, session_id=redact.MASK, location=redact.location(self.location))

    @classmethod
    def from_json(cls, text: str | bytes) -> Ticket:
        """Return the ticket of a JSON text made by `to_json`, of this or a later release.

        Raises:
            DecodeError: the text is none, or was tampered with.
        """
        _require(len(text) <= LARGEST_TEXT, f"more than {LARGEST_TEXT} characters")
        try:
            value = from_json(text)
        except DecodeError:
            # The text is not shown: it may hold the location. Nor is the cause, which quotes it.
            raise DecodeError("This is no upload ticket: it is no JSON") from None
        members = _members(value, [attribute.name for attribute in fields(cls)])
        scope = members["scope"]
        return cls(
            service=_take(members, "service", str),
            endpoint=_take(members, "endpoint", str),
            scope=None if scope is None else _take(members, "scope", str),
            session_id=_take(members, "session_id", str),
            location=_take(members, "location", str),
            dialect=_take(members, "dialect", str),
            size=_take(members, "size", int),
            part_size=_take(members, "part_size", int),
            parts=_take(members, "parts", int),
            max_connections=_take(members, "max_connections", int),
            file_name=_take(members, "file_name", str),
            fingerprint=_fingerprint(members["fingerprint"]),
            created=_take(members, "created", float),
            version=_take(members, "version", int),
        )


def _fingerprint(value: JSON) -> Fingerprint:
    members = _members(value, [attribute.name for attribute in fields(Fingerprint)])
    sha256 = None if members["sha256"] is None else _take(members, "sha256", str)
    _require(sha256 is None or re.fullmatch("[0-9a-f]{64}", sha256) is not None, "sha256 is no SHA-256")
    mtime_ns = None if members["mtime_ns"] is None else _take(members, "mtime_ns", int)
    return Fingerprint(_take(members, "size", int), mtime_ns, sha256)


def _members(value: JSON, names: list[str]) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise DecodeError("This is no upload ticket: a JSON object was expected")
    missing = [name for name in names if name not in value]
    _require(not missing, f"it lacks {', '.join(missing)}")
    return value


def _take(members: dict[str, JSON], name: str, kind: type[T]) -> T:
    value: object = members[name]
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:  # bool, which is an int, is none here
        raise DecodeError(f"This is no upload ticket: {name} is no {kind.__name__}")
    return value


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise DecodeError(f"This is no upload ticket: {reason}")


def is_http_url(text: str) -> bool:
    """Return whether a text is an absolute http or https URL."""
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host)
