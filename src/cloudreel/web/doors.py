"""The ways from a browser into the cloud: what each service needs to open an upload that a page sends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeAlias

from cloudreel import panda, telestream
from cloudreel.core.call import JSON
from cloudreel.core.codec import from_json, read_int
from cloudreel.errors import CloudReelError, DecodeError
from cloudreel.panda.protocol import Params
from cloudreel.uploads.ranges import CHUNK_SIZE

Video: TypeAlias = telestream.AsyncVideo | panda.AsyncVideo

VIDEOS = "/videos.json"
SESSIONS = "/videos/upload.json"


class Door(ABC):
    """One service's way in."""

    @abstractmethod
    async def open(self, name: str, size: int, params: Params) -> dict[str, JSON]:
        """Return what a page needs to send one file of this name and size, in bytes."""

    @abstractmethod
    def form(self, params: Params) -> dict[str, JSON]:
        """Return the URL and the signed fields of a form that sends one file."""

    @abstractmethod
    async def find(self, video_id: str) -> Video:
        """Return a video.

        Raises:
            NotFoundError: there is none.
        """


class TelestreamDoor(Door):
    """In numbered parts, several at a time (telestream.md 8.2, 8.3)."""

    def __init__(self, client: telestream.AsyncTelestream) -> None:
        if not client.factory_id:
            raise CloudReelError("Uploads by browsers need a Telestream client with a factory_id")
        self._client = client
        self._factory_id = client.factory_id

    async def open(self, name: str, size: int, params: Params) -> dict[str, JSON]:
        """Open an upload in parts."""
        sent = {**_flat(params), "file_name": name, "file_size": size, "multi_chunk": True}
        reply = _reply((await self._client.post(SESSIONS, sent)).content)
        numbers: dict[str, JSON] = {
            number: read_int(reply.get(number)) for number in ("part_size", "parts", "max_connections")
        }
        return {"dialect": "parts", "location": reply["location"], **numbers}

    def form(self, params: Params) -> dict[str, JSON]:
        """Sign a form."""
        return _form(self._client, params)

    async def find(self, video_id: str) -> Video:
        """Return a video of the client's factory."""
        return await (await self._client.flip.factories.find(self._factory_id)).videos.find(video_id)


class PandaDoor(Door):
    """In chunks, one after the other (panda.md 8.2, 8.3)."""

    def __init__(self, client: panda.AsyncPanda) -> None:
        self._client = client

    async def open(self, name: str, size: int, params: Params) -> dict[str, JSON]:
        """Open an upload in chunks, whose size is the page's to choose; one is proposed."""
        sent = {**_flat(params), "file_name": name, "file_size": size}
        reply = _reply((await self._client.post(SESSIONS, sent)).encode())
        return {
            "dialect": "ranges",
            "location": reply["location"],
            "part_size": CHUNK_SIZE,
            "parts": -(-size // CHUNK_SIZE),
            "max_connections": 1,
        }

    def form(self, params: Params) -> dict[str, JSON]:
        """Sign a form."""
        return _form(self._client, params)

    async def find(self, video_id: str) -> Video:
        """Return a video of the client's cloud."""
        return await self._client.videos.find(video_id)


def of(client: telestream.AsyncTelestream | panda.AsyncPanda) -> Door:
    """Return the way in of a client's service.

    Raises:
        CloudReelError: a Telestream client has no factory.
    """
    return PandaDoor(client) if isinstance(client, panda.AsyncPanda) else TelestreamDoor(client)


def _form(client: telestream.AsyncTelestream | panda.AsyncPanda, params: Params) -> dict[str, JSON]:
    fields: dict[str, JSON] = dict(client.signed_params("POST", VIDEOS, _flat(params)))
    return {"url": client.url(VIDEOS), "fields": fields}


def _flat(params: Params) -> Params:
    """Leave out what is None."""
    return {name: value for name, value in params.items() if value is not None}


def _reply(body: bytes) -> dict[str, JSON]:
    reply = from_json(body)
    if not isinstance(reply, dict) or not isinstance(reply.get("location"), str):
        raise DecodeError("The upload session has no location")
    return reply
