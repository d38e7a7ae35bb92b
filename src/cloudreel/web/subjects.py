"""What a notification is about, asked of the service: nothing in the notification itself can be believed."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

from attrs import frozen

from cloudreel import panda, telestream
from cloudreel.errors import NotFoundError
from cloudreel.flixcloud import AsyncFlixCloud, JobStatus
from cloudreel.notifications import JobNotification, Notification, VideoNotification
from cloudreel.web.clients import Clients

Subject: TypeAlias = (
    telestream.AsyncVideo | telestream.AsyncEncoding | panda.AsyncVideo | panda.AsyncEncoding | JobStatus
)
"""A video or an encoding, or the status of a Flix Cloud job."""


@frozen
class Event:
    """Something has happened, and the service itself has confirmed it.

    Args:
        service: ``telestream``, ``panda`` or ``flixcloud``.
        notification: what was posted.
        subject: the object that it is about, as the service shows it now: an encoding for the events of
            encodings, a video for the others, the status of a job for Flix Cloud.
    """

    service: str
    notification: Notification
    subject: Subject

    @property
    def key(self) -> str:
        """The same text for the same event of an object in the same state, 64 hexadecimal digits."""
        told, found = self.notification, self.subject
        what = told.event if isinstance(told, VideoNotification) else told.state
        state = (
            (found.id, found.task_state)
            if isinstance(found, JobStatus)
            else (found.id, found.status, found.updated_at, getattr(told, "progress", None))
        )
        return hashlib.sha256(repr((self.service, what, *state)).encode()).hexdigest()


async def fetch(clients: Clients, service: str, notification: Notification) -> Subject | None:
    """Return what a notification is about as the service shows it; None if it knows of no such thing.

    Args:
        clients: of the application.
        service: ``telestream``, ``panda`` or ``flixcloud``.
        notification: of that service.

    Raises:
        CloudReelError: the service cannot be asked.
    """
    try:
        if isinstance(notification, JobNotification):
            return await clients.get(AsyncFlixCloud).job_status(notification.id)
        if service == "panda":
            return await _of_panda(clients.get(panda.AsyncPanda), notification)
        return await _of_telestream(clients.get(telestream.AsyncTelestream), notification)
    except NotFoundError:
        return None


async def _of_panda(client: panda.AsyncPanda, told: VideoNotification) -> Subject:
    if _is_of_encoding(told):
        return await client.encodings.find(told.encoding_id or "")
    return await client.videos.find(told.video_id or "")


async def _of_telestream(client: telestream.AsyncTelestream, told: VideoNotification) -> Subject | None:
    """Look where the client is at home, or in every factory: the notification does not tell which."""
    for factory in await factories_of(client):
        try:
            if _is_of_encoding(told):
                return await factory.encodings.find(told.encoding_id or "")
            return await factory.videos.find(told.video_id or "")
        except NotFoundError:
            continue
    return None


async def factories_of(client: telestream.AsyncTelestream) -> list[telestream.AsyncFactory]:
    """Return the factory of a client that has one, else all of the account."""
    factories = client.flip.factories
    return [await factories.find(client.factory_id)] if client.factory_id else await factories.all()


def _is_of_encoding(told: VideoNotification) -> bool:
    return told.encoding_id is not None and not told.event.startswith("video-")
