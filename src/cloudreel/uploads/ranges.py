"""Panda's stream of chunks, one after the other, each by ``Content-Range`` (panda.md 8.3). PURE."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import urljoin, urlsplit

from attrs import evolve, field, frozen

from cloudreel.core import redact
from cloudreel.core.call import Body, Call, Request, Response
from cloudreel.core.codec import object_of
from cloudreel.errors import DecodeError
from cloudreel.uploads.dialects import Missing, Receipt, require_success
from cloudreel.uploads.plan import Part, count_parts
from cloudreel.uploads.ticket import is_http_url

CHUNK_SIZE = 5 * 2**20  # bytes; any size is allowed, the old clients took this one (panda.md 8.3)

_HELD = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")  # inclusive, and without a unit


@frozen
class RangesDialect:
    """One conversation in which the service says after each chunk how many bytes it holds.

    Args:
        location: absolute URL of the upload.
        size: bytes of the source.
        part_size: bytes of a chunk.
    """

    in_order: ClassVar[bool] = True

    location: str = field(repr=redact.location)
    size: int
    part_size: int

    def put(self, part: Part, body: Body) -> Call[Receipt]:
        """Return the call that sends one chunk; where that fails, the service says what it holds of it."""
        last = part.offset + part.length - 1
        settled = Call(self._request("*"), lambda response: response, signed=False)
        return Call(
            self._request(f"{part.offset}-{last}", body),
            lambda response: self._read_receipt(response, part),
            signed=False,
            settled=settled,
        )

    def query(self) -> Call[Receipt]:
        """Return the call that asks what the service holds."""
        return Call(self._request("*"), self._read_receipt, signed=False)

    def abort(self) -> Call[None]:
        """Return the call that deletes the upload."""
        return Call(Request("DELETE", self.location, secret_url=True), require_success, signed=False)

    def moved(self, location: str) -> RangesDialect:
        """Return the same conversation with another location."""
        return evolve(self, location=location)

    def _request(self, span: str, body: Body | None = None) -> Request:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {span}/{self.size}",
            "Cache-Control": "no-cache",
        }
        return Request("PUT", self.location, headers=headers, content=body or b"", secret_url=True)

    def _read_receipt(self, response: Response, part: Part | None = None) -> Receipt:
        """Read an answer: the video, or else how much is held.

        Args:
            response: the answer to a chunk or to the question.
            part: the chunk, where one was sent.
        """
        require_success(response)
        location = self._new_location(response)
        if response.status_code != HTTPStatus.NO_CONTENT and response.body.strip():
            return Receipt(Missing(()), object_of(response), location=location)
        held = self._held(response)
        if part is not None and held == part.offset + part.length:
            return Receipt(location=location)  # just what was sent
        if held == self.size:
            return Receipt(Missing(()), location=location)
        first, begun = divmod(held, self.part_size)
        parts = range(first, count_parts(self.size, self.part_size))
        return Receipt(Missing(parts, begun), location=location)

    def _held(self, response: Response) -> int:
        """Return how many bytes the service holds; without a ``Range`` it holds none."""
        text = response.headers.get("range")
        if text is None:
            return 0
        match = _HELD.fullmatch(text.strip())
        if match is None or int(match[1]) != 0 or int(match[2]) >= self.size:
            raise DecodeError(f"The service says that it holds bytes {text[:40]!r} of {self.size}")
        return int(match[2]) + 1

    def _new_location(self, response: Response) -> str | None:
        text = response.headers.get("location")
        if text is None:
            return None
        try:
            location = urljoin(self.location, text.strip())
        except ValueError:
            location = ""
        if not is_http_url(location):
            raise DecodeError("The service moved the upload to something that is no http or https URL")
        if urlsplit(self.location).scheme == "https" and urlsplit(location).scheme == "http":
            raise DecodeError("The service moved the upload from https to http, which is refused")
        return location
