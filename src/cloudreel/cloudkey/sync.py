"""Generated from remote.py, account.py, files.py, media.py, client.py by cloudreel._generate; do not edit."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self, Unpack

import httpx

from cloudreel.cloudkey.account import (
    AsyncEncodingSettings,
    AsyncFarm,
    AsyncOrganisation,
    AsyncPlayerPreset,
    AsyncSystem,
    AsyncUser,
)
from cloudreel.cloudkey.client import AsyncCloudKey
from cloudreel.cloudkey.files import AsyncFile
from cloudreel.cloudkey.media import AsyncMedia
from cloudreel.cloudkey.models import (
    AssetInfo,
    AssetRequest,
    Assets,
    Created,
    FarmNode,
    FarmNodes,
    Item,
    Items,
    MediaInfo,
    MediaPage,
    Meta,
    Names,
    UploadedFile,
    UploadStatus,
    UploadTarget,
    UserFields,
    UserInfo,
    UserList,
    UserPage,
)
from cloudreel.cloudkey.remote import AsyncRemoteMethod, AsyncRemoteObject
from cloudreel.cloudkey.urls import DrmOptions, Expires
from cloudreel.core.call import JSON, Credential
from cloudreel.core.hooks import Hooks
from cloudreel.core.options import Http, Limits, OptionChanges, SharedLimit
from cloudreel.core.portal import iterate
from cloudreel.core.twin import Facade, Pager, Twin, run
from cloudreel.downloads import Destination
from cloudreel.downloads.download import DownloadCallback
from cloudreel.uploads.session import ProgressCallback
from cloudreel.uploads.sources import SourceLike


class RemoteObject(Twin[AsyncRemoteObject], of=AsyncRemoteObject):
    """An object of the service that is not written down; its methods work by their names all the same."""

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class RemoteMethod(Twin[AsyncRemoteMethod], of=AsyncRemoteMethod):
    """A remote method that is not written down."""

    def __call__(self, /, **args: object) -> JSON:
        """Call the method and return its result.

        Args:
            args: named arguments, which go out as they are.

        Raises:
            RPCException: the service refused it.
        """
        return run(self._impl.__call__, **args)

    def __repr__(self) -> str:
        return self._impl.__repr__()


class User(Twin[AsyncUser], of=AsyncUser):
    """Users. What the account may not do is refused with `AuthenticationError`."""

    def info(self, *, id: str | None = None, fields: Sequence[str] | None = None) -> UserInfo:
        """Return what is known of a user.

        Args:
            id: of the user; None for the caller, or whom the client acts as.
            fields: such as ``id``, ``username``, ``email``, ``permissions``.
        """
        return run(self._impl.info, id=id, fields=fields)

    def whoami(self) -> UserInfo:
        """Return id and username of the caller, or whom the client acts as; `info` gives more."""
        return run(self._impl.whoami)

    def create(self, *, username: str, password: str) -> str:
        """Create a user and return its id; root accounts only.

        Raises:
            Exists: there is a user of this name.
        """
        return run(self._impl.create, username=username, password=password)

    def delete(self, *, id: str) -> None:
        """Delete a user; root accounts only."""
        run(self._impl.delete, id=id)

    def list(self) -> UserList:
        """Return all users; root accounts only."""
        return run(self._impl.list)

    def set(self, *, id: str | None, fields: UserFields) -> JSON:
        """Change a user, or create one.

        Args:
            id: of the user, None to create one.
            fields: ``org_id``, ``username``, ``password``, ``email``.
        """
        return run(self._impl.set, id=id, fields=fields)

    def search(
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
        return run(self._impl.search, org_id=org_id, fields=fields, page=page, per_page=per_page)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class System(Twin[AsyncSystem], of=AsyncSystem):
    """The account as a whole."""

    def reset(self, *, object: str) -> None:
        """Delete everything of one kind.

        Args:
            object: the kind; ``"media"`` is the only one known.
        """
        run(self._impl.reset, object=object)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Organisation(Twin[AsyncOrganisation], of=AsyncOrganisation):
    """The organisation that the account belongs to."""

    def get(self) -> Item:
        """Return the organisation."""
        return run(self._impl.get)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class PlayerPreset(Twin[AsyncPlayerPreset], of=AsyncPlayerPreset):
    """Presets of the player."""

    def list(self) -> Items:
        """Return all presets."""
        return run(self._impl.list)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class EncodingSettings(Twin[AsyncEncodingSettings], of=AsyncEncodingSettings):
    """Which assets are made, and how."""

    def enable_asset(self, *, asset: str) -> None:
        """Have an asset made; doing so twice is the same as once."""
        run(self._impl.enable_asset, asset=asset)

    def disable_asset(self, *, asset: str) -> None:
        """Have an asset no longer made."""
        run(self._impl.disable_asset, asset=asset)

    def get_active_assets(self) -> Names:
        """Return the names of the assets that are made, in the order of enabling."""
        return run(self._impl.get_active_assets)

    def set_asset_setting(self, *, asset: str, setting: str, value: str) -> None:
        """Set one setting of an asset.

        Args:
            asset: such as ``"mp4_h264_aac"``.
            setting: such as ``"vbitrate"``, ``"abitrate"``.
            value: as text.
        """
        run(self._impl.set_asset_setting, asset=asset, setting=setting, value=value)

    def get_asset_setting(self, *, asset: str, setting: str) -> JSON:
        """Return one setting of an asset, as it was written."""
        return run(self._impl.get_asset_setting, asset=asset, setting=setting)

    def reset(self) -> None:
        """Forget all settings; no asset is active afterwards."""
        run(self._impl.reset)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Farm(Twin[AsyncFarm], of=AsyncFarm):
    """Farms of nodes. The service ran them at an address of their own, with credentials of their own."""

    def add_node(
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
        run(self._impl.add_node, name=name, node=node, weight=weight, enabled=enabled, comment=comment)

    def get_node(self, *, name: str, node: str) -> FarmNode:
        """Return one node of a farm.

        Raises:
            NotFound: there is no such node.
        """
        return run(self._impl.get_node, name=name, node=node)

    def list_node(self, *, name: str) -> FarmNodes:
        """Return all nodes of a farm."""
        return run(self._impl.list_node, name=name)

    def select_node(self, *, name: str, content: str) -> FarmNode:
        """Return the node of a farm that takes some content, always the same one for the same content."""
        return run(self._impl.select_node, name=name, content=content)

    def remove(self, *, name: str) -> None:
        """Remove a farm, whether it is there or not."""
        run(self._impl.remove, name=name)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class File(Twin[AsyncFile], of=AsyncFile):
    """Files that the service holds until `Media.create` or `Media.set_assets` takes them."""

    def upload(
        self, *, target: str | None = None, status: bool | None = None, jsonp_cb: str | None = None
    ) -> UploadTarget:
        """Return an address that takes one file, for a browser's form or another client.

        The file goes there as the field ``file`` of a multipart form.

        Args:
            target: where the browser is sent afterwards, with ``url`` and ``name`` in the query.
            status: whether to return an address that tells how far the upload has come, too.
            jsonp_cb: what stands for the callback's name in that address; ``"?"`` suits jQuery.
        """
        return run(self._impl.upload, target=target, status=status, jsonp_cb=jsonp_cb)

    def upload_file(self, source: SourceLike, progress: ProgressCallback | None = None) -> UploadedFile:
        """Upload a file and return what the service holds; its ``url`` is what `Media.create` takes.

        It is sent as it is read, in one request, and begun again if that breaks off.

        Args:
            source: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            progress: called with a `Progress` as the upload goes on; may be async.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the source is empty; nothing was sent.
        """
        return run(self._impl.upload_file, source, progress)

    def upload_status(self, status_url: str) -> UploadStatus:
        """Return how far an upload has come: its ``state``, and the bytes ``received`` of ``size``.

        Args:
            status_url: the ``status`` that `upload` returned.
        """
        return run(self._impl.upload_status, status_url)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Media(Twin[AsyncMedia], of=AsyncMedia):
    """Media: their metadata, assets and signed URLs.

    An ``id`` that is not 24 hexadecimal digits is refused with `InvalidParameter`, one that does not exist
    with `NotFound`. ``fields`` are dotted paths: ``"id"``, ``"meta.title"``, ``"assets.source.duration"``,
    ``"stats.global.last_week"``; the result nests accordingly and holds nothing else (cloudkey-rpc.md 8).
    """

    def create(
        self,
        *,
        url: str | None = None,
        assets_names: Sequence[str] | None = None,
        meta: Mapping[str, object] | None = None,
        assets_parameters: Mapping[str, object] | None = None,
    ) -> Created:
        """Create a medium and return its ``id``; its assets are made afterwards.

        Args:
            url: where the service fetches the source; without one the medium is empty.
            assets_names: what to transcode the source to, such as ``"mp4_h264_aac"``.
            meta: free metadata, by key.
            assets_parameters: encoding options by asset.

        Raises:
            InvalidParameter: an argument is of the wrong type, or there are ``assets_names`` and no ``url``.
        """
        return run(
            self._impl.create,
            url=url,
            assets_names=assets_names,
            meta=meta,
            assets_parameters=assets_parameters,
        )

    def info(self, *, id: str, fields: Sequence[str] | None = None) -> MediaInfo:
        """Return what is known of a medium, or the fields selected."""
        return run(self._impl.info, id=id, fields=fields)

    def list(
        self, *, fields: Sequence[str] | None = None, page: int | None = None, per_page: int | None = None
    ) -> MediaPage:
        """Return a page of media, with how many there are in all.

        Args:
            fields: what to return of each.
            page: counts from 1, which is the default.
            per_page: media of a page; the service gives 10 where nothing is asked for, and at most 100.
        """
        return run(self._impl.list, fields=fields, page=page, per_page=per_page)

    def search(
        self,
        *,
        query: str | None = None,
        fields: Sequence[str] | None = None,
        page: int | None = None,
        per_page: int | None = None,
    ) -> MediaPage:
        """Return a page of the media that a query finds.

        Args:
            query: terms separated by spaces; ``meta.title:holiday`` looks into one key, ``SORT:created`` or
                ``SORT:-created`` orders the result.
            fields: what to return of each.
            page: counts from 1, which is the default.
            per_page: media of a page.
        """
        return run(self._impl.search, query=query, fields=fields, page=page, per_page=per_page)

    def iterate(
        self, *, fields: Sequence[str] | None = None, query: str | None = None, per_page: int = 100
    ) -> Pager[MediaInfo]:
        """Return an iterator over all media, or all that a query finds, fetched page by page.

        Args:
            fields: what to return of each.
            query: as for `search`; None for all media.
            per_page: media to ask for at a time, 1 to 100.
        """
        return Pager(self._impl.iterate(fields=fields, query=query, per_page=per_page), lambda item: item)

    def delete(self, *, id: str) -> None:
        """Delete a medium and its assets."""
        run(self._impl.delete, id=id)

    def set_meta(self, *, id: str, meta: Mapping[str, object]) -> None:
        """Set metadata; keys that are not mentioned stay.

        Args:
            id: of the medium.
            meta: text, numbers, booleans or None by key.
        """
        run(self._impl.set_meta, id=id, meta=meta)

    def get_meta(self, *, id: str, keys: Sequence[str] | None = None) -> Meta:
        """Return all metadata of a medium, or that of the ``keys`` given."""
        return run(self._impl.get_meta, id=id, keys=keys)

    def remove_meta(self, *, id: str, keys: Sequence[str]) -> None:
        """Remove metadata; keys that are not there do no harm."""
        run(self._impl.remove_meta, id=id, keys=keys)

    def set_assets(self, *, id: str, assets: Sequence[AssetRequest]) -> None:
        """Have assets fetched or transcoded; all are ``pending`` when this returns.

        Args:
            id: of the medium.
            assets: each a ``name``, with the ``url`` to fetch it from, or with ``action`` ``"transcode"``, or
                with neither, to make it from the source.
        """
        run(self._impl.set_assets, id=id, assets=assets)

    def get_assets(self, *, id: str, assets_names: Sequence[str] | None = None) -> Assets:
        """Return all assets of a medium by name, or those named that exist."""
        return run(self._impl.get_assets, id=id, assets_names=assets_names)

    def get_asset(self, *, id: str, asset_name: str) -> AssetInfo:
        """Return one asset.

        Raises:
            NotFound: there is no such medium, or no such asset of it.
        """
        return run(self._impl.get_asset, id=id, asset_name=asset_name)

    def remove_assets(self, *, id: str, assets_names: Sequence[str]) -> None:
        """Have assets removed, which takes some seconds; names that are not there do no harm."""
        run(self._impl.remove_assets, id=id, assets_names=assets_names)

    def wait_for_assets(
        self, id: str, names: Sequence[str], *, timeout: float | None = None, poll: float | None = None
    ) -> Assets:
        """Wait until all assets named are ready, and return them by name.

        Args:
            id: of the medium.
            names: of its assets, which must have been asked for.
            timeout: seconds in all, None for no limit.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.

        Raises:
            JobFailed: one of them failed; ``job`` is what the service says of it, with its ``name``.
            NotFound: one of them has not been asked for, or was removed.
            TimedOut: it took longer than ``timeout``.
        """
        return run(self._impl.wait_for_assets, id, names, timeout=timeout, poll=poll)

    def watch_assets(
        self, id: str, names: Sequence[str] | None = None, *, poll: float | None = None
    ) -> Iterator[Assets]:
        """Return an iterator over the state of assets, until each of them is ready or failed.

        Args:
            id: of the medium.
            names: of its assets, None for all.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
        """
        return iterate(self._impl.watch_assets(id, names, poll=poll))

    def download(
        self, id: str, asset_name: str, dest: Destination, *, progress: DownloadCallback | None = None
    ) -> int:
        """Fetch an asset's file and return how many bytes it has.

        Its signed URL is made anew for each attempt. A download that breaks off goes on where it stopped.

        Args:
            id: of the medium.
            asset_name: such as ``"mp4_h264_aac"`` or ``"source"``; sets of streams are no files.
            dest: a path, whose file is replaced in one step when the download is whole; or an object with a
                sync or async ``write``, which is not closed.
            progress: called with a `DownloadProgress` as it goes on; may be async, and is waited for.

        Raises:
            NotFound: there is no such medium, or no such asset that is ready.
            TransportException: the line broke for good, or what came is not the file, or not all of it.
            OSError: the destination cannot be written.
        """
        return run(self._impl.download, id, asset_name, dest, progress=progress)

    def set_thumbnail(
        self, *, id: str, url: str | None = None, timecode: str | None = None, force: bool | None = None
    ) -> JSON:
        """Choose the picture that stands for a medium.

        Args:
            id: of the medium.
            url: of a picture, or else:
            timecode: where in the video, as ``HH:MM:SS.mm``.
            force: as the service understands it.
        """
        return run(self._impl.set_thumbnail, id=id, url=url, timecode=timecode, force=force)

    def get_subs_urls(self, *, id: str, type: str | None = None) -> dict[str, str]:
        """Return the URLs of a medium's subtitles by language.

        Args:
            id: of the medium.
            type: of the files, ``"srt"`` where nothing is asked for.

        Raises:
            SerializerError: which is how the service says that there are none (cloudkey-rpc.md 10.1).
        """
        return run(self._impl.get_subs_urls, id=id, type=type)

    def stats(self, *, id: str) -> JSON:
        """Return statistics of a medium; their shape is the service's."""
        return run(self._impl.stats, id=id)

    def count(self) -> int:
        """Return how many media there are.

        Raises:
            InvalidMethod: which the service said in its later years; ``list`` gives the number, too.
        """
        return run(self._impl.count)

    def reset(self) -> None:
        """Delete all media of the account."""
        run(self._impl.reset)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()

    def get_embed_url(
        self,
        id: str,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
        skin: str | None = None,
        drm_token: DrmOptions | None = None,
        secure: bool = False,
    ) -> str:
        """Return the URL of the player's page, for an iframe.

        Args:
            id: of the medium.
            seclevel: what the URL is bound to.
            asnum: the viewer's autonomous system, such as ``"AS41690"``.
            ip: the viewer's address.
            useragent: the viewer's browser, exactly.
            countries: who may watch, or with a first ``"-"`` who may not.
            referers: which pages may embed it.
            expires: when it ends.
            skin: of the player.
            drm_token: options of the DRM token to add.
            secure: whether the page comes over https.
        """
        return self._impl.get_embed_url(
            id, seclevel, asnum, ip, useragent, countries, referers, expires, skin, drm_token, secure
        )

    def get_swf_url(
        self,
        id: str,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
        skin: str | None = None,
        drm_token: DrmOptions | None = None,
        secure: bool = False,
    ) -> str:
        """Return the URL of the Flash player; the arguments are those of `get_embed_url`."""
        return self._impl.get_swf_url(
            id, seclevel, asnum, ip, useragent, countries, referers, expires, skin, drm_token, secure
        )

    def get_qtref_url(
        self,
        id: str,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
    ) -> str:
        """Return the URL of the QuickTime reference movie; the arguments are those of `get_embed_url`."""
        return self._impl.get_qtref_url(id, seclevel, asnum, ip, useragent, countries, referers, expires)

    def get_stream_url(
        self,
        id: str,
        asset_name: str | None = None,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
        download: bool = False,
        filename: str | None = None,
        version: int | str | None = None,
        protocol: str | None = None,
        cdn_url: str | None = None,
        *,
        preset: str | None = None,
    ) -> str:
        """Return the URL of an asset; that of a thumbnail is neither signed nor does it expire.

        Args:
            id: of the medium.
            asset_name: ``"mp4_h264_aac"`` where nothing is given.
            seclevel: what the URL is bound to.
            asnum: the viewer's autonomous system, such as ``"AS41690"``.
            ip: the viewer's address.
            useragent: the viewer's browser, exactly.
            countries: who may watch, or with a first ``"-"`` who may not.
            referers: which pages may link to it.
            expires: when it ends.
            download: whether the viewer's browser saves the file.
            filename: under this name, which asks for a download, too.
            version: a number that changes when the asset does, for caches.
            protocol: ``hls``, ``rtmp``, ``hps``, ``http``, ``ss``, ``hds`` or ``dash``; needed for assets
                whose names begin with ``abs``.
            cdn_url: instead of the client's.
            preset: another name for ``asset_name``.
        """
        return self._impl.get_stream_url(
            id,
            asset_name,
            seclevel,
            asnum,
            ip,
            useragent,
            countries,
            referers,
            expires,
            download,
            filename,
            version,
            protocol,
            cdn_url,
            preset=preset,
        )


class CloudKey(Facade[AsyncCloudKey], of=AsyncCloudKey):
    """CloudKey: ``ck.media.list(fields=["id"])``.

    Objects and methods that are not written down work by name all the same, as does `call`.

    Args:
        user_id: id of the account, or a function that returns it.
        api_key: the account's key, or a function that returns the current one.
        base_url: calls go to ``/api`` below it, over https where it is the service's own; players' URLs
            are built on it as it stands.
        cdn_url: streams' URLs are built on it.
        timeout: seconds for one attempt; connecting takes 5 of them at most.
        retries: attempts that may follow a failed one.
        deadline: seconds over all attempts of a call, None for no limit.
        limits: requests in flight and per second, bytes per second.
        http_client: your own client; it is never closed by this one.
        transport: your own httpx transport.
        http: which library carries the requests; ``"aiohttp"`` needs the extra of that name.
        fast_path: whether small calls may bypass httpx's client, and file parts httpx, where that is cheaper.
        proxy: URL of an HTTP proxy.
        verify: True, or an SSL context of your own.
        user_agent: instead of cloudreel's product tokens.
        hooks: functions that are told of each request.
        shared_limit: what other processes keep to as well, see `cloudreel.fleet`.
    """

    def __init__(
        self,
        user_id: Credential,
        api_key: Credential,
        *,
        base_url: str = "http://api.dmcloud.net",
        cdn_url: str = "http://cdn.dmcloud.net",
        timeout: float = 30.0,
        retries: int = 2,
        deadline: float | None = None,
        limits: Limits | None = None,
        http_client: httpx.AsyncClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        http: Http = "httpx",
        fast_path: bool = True,
        proxy: str | None = None,
        verify: bool | ssl.SSLContext = True,
        user_agent: str | None = None,
        hooks: Hooks | None = None,
        shared_limit: SharedLimit | None = None,
    ) -> None:
        impl = AsyncCloudKey(
            user_id,
            api_key,
            base_url=base_url,
            cdn_url=cdn_url,
            timeout=timeout,
            retries=retries,
            deadline=deadline,
            limits=limits,
            http_client=http_client,
            transport=transport,
            http=http,
            fast_path=fast_path,
            proxy=proxy,
            verify=verify,
            user_agent=user_agent,
            hooks=hooks,
            shared_limit=shared_limit,
        )
        super().__init__(impl)

    @classmethod
    def from_env(cls) -> Self:
        """Return a client made from the environment.

        ``CLOUDKEY_USER_ID`` and ``CLOUDKEY_API_KEY`` must be set, ``CLOUDKEY_BASE_URL`` and
        ``CLOUDKEY_CDN_URL`` may be.

        Raises:
            CloudReelError: a variable is missing.
        """
        return cls._wrap(AsyncCloudKey.from_env())

    def act_as_user(self, user: str | None) -> None:
        """Make all calls from now on as another user, which takes a root account.

        URLs are signed as before, for the account itself.

        Args:
            user: id of the user, None for the account itself.
        """
        self._impl.act_as_user(user)

    def as_user(self, user: str | None) -> Self:
        """Return a copy that acts as another user and shares the connections; see `act_as_user`."""
        return self._twin(self._impl.as_user(user))

    @property
    def media(self) -> Media:
        """The media."""
        return Media(self._impl.media)

    @property
    def file(self) -> File:
        """Uploads."""
        return File(self._impl.file)

    @property
    def user(self) -> User:
        """The users."""
        return User(self._impl.user)

    @property
    def system(self) -> System:
        """The account as a whole."""
        return System(self._impl.system)

    @property
    def organisation(self) -> Organisation:
        """The organisation that the account belongs to."""
        return Organisation(self._impl.organisation)

    @property
    def player_preset(self) -> PlayerPreset:
        """The presets of the player."""
        return PlayerPreset(self._impl.player_preset)

    @property
    def encoding_settings(self) -> EncodingSettings:
        """Which assets are made, and how."""
        return EncodingSettings(self._impl.encoding_settings)

    @property
    def farm(self) -> Farm:
        """Farms of nodes."""
        return Farm(self._impl.farm)

    def __getattr__(self, name: str) -> RemoteObject:
        """Return the remote object of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteObject(self._impl.__getattr__(name))

    def call(self, name: str, /, **args: object) -> JSON:
        """Call any method and return its result.

        Args:
            name: ``object.method``.
            args: named arguments, which go out as they are.

        Raises:
            RPCException: the service refused it.
        """
        return run(self._impl.call, name, **args)

    def __repr__(self) -> str:
        return self._impl.__repr__()

    def with_options(self, **changes: Unpack[OptionChanges]) -> Self:
        """Return a copy with other options that shares the connections; closing it closes nothing.

        Args:
            changes: ``timeout``, ``retries``, ``deadline``, ``user_agent``, ``hooks`` or ``shared_limit``, as
                in the constructor.
        """
        return self._twin(self._impl.with_options(**changes))

    def close(self) -> None:
        """Close the connections. Nothing can be called afterwards."""
        run(self._impl.close)

    def __enter__(self) -> Self:
        return self._twin(run(self._impl.__aenter__))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run(self._impl.__aexit__, kind, error, trace)
