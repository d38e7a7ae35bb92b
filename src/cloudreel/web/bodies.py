"""Bodies of requests: read no further than allowed, or passed on to the cloud."""

from __future__ import annotations

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from cloudreel.uploads import SizedStream


class RequestBody(SizedStream):
    """The body of a request as a source for any upload: it is the file itself.

    It is never in memory as a whole, and goes to the cloud while it comes: where the request says its length
    and the upload goes in parts, each part is sent as soon as it is there. All of it stays in a temporary
    file until the upload is done, as the service may want parts of it again. Where the length is unknown, or
    the service takes one request with the whole file, nothing is sent before all of it is there::

        session = await factory.upload_session(RequestBody(request, largest=2**30, name="film.mp4"))
        video = await session.start()

    So ``start`` has to run before the request is answered. The file of a form is a source as it is: give
    FastAPI's ``UploadFile`` to ``upload_session``.

    Where it is read, ``HTTPException`` 413 is raised as soon as it is clear that there are more bytes than
    allowed, and ``ClientDisconnect`` when the sender has gone before the end. Then the upload is not
    complete, and never will be: ``abort`` the session.

    Args:
        request: whose body has not been read.
        largest: bytes that are accepted.
        name: of the file, for the service.
    """

    def __init__(self, request: Request, *, largest: int, name: str = "") -> None:
        self._request = request
        self._largest = largest
        self.name = name
        self._stream = request.stream()
        announced = request.headers.get("content-length", "")
        self._announced = int(announced) if announced.isdecimal() else None
        self._received = 0

    @property
    def size(self) -> int | None:
        """Bytes that the request announces, None if it does not say."""
        return self._announced

    async def __anext__(self) -> bytes:
        """Return the next piece, as it comes."""
        if (self._announced or 0) <= self._largest:
            piece = await self._next()
            self._received += len(piece)
            if self._received <= self._largest:
                return piece
        await self._stream.aclose()
        raise HTTPException(413, f"The body is larger than the {self._largest} bytes allowed")

    async def _next(self) -> bytes:
        try:
            return await anext(self._stream)
        except anyio.get_cancelled_exc_class():
            self._stream = self._request.stream()  # which is over when cancelled, but the request is not
            raise
        except ClientDisconnect as error:
            of = "" if self._announced is None else f" of {self._announced}"
            raise ClientDisconnect(f"The sender has gone after {self._received}{of} bytes") from error


async def read_body(request: Request, largest: int) -> bytes:
    """Return a request's body.

    Raises:
        HTTPException: 413, as soon as it is clear that there are more bytes than ``largest``.
    """
    body = bytearray()
    async for piece in RequestBody(request, largest=largest):
        body += piece
    return bytes(body)
