"""Bodies on their way, at the pace that a cap allows: those of requests, and those of answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractContextManager, suppress

import anyio
import httpx

from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.call import Body, Request, Response


class Pass(httpx.AsyncByteStream):
    """One pass over a request's body, as httpx wants it."""

    def __init__(self, body: Body, bandwidth: Bandwidth | None) -> None:
        self._body = body
        self._bandwidth = bandwidth

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Start the pass."""
        pieces = aiter(self._body)
        return pieces if self._bandwidth is None else _Capped(pieces, self._bandwidth)


def content_of(request: Request, bandwidth: Bandwidth | None) -> bytes | Pass | None:
    """Return the body of a request for one attempt, None for none."""
    if request.content is None:
        # Old proxies answer 411 to a POST without a length (panda.md 2).
        return b"" if request.method in ("POST", "PUT") else None
    return request.content if isinstance(request.content, bytes) else Pass(request.content, bandwidth)


class _Capped:
    """Pieces, cut so small that each passes within a moment."""

    def __init__(self, pieces: AsyncIterator[bytes], bandwidth: Bandwidth) -> None:
        self._pieces = pieces
        self._bandwidth = bandwidth
        self._piece: bytes = b""
        self._given = 0

    def __aiter__(self) -> _Capped:
        return self

    async def __anext__(self) -> bytes:
        if self._given == len(self._piece):
            self._piece = await anext(self._pieces)
            self._given = 0
        part = self._piece[self._given : self._given + self._bandwidth.step]
        self._given += len(part)
        await self._bandwidth.take(len(part))
        return part


class Stream:
    """An answer whose body is read piece by piece, as it comes over the line: no compression is undone.

    Args:
        answer: unread, with its connection.
        told: entered for each read; makes the service's errors of httpx's.
        bandwidth: the cap on what is read.
    """

    def __init__(
        self,
        answer: httpx.Response,
        told: Callable[[], AbstractContextManager[None]],
        bandwidth: Bandwidth | None,
    ) -> None:
        self.response = head_of(answer)
        self._answer = answer
        self._pieces: AsyncIterator[bytes] | None = None  # once it is being read
        self._told = told
        self._bandwidth = bandwidth

    async def read(self) -> bytes:
        """Return the next piece, empty at the end.

        Raises:
            TransportError: the connection broke, or nothing came in time (the service's own class).
        """
        if self._pieces is None:
            assert isinstance(self._answer.stream, httpx.AsyncByteStream)
            self._pieces = aiter(self._answer.stream)
        with self._told():
            piece = await anext(self._pieces, b"")
        if self._bandwidth is not None:
            await self._bandwidth.take(len(piece))
        return piece

    async def close(self) -> None:
        """Let go of the connection; what was not read is lost with it."""
        try:
            if self._pieces is not None:
                # httpx's generators have to run to their end, which a cancelled read makes them do. That the
                # line breaks meanwhile is nobody's loss.
                with suppress(httpx.TransportError), anyio.CancelScope() as rest:
                    rest.cancel()
                    async for _ in self._pieces:
                        pass
        finally:
            with anyio.CancelScope(shield=True):
                await self._answer.aclose()


async def read(answer: httpx.Response, most: int) -> bytes | None:
    """Read an answer to its end and let go of its connection.

    Returns:
        Its body, without its compression; None if it is longer than ``most`` bytes.
    """
    body = bytearray()
    try:
        pieces = answer.aiter_bytes()
        async for piece in pieces:
            body += piece
            if len(body) > most:
                break
        else:
            return bytes(body)
        # httpx's generators have to run to their end, which a cancelled read makes them do.
        with anyio.CancelScope() as rest:
            rest.cancel()
            async for _ in pieces:
                pass
        return None
    finally:
        await answer.aclose()


def head_of(answer: httpx.Response, body: bytes = b"", attempt: int = 1) -> Response:
    """Return an answer as a value."""
    # httpx looks for their encoding at each single one.
    return Response(answer.status_code, headers_of(answer.headers.raw), body, attempt)


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return an answer's headers as text by their names in lower case, those of one name joined."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), _text(value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
