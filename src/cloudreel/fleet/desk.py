"""The clients of one worker process, opened when they are first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cloudreel.core.options import SharedLimit
from cloudreel.errors import CloudReelError
from cloudreel.fleet.values import Service
from cloudreel.flixcloud import AsyncFlixCloud
from cloudreel.panda import AsyncPanda
from cloudreel.telestream import AsyncFactory, AsyncTelestream

Place: TypeAlias = AsyncFactory | AsyncPanda
"""Where videos go: a factory of Telestream, or Panda with one of its clouds."""


class Desk:
    """Hands out factories and clouds, over one client for each service.

    Args:
        telestream: makes the client of Telestream.
        panda: makes the client of Panda.
        flixcloud: makes the client of Flix Cloud.
        limit: what all workers share, None for nothing.
    """

    def __init__(
        self,
        telestream: Callable[[], AsyncTelestream],
        panda: Callable[[], AsyncPanda],
        flixcloud: Callable[[], AsyncFlixCloud],
        limit: SharedLimit | None,
    ) -> None:
        self._make_telestream = telestream
        self._make_panda = panda
        self._make_flixcloud = flixcloud
        self._limit = limit
        self._telestream: AsyncTelestream | None = None
        self._panda: AsyncPanda | None = None
        self._flixcloud: AsyncFlixCloud | None = None
        self._factories: dict[str, AsyncFactory] = {}

    async def place(self, service: Service, scope: str | None) -> Place:
        """Return a factory or a cloud.

        Args:
            service: where it is.
            scope: its id, None for the one that the client was made with.

        Raises:
            CloudReelError: there is no such service; or no scope is known.
        """
        match service:
            case "telestream":
                return await self._factory(scope)
            case "panda":
                return self._cloud(scope)

    def flixcloud(self) -> AsyncFlixCloud:
        """Return Flix Cloud."""
        if self._flixcloud is None:
            self._flixcloud = self._make_flixcloud()
        return self._flixcloud.with_options(shared_limit=self._limit)

    async def close(self) -> None:
        """Close the clients."""
        for client in (self._telestream, self._panda, self._flixcloud):
            if client is not None:
                await client.close()
        self._telestream = self._panda = self._flixcloud = None
        self._factories.clear()

    async def _factory(self, scope: str | None) -> AsyncFactory:
        if self._telestream is None:
            self._telestream = self._make_telestream()
        factory_id = scope or self._telestream.factory_id
        if factory_id is None:
            raise CloudReelError("No factory is known: give scope=, or a client with a factory_id")
        if factory_id not in self._factories:
            limited = self._telestream.with_options(shared_limit=self._limit)
            self._factories[factory_id] = await limited.flip.factories.find(factory_id)
        return self._factories[factory_id]

    def _cloud(self, scope: str | None) -> AsyncPanda:
        if self._panda is None:
            self._panda = self._make_panda()
        limited = self._panda.with_options(shared_limit=self._limit)
        return limited if scope is None else limited.for_cloud(scope)
