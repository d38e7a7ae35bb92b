"""Generated from namespaces.py, media.py, client.py by cloudreel._generate; do not edit."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, Unpack

import httpx

from cloudreel.cloudkey.models import Created, FarmNode, FarmNodes, Names, UploadedFile, UploadTarget
from cloudreel.cloudkey.protocol import BASE_URL, CDN_URL
from cloudreel.cloudkey.urls import Expires
from cloudreel.cloudkey_rest.client import AsyncCloudKeyRest
from cloudreel.cloudkey_rest.media import AsyncMedia
from cloudreel.cloudkey_rest.models import (
    Account,
    AssetInfo,
    Assets,
    MediaInfo,
    MediaList,
    MetaEntry,
    Queued,
    Scalar,
    Sort,
)
from cloudreel.cloudkey_rest.namespaces import AsyncFarm, AsyncFile, AsyncRemoteMethod, AsyncUser
from cloudreel.core.call import JSON, Credential
from cloudreel.core.hooks import Hooks
from cloudreel.core.options import Http, Limits, OptionChanges, SharedLimit
from cloudreel.core.twin import Facade, Pager, Twin, run
from cloudreel.downloads import Destination
from cloudreel.downloads.download import DownloadCallback
from cloudreel.uploads.session import ProgressCallback
from cloudreel.uploads.sources import SourceLike


class RemoteMethod(Twin[AsyncRemoteMethod], of=AsyncRemoteMethod):
    """A remote method that is not written down here; call it with named arguments."""

    def __call__(self, /, **args: object) -> JSON:
        """Call the method and return what it answers, None for an empty answer.

        Args:
            args: text, numbers, booleans, None, lists and mappings.

        Raises:
            InvalidMethod: the service has no such method.
        """
        return run(self._impl.__call__, **args)

    def __repr__(self) -> str:
        return self._impl.__repr__()


class User(Twin[AsyncUser], of=AsyncUser):
    """The account, and which presets its media are encoded to."""

    def whoami(self) -> Account:
        """Return the account that calls run as: ``id``, ``username``, and ``api_key`` where it is told.

        It is asked for once, and again after `CloudKeyRest.act_as_user`.
        """
        return run(self._impl.whoami)

    def enable_asset(self, *, asset: str) -> None:
        """Add a preset, such as ``flv_h263_mp3``, to those that media are encoded to."""
        run(self._impl.enable_asset, asset=asset)

    def disable_asset(self, *, asset: str) -> None:
        """Take a preset from those that media are encoded to."""
        run(self._impl.disable_asset, asset=asset)

    def get_active_assets(self) -> Names:
        """Return the presets that media are encoded to, in the order in which they were enabled."""
        return run(self._impl.get_active_assets)

    def set_asset_setting(self, *, asset: str, setting: str, value: Scalar) -> None:
        """Write a setting of a preset.

        Args:
            asset: the preset.
            setting: such as ``vbitrate`` or ``abitrate``.
            value: what it is to be; it is kept as text.
        """
        run(self._impl.set_asset_setting, asset=asset, setting=setting, value=value)

    def get_asset_setting(self, *, asset: str, setting: str) -> str:
        """Return a setting of a preset as it was written."""
        return run(self._impl.get_asset_setting, asset=asset, setting=setting)

    def reset_encoding_settings(self) -> None:
        """Forget which presets are enabled, and all their settings."""
        run(self._impl.reset_encoding_settings)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return a remote method by its name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class File(Twin[AsyncFile], of=AsyncFile):
    """Files that the service holds until `Media.publish` or `Media.set_asset` takes them."""

    def upload(self, *, target: str | None = None) -> UploadTarget:
        """Return an address that takes one file, for a browser's form or another client.

        The file goes there as the field ``file`` of a multipart form.

        Args:
            target: where the browser is sent afterwards, with ``url`` and ``name`` in the query.
        """
        return run(self._impl.upload, target=target)

    def upload_file(self, source: SourceLike, progress: ProgressCallback | None = None) -> UploadedFile:
        """Upload a file and return what the service holds; its ``url`` is what `Media.publish` takes.

        It is sent as it is read, in one request, and begun again if that breaks off.

        Args:
            source: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            progress: called with a `Progress` as the upload goes on; may be async.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the file is empty; nothing was sent.
        """
        return run(self._impl.upload_file, source, progress)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return a remote method by its name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Farm(Twin[AsyncFarm], of=AsyncFarm):
    """Farms of nodes, among which contents are divided."""

    def add_node(
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
        run(self._impl.add_node, name=name, node=node, weight=weight, enabled=enabled, comment=comment)

    def get_node(self, *, name: str, node: str) -> FarmNode:
        """Return a node of the farm ``name``: ``name`` (the node's), ``weight``, ``enabled``, ``comment``.

        Raises:
            NotFound: the farm has no such node.
        """
        return run(self._impl.get_node, name=name, node=node)

    def list_node(self, *, name: str) -> FarmNodes:
        """Return all nodes of the farm ``name``."""
        return run(self._impl.list_node, name=name)

    def select_node(self, *, name: str, content: str) -> JSON:
        """Return the node of the farm ``name`` that a content belongs to, the same each time."""
        return run(self._impl.select_node, name=name, content=content)

    def remove(self, *, name: str) -> None:
        """Remove a farm; one that does not exist is as good as removed."""
        run(self._impl.remove, name=name)

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return a remote method by its name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Media(Twin[AsyncMedia], of=AsyncMedia):
    """Media: their meta entries, their assets, and the URLs that play them.

    An ``id`` that is no 24 hexadecimal digits is an `InvalidArgument`, an unknown one `NotFound`.
    """

    def create(self) -> Created:
        """Create an empty medium and return its ``id``."""
        return run(self._impl.create)

    def info(self, *, id: str) -> MediaInfo:
        """Return a medium: ``id``, ``meta``, ``assets`` (a list) and ``created`` (UNIX seconds)."""
        return run(self._impl.info, id=id)

    def list(
        self,
        *,
        page: int | None = None,
        count: int | None = None,
        filter: Mapping[str, JSON] | None = None,
        fields: Sequence[str] | None = None,
        sort: Sort | None = None,
    ) -> MediaList:
        """Return all media, or a page of them, each with ``id``, ``meta`` and ``assets``.

        Args:
            page: from 1; all media where none is given.
            count: media of a page, 10 where none is given.
            filter: dotted paths and what they must equal, such as ``{"assets.source.status": "error"}``.
            fields: dotted paths; of ``meta`` only the entries named here are returned.
            sort: pairs of a dotted path and 1 to rise or -1 to fall, such as ``[("created", 1)]``.
        """
        return run(self._impl.list, page=page, count=count, filter=filter, fields=fields, sort=sort)

    def iterate(
        self,
        *,
        filter: Mapping[str, JSON] | None = None,
        fields: Sequence[str] | None = None,
        sort: Sort | None = None,
        per_page: int = 100,
    ) -> Pager[MediaInfo]:
        """Return an iterator over all media, which fetches them page by page.

        Args:
            filter: as in `list`.
            fields: as in `list`.
            sort: as in `list`.
            per_page: media to ask for at a time.
        """
        result = self._impl.iterate(filter=filter, fields=fields, sort=sort, per_page=per_page)
        return Pager(result, lambda item: item)

    def delete(self, *, id: str) -> None:
        """Delete a medium and its assets."""
        run(self._impl.delete, id=id)

    def reset(self) -> None:
        """Delete all media of the account."""
        run(self._impl.reset)

    def count(self) -> int:
        """Return how many media the account has."""
        return run(self._impl.count)

    def set_meta(self, *, id: str, key: str, value: Scalar) -> None:
        """Write a meta entry, which is kept as text.

        Args:
            id: of the media.
            key: the entry's name.
            value: what it holds from now on.
        """
        run(self._impl.set_meta, id=id, key=key, value=value)

    def get_meta(self, *, id: str, key: str) -> MetaEntry:
        """Return a meta entry, in ``value``.

        Raises:
            NotFound: there is no such medium or no such entry.
        """
        return run(self._impl.get_meta, id=id, key=key)

    def list_meta(self, *, id: str) -> dict[str, JSON]:
        """Return all meta entries of a medium."""
        return run(self._impl.list_meta, id=id)

    def remove_meta(self, *, id: str, key: str) -> None:
        """Remove a meta entry.

        Raises:
            NotFound: there is no such medium or no such entry.
        """
        run(self._impl.remove_meta, id=id, key=key)

    def set_asset(self, *, id: str, preset: str, url: str, callback_url: str | None = None) -> Queued:
        """Have the service fetch an asset, and return ``{"status": "queued"}``.

        Args:
            id: the medium.
            preset: ``source``, or the preset that the file is encoded with already.
            url: where the file is, such as the ``url`` of `File.upload_file`.
            callback_url: what the service is to call when it has the file.
        """
        return run(self._impl.set_asset, id=id, preset=preset, url=url, callback_url=callback_url)

    def get_asset(self, *, id: str, preset: str) -> AssetInfo:
        """Return an asset: its ``status`` and ``name``, and what it is like once it is ready.

        Raises:
            NotFound: there is no such medium, or it has no such asset.
        """
        return run(self._impl.get_asset, id=id, preset=preset)

    def list_asset(self, *, id: str) -> Assets:
        """Return all assets of a medium."""
        return run(self._impl.list_asset, id=id)

    def remove_asset(self, *, id: str, preset: str) -> Queued:
        """Remove an asset, and return ``{"status": "queued"}``."""
        return run(self._impl.remove_asset, id=id, preset=preset)

    def process_asset(self, *, id: str, preset: str, source_preset: str | None = None) -> Queued:
        """Encode an asset, and return ``{"status": "queued"}``.

        A refusal comes the same way: ``status`` is ``error`` then, ``type`` and ``message`` say why.

        Args:
            id: the medium.
            preset: what to encode to, such as ``mp4_h264_aac``.
            source_preset: what to encode from, ``source`` where none is given; it may be pending still.
        """
        return run(self._impl.process_asset, id=id, preset=preset, source_preset=source_preset)

    def download(
        self, *, id: str, preset: str, dest: Destination, progress: DownloadCallback | None = None
    ) -> int:
        """Fetch an asset's file and return how many bytes it has.

        Its signed URL is made anew for each attempt. A download that breaks off goes on where it stopped.

        Args:
            id: the medium.
            preset: such as ``"mp4_h264_aac"`` or ``"source"``.
            dest: a path, whose file is replaced in one step when the download is whole; or an object with a
                sync or async ``write``, which is not closed.
            progress: called with a `DownloadProgress` as it goes on; may be async, and is waited for.

        Raises:
            NotFound: there is no such medium, or no such asset that is ready.
            TransportError: the line broke for good, or what came is not the file, or not all of it.
            OSError: the destination cannot be written.
        """
        return run(self._impl.download, id=id, preset=preset, dest=dest, progress=progress)

    def publish(self, *, url: str, presets: Sequence[str], meta: Mapping[str, JSON] | None = None) -> Created:
        """Create a medium from a file, encode it, and return its ``id``.

        Args:
            url: where the file is, such as the ``url`` of `File.upload_file`.
            presets: what to encode to.
            meta: the medium's meta entries.
        """
        return run(self._impl.publish, url=url, presets=presets, meta=meta)

    def get_asset_url(self, *, id: str, preset: str) -> str:
        """Return where an asset is; the URL is not signed."""
        return run(self._impl.get_asset_url, id=id, preset=preset)

    def get_embed(self, *, id: str) -> JSON:
        """Return what the service says of embedding a medium."""
        return run(self._impl.get_embed, id=id)

    def get_mediaplayer_url(self, *, id: str) -> JSON:
        """Return what the service says of the player of a medium."""
        return run(self._impl.get_mediaplayer_url, id=id)

    def stats(self, *, id: str) -> JSON:
        """Return what the service says of how often a medium was seen."""
        return run(self._impl.stats, id=id)

    def get_stream_url(
        self,
        *,
        id: str,
        format: str = "swf",
        preset: str | None = None,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
    ) -> str:
        """Return the signed URL of a medium's player, or of one of its assets.

        It belongs to the account that calls run as, whose key the service is asked for once.

        Args:
            id: of the medium.
            format: of the player; ``"swf"`` is the only one known.
            preset: such as ``"mp4_h264_aac"``, for the URL of that asset.
            seclevel: bits of `SecLevel`, what the URL is bound to.
            asnum: the viewer's autonomous system, such as ``"AS41690"``.
            ip: the viewer's address.
            useragent: the viewer's browser, exactly.
            countries: two-letter codes of who may watch, or with a first ``"-"`` who may not.
            referers: prefixes of the pages that may embed it.
            expires: UNIX seconds, an aware datetime, or a timedelta from now. Where nothing is given, the
                player's URL never expires, that of an asset after two hours (cloudkey-rest.md 12).

        Raises:
            SigningError: what ``seclevel`` asks for is missing, or an argument is malformed.
            UnreadableAnswer: the service does not tell the account's key.
        """
        return run(
            self._impl.get_stream_url,
            id=id,
            format=format,
            preset=preset,
            seclevel=seclevel,
            asnum=asnum,
            ip=ip,
            useragent=useragent,
            countries=countries,
            referers=referers,
            expires=expires,
        )

    def get_embed_url(
        self,
        *,
        id: str,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
    ) -> str:
        """Return the signed URL of the player's page, two hours where no ``expires`` is given.

        The arguments are those of `get_stream_url`.
        """
        return run(
            self._impl.get_embed_url,
            id=id,
            seclevel=seclevel,
            asnum=asnum,
            ip=ip,
            useragent=useragent,
            countries=countries,
            referers=referers,
            expires=expires,
        )

    def __getattr__(self, name: str) -> RemoteMethod:
        """Return a remote method by its name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteMethod(self._impl.__getattr__(name))

    def __repr__(self) -> str:
        return self._impl.__repr__()


class CloudKeyRest(Facade[AsyncCloudKeyRest], of=AsyncCloudKeyRest):
    """CloudKey's REST era.

    Args:
        username: the user name, or a function that returns it; None to call without a login.
        password: the password, or a function that returns the current one.
        base_url: calls go below it, over https where it is the service's own; players' URLs are built on
            it as it stands.
        cdn_url: assets' URLs are built on it.
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
        username: Credential | None,
        password: Credential | None,
        *,
        base_url: str = BASE_URL,
        cdn_url: str = CDN_URL,
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
        impl = AsyncCloudKeyRest(
            username,
            password,
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

        ``CLOUDKEY_REST_USERNAME`` and ``CLOUDKEY_REST_PASSWORD`` must be set, ``CLOUDKEY_REST_BASE_URL``
        and ``CLOUDKEY_REST_CDN_URL`` may be.

        Raises:
            CloudReelError: a variable is missing.
        """
        return cls._wrap(AsyncCloudKeyRest.from_env())

    @property
    def user(self) -> User:
        """The account, and which presets its media are encoded to."""
        return User(self._impl.user)

    @property
    def media(self) -> Media:
        """The media of the account."""
        return Media(self._impl.media)

    @property
    def file(self) -> File:
        """Uploads of files."""
        return File(self._impl.file)

    @property
    def farm(self) -> Farm:
        """Farms of nodes."""
        return Farm(self._impl.farm)

    def __getattr__(self, name: str) -> object:
        """Refuse what is no namespace.

        Raises:
            InvalidNamespace: there is none of this name; nothing was sent.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        return self._impl.__getattr__(name)

    def act_as_user(self, username: str | None) -> Self:
        """Have all later calls run as another user, and return the client itself.

        Only a super user may; for others the service ignores it. A user that does not exist is an
        `AuthenticationFailed` of the next call.

        Args:
            username: the user's name, None to be oneself again.
        """
        return self._twin(self._impl.act_as_user(username))

    def as_user(self, username: str | None) -> Self:
        """Return a copy whose calls run as another user, see `act_as_user`; closing it closes nothing."""
        return self._twin(self._impl.as_user(username))

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
