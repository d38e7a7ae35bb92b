"""Where the tickets of unfinished uploads live, so that another process can go on with them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Protocol

from attrs import frozen

from cloudreel.errors import UploadError
from cloudreel.uploads.ticket import Fingerprint, Ticket


@frozen
class Claim:
    """Who may work on an upload, and how long.

    Args:
        holder: names one worker's turn at the upload.
        until: UNIX seconds; afterwards anybody may take the lease.
    """

    holder: str
    until: float


class TicketStore(Protocol):
    """Tickets by their `Ticket.key`, and a lease on each of them that only one worker has at a time.

    What is in a store is unfinished: the ticket of an upload is removed when the upload is finished or
    aborted. Tickets are secrets, since their locations are capabilities, and so is a store. Derive your own
    store from this class and write what is abstract; `Lease` does the rest.
    """

    @abstractmethod
    async def save(self, ticket: Ticket) -> None:
        """Store a ticket under its key, in place of an earlier one."""
        ...

    @abstractmethod
    async def load(self, key: str) -> Ticket | None:
        """Return a ticket, None if there is none.

        Raises:
            DecodeError: what is stored under the key is not its ticket; it is left as it is.
        """
        ...

    @abstractmethod
    async def keys(self) -> list[str]:
        """Return the keys of all tickets."""
        ...

    @abstractmethod
    async def remove(self, key: str) -> None:
        """Forget a ticket and its lease, if they are there."""
        ...

    @abstractmethod
    async def claim(self, key: str, holder: str, seconds: float) -> Claim:
        """Take the lease of an upload, unless another holder has it and it has not expired.

        Args:
            key: of the ticket.
            holder: who wants it; nobody else uses the same text.
            seconds: how long from now.

        Returns:
            The claim that holds now: this one, or that of the other holder.

        Raises:
            UploadError: there is no such ticket.
        """
        ...

    @abstractmethod
    async def renew(self, key: str, holder: str, seconds: float) -> bool:
        """Prolong a lease to so many seconds from now.

        Args:
            key: of the ticket.
            holder: who has the lease.
            seconds: how long from now.

        Returns:
            False when the holder has lost it: it expired, or the ticket was removed.
        """
        ...

    @abstractmethod
    async def release(self, key: str, holder: str) -> None:
        """Give a lease back, if the holder still has it."""
        ...

    async def tickets(self) -> list[Ticket]:
        """Return the tickets of all unfinished uploads, the oldest first.

        Raises:
            DecodeError: one of them cannot be read; `keys` and `load` give the others.
        """
        loaded = [await self.load(key) for key in await self.keys()]
        return oldest_first(ticket for ticket in loaded if ticket is not None)

    async def find(self, service: str, scope: str | None, fingerprint: Fingerprint) -> list[Ticket]:
        """Return the tickets of one source's unfinished uploads, the newest first.

        Args:
            service: as in the ticket, such as ``telestream``.
            scope: id of the factory or cloud, None without one.
            fingerprint: of the source, see `open_source`.
        """
        return [
            ticket
            for ticket in reversed(await self.tickets())
            if (ticket.service, ticket.scope) == (service, scope) and _agree(ticket.fingerprint, fingerprint)
        ]


def oldest_first(tickets: Iterable[Ticket]) -> list[Ticket]:
    """Return tickets in the order of their creation."""
    return sorted(tickets, key=lambda ticket: ticket.created)


def no_ticket(key: str) -> UploadError:
    """Return the error for an upload that a store knows nothing of."""
    return UploadError(
        f"There is no ticket {key} in the store: the upload is finished or aborted, or was never saved"
    )


def _agree(one: Fingerprint, other: Fingerprint) -> bool:
    times = {one.mtime_ns, other.mtime_ns} - {None}  # only real files have one
    return (one.size, one.sha256) == (other.size, other.sha256) and len(times) < 2
