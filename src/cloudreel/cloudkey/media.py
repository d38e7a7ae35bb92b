"""The media of an account on asyncio and trio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from cloudreel.cloudkey import protocol, waiting
from cloudreel.cloudkey.errors import WaitTimedOut
from cloudreel.cloudkey.models import (
    AssetInfo,
    AssetRequest,
    Assets,
    Created,
    MediaInfo,
    MediaPage,
    Meta,
    is_last,
)
from cloudreel.cloudkey.player import PlayerUrls, Viewing
from cloudreel.cloudkey.remote import Remote
from cloudreel.core.call import JSON
from cloudreel.core.paging import AsyncPager, Page
from cloudreel.core.transport import Transport
from cloudreel.core.waiting import until, watch
from cloudreel.downloads import Destination, download
from cloudreel.downloads.download import DownloadCallback


class AsyncMedia(Remote, PlayerUrls):
    """Media: their metadata, assets and signed URLs.

    An ``id`` that is not 24 hexadecimal digits is refused with `InvalidParameter`, one that does not exist
    with `NotFound`. ``fields`` are dotted paths: ``"id"``, ``"meta.title"``, ``"assets.source.duration"``,
    ``"stats.global.last_week"``; the result nests accordingly and holds nothing else (cloudkey-rpc.md 8).
    """

    def __init__(self, transport: Transport, viewing: Viewing) -> None:
        super().__init__(transport, "media")
        self._viewing = viewing

    async def create(
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
        return await self._transport.send(
            protocol.media_create(
                url=url, assets_names=assets_names, meta=meta, assets_parameters=assets_parameters
            )
        )

    async def info(self, *, id: str, fields: Sequence[str] | None = None) -> MediaInfo:
        """Return what is known of a medium, or the fields selected."""
        return await self._transport.send(protocol.media_info(id=id, fields=fields))

    async def list(
        self, *, fields: Sequence[str] | None = None, page: int | None = None, per_page: int | None = None
    ) -> MediaPage:
        """Return a page of media, with how many there are in all.

        Args:
            fields: what to return of each.
            page: counts from 1, which is the default.
            per_page: media of a page; the service gives 10 where nothing is asked for, and at most 100.
        """
        return await self._transport.send(protocol.media_list(fields=fields, page=page, per_page=per_page))

    async def search(
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
        return await self._transport.send(
            protocol.media_search(query=query, fields=fields, page=page, per_page=per_page)
        )

    def iterate(
        self, *, fields: Sequence[str] | None = None, query: str | None = None, per_page: int = 100
    ) -> AsyncPager[MediaInfo]:
        """Return an async iterator over all media, or all that a query finds, fetched page by page.

        Args:
            fields: what to return of each.
            query: as for `search`; None for all media.
            per_page: media to ask for at a time, 1 to 100.
        """

        async def fetch(page: int, per_page: int) -> Page[MediaInfo]:
            if query is None:
                found = await self.list(fields=fields, page=page, per_page=per_page)
            else:
                found = await self.search(query=query, fields=fields, page=page, per_page=per_page)
            return Page(found["list"], last=is_last(found, page))

        return AsyncPager(fetch, per_page=per_page)

    async def delete(self, *, id: str) -> None:
        """Delete a medium and its assets."""
        await self._transport.send(protocol.media_delete(id=id))

    async def set_meta(self, *, id: str, meta: Mapping[str, object]) -> None:
        """Set metadata; keys that are not mentioned stay.

        Args:
            id: of the medium.
            meta: text, numbers, booleans or None by key.
        """
        await self._transport.send(protocol.media_set_meta(id=id, meta=meta))

    async def get_meta(self, *, id: str, keys: Sequence[str] | None = None) -> Meta:
        """Return all metadata of a medium, or that of the ``keys`` given."""
        return await self._transport.send(protocol.media_get_meta(id=id, keys=keys))

    async def remove_meta(self, *, id: str, keys: Sequence[str]) -> None:
        """Remove metadata; keys that are not there do no harm."""
        await self._transport.send(protocol.media_remove_meta(id=id, keys=keys))

    async def set_assets(self, *, id: str, assets: Sequence[AssetRequest]) -> None:
        """Have assets fetched or transcoded; all are ``pending`` when this returns.

        Args:
            id: of the medium.
            assets: each a ``name``, with the ``url`` to fetch it from, or with ``action`` ``"transcode"``, or
                with neither, to make it from the source.
        """
        await self._transport.send(protocol.media_set_assets(id=id, assets=assets))

    async def get_assets(self, *, id: str, assets_names: Sequence[str] | None = None) -> Assets:
        """Return all assets of a medium by name, or those named that exist."""
        return await self._transport.send(protocol.media_get_assets(id=id, assets_names=assets_names))

    async def get_asset(self, *, id: str, asset_name: str) -> AssetInfo:
        """Return one asset.

        Raises:
            NotFound: there is no such medium, or no such asset of it.
        """
        return await self._transport.send(protocol.media_get_asset(id=id, asset_name=asset_name))

    async def remove_assets(self, *, id: str, assets_names: Sequence[str]) -> None:
        """Have assets removed, which takes some seconds; names that are not there do no harm."""
        await self._transport.send(protocol.media_remove_assets(id=id, assets_names=assets_names))

    async def wait_for_assets(
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
        return await until(
            lambda: self.get_assets(id=id, assets_names=names),
            lambda assets: waiting.ready(id, names, assets),
            timeout=timeout,
            poll=poll,
            late=lambda: WaitTimedOut(f"The assets of media {id} were not ready after {timeout:g} s"),
        )

    def watch_assets(
        self, id: str, names: Sequence[str] | None = None, *, poll: float | None = None
    ) -> AsyncIterator[Assets]:
        """Return an async iterator over the state of assets, until each of them is ready or failed.

        Args:
            id: of the medium.
            names: of its assets, None for all.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
        """
        return watch(
            lambda: self.get_assets(id=id, assets_names=names),
            waiting.final,
            poll=poll,
            news=lambda assets: assets,
        )

    async def download(
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

        async def ask_url() -> str:
            return self.get_stream_url(id, asset_name, download=True)

        return await download(self._transport, ask_url, dest, progress=progress)

    async def set_thumbnail(
        self, *, id: str, url: str | None = None, timecode: str | None = None, force: bool | None = None
    ) -> JSON:
        """Choose the picture that stands for a medium.

        Args:
            id: of the medium.
            url: of a picture, or else:
            timecode: where in the video, as ``HH:MM:SS.mm``.
            force: as the service understands it.
        """
        return await self._transport.send(
            protocol.media_set_thumbnail(id=id, url=url, timecode=timecode, force=force)
        )

    async def get_subs_urls(self, *, id: str, type: str | None = None) -> dict[str, str]:
        """Return the URLs of a medium's subtitles by language.

        Args:
            id: of the medium.
            type: of the files, ``"srt"`` where nothing is asked for.

        Raises:
            SerializerError: which is how the service says that there are none (cloudkey-rpc.md 10.1).
        """
        return await self._transport.send(protocol.media_get_subs_urls(id=id, type=type))

    async def stats(self, *, id: str) -> JSON:
        """Return statistics of a medium; their shape is the service's."""
        return await self._transport.send(protocol.media_stats(id=id))

    async def count(self) -> int:
        """Return how many media there are.

        Raises:
            InvalidMethod: which the service said in its later years; ``list`` gives the number, too.
        """
        return await self._transport.send(protocol.media_count())

    async def reset(self) -> None:
        """Delete all media of the account."""
        await self._transport.send(protocol.media_reset())
