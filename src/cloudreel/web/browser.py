"""Uploads that go from a browser straight to the cloud, one allowed file at a time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, NoReturn, TypeAlias, overload

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from cloudreel import panda, telestream
from cloudreel.core.call import JSON
from cloudreel.core.codec import from_json
from cloudreel.errors import CloudReelError, DecodeError, NotFoundError
from cloudreel.panda.protocol import Param
from cloudreel.web import doors
from cloudreel.web.bodies import read_body
from cloudreel.web.clients import telestream as telestream_of
from cloudreel.web.doors import Door, Video
from cloudreel.web.secret import check_secret
from cloudreel.web.seen import MemorySeen, Seen
from cloudreel.web.slips import Slip, read_slip

DAY: Final = 86_400.0  # seconds
LARGEST_QUESTION: Final = 64 * 1024  # bytes of what a page sends to the application
LONGEST_NAME: Final = 255  # characters

Client: TypeAlias = telestream.AsyncTelestream | panda.AsyncPanda


@frozen
class Limits:
    """What may be uploaded, and how.

    Args:
        largest: bytes of a file.
        types: media types with stars, such as ``video/*``.
        seconds: from the beginning of an upload to its end.
        params: what every upload is opened with.
    """

    largest: int
    types: tuple[str, ...]
    seconds: float
    params: dict[str, Param]


@overload
def browser_uploads(
    on_uploaded: Callable[[Request, telestream.AsyncVideo], Awaitable[object]],
    *,
    secret: str,
    largest: int,
    types: Sequence[str] = ...,
    to: Callable[[Request], Awaitable[telestream.AsyncTelestream]] = ...,
    profiles: str | Sequence[str] | None = ...,
    seconds: float = ...,
    seen: Seen | None = ...,
    **params: Param,
) -> Router: ...


@overload
def browser_uploads(
    on_uploaded: Callable[[Request, panda.AsyncVideo], Awaitable[object]],
    *,
    secret: str,
    largest: int,
    types: Sequence[str] = ...,
    to: Callable[[Request], Awaitable[panda.AsyncPanda]],
    profiles: str | Sequence[str] | None = ...,
    seconds: float = ...,
    seen: Seen | None = ...,
    **params: Param,
) -> Router: ...


def browser_uploads(
    on_uploaded: Callable[[Request, Any], Awaitable[object]],
    *,
    secret: str,
    largest: int,
    types: Sequence[str] = ("video/*",),
    to: Callable[[Request], Awaitable[Client]] = telestream_of,
    profiles: str | Sequence[str] | None = "h264",
    seconds: float = DAY,
    seen: Seen | None = None,
    **params: Param,
) -> Router:
    """Return a router by which a page uploads files straight to the cloud, one permission a file.

    Mounted at ``/uploads``, it answers JSON to JSON:

    * ``POST /uploads/`` with ``{"name", "size", "type"}`` opens an upload for exactly this file and gives
      ``{"upload", "dialect", "location", "part_size", "parts", "max_connections"}``. The page sends the file
      to the location, which needs no other permission: with the dialect ``parts`` each part by PUT with its
      ``X-Part``, with ``ranges`` one chunk after the other by PUT with its ``Content-Range``. To go on after
      a break it asks the location what is missing (telestream.md 8.4, panda.md 8.3).
    * ``POST /uploads/form`` with the same gives ``{"upload", "url", "fields"}`` for a form, which sends the
      fields and then the ``file`` to the URL as ``multipart/form-data``.
    * ``POST /uploads/done`` with ``{"upload", "video"}``, the second being the id that the cloud has answered
      with, has the application look for the video: it has to be the one of this upload, of this size.

    Args:
        on_uploaded: told of each video once, before the page gets its answer. When it fails, it is told again
            if the page says so again.
        secret: signs what a page is given; the same in all processes of the application, at least 16
            characters from ``secrets.token_urlsafe()``.
        largest: bytes of a file.
        types: media types that are accepted, as the browser names them; stars stand for anything.
        to: gives the client for a request, and raises HTTPException for whoever may not upload. A Telestream
            client has to have a ``factory_id``.
        profiles: names or ids of profiles to encode to; ``"none"`` for no encoding, None to leave the choice
            to the service.
        seconds: from the beginning of an upload to its end.
        seen: remembers what was told, None for this process alone; see `Seen`.
        params: ``path_format`` and whatever else the service takes, but for ``payload``, by which the video
            of an upload is recognised.

    Raises:
        ValueError: ``payload`` is among the params, or the secret is too short.
    """
    check_secret(secret)
    if "payload" in params:
        raise ValueError("The payload of a video says which upload it came by; keep your own data elsewhere")
    limits = Limits(largest, tuple(types), seconds, {**params, "profiles": profiles})
    uploads = _Uploads(on_uploaded, secret, limits, to, MemorySeen() if seen is None else seen)
    return Router(
        [
            Route("/", uploads.begin, methods=["POST"]),
            Route("/form", uploads.begin_form, methods=["POST"]),
            Route("/done", uploads.finish, methods=["POST"]),
        ]
    )


class _Uploads:
    def __init__(
        self,
        on_uploaded: Callable[[Request, Any], Awaitable[object]],
        secret: str,
        limits: Limits,
        to: Callable[[Request], Awaitable[Client]],
        seen: Seen,
    ) -> None:
        self._on_uploaded = on_uploaded
        self._secret = secret
        self._limits = limits
        self._to = to
        self._seen = seen

    async def begin(self, request: Request) -> Response:
        door, slip = await self._admit(request)
        try:
            opened = await door.open(slip.name, slip.size, {**self._limits.params, "payload": slip.payload})
        except CloudReelError as error:
            _refuse_for_now(error)
        return JSONResponse({"upload": slip.signed(self._secret), **opened}, 201)

    async def begin_form(self, request: Request) -> Response:
        door, slip = await self._admit(request)
        form = door.form({**self._limits.params, "payload": slip.payload})
        return JSONResponse({"upload": slip.signed(self._secret), **form}, 201)

    async def finish(self, request: Request) -> Response:
        door = doors.of(await self._to(request))
        asked = await _question(request)
        try:
            slip = read_slip(_text(asked, "upload"), self._secret, now=time.time())
        except DecodeError as error:
            raise HTTPException(403, error.message) from error
        video = await self._found(door, _text(asked, "video"), slip)
        if await self._seen.first(slip.nonce, self._limits.seconds):
            try:
                await self._on_uploaded(request, video)
            except BaseException:
                await self._seen.forget(slip.nonce)
                raise
        return JSONResponse({"video": video.id})

    async def _admit(self, request: Request) -> tuple[Door, Slip]:
        """Return the way to the cloud and a slip for the file that a page asks for."""
        door = doors.of(await self._to(request))
        asked = await _question(request)
        name = _text(asked, "name").replace("\\", "/").rpartition("/")[2].strip()
        size, kind = asked.get("size"), _text(asked, "type").lower()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise HTTPException(400, f"The file needs a name of at most {LONGEST_NAME} characters")
        if type(size) is not int or size < 1:
            raise HTTPException(400, "The file needs a size in bytes, and at least one")
        if size > self._limits.largest:
            raise HTTPException(413, f"The file is larger than the {self._limits.largest} bytes allowed")
        if not any(fnmatchcase(kind, allowed) for allowed in self._limits.types):
            raise HTTPException(415, f"Only {', '.join(self._limits.types)} can be uploaded")
        return door, Slip(secrets.token_hex(16), name, size, int(time.time() + self._limits.seconds))

    async def _found(self, door: Door, video_id: str, slip: Slip) -> Video:
        try:
            video = await door.find(video_id)
            # A form can send another file than was asked for, a session cannot.
            if video.payload == slip.payload and video.file_size not in (None, slip.size):
                await video.delete()
                raise HTTPException(
                    409, f"The file has {video.file_size} bytes, not {slip.size}; it was deleted"
                )
        except NotFoundError as error:
            raise HTTPException(404, "There is no such video") from error
        except CloudReelError as error:
            _refuse_for_now(error)
        if video.payload != slip.payload:
            raise HTTPException(404, "There is no such video")
        return video


async def _question(request: Request) -> dict[str, JSON]:
    # A page of another origin may send any text, but JSON only after the application has allowed it.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "Send application/json")
    try:
        asked = from_json(await read_body(request, LARGEST_QUESTION))
    except DecodeError as error:
        raise HTTPException(400, "This is no JSON") from error
    if not isinstance(asked, dict):
        raise HTTPException(400, "This is no JSON object")
    return asked


def _text(asked: dict[str, JSON], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise HTTPException(400, f"{name} is missing, or no text")
    return value


def _refuse_for_now(error: CloudReelError) -> NoReturn:
    raise HTTPException(502, "The cloud does not do this now; please try again") from error
