"""Clouds of Panda on asyncio and trio."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from cloudreel.core.call import Call
from cloudreel.core.codec import Fields
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.panda import listing, protocol
from cloudreel.panda.dicts import CreatableObject, SavableDictObject, filled
from cloudreel.panda.models import CloudFields
from cloudreel.panda.protocol import PER_PAGE, Param, Params


class AsyncClouds:
    """The clouds of the account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, cloud_id: str) -> AsyncCloud:
        """Return one cloud."""
        return AsyncCloud(self._transport, await self._transport.send(protocol.find_cloud(cloud_id)))

    async def all(self, **filters: Param) -> list[AsyncCloud]:
        """Return all clouds, or exactly one page where ``page`` or ``per_page`` is given."""
        return await listing.everything(self._page, filters)

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> AsyncPager[AsyncCloud]:
        """Return an async iterator over all clouds, which fetches them page by page."""
        return listing.pager(self._page, filters, per_page)

    async def where(self, predicate: Callable[[AsyncCloud], object]) -> list[AsyncCloud]:
        """Fetch all clouds and return those of which ``predicate`` holds."""
        return [cloud for cloud in await self.all() if predicate(cloud)]

    def new(self, **fields: Param) -> AsyncCloud:
        """Return a cloud with these fields, of which only `AsyncCloud.create` tells the service."""
        return filled(AsyncCloud(self._transport, CloudFields()), fields)

    async def create(self, **fields: Param) -> AsyncCloud:
        """Create a cloud.

        Args:
            fields: ``name``, ``s3_videos_bucket``, ``aws_access_key``, ``aws_secret_key``, ``priority``.
        """
        return AsyncCloud(self._transport, await self._transport.send(protocol.create_cloud(fields)))

    async def _page(self, filters: Params) -> list[AsyncCloud]:
        records = await self._transport.send(protocol.list_clouds(filters))
        return [AsyncCloud(self._transport, record) for record in records]


class AsyncCloud(SavableDictObject, CreatableObject, CloudFields):
    """A cloud, to which videos, encodings and profiles belong; assign fields and `save`."""

    _kind: ClassVar[str] = "Cloud"
    _fields: ClassVar[type[Fields]] = CloudFields
    _made: ClassVar[frozenset[str]] = frozenset({"id", "url", "created_at", "updated_at"})

    async def delete(self) -> bool:
        """Ask the service to delete the cloud, which Panda refuses with `NotFoundError`."""
        return await self._transport.send(protocol.delete_cloud(self._id()))

    def _find(self) -> Call[CloudFields]:
        return protocol.find_cloud(self._id())

    def _update(self, params: Params) -> Call[CloudFields]:
        return protocol.update_cloud(self._id(), params)

    async def _create(self, params: Params) -> CloudFields:
        return await self._transport.send(protocol.create_cloud(params))
