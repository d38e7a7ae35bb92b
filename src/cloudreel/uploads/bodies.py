"""A slice of a source as the body of a request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from cloudreel.core.filewire import FileBody, FilePart
from cloudreel.errors import UploadError
from cloudreel.uploads.sources import Source


class SourceBody(FileBody):
    """A slice of an open source as the body of a request; each pass reads it anew.

    Args:
        source: an open source.
        offset: its first byte.
        length: bytes.
        sent: told, during each pass, how many of them the connection has taken so far.
    """

    def __init__(
        self, source: Source, offset: int, length: int, sent: Callable[[int], None] | None = None
    ) -> None:
        self.source = source
        self.offset = offset
        self.length = length
        self.sent = sent

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pass(self)

    def in_file(self) -> FilePart | None:
        """Return where in which file the slice stands, None unless the source is an open file."""
        found = self.source.fileno()
        if found is None:
            return None
        descriptor, start = found
        return FilePart(
            descriptor,
            start + self.offset,
            self.length,
            self.source.check,
            self.verify,
            self.shortened,
            self.sent,
        )

    async def verify(self) -> None:
        """Make sure that the source is still what it was when the upload began.

        Raises:
            UploadError: it has another size, time of change or content.
        """
        await self.source.verify(self.source.fingerprint)

    def shortened(self, count: int) -> UploadError:
        """Return the error that says that the source ends after so many bytes of the slice."""
        return self.source.changed(f"it ends after {self.offset + count} of {self.source.size} bytes")


class _Pass:
    def __init__(self, body: SourceBody) -> None:
        self._body = body
        self._pieces = body.source.read(body.offset, body.length)
        self._given = 0

    def __aiter__(self) -> _Pass:
        return self

    async def __anext__(self) -> bytes:
        body = self._body
        # Who asks for the next piece has sent the one before.
        if body.sent is not None and self._given:
            body.sent(self._given)
        if self._given == body.length:
            raise StopAsyncIteration
        piece = await anext(self._pieces, b"")
        if not piece:
            raise body.shortened(self._given)
        self._given += len(piece)
        if self._given == body.length:
            # The service keeps no part that lacks its end, so a changed file completes none.
            await body.source.recheck()
        return piece
