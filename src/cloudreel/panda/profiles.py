"""Profiles of Panda on asyncio and trio."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from cloudreel.core.call import Call
from cloudreel.core.codec import Fields
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.panda import listing, protocol
from cloudreel.panda.dicts import CreatableObject, SavableDictObject, filled
from cloudreel.panda.models import ProfileFields
from cloudreel.panda.protocol import PER_PAGE, Param, Params


class AsyncProfiles:
    """The profiles of one cloud."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, id_or_name: str) -> AsyncProfile:
        """Return one profile, by id or by name."""
        return AsyncProfile(self._transport, await self._transport.send(protocol.find_profile(id_or_name)))

    async def all(self, **filters: Param) -> list[AsyncProfile]:
        """Return all profiles, or exactly one page where ``page`` or ``per_page`` is given."""
        return await listing.everything(self._page, filters)

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> AsyncPager[AsyncProfile]:
        """Return an async iterator over all profiles, which fetches them page by page."""
        return listing.pager(self._page, filters, per_page)

    async def where(self, predicate: Callable[[AsyncProfile], object]) -> list[AsyncProfile]:
        """Fetch all profiles and return those of which ``predicate`` holds."""
        return [profile for profile in await self.all() if predicate(profile)]

    def new(self, **fields: Param) -> AsyncProfile:
        """Return a profile with these fields, of which only `AsyncProfile.create` tells the service."""
        return filled(AsyncProfile(self._transport, ProfileFields()), fields)

    async def create(self, **fields: Param) -> AsyncProfile:
        """Create a profile.

        Args:
            fields: ``preset_name``, or ``command`` and ``extname``; and any other field of a profile.
        """
        return AsyncProfile(self._transport, await self._transport.send(protocol.create_profile(fields)))

    async def _page(self, filters: Params) -> list[AsyncProfile]:
        records = await self._transport.send(protocol.list_profiles(filters))
        return [AsyncProfile(self._transport, record) for record in records]


class AsyncProfile(SavableDictObject, CreatableObject, ProfileFields):
    """How to encode; assign fields and `save`."""

    _kind: ClassVar[str] = "Profile"
    _fields: ClassVar[type[Fields]] = ProfileFields
    _made: ClassVar[frozenset[str]] = frozenset({"id", "created_at", "updated_at"})

    async def delete(self) -> bool:
        """Delete the profile; return whether the service says it did."""
        return await self._transport.send(protocol.delete_profile(self._id()))

    def _find(self) -> Call[ProfileFields]:
        return protocol.find_profile(self._id())

    def _update(self, params: Params) -> Call[ProfileFields]:
        return protocol.update_profile(self._id(), params)

    async def _create(self, params: Params) -> ProfileFields:
        return await self._transport.send(protocol.create_profile(params))
