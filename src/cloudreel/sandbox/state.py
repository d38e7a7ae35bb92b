"""The sandbox's world: its clock, its memory, and everything the services share."""

from __future__ import annotations

import secrets
import time
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from cloudreel.sandbox.cloudkey.maker import AssetMaker
from cloudreel.sandbox.cloudkey.users import furnish_account
from cloudreel.sandbox.encode import Encoder
from cloudreel.sandbox.faults import FaultPlan, skew
from cloudreel.sandbox.flixcloud.account import new_api_key
from cloudreel.sandbox.flixcloud.runner import JobRunner
from cloudreel.sandbox.media import Transcoder
from cloudreel.sandbox.net import Net
from cloudreel.sandbox.notify import Notifier
from cloudreel.sandbox.scopes import furnish
from cloudreel.sandbox.snapshot import snapshot
from cloudreel.sandbox.store import Document, Store

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

__all__ = ["Clock", "World"]

_REMEMBERED_REQUESTS = 10_000


class Clock:
    """The wall clock, shifted by an offset that survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = float((store.setting("clock") or {"offset": 0.0})["offset"])

    def now(self) -> float:
        """Return the sandbox's time as epoch seconds; a request may be answered with a skewed clock."""
        return time.time() + self._offset + skew.get()

    def advance(self, seconds: float) -> None:
        """Move the clock by some seconds, back if they are negative."""
        self._offset += seconds
        self._store.set_setting("clock", {"offset": self._offset})

    def set(self, epoch_seconds: float) -> None:
        """Let the clock show this time now, and run on from there."""
        self.advance(epoch_seconds - self.now())


class World:
    """What the services share. Make one with :meth:`open`; it works while :meth:`running` is entered.

    ``base_url`` is where the sandbox is reached; whoever serves it sets it before the first request.
    """

    def __init__(
        self,
        store: Store,
        *,
        part_size: int,
        max_connections: int,
        strict: bool,
        file_size_limit: int | None,
        retry_gap: float,
        progress_gap: float,
        fetch_anywhere: bool,
        map: Mapping[str, Path],
        asnums: Mapping[str, str],
        countries: Mapping[str, str],
    ) -> None:
        self.store = store
        self.part_size = part_size
        self.max_connections = max_connections
        self.strict = strict
        self.file_size_limit = file_size_limit
        self.progress_gap = progress_gap
        self.base_url = "http://sandbox.local"
        self.asnums = asnums
        self.countries = countries
        self.clock = Clock(store)
        self.faults = FaultPlan()
        self.requests: deque[Document] = deque(maxlen=_REMEMBERED_REQUESTS)
        self.net = Net(anywhere=fetch_anywhere, map=map, size_limit=file_size_limit)
        self.transcoder = Transcoder(store.folder("work"))
        self.notifier = Notifier(self, retry_gap=retry_gap)
        self.encoder = Encoder(self)
        self.assets = AssetMaker(self)
        self.flixcloud = JobRunner(self)
        self.credentials = self._credentials()
        with store.together():
            self._furnish()

    @classmethod
    def open(
        cls,
        data: Path,
        *,
        part_size: int = 5 * 2**20,
        max_connections: int = 16,
        strict: bool = True,
        file_size_limit: int | None = None,
        retry_gap: float = 1.0,
        progress_gap: float = 10.0,
        fetch_anywhere: bool = False,
        map: Mapping[str, Path] | None = None,
        asnums: Mapping[str, str] | None = None,
        countries: Mapping[str, str] | None = None,
    ) -> Self:
        """Open the world kept in a data directory; an empty one is furnished with credentials.

        Args:
            part_size: bytes of one part of a multi-chunk upload.
            max_connections: the limit such an upload announces.
            strict: refuse wrong, expired and repeated signatures.
            file_size_limit: bytes a source may have; None for any number.
            retry_gap: seconds before an unacknowledged notification is sent again; it doubles.
            progress_gap: seconds between two progress notifications of an encoding.
            fetch_anywhere: let ``source_url`` name hosts other than this machine.
            map: URL prefixes (http, ftp, s3) that are served from files.
            asnums: AS numbers of viewers by IP address.
            countries: country codes of viewers by IP address.
        """
        return cls(
            Store(data),
            part_size=part_size,
            max_connections=max_connections,
            strict=strict,
            file_size_limit=file_size_limit,
            retry_gap=retry_gap,
            progress_gap=progress_gap,
            fetch_anywhere=fetch_anywhere,
            map=map or {},
            asnums=asnums or {},
            countries=countries or {},
        )

    def close(self) -> None:
        """Close the database; call it after :meth:`running` has ended."""
        self.store.close()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Encode and notify in the background; what is unfinished on exit waits for the next start."""
        async with self.net.open(), anyio.create_task_group() as tasks:
            self.notifier.start(tasks)
            self.encoder.start(tasks)
            self.assets.start(tasks)
            self.flixcloud.start(tasks)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()

    async def reset(self) -> None:
        """Forget everything but the credentials, and set the clock right."""
        await self.encoder.stop_all()
        await self.assets.stop_all()
        await self.flixcloud.stop_all()
        await self.notifier.stop_all()
        await to_thread.run_sync(self.store.clear)
        self.clock.advance(time.time() - self.clock.now())
        self.faults.clear()
        self.requests.clear()
        with self.store.together():
            self._furnish()

    @property
    def config(self) -> dict[str, object]:
        """What a client needs to know, service by service."""
        parts = urlsplit(self.base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address: dict[str, object] = {"api_host": parts.hostname, "api_port": port}
        return {
            "base_url": self.base_url,
            "telestream": {**address, "api_version": "3.0", **self.credentials["telestream"]},
            "panda": {**address, **self.credentials["panda"]},
            "cloudkey": {
                "base_url": self.base_url,
                "cdn_url": self.base_url,
                **self.credentials["cloudkey"],
            },
            "cloudkey_root": self.credentials["cloudkey_root"],
            "cloudkey_rest": {"base_url": self.base_url, **self.credentials["cloudkey_rest"]},
            "cloudkey_rest_root": self.credentials["cloudkey_rest_root"],
            "flixcloud": {"base_url": self.base_url, **self.credentials["flixcloud"]},
        }

    def snapshot(self) -> dict[str, list[Document]]:
        """Return all that is known; may read whole files, so call it off the event loop."""
        return snapshot(self)

    def _credentials(self) -> dict[str, dict[str, str]]:
        """Return what the data directory holds, with new ones for services that are new to it."""
        kept = self.store.setting("credentials") or {}
        credentials = {
            "telestream": {
                "access_key": secrets.token_hex(10),
                "secret_key": secrets.token_hex(20),
                "factory_id": secrets.token_hex(16),
            },
            "panda": {
                "access_key": secrets.token_hex(10),
                "secret_key": secrets.token_hex(20),
                "cloud_id": secrets.token_hex(16),
            },
            "cloudkey": {"user_id": secrets.token_hex(12), "api_key": secrets.token_hex(20)},
            "cloudkey_root": {"user_id": secrets.token_hex(12), "api_key": secrets.token_hex(20)},
            "cloudkey_rest": {"username": "user", "password": secrets.token_hex(10)},
            "cloudkey_rest_root": {"username": "root", "password": secrets.token_hex(10)},
            "flixcloud": {"api_key": new_api_key()},
            **kept,
        }
        if credentials != kept:
            self.store.set_setting("credentials", credentials)
        return credentials

    def _furnish(self) -> None:
        for service, kind in (("telestream", "factory"), ("panda", "cloud")):
            id = self.credentials[service][f"{kind}_id"]
            if self.store.get(kind, id) is None:
                furnish(self, kind, id, {"name": "main"})
        for level in ("", "_root"):
            key, login = self.credentials[f"cloudkey{level}"], self.credentials[f"cloudkey_rest{level}"]
            if self.store.get("account", key["user_id"]) is None:
                furnish_account(self, key["user_id"], api_key=key["api_key"], is_root=bool(level), **login)
