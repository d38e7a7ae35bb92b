"""How one speaks to an upload location. PURE.

A dialect builds the calls of one upload and reads their answers; the session decides when to send them.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Protocol

from attrs import evolve, field, frozen

from cloudreel.core import redact
from cloudreel.core.call import JSON, Body, Call, Request, Response
from cloudreel.core.codec import object_of
from cloudreel.errors import DecodeError
from cloudreel.uploads.plan import Part


@frozen
class Receipt:
    """What the service answered to a part.

    Args:
        document: the finished video, which comes with the part that completes the set.
        location: where the upload goes on when the service moved it.
    """

    document: dict[str, JSON] | None = None
    location: str | None = field(default=None, repr=False)


@frozen
class Missing:
    """What the service still wants: the indices of parts, and the id of the video once there is one."""

    parts: frozenset[int]
    video_id: str | None = None


class Dialect(Protocol):
    """The conversation with one upload location. None of its calls is signed: the URL is the capability."""

    def put(self, part: Part, body: Body) -> Call[Receipt]:
        """Return the call that sends one part."""
        ...

    def query(self) -> Call[Missing]:
        """Return the call that asks what is missing."""
        ...

    def abort(self) -> Call[None]:
        """Return the call that gives the upload up for good."""
        ...

    def moved(self, location: str) -> Dialect:
        """Return the same conversation with another location."""
        ...


@frozen
class PartsDialect:
    """Telestream's numbered parts, in any order and several at a time (telestream.md 8.3 to 8.5).

    Args:
        location: absolute URL of the upload.
        parts: how many there are.
    """

    location: str = field(repr=redact.location)
    parts: int

    def put(self, part: Part, body: Body) -> Call[Receipt]:
        """Return the call that sends one part; before it is sent again the service is asked for it."""
        headers = {"Content-Type": "application/octet-stream", "X-Part": str(part.index)}
        held = Call(
            self._request("GET"), lambda r: part.index not in self._read_missing(r).parts, signed=False
        )
        return Call(self._request("PUT", headers, body), _read_receipt, signed=False, settled=held)

    def query(self) -> Call[Missing]:
        """Return the call that asks for ``missing_parts``."""
        return Call(self._request("GET"), self._read_missing, repeatable=True, signed=False)

    def abort(self) -> Call[None]:
        """Return the call that deletes the upload."""
        return Call(self._request("DELETE"), _read_success, repeatable=True, signed=False)

    def moved(self, location: str) -> PartsDialect:
        """Return the same conversation with another location."""
        return evolve(self, location=location)

    def _request(
        self, method: str, headers: dict[str, str] | None = None, body: Body | None = None
    ) -> Request:
        return Request(method, self.location, headers=headers or {}, content=body, secret_url=True)

    def _read_missing(self, response: Response) -> Missing:
        """Read the status: an absent, null or empty list means that nothing is missing."""
        _read_success(response)
        document = object_of(response)
        listed = document.get("missing_parts")
        if listed is None:
            listed = []
        if not isinstance(listed, list):
            raise DecodeError("missing_parts is no list")
        video_id = document.get("media_id")
        return Missing(
            frozenset(self._read_index(item) for item in listed),
            str(video_id) if isinstance(video_id, str | int) and video_id else None,
        )

    def _read_index(self, item: JSON) -> int:
        # The service writes its other numbers as text.
        index = int(item) if isinstance(item, str) and re.fullmatch("[0-9]{1,10}", item) else item
        if type(index) is not int or not 0 <= index < self.parts:
            shown = repr(item)[:40]
            raise DecodeError(f"missing_parts lists {shown}, but the parts are 0 to {self.parts - 1}")
        return index


def _read_receipt(response: Response) -> Receipt:
    """Read the answer to a part: empty, or the video when this part completed the set."""
    _read_success(response)
    return Receipt(object_of(response) if response.body.strip() else None)


def _read_success(response: Response) -> None:
    # The transport refuses 400 and more. A redirect is no success either: nobody stored the part.
    if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        raise DecodeError(f"200 was expected, but {response.status_code} came; redirects are not followed")
