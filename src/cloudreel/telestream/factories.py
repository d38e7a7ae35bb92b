"""Factories of Telestream Cloud on asyncio and trio, and the uploads into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from attrs import evolve

from cloudreel.core.call import JSON
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.panda import listing
from cloudreel.panda import protocol as family
from cloudreel.panda.objects import ChangeableObject
from cloudreel.panda.protocol import HmacSigner, Param, Params
from cloudreel.telestream import protocol
from cloudreel.telestream.errors import FAMILY
from cloudreel.telestream.models import FactoryFields
from cloudreel.telestream.profiles import AsyncProfiles
from cloudreel.telestream.videos import AsyncEncodings, AsyncVideos


def scoped(transport: Transport, factory_id: str) -> Transport:
    """Return the transport whose calls are about one factory; the one given stays as it is."""
    signer = transport.service.sign
    assert isinstance(signer, HmacSigner)
    return transport.for_service(evolve(transport.service, sign=evolve(signer, factory_id=factory_id)))


class AsyncFactories:
    """The factories of the account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, factory_id: str) -> AsyncFactory:
        """Return one factory."""
        return AsyncFactory(self._transport, await self._transport.send(protocol.find_factory(factory_id)))

    async def all(self, **filters: Param) -> list[AsyncFactory]:
        """Return all factories; the service gives them in one page."""
        return await self._page(filters)

    def iterate(self, **filters: Param) -> AsyncPager[AsyncFactory]:
        """Return an async iterator over all factories."""
        return listing.single_page(self._page, filters)

    async def _page(self, filters: Params) -> list[AsyncFactory]:
        records = await self._transport.send(protocol.list_factories(filters))
        return [AsyncFactory(self._transport, record) for record in records]

    async def create(self, **params: Param) -> AsyncFactory:
        """Create a factory.

        Args:
            params: ``name``, ``s3_videos_bucket`` and any other field of a factory.
        """
        return AsyncFactory(self._transport, await self._transport.send(protocol.create_factory(params)))

    async def delete(self, factory_id: str) -> None:
        """Ask the service to delete a factory, which Telestream v3.0 refuses with `NotFoundError`."""
        await self._transport.send(protocol.delete_factory(factory_id))


class AsyncFactory(ChangeableObject, FactoryFields):
    """A factory, to which videos, encodings and profiles belong; assign fields and `save`."""

    _kind: ClassVar[str] = "Factory"
    _errors: ClassVar[ErrorFamily] = FAMILY

    def __init__(self, transport: Transport, record: FactoryFields) -> None:
        super().__init__(record)
        self._transport = scoped(transport, self._id())

    @property
    def videos(self) -> AsyncVideos:
        """The factory's videos."""
        return AsyncVideos(self._transport)

    @property
    def encodings(self) -> AsyncEncodings:
        """The encodings of all videos of the factory."""
        return AsyncEncodings(self._transport)

    @property
    def profiles(self) -> AsyncProfiles:
        """The factory's profiles."""
        return AsyncProfiles(self._transport)

    async def save(self) -> None:
        """Send the fields that were assigned, and take over the service's answer."""
        if sent := self._changed():
            self._saved(sent, await self._transport.send(protocol.update_factory(self._id(), sent)))

    async def reload(self) -> None:
        """Fetch the factory again; what was assigned and not saved is forgotten."""
        self._reloaded(await self._transport.send(protocol.find_factory(self._id())))

    async def get_notifications(self) -> dict[str, JSON]:
        """Return the notification settings: ``url``, ``delay``, ``send_video_payload``, ``events``."""
        return await self._transport.send(family.get_notifications())

    async def update_notifications(self, conf: Mapping[str, Param]) -> dict[str, JSON]:
        """Change the notification settings given, keep the others, and return them all.

        Args:
            conf: any of ``url``, ``delay`` (seconds), ``send_video_payload`` and ``events``, a mapping
                of event name to bool; it is not modified.
        """
        return await self._transport.send(family.update_notifications(conf))
