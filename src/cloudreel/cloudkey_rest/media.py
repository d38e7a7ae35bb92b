"""The namespace ``media`` on asyncio and trio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from cloudreel.cloudkey.models import Created
from cloudreel.cloudkey.nonces import fresh_nonce
from cloudreel.cloudkey.urls import URL_LIFE, Expires, expiry
from cloudreel.cloudkey_rest import protocol, urls
from cloudreel.cloudkey_rest.accounts import Accounts
from cloudreel.cloudkey_rest.models import (
    AssetInfo,
    Assets,
    MediaInfo,
    MediaList,
    MetaEntry,
    Queued,
    Scalar,
    Sort,
)
from cloudreel.cloudkey_rest.namespaces import Namespace
from cloudreel.core.call import JSON
from cloudreel.core.paging import AsyncPager
from cloudreel.core.transport import Transport
from cloudreel.downloads import Destination, download
from cloudreel.downloads.download import DownloadCallback
from cloudreel.signing import sign_url


class AsyncMedia(Namespace):
    """Media: their meta entries, their assets, and the URLs that play them.

    An ``id`` that is no 24 hexadecimal digits is an `InvalidArgument`, an unknown one `NotFound`.
    """

    _name: ClassVar[str] = "media"

    def __init__(self, transport: Transport, accounts: Accounts, base_url: str, cdn_url: str) -> None:
        super().__init__(transport)
        self._accounts = accounts
        self._base_url = base_url
        self._cdn_url = cdn_url

    async def create(self) -> Created:
        """Create an empty medium and return its ``id``."""
        return await self._transport.send(protocol.media_create())

    async def info(self, *, id: str) -> MediaInfo:
        """Return a medium: ``id``, ``meta``, ``assets`` (a list) and ``created`` (UNIX seconds)."""
        return await self._transport.send(protocol.media_info(id=id))

    async def list(
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
        return await self._transport.send(
            protocol.media_list(page=page, count=count, filter=filter, fields=fields, sort=sort)
        )

    def iterate(
        self,
        *,
        filter: Mapping[str, JSON] | None = None,
        fields: Sequence[str] | None = None,
        sort: Sort | None = None,
        per_page: int = 100,
    ) -> AsyncPager[MediaInfo]:
        """Return an async iterator over all media, which fetches them page by page.

        Args:
            filter: as in `list`.
            fields: as in `list`.
            sort: as in `list`.
            per_page: media to ask for at a time.
        """

        async def fetch(page: int, count: int) -> MediaList:
            return await self.list(page=page, count=count, filter=filter, fields=fields, sort=sort)

        return AsyncPager(fetch, per_page=per_page, identity=lambda medium: medium["id"])

    async def delete(self, *, id: str) -> None:
        """Delete a medium and its assets."""
        await self._transport.send(protocol.media_delete(id=id))

    async def reset(self) -> None:
        """Delete all media of the account."""
        await self._transport.send(protocol.media_reset())

    async def count(self) -> int:
        """Return how many media the account has."""
        return await self._transport.send(protocol.media_count())

    async def set_meta(self, *, id: str, key: str, value: Scalar) -> None:
        """Write a meta entry, which is kept as text.

        Args:
            id: of the media.
            key: the entry's name.
            value: what it holds from now on.
        """
        await self._transport.send(protocol.media_set_meta(id=id, key=key, value=value))

    async def get_meta(self, *, id: str, key: str) -> MetaEntry:
        """Return a meta entry, in ``value``.

        Raises:
            NotFound: there is no such medium or no such entry.
        """
        return await self._transport.send(protocol.media_get_meta(id=id, key=key))

    async def list_meta(self, *, id: str) -> dict[str, JSON]:
        """Return all meta entries of a medium."""
        return await self._transport.send(protocol.media_list_meta(id=id))

    async def remove_meta(self, *, id: str, key: str) -> None:
        """Remove a meta entry.

        Raises:
            NotFound: there is no such medium or no such entry.
        """
        await self._transport.send(protocol.media_remove_meta(id=id, key=key))

    async def set_asset(self, *, id: str, preset: str, url: str, callback_url: str | None = None) -> Queued:
        """Have the service fetch an asset, and return ``{"status": "queued"}``.

        Args:
            id: the medium.
            preset: ``source``, or the preset that the file is encoded with already.
            url: where the file is, such as the ``url`` of `AsyncFile.upload_file`.
            callback_url: what the service is to call when it has the file.
        """
        return await self._transport.send(
            protocol.media_set_asset(id=id, preset=preset, url=url, callback_url=callback_url)
        )

    async def get_asset(self, *, id: str, preset: str) -> AssetInfo:
        """Return an asset: its ``status`` and ``name``, and what it is like once it is ready.

        Raises:
            NotFound: there is no such medium, or it has no such asset.
        """
        return await self._transport.send(protocol.media_get_asset(id=id, preset=preset))

    async def list_asset(self, *, id: str) -> Assets:
        """Return all assets of a medium."""
        return await self._transport.send(protocol.media_list_asset(id=id))

    async def remove_asset(self, *, id: str, preset: str) -> Queued:
        """Remove an asset, and return ``{"status": "queued"}``."""
        return await self._transport.send(protocol.media_remove_asset(id=id, preset=preset))

    async def process_asset(self, *, id: str, preset: str, source_preset: str | None = None) -> Queued:
        """Encode an asset, and return ``{"status": "queued"}``.

        A refusal comes the same way: ``status`` is ``error`` then, ``type`` and ``message`` say why.

        Args:
            id: the medium.
            preset: what to encode to, such as ``mp4_h264_aac``.
            source_preset: what to encode from, ``source`` where none is given; it may be pending still.
        """
        return await self._transport.send(
            protocol.media_process_asset(id=id, preset=preset, source_preset=source_preset)
        )

    async def download(
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

        async def ask_url() -> str:
            return await self.get_stream_url(id=id, preset=preset)

        return await download(self._transport, ask_url, dest, progress=progress)

    async def publish(
        self, *, url: str, presets: Sequence[str], meta: Mapping[str, JSON] | None = None
    ) -> Created:
        """Create a medium from a file, encode it, and return its ``id``.

        Args:
            url: where the file is, such as the ``url`` of `AsyncFile.upload_file`.
            presets: what to encode to.
            meta: the medium's meta entries.
        """
        return await self._transport.send(protocol.media_publish(url=url, presets=presets, meta=meta))

    async def get_asset_url(self, *, id: str, preset: str) -> str:
        """Return where an asset is; the URL is not signed."""
        return await self._transport.send(protocol.media_get_asset_url(id=id, preset=preset))

    async def get_embed(self, *, id: str) -> JSON:
        """Return what the service says of embedding a medium."""
        return await self._transport.send(protocol.media_get_embed(id=id))

    async def get_mediaplayer_url(self, *, id: str) -> JSON:
        """Return what the service says of the player of a medium."""
        return await self._transport.send(protocol.media_get_mediaplayer_url(id=id))

    async def stats(self, *, id: str) -> JSON:
        """Return what the service says of how often a medium was seen."""
        return await self._transport.send(protocol.media_stats(id=id))

    async def get_stream_url(
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
        owner = await self._accounts.owner()
        now = self._transport.now()
        if preset is None:
            url, life = urls.player_url(self._base_url, format, owner.id, id), -int(now)  # 0 is for never
        else:
            url, life = urls.asset_url(self._cdn_url, owner.id, id, preset), URL_LIFE
        return sign_url(
            url,
            owner.api_key,
            expires=expiry(expires, now, life),
            nonce=fresh_nonce(),
            seclevel=seclevel,
            asnum=asnum,
            ip=ip,
            useragent=useragent,
            countries=countries,
            referers=referers,
        )

    async def get_embed_url(
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
        owner = await self._accounts.owner()
        return sign_url(
            urls.embed_url(self._base_url, owner.id, id),
            owner.api_key,
            expires=expiry(expires, self._transport.now()),
            nonce=fresh_nonce(),
            seclevel=seclevel,
            asnum=asnum,
            ip=ip,
            useragent=useragent,
            countries=countries,
            referers=referers,
        )
