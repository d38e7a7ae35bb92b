"""What a worker does for each task, in such a way that any other worker can go on with it."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

import anyio

from cloudreel.core.inbox import Inbox
from cloudreel.errors import UploadError
from cloudreel.fleet.desk import Desk, Place
from cloudreel.fleet.ledger import Ledger
from cloudreel.fleet.values import Ready, Service, Uploaded, Waited
from cloudreel.uploads import Leased, Ticket, TicketStore

SHORTEST_WAIT: Final = 0.1  # seconds between two looks at an upload that another worker has
LONGEST_WAIT: Final = 5.0

log = logging.getLogger("cloudreel")


class Work:
    """The tasks of one worker process.

    Args:
        desk: hands out the services.
        ledger: remembers the uploads of all jobs.
        store: where the tickets and leases of the uploads under way are.
        inbox: takes in what the services have posted.
    """

    def __init__(self, desk: Desk, ledger: Ledger, store: TicketStore, inbox: Inbox) -> None:
        self._desk = desk
        self._ledger = ledger
        self._store = store
        self._inbox = inbox

    async def upload(
        self,
        job: str,
        path: str,
        service: Service,
        scope: str | None,
        profiles: str | list[str] | None,
        options: dict[str, Any],
    ) -> Uploaded:
        """Upload a file, go on with what another worker has begun, or return what it has finished.

        Args:
            job: whose upload it is; it is made once.
            path: of the file.
            service: where it goes.
            scope: id of the factory or cloud, None for that of the client.
            profiles: what it is encoded to.
            options: of ``upload_session``.
        """
        place = await self._desk.place(service, scope)
        while True:
            entry = await self._ledger.find(job)
            if entry is not None and entry.video_id is not None:
                ticket = entry.ticket
                return Uploaded(service, ticket.scope, entry.video_id, ticket.file_name, ticket.size)
            try:
                if entry is None:
                    await self._begin(place, job, path, profiles, options)
                else:
                    await self._go_on(place, job, path, entry.ticket, options)
            except Leased as error:
                log.info("Job %s waits: %s", job, error)
                left = error.until - time.time()
                await anyio.sleep(min(max(left, SHORTEST_WAIT), LONGEST_WAIT))

    async def wait(self, video_id: str, service: Waited, scope: str | None, timeout: float | None) -> Ready:
        """Wait until a video and all its encodings are good, or a job of Flix Cloud is."""
        if service == "flixcloud":
            await self._desk.flixcloud().wait(video_id, timeout=timeout, notified=self._inbox)
            return Ready(service, scope, video_id)
        place = await self._desk.place(service, scope)
        video = await place.videos.find(video_id)
        await video.wait(timeout=timeout, notified=self._inbox)
        return Ready(service, scope, video_id)

    async def _begin(
        self, place: Place, job: str, path: str, profiles: str | list[str] | None, options: dict[str, Any]
    ) -> None:
        session = await place.upload_session(path, profiles=profiles, store=self._store, **options)
        entry = await self._ledger.begin(job, session.ticket())
        if entry.ticket != session.ticket():  # another worker was faster
            await session.abort()
            return
        video = await session.start()
        await self._finish(job, video.id)

    async def _go_on(self, place: Place, job: str, path: str, first: Ticket, options: dict[str, Any]) -> None:
        # What is not in the store was finished, or never got there: the service knows.
        ticket = await self._store.load(first.key)
        if ticket is None:
            ticket = first
            await self._store.save(ticket)
        threads = {"threads": options["threads"]} if "threads" in options else {}
        session = await place.resume_upload(ticket, path, store=self._store, **threads)
        video = await session.resume()
        await self._finish(job, video.id)

    async def _finish(self, job: str, video_id: str | None) -> None:
        if not video_id:
            raise UploadError(f"Job {job}: the service did not name the video; look for it among its videos")
        await self._ledger.finish(job, video_id)
