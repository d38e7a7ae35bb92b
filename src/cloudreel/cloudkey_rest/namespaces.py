"""The namespaces ``user``, ``file`` and ``farm`` on asyncio and trio, and what all of them share."""

from __future__ import annotations

from copy import copy
from typing import ClassVar

from cloudreel.cloudkey.models import FarmNode, FarmNodes, Names, UploadedFile, UploadTarget
from cloudreel.cloudkey.uploading import upload_file
from cloudreel.cloudkey_rest import protocol
from cloudreel.cloudkey_rest.accounts import Accounts
from cloudreel.cloudkey_rest.models import Account, Scalar
from cloudreel.core.call import JSON
from cloudreel.core.transport import Transport
from cloudreel.uploads.session import ProgressCallback
from cloudreel.uploads.sources import SourceLike


class AsyncRemoteMethod:
    """A remote method that is not written down here; call it with named arguments."""

    def __init__(self, transport: Transport, namespace: str, name: str) -> None:
        self._transport = transport
        self._namespace = namespace
        self._name = name

    async def __call__(self, /, **args: object) -> JSON:
        """Call the method and return what it answers, None for an empty answer.

        Args:
            args: text, numbers, booleans, None, lists and mappings.

        Raises:
            InvalidMethod: the service has no such method.
        """
        return await self._transport.send(protocol.any_call(self._namespace, self._name, args))

    def __repr__(self) -> str:
        return f"<{protocol.path_of(self._namespace, self._name)}>"


class Namespace:
    """The methods of one namespace; those that are not written down are attributes, too.

    ``a__b`` is the method ``b`` of the namespace ``a``, whichever namespace it is asked of.
    """

    _name: ClassVar[str]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> AsyncRemoteMethod:
        """Return a remote method by its name."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return AsyncRemoteMethod(self._transport, self._name, name)

    def __repr__(self) -> str:
        return f"<Namespace {self._name}>"


class AsyncUser(Namespace):
    """The account, and which presets its media are encoded to."""

    _name: ClassVar[str] = "user"

    def __init__(self, transport: Transport, accounts: Accounts) -> None:
        super().__init__(transport)
        self._accounts = accounts

    async def whoami(self) -> Account:
        """Return the account that calls run as: ``id``, ``username``, and ``api_key`` where it is told.

        It is asked for once, and again after `AsyncCloudKeyRest.act_as_user`.
        """
        return copy(await self._accounts.current())

    async def enable_asset(self, *, asset: str) -> None:
        """Add a preset, such as ``flv_h263_mp3``, to those that media are encoded to."""
        await self._transport.send(protocol.user_enable_asset(asset=asset))

    async def disable_asset(self, *, asset: str) -> None:
        """Take a preset from those that media are encoded to."""
        await self._transport.send(protocol.user_disable_asset(asset=asset))

    async def get_active_assets(self) -> Names:
        """Return the presets that media are encoded to, in the order in which they were enabled."""
        return await self._transport.send(protocol.user_get_active_assets())

    async def set_asset_setting(self, *, asset: str, setting: str, value: Scalar) -> None:
        """Write a setting of a preset.

        Args:
            asset: the preset.
            setting: such as ``vbitrate`` or ``abitrate``.
            value: what it is to be; it is kept as text.
        """
        await self._transport.send(protocol.user_set_asset_setting(asset=asset, setting=setting, value=value))

    async def get_asset_setting(self, *, asset: str, setting: str) -> str:
        """Return a setting of a preset as it was written."""
        return await self._transport.send(protocol.user_get_asset_setting(asset=asset, setting=setting))

    async def reset_encoding_settings(self) -> None:
        """Forget which presets are enabled, and all their settings."""
        await self._transport.send(protocol.user_reset_encoding_settings())


class AsyncFile(Namespace):
    """Files that the service holds until `AsyncMedia.publish` or `AsyncMedia.set_asset` takes them."""

    _name: ClassVar[str] = "file"

    async def upload(self, *, target: str | None = None) -> UploadTarget:
        """Return an address that takes one file, for a browser's form or another client.

        The file goes there as the field ``file`` of a multipart form.

        Args:
            target: where the browser is sent afterwards, with ``url`` and ``name`` in the query.
        """
        return await self._transport.send(protocol.file_upload(target=target))

    async def upload_file(self, source: SourceLike, progress: ProgressCallback | None = None) -> UploadedFile:
        """Upload a file and return what the service holds; its ``url`` is what `AsyncMedia.publish` takes.

        It is sent as it is read, in one request, and begun again if that breaks off.

        Args:
            source: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            progress: called with a `Progress` as the upload goes on; may be async.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the file is empty; nothing was sent.
        """

        async def ask_url() -> str:
            return (await self.upload())["url"]

        return await upload_file(self._transport, source, ask_url, progress)


class AsyncFarm(Namespace):
    """Farms of nodes, among which contents are divided."""

    _name: ClassVar[str] = "farm"

    async def add_node(
        self,
        *,
        name: str,
        node: str,
        weight: int | None = None,
        enabled: bool | None = None,
        comment: str | None = None,
    ) -> None:
        """Add a node to a farm, or update it.

        Args:
            name: the farm.
            node: the node.
            weight: its share of the contents, 1 where none is given.
            enabled: whether it takes contents; a new one does not.
            comment: any text.
        """
        await self._transport.send(
            protocol.farm_add_node(name=name, node=node, weight=weight, enabled=enabled, comment=comment)
        )

    async def get_node(self, *, name: str, node: str) -> FarmNode:
        """Return a node of the farm ``name``: ``name`` (the node's), ``weight``, ``enabled``, ``comment``.

        Raises:
            NotFound: the farm has no such node.
        """
        return await self._transport.send(protocol.farm_get_node(name=name, node=node))

    async def list_node(self, *, name: str) -> FarmNodes:
        """Return all nodes of the farm ``name``."""
        return await self._transport.send(protocol.farm_list_node(name=name))

    async def select_node(self, *, name: str, content: str) -> JSON:
        """Return the node of the farm ``name`` that a content belongs to, the same each time."""
        return await self._transport.send(protocol.farm_select_node(name=name, content=content))

    async def remove(self, *, name: str) -> None:
        """Remove a farm; one that does not exist is as good as removed."""
        await self._transport.send(protocol.farm_remove(name=name))
