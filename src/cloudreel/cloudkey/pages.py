"""All pages of a list of media: the service says itself which is the last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from cloudreel.cloudkey.models import MediaInfo, MediaList, MediaPage
from cloudreel.core.paging import AsyncPager


class MediaPager(AsyncPager[MediaInfo]):
    """Iterates over the media of all pages, however many the service puts on one (cloudkey-rpc.md 9.2, 9.6).

    Args:
        fetch: called with the page's number, from 1, and ``per_page``; returns the page.
        per_page: media to ask for at a time, at least 1.
    """

    def __init__(self, fetch: Callable[[int, int], Awaitable[MediaPage]], *, per_page: int) -> None:
        async def media_of(page: int, per_page: int) -> Sequence[MediaInfo]:
            return (await fetch(page, per_page))["list"]

        super().__init__(media_of, per_page=per_page)
        self._fetch_page = fetch
        self._size = per_page

    def pages(self) -> AsyncIterator[MediaList]:
        """Iterate over the pages, each the list of its media; an empty page is not handed out."""
        return _Pages(self._fetch_page, self._size)


class _Pages(AsyncIterator[MediaList]):
    def __init__(self, fetch: Callable[[int, int], Awaitable[MediaPage]], per_page: int) -> None:
        self._fetch = fetch
        self._per_page = per_page
        self._number = 1
        self._ended = False

    async def __anext__(self) -> MediaList:
        if self._ended:
            raise StopAsyncIteration
        page = await self._fetch(self._number, self._per_page)
        self._ended = not page["list"] or not _has_more(page, self._number)
        self._number += 1
        if not page["list"]:
            raise StopAsyncIteration
        return page["list"]


def _has_more(page: MediaPage, number: int) -> bool:
    """Return whether another page follows: lists say how many there are, searches may say just that."""
    return page["has_more"] if "has_more" in page else number < page.get("pages", number + 1)
