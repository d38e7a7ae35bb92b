"""Telling the user's application: delayed form posts, repeated until acknowledged (panda.md section 9)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import anyio

from cloudreel.sandbox.documents import new_id, public
from cloudreel.sandbox.jobs import Jobs
from cloudreel.sandbox.net import Undelivered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyio.abc import TaskGroup

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["Notifier"]

_SETTINGS = {
    "video-created": "video_created",
    "video-encoded": "video_encoded",
    "encoding-progress": "encoding_progress",
    "encoding-complete": "encoding_completed",
}
_GIVE_UP_SECONDS = 24 * 3600.0


class Notifier:
    """Sends what a factory or cloud asked to be told.

    Args:
        retry_gap: seconds before the first repetition; every further gap is twice the one before.
    """

    def __init__(self, world: World, *, retry_gap: float) -> None:
        self._world = world
        self._retry_gap = retry_gap
        self._jobs = Jobs()

    def start(self, tasks: TaskGroup) -> None:
        """Deliver in this task group from now on, first what an earlier run left undelivered."""
        self._jobs.start(tasks)
        # What has a scope is delivered by whoever stored it there.
        for delivery in self._world.store.list("delivery", scope="", delivered=False):
            self._jobs.begin(delivery["id"], self.deliver)

    async def stop_all(self) -> None:
        """Give up all deliveries under way."""
        await self._jobs.stop_all()

    def tell(self, event: str, video: Document, fields: Mapping[str, object] | None = None) -> None:
        """Queue one notification about a video or one of its encodings, if its owner wants that event.

        Args:
            fields: the event's own fields beside ``event`` and ``video_id``.
        """
        settings = self._world.store.get("notifications", video["_scope"])
        if settings is None or not settings["url"] or not settings["events"][_SETTINGS[event]]:
            return
        body = {"event": event, "video_id": video["id"], **(fields or {})}
        if settings.get("send_video_payload"):
            body = {**_payload(video), **body}
        delivery: Document = {
            "id": new_id(),
            "url": settings["url"],
            "body": {name: _text(value) for name, value in body.items()},
            "attempts": [],
            "delivered": False,
            "_delay": settings["delay"],
        }
        self._world.store.put("delivery", delivery["id"], delivery)
        self._jobs.begin(delivery["id"], self.deliver)

    async def deliver(self, id: str) -> None:
        """Attempt a stored delivery until it is acknowledged, its tries are used up or a day is over."""
        store = self._world.store
        delivery = store.get("delivery", id)
        gap, waited = self._retry_gap, 0.0
        await anyio.sleep(delivery["_delay"] if delivery else 0)
        while delivery is not None and not _is_over(delivery) and waited <= _GIVE_UP_SECONDS:
            outcome = await self._attempt(delivery)
            changes = {"attempts": [*delivery["attempts"], outcome], "delivered": outcome == 200}
            delivery = store.update("delivery", id, changes)
            if delivery is None or _is_over(delivery):
                return
            await anyio.sleep(gap)
            waited += gap
            gap *= 2

    async def _attempt(self, delivery: Document) -> int | str:
        try:
            if "_xml" in delivery:
                document = delivery["_xml"].encode()
                return await self._world.net.send_xml(delivery["_method"], delivery["url"], document)
            return await self._world.net.post_form(delivery["url"], delivery["body"])
        except Undelivered as error:
            return str(error)


def _is_over(delivery: Document) -> bool:
    used_up: bool = len(delivery["attempts"]) >= delivery.get("_tries", inf)
    return delivery["delivered"] or used_up


def _payload(video: Document) -> Document:
    """The Video's scalar fields; its id is sent as ``video_id`` anyway (telestream.md 9)."""
    shown = public(video)
    return {
        name: value for name, value in shown.items() if name != "id" and isinstance(value, (str, int, float))
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
