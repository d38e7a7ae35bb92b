"""How one speaks to an upload location. PURE.

A dialect builds the calls of one upload and reads their answers; the session decides when to send them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from http import HTTPStatus
from typing import ClassVar, Protocol

from attrs import evolve, field, frozen

from cloudreel.core import redact
from cloudreel.core.call import JSON, Body, Call, Request, Response
from cloudreel.core.codec import object_of
from cloudreel.errors import DecodeError
from cloudreel.uploads.plan import Part


@frozen
class Missing:
    """What the service still wants.

    Args:
        parts: the indices of the parts that it does not hold, or not to their end.
        begun: bytes that it holds of the beginning of the first of them.
    """

    parts: Collection[int]
    begun: int = 0


@frozen
class Receipt:
    """What the service answered to a part, or when it was asked; each member None where it did not say.

    Args:
        missing: what it still wants; of an answered part alone it then has the whole.
        document: the finished video, which comes with the part that completes the set.
        video_id: the id of the finished video, where only that is told.
        location: where the upload goes on when the service moved it.
        attempts: how many the part took, where parts go out side by side.
    """

    missing: Missing | None = None
    document: dict[str, JSON] | None = None
    video_id: str | None = None
    location: str | None = field(default=None, repr=False)
    attempts: int = 1


class Dialect(Protocol):
    """The conversation with one upload location. None of its calls is signed: the URL is the capability."""

    in_order: ClassVar[bool]
    """Whether one part goes after the other, each where the service says, and none ever again."""

    def put(self, part: Part, body: Body) -> Call[Receipt]:
        """Return the call that sends one part."""
        ...

    def query(self) -> Call[Receipt]:
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

    in_order: ClassVar[bool] = False

    location: str = field(repr=redact.location)
    parts: int

    def put(self, part: Part, body: Body) -> Call[Receipt]:
        """Return the call that sends one part; before it is sent again the service is asked for it."""
        headers = {"Content-Type": "application/octet-stream", "X-Part": str(part.index)}

        def held(response: Response) -> Response | None:
            if part.index in self._missing(response):
                return None
            return evolve(response, body=b"", attempts=response.attempts + 1)  # one before the question

        settled = Call(self._request("GET"), held, signed=False)
        return Call(self._request("PUT", headers, body), _read_receipt, signed=False, settled=settled)

    def query(self) -> Call[Receipt]:
        """Return the call that asks for ``missing_parts``."""
        return Call(self._request("GET"), self._read_status, signed=False)

    def abort(self) -> Call[None]:
        """Return the call that deletes the upload."""
        return Call(self._request("DELETE"), require_success, signed=False)

    def moved(self, location: str) -> PartsDialect:
        """Return the same conversation with another location."""
        return evolve(self, location=location)

    def _request(
        self, method: str, headers: dict[str, str] | None = None, body: Body | None = None
    ) -> Request:
        return Request(method, self.location, headers=headers or {}, content=body, secret_url=True)

    def _read_status(self, response: Response) -> Receipt:
        missing = Missing(self._missing(response))
        video_id = object_of(response).get("media_id")
        known = isinstance(video_id, str | int) and video_id
        return Receipt(missing, video_id=str(video_id) if known else None)

    def _missing(self, response: Response) -> frozenset[int]:
        """Read the status: an absent, null or empty list means that nothing is missing."""
        require_success(response)
        listed = object_of(response).get("missing_parts")
        if listed is None:
            listed = []
        if not isinstance(listed, list):
            raise DecodeError("missing_parts is no list")
        return frozenset(self._read_index(item) for item in listed)

    def _read_index(self, item: JSON) -> int:
        # The service writes its other numbers as text.
        index = int(item) if isinstance(item, str) and re.fullmatch("[0-9]{1,10}", item) else item
        if type(index) is not int or not 0 <= index < self.parts:
            shown = repr(item)[:40]
            raise DecodeError(f"missing_parts lists {shown}, but the parts are 0 to {self.parts - 1}")
        return index


def _read_receipt(response: Response) -> Receipt:
    """Read the answer to a part: empty, or the video when this part completed the set."""
    require_success(response)
    document = object_of(response) if response.body.strip() else None
    return Receipt(document=document, attempts=response.attempts)


def require_success(response: Response) -> None:
    """Make sure that an answer is a success; the transport has refused 400 and more already.

    A redirect is none: nobody stored the part.

    Raises:
        DecodeError: the status is not of the 200s.
    """
    if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        raise DecodeError(f"200 was expected, but {response.status_code} came; redirects are not followed")
