"""The smaller objects of an account on asyncio and trio: users, settings, farms."""

from __future__ import annotations

from collections.abc import Sequence

from cloudreel.cloudkey import protocol
from cloudreel.cloudkey.models import (
    FarmNode,
    FarmNodes,
    Item,
    Items,
    Names,
    UserFields,
    UserInfo,
    UserList,
    UserPage,
)
from cloudreel.cloudkey.remote import Remote
from cloudreel.core.call import JSON


class AsyncUser(Remote):
    """Users. What the account may not do is refused with `AuthenticationError`."""

    async def info(self, *, id: str | None = None, fields: Sequence[str] | None = None) -> UserInfo:
        """Return what is known of a user.

        Args:
            id: of the user; None for the caller, or whom the client acts as.
            fields: such as ``id``, ``username``, ``email``, ``permissions``.
        """
        return await self._transport.send(protocol.user_info(id=id, fields=fields))

    async def whoami(self) -> UserInfo:
        """Return id and username of the caller, or whom the client acts as; `info` gives more."""
        return await self._transport.send(protocol.user_whoami())

    async def create(self, *, username: str, password: str) -> str:
        """Create a user and return its id; root accounts only.

        Raises:
            Exists: there is a user of this name.
        """
        return await self._transport.send(protocol.user_create(username=username, password=password))

    async def delete(self, *, id: str) -> None:
        """Delete a user; root accounts only."""
        await self._transport.send(protocol.user_delete(id=id))

    async def list(self) -> UserList:
        """Return all users; root accounts only."""
        return await self._transport.send(protocol.user_list())

    async def set(self, *, id: str | None, fields: UserFields) -> JSON:
        """Change a user, or create one.

        Args:
            id: of the user, None to create one.
            fields: ``org_id``, ``username``, ``password``, ``email``.
        """
        return await self._transport.send(protocol.user_set(id=id, fields=fields))

    async def search(
        self,
        *,
        org_id: str | None = None,
        fields: Sequence[str] | None = None,
        page: int | None = None,
        per_page: int | None = None,
    ) -> UserPage:
        """Return a page of the users of an organisation.

        Args:
            org_id: id of the organisation.
            fields: what to return of each.
            page: counts from 1, which is the default.
            per_page: users of a page.
        """
        return await self._transport.send(
            protocol.user_search(org_id=org_id, fields=fields, page=page, per_page=per_page)
        )


class AsyncSystem(Remote):
    """The account as a whole."""

    async def reset(self, *, object: str) -> None:
        """Delete everything of one kind.

        Args:
            object: the kind; ``"media"`` is the only one known.
        """
        await self._transport.send(protocol.system_reset(object=object))


class AsyncOrganisation(Remote):
    """The organisation that the account belongs to."""

    async def get(self) -> Item:
        """Return the organisation."""
        return await self._transport.send(protocol.organisation_get())


class AsyncPlayerPreset(Remote):
    """Presets of the player."""

    async def list(self) -> Items:
        """Return all presets."""
        return await self._transport.send(protocol.player_preset_list())


class AsyncEncodingSettings(Remote):
    """Which assets are made, and how."""

    async def enable_asset(self, *, asset: str) -> None:
        """Have an asset made; doing so twice is the same as once."""
        await self._transport.send(protocol.encoding_enable_asset(asset=asset))

    async def disable_asset(self, *, asset: str) -> None:
        """Have an asset no longer made."""
        await self._transport.send(protocol.encoding_disable_asset(asset=asset))

    async def get_active_assets(self) -> Names:
        """Return the names of the assets that are made, in the order of enabling."""
        return await self._transport.send(protocol.encoding_get_active_assets())

    async def set_asset_setting(self, *, asset: str, setting: str, value: str) -> None:
        """Set one setting of an asset.

        Args:
            asset: such as ``"mp4_h264_aac"``.
            setting: such as ``"vbitrate"``, ``"abitrate"``.
            value: as text.
        """
        await self._transport.send(
            protocol.encoding_set_asset_setting(asset=asset, setting=setting, value=value)
        )

    async def get_asset_setting(self, *, asset: str, setting: str) -> JSON:
        """Return one setting of an asset, as it was written."""
        return await self._transport.send(protocol.encoding_get_asset_setting(asset=asset, setting=setting))

    async def reset(self) -> None:
        """Forget all settings; no asset is active afterwards."""
        await self._transport.send(protocol.encoding_reset())


class AsyncFarm(Remote):
    """Farms of nodes. The service ran them at an address of their own, with credentials of their own."""

    async def add_node(
        self,
        *,
        name: str,
        node: str,
        weight: int | None = None,
        enabled: bool | None = None,
        comment: str | None = None,
    ) -> None:
        """Add a node to a farm, or change it.

        Args:
            name: of the farm.
            node: its name.
            weight: its share of the work, 1 where none is given.
            enabled: whether it takes part; the service's default is not to.
            comment: free text.
        """
        await self._transport.send(
            protocol.farm_add_node(name=name, node=node, weight=weight, enabled=enabled, comment=comment)
        )

    async def get_node(self, *, name: str, node: str) -> FarmNode:
        """Return one node of a farm.

        Raises:
            NotFound: there is no such node.
        """
        return await self._transport.send(protocol.farm_get_node(name=name, node=node))

    async def list_node(self, *, name: str) -> FarmNodes:
        """Return all nodes of a farm."""
        return await self._transport.send(protocol.farm_list_node(name=name))

    async def select_node(self, *, name: str, content: str) -> FarmNode:
        """Return the node of a farm that takes some content, always the same one for the same content."""
        return await self._transport.send(protocol.farm_select_node(name=name, content=content))

    async def remove(self, *, name: str) -> None:
        """Remove a farm, whether it is there or not."""
        await self._transport.send(protocol.farm_remove(name=name))
