"""Profiles of Telestream Cloud on asyncio and trio."""

from __future__ import annotations

from typing import ClassVar

from cloudreel.core.call import Call
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.panda import listing
from cloudreel.panda import protocol as family
from cloudreel.panda.models import ProfileFields
from cloudreel.panda.protocol import PER_PAGE, Param, Params
from cloudreel.telestream.errors import FAMILY
from cloudreel.telestream.objects import ChangeableObject


class AsyncProfiles:
    """The profiles of one factory."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, id_or_name: str) -> AsyncProfile:
        """Return one profile, by id or by name."""
        return AsyncProfile(self._transport, await self._transport.send(family.find_profile(id_or_name)))

    async def all(self, **filters: Param) -> list[AsyncProfile]:
        """Return all profiles, or exactly one page where ``page`` or ``per_page`` is given."""
        return await listing.everything(self._page, filters)

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> AsyncPager[AsyncProfile]:
        """Return an async iterator over all profiles, which fetches them page by page."""
        return listing.pager(self._page, filters, per_page)

    async def _page(self, filters: Params) -> list[AsyncProfile]:
        records = await self._transport.send(family.list_profiles(filters))
        return [AsyncProfile(self._transport, record) for record in records]

    async def create(self, **params: Param) -> AsyncProfile:
        """Create a profile.

        Args:
            params: ``preset_name``, or ``command`` and ``extname``; and any other field of a profile.
        """
        return AsyncProfile(self._transport, await self._transport.send(family.create_profile(params)))

    async def delete(self, profile_id: str) -> bool:
        """Delete a profile; return whether the service says it did."""
        return await self._transport.send(family.delete_profile(profile_id))


class AsyncProfile(ChangeableObject, ProfileFields):
    """How to encode; assign fields and `save`."""

    _kind: ClassVar[str] = "Profile"
    _errors: ClassVar[ErrorFamily] = FAMILY

    async def delete(self) -> bool:
        """Delete the profile; return whether the service says it did."""
        return await self._transport.send(family.delete_profile(self._id()))

    def _find(self) -> Call[ProfileFields]:
        return family.find_profile(self._id())

    def _update(self, params: Params) -> Call[ProfileFields]:
        return family.update_profile(self._id(), params)
