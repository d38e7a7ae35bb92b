"""The right to work on a stored upload, which one worker has at a time."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from datetime import UTC, datetime
from typing import NoReturn

import anyio

from cloudreel.core import redact
from cloudreel.errors import CloudReelError, UploadError
from cloudreel.uploads.stores import TicketStore
from cloudreel.uploads.ticket import Ticket

RENEWALS = 3  # within the length of a lease
TRIES = 20  # of a renewal within that length, while the store fails
PATIENCE = 5.0  # seconds for giving a lease back

log = logging.getLogger("cloudreel")


class Leased(UploadError):
    """Another worker has the upload; ``holder`` says who, ``until`` (UNIX seconds) how long at least."""

    holder: str
    until: float


class Lease:
    """One worker's right to an upload in a store.

    `take` it, run `keep` in a task beside the upload, and `release` it. It ends by itself some time after
    its worker has died, and then another may take it.

    Args:
        store: where the ticket is.
        ticket: of the upload.
        name: of the worker, for the others; by default its host and process.
        seconds: how long the lease outlives its worker; it is renewed three times as often.
    """

    def __init__(
        self, store: TicketStore, ticket: Ticket, *, name: str | None = None, seconds: float = 60.0
    ) -> None:
        if seconds <= 0:
            raise ValueError(f"seconds must be more than 0, not {seconds}")
        self.store = store
        self.key = ticket.key
        # Two sessions of one process are two holders.
        self.holder = f"{name or f'{socket.gethostname()}, process {os.getpid()}'}, {secrets.token_hex(4)}"
        self._file_name = ticket.file_name
        self._seconds = seconds
        self._ends = 0.0  # by this process's clock, never later than by the store's

    async def take(self) -> None:
        """Take the lease, or take it anew.

        Raises:
            Leased: another worker has it.
            UploadError: the ticket is not in the store any more.
        """
        begun = anyio.current_time()
        claim = await self.store.claim(self.key, self.holder, self._seconds)
        if claim.holder != self.holder:
            moment = datetime.fromtimestamp(claim.until, UTC).isoformat(sep=" ", timespec="seconds")
            raise Leased(
                f"The upload of {self._file_name!r} is in the hands of {claim.holder}, at least until "
                f"{moment}; try again later",
                holder=claim.holder,
                until=claim.until,
            )
        self._ends = begun + self._seconds

    async def keep(self) -> NoReturn:
        """Renew the lease until this is cancelled.

        Raises:
            UploadError: the lease is lost; nothing more may be sent.
        """
        while True:
            await anyio.sleep(self._seconds / RENEWALS)
            await self._renew()

    async def release(self, *, finished: bool = False) -> None:
        """Let others go on with the upload, or forget it when it is finished; also while being cancelled.

        What the store fails to do is logged and not raised: the lease expires by itself, and who goes on
        with a finished upload learns from the service that nothing is missing.
        """
        try:
            with anyio.CancelScope(shield=True), anyio.fail_after(PATIENCE):
                if finished:
                    await self.store.remove(self.key)
                else:
                    await self.store.release(self.key, self.holder)
        except (OSError, CloudReelError) as error:  # a TimeoutError is an OSError
            what = "ticket" if finished else "lease"
            log.warning(
                "The %s of the upload of %r remains in %r: %s",
                what,
                self._file_name,
                self.store,
                redact.line(str(error)) or type(error).__name__,
            )

    async def _renew(self) -> None:
        failure: Exception | None = None
        with anyio.CancelScope(deadline=self._ends):
            while True:
                begun = anyio.current_time()
                try:
                    renewed = await self.store.renew(self.key, self.holder, self._seconds)
                except (OSError, CloudReelError) as error:
                    failure = error
                    await anyio.sleep(self._seconds / TRIES)
                    continue
                if not renewed:
                    raise self._lost("it expired, or the upload was finished or aborted elsewhere")
                self._ends = begun + self._seconds
                return
        raise self._lost("it could not be renewed in time") from failure

    def _lost(self, how: str) -> UploadError:
        return UploadError(
            f"The lease of the upload of {self._file_name!r} is lost: {how}. Nothing more is sent, since "
            "another worker may go on; resume() takes the lease again if it can"
        )

    def __repr__(self) -> str:
        return f"<Lease of {self._file_name!r} by {self.holder}>"
