"""A source as the one file of a multipart form, streamed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Final

from attrs import evolve

from cloudreel.core.filewire import FileBody, FilePart
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.sources import Source

# Quotes end a parameter and line ends a header; browsers send both percent-encoded (RFC 7578 section 2,
# HTML "multipart form data"). No other control character has a place in a header either.
_UNSAFE: Final = re.compile(r'[\x00-\x1f"\x7f]')
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")  # RFC 2046 section 5.1.1, without the space


def quote(text: str) -> str:
    """Return a field or file name as it may stand between quotes in a header."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", text)


class MultipartBody(FileBody):
    """A form with one file, of exactly known length, whose file is read as it is sent.

    Args:
        source: an open source.
        field: name of the form's field.
        boundary: what separates the fields; draw it at random, so that the source does not contain it.
        sent: told, during each pass, how many bytes of the source the connection has taken so far.

    Raises:
        ValueError: the boundary has characters that a boundary may not have.
    """

    def __init__(
        self,
        source: Source,
        *,
        field: str = "file",
        boundary: str,
        sent: Callable[[int], None] | None = None,
    ) -> None:
        if not _BOUNDARY.fullmatch(boundary):
            raise ValueError(f"{boundary!r} is no boundary: 1 to 70 letters, digits and '()+_,-./:=? are")
        self.source = source
        self.content_type = f'multipart/form-data; boundary="{boundary}"'
        self.file = SourceBody(source, 0, source.size, sent)
        self.head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{quote(field)}"; filename="{quote(source.name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self.tail = f"\r\n--{boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """Bytes of the whole form."""
        return len(self.head) + self.file.length + len(self.tail)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pass(self)

    def in_file(self) -> FilePart | None:
        """Return where the file stands and what is around it, None unless the source is an open file."""
        file = self.file.in_file()
        return None if file is None else evolve(file, before=self.head, after=self.tail)


class _Pass:
    def __init__(self, body: MultipartBody) -> None:
        self._head: bytes | None = body.head
        self._file: AsyncIterator[bytes] | None = aiter(body.file)
        self._body = body

    def __aiter__(self) -> _Pass:
        return self

    async def __anext__(self) -> bytes:
        if self._head is not None:
            head, self._head = self._head, None
            return head
        if self._file is None:
            raise StopAsyncIteration
        piece = await anext(self._file, b"")
        if not piece:
            self._file = None
            # Without the tail the form is cut short, so a source that has changed is none for the service.
            await self._body.source.verify(self._body.source.fingerprint)
            return self._body.tail
        return piece
