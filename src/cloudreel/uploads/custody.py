"""What a session does with its ticket in a store."""

from __future__ import annotations

import anyio
from anyio.abc import TaskGroup

from cloudreel.uploads.leases import Lease
from cloudreel.uploads.stores import TicketStore
from cloudreel.uploads.ticket import Ticket

SECONDS = 60.0  # after the death of a worker until another may take its upload over


class Custody:
    """Keeps the ticket of one upload in a store, and its lease while something is sent; without one, nothing.

    Args:
        store: where the ticket goes, or is.
        ticket: of the upload.
        stored: whether it is there. One that is not there any more was finished or aborted elsewhere, so
            nobody stores it again.
    """

    def __init__(self, store: TicketStore | None, ticket: Ticket, *, stored: bool) -> None:
        self._store = store
        self._stored = ticket if stored else None
        self._lease: Lease | None = None
        self._keeping: anyio.CancelScope | None = None

    async def take(self, ticket: Ticket, group: TaskGroup) -> None:
        """Store the ticket and hold its lease, by a task of the group, until `give_back`.

        Raises:
            Leased: another worker has the upload.
            UploadError: the ticket is not in the store any more; or later, in the group: the lease is lost.
        """
        await self.follow(ticket)
        await self.claim()
        if self._lease is not None:
            self._keeping = anyio.CancelScope()
            group.start_soon(_keep, self._lease, self._keeping)

    async def follow(self, ticket: Ticket) -> None:
        """Store the ticket if it is another than before."""
        if self._store is not None and ticket != self._stored:
            await self._store.save(ticket)
            self._stored = ticket

    async def claim(self) -> None:
        """Take the lease of a stored ticket, for a short while only: nobody renews it.

        Raises:
            Leased: another worker has the upload.
            UploadError: the ticket is not in the store any more.
        """
        if self._store is not None and self._stored is not None:
            self._lease = Lease(self._store, self._stored, seconds=SECONDS)
            await self._lease.take()

    async def give_back(self, *, finished: bool) -> None:
        """Let others go on with the upload, or forget it when it is finished; also while being cancelled."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await lease.release(finished=finished)


async def _keep(lease: Lease, scope: anyio.CancelScope) -> None:
    with scope:
        await lease.keep()
