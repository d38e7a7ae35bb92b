"""Bodies of requests: read no further than allowed, or passed on to the cloud."""

from __future__ import annotations

from typing import Self

from starlette.exceptions import HTTPException
from starlette.requests import Request


class RequestBody:
    """The body of a request as a source for any upload: it is the file itself.

    It is never in memory as a whole. The services have to know its size and may want parts of it again, so
    it goes to a temporary file on its way, and nothing is sent to the cloud before all of it is there::

        session = await factory.upload_session(RequestBody(request, largest=2**30, name="film.mp4"))
        video = await session.start()

    The file of a form is a source as it is: give FastAPI's ``UploadFile`` to ``upload_session``.
    Where it is read, ``HTTPException`` 413 is raised as soon as it is clear that there are more bytes than
    allowed, and ``ClientDisconnect`` when the sender has gone before the end.

    Args:
        request: whose body has not been read.
        largest: bytes that are accepted.
        name: of the file, for the service.
    """

    def __init__(self, request: Request, *, largest: int, name: str = "") -> None:
        self._largest = largest
        self.name = name
        self._stream = request.stream()
        announced = request.headers.get("content-length", "")
        self._announced = int(announced) if announced.isdecimal() else 0
        self._received = 0

    def __aiter__(self) -> Self:
        """Return itself: there is one body, and it comes once."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece, as it comes."""
        if self._announced <= self._largest:
            piece = await anext(self._stream)
            self._received += len(piece)
            if self._received <= self._largest:
                return piece
        await self._stream.aclose()
        raise HTTPException(413, f"The body is larger than the {self._largest} bytes allowed")


async def read_body(request: Request, largest: int) -> bytes:
    """Return a request's body.

    Raises:
        HTTPException: 413, as soon as it is clear that there are more bytes than ``largest``.
    """
    body = bytearray()
    async for piece in RequestBody(request, largest=largest):
        body += piece
    return bytes(body)
