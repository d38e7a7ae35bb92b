"""The notification settings of a Panda cloud on asyncio and trio."""

from __future__ import annotations

from typing import ClassVar

from cloudreel.core.call import Call
from cloudreel.core.codec import Fields
from cloudreel.core.transport import Transport
from cloudreel.panda import protocol
from cloudreel.panda.dicts import SavableDictObject
from cloudreel.panda.models import NotificationsFields
from cloudreel.panda.protocol import Params


class AsyncNotificationSettings:
    """Where the notification settings of one cloud are got."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self) -> AsyncNotifications:
        """Return the settings."""
        return AsyncNotifications(self._transport, await self._transport.send(protocol.get_notifications()))


class AsyncNotifications(SavableDictObject, NotificationsFields):
    """Where and of what a cloud tells; assign ``url``, ``delay`` (seconds) or ``events`` and `save`.

    Of events, `save` sends those that stand in the mapping; the service keeps the others.
    """

    _kind: ClassVar[str] = "Notifications"
    _fields: ClassVar[type[Fields]] = NotificationsFields

    def __str__(self) -> str:
        return self._kind

    def _find(self) -> Call[NotificationsFields]:
        return protocol.get_notifications()

    def _update(self, params: Params) -> Call[NotificationsFields]:
        return protocol.update_notifications(params)
