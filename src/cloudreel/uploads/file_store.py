"""Tickets as files of a folder."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from attrs import asdict

from cloudreel.core.codec import from_json, to_json
from cloudreel.errors import DecodeError
from cloudreel.uploads.folder_lock import Busy, locked
from cloudreel.uploads.readers import in_thread
from cloudreel.uploads.stores import Claim, TicketStore, no_ticket
from cloudreel.uploads.ticket import LARGEST_TEXT, Ticket

T = TypeVar("T")

LOCK = ".lock"
PAUSE = 0.01  # seconds until a locked folder is tried again


class FileTicketStore(TicketStore):
    """Tickets as files of a folder of their own, shared by any number of processes.

    A ticket is ``<key>.json``, its lease ``<key>.lease``. They are replaced as a whole and reach the disk
    before the call returns. Folder and files are for their owner only, since who reads a ticket can
    continue the upload. Hosts may share the folder if their clocks agree and its file system has locks.

    Args:
        folder: made with the first change.
        clock: UNIX seconds, by which leases expire.
    """

    def __init__(self, folder: str | os.PathLike[str], *, clock: Callable[[], float] = time.time) -> None:
        self._folder = Path(folder)
        self._clock = clock

    def __repr__(self) -> str:
        return f"FileTicketStore({str(self._folder)!r})"

    async def save(self, ticket: Ticket) -> None:
        """Store a ticket under its key, in place of an earlier one."""
        await self._change(partial(self._write, self._ticket_path(ticket.key), ticket.to_json().encode()))

    async def load(self, key: str) -> Ticket | None:
        """Return a ticket, None if there is none.

        Raises:
            DecodeError: the file is not the key's ticket; it is left as it is.
        """
        path = self._ticket_path(key)
        text = await in_thread(partial(_read, path))
        if text is None:
            return None
        try:
            ticket = Ticket.from_json(text)
        except DecodeError as error:
            raise DecodeError(f"{str(path)!r} cannot be read. {error}; move it elsewhere") from None
        if ticket.key != key:
            raise DecodeError(f"{str(path)!r} holds the ticket of another upload; move it elsewhere")
        return ticket

    async def keys(self) -> list[str]:
        """Return the keys of all tickets.

        Raises:
            DecodeError: the folder has other files, too; they are left as they are.
        """
        keys: list[str] = []
        for name in await in_thread(partial(_names, self._folder)):
            found = re.fullmatch(r"([0-9a-f]{32})\.(json|lease)", name)
            if found is None:
                raise DecodeError(
                    f"{str(self._folder / name)!r} is no ticket; move it elsewhere, or give the "
                    "store a folder of its own"
                )
            if found[2] == "json":
                keys.append(found[1])
        return keys

    async def remove(self, key: str) -> None:
        """Forget a ticket and its lease, if they are there."""
        await self._change(partial(self._unlink, self._ticket_path(key), self._lease_path(key)))

    async def claim(self, key: str, holder: str, seconds: float) -> Claim:
        """Take the lease of an upload, unless another holder has it and it has not expired."""
        return await self._change(partial(self._claim, key, holder, seconds))

    async def renew(self, key: str, holder: str, seconds: float) -> bool:
        """Prolong a lease to so many seconds from now; return False when the holder has lost it."""
        return await self._change(partial(self._renew, key, holder, seconds))

    async def release(self, key: str, holder: str) -> None:
        """Give a lease back, if the holder still has it."""
        await self._change(partial(self._release, key, holder))

    # -- in a worker thread, one process at a time ---------------------------------------------------

    async def _change(self, change: Callable[[], T]) -> T:
        """Make a change while nobody else does; whoever is killed meanwhile gives way at once."""
        while True:
            try:
                return await in_thread(partial(self._change_locked, change))
            except Busy:
                await anyio.sleep(PAUSE)

    def _change_locked(self, change: Callable[[], T]) -> T:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._folder / LOCK):
            return change()

    def _claim(self, key: str, holder: str, seconds: float) -> Claim:
        if not self._ticket_path(key).exists():
            raise no_ticket(key)
        standing = self._standing(key)
        if standing is not None and standing.holder != holder:
            return standing
        return self._prolong(key, holder, seconds)

    def _renew(self, key: str, holder: str, seconds: float) -> bool:
        standing = self._standing(key)
        if standing is None or standing.holder != holder:
            return False
        self._prolong(key, holder, seconds)
        return True

    def _release(self, key: str, holder: str) -> None:
        standing = self._standing(key)
        if standing is not None and standing.holder == holder:
            self._unlink(self._lease_path(key))

    def _standing(self, key: str) -> Claim | None:
        """Return the claim that has not expired, if there is one."""
        path = self._lease_path(key)
        text = _read(path)
        if text is None:
            return None
        claim = _claim_of(text)
        if claim is None:
            raise DecodeError(f"{str(path)!r} is no lease; remove it once nobody works on the upload")
        return claim if self._clock() < claim.until else None

    def _prolong(self, key: str, holder: str, seconds: float) -> Claim:
        claim = Claim(holder, float(self._clock() + seconds))
        self._write(self._lease_path(key), to_json(asdict(claim)))
        return claim

    def _write(self, path: Path, content: bytes) -> None:
        draft = _draft(path)
        draft.unlink(missing_ok=True)  # of a process that was killed
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
        self._sync()

    def _unlink(self, *paths: Path) -> None:
        for path in paths:
            _draft(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        self._sync()

    def _sync(self) -> None:
        """Have the names of the files reach the disk, where the system lets one ask for it."""
        if os.name == "posix":
            descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _ticket_path(self, key: str) -> Path:
        return self._folder / f"{_checked(key)}.json"

    def _lease_path(self, key: str) -> Path:
        return self._folder / f"{_checked(key)}.lease"


def _draft(path: Path) -> Path:
    """Return where a file is written before it takes its place; names with a dot are no tickets."""
    return path.with_name(f".{path.name}")


def _checked(key: str) -> str:
    if not re.fullmatch("[0-9a-f]{32}", key):
        raise ValueError(f"{key!r} is no key of a ticket: 32 hexadecimal digits were expected")
    return key


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_TEXT + 1)
    except FileNotFoundError:
        return None


def _claim_of(text: bytes) -> Claim | None:
    try:
        value = from_json(text)
    except DecodeError:
        return None
    match value:
        case {"holder": str(holder), "until": float(until)}:
            return Claim(holder, until)
        case _:
            return None
