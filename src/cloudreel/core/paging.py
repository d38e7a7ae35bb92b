"""Lists that the service hands out page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from attrs import frozen

T = TypeVar("T")

LARGEST_PAGE = 100  # items; services give no more, whatever `per_page` asks for (panda.md 7)


@frozen
class Page(Generic[T]):
    """What a fetch returns where the service says itself which page is the last."""

    items: Sequence[T]
    last: bool


Fetch: TypeAlias = Callable[[int, int], "Awaitable[Sequence[T] | Page[T]]"]


class AsyncPager(Generic[T]):
    """Iterates over the items of all pages; every loop over it starts anew at the first page.

    Nothing is asked for before the first step, one page at a time is held, and a loop may be left at
    any item: there is nothing to close.
    """

    def __init__(
        self, fetch: Fetch[T], *, per_page: int, identity: Callable[[T], object] | None = None
    ) -> None:
        """Store how to get a page.

        Args:
            fetch: called with the page's number, from 1, and ``per_page``; returns its items, or a `Page`.
                Mere items end with a page that is not full. An empty page is always the end.
            per_page: items to ask for at a time, at least 1.
            identity: tells items apart. Where it is given, a page of the same items as the one before is
                the end, too: the service has no pages and would give the same for ever.

        Raises:
            ValueError: ``per_page`` is less than 1.
        """
        if per_page < 1:
            raise ValueError(f"per_page must be at least 1, not {per_page}")
        self._fetch = fetch
        self._per_page = per_page
        self._identity = identity

    def __aiter__(self) -> AsyncIterator[T]:
        """Iterate over the items of all pages."""
        return _Items(self.pages())

    def pages(self) -> AsyncIterator[list[T]]:
        """Iterate over the pages, each the list of its items; an empty page is not handed out."""
        return _Pages(self._fetch, self._per_page, self._identity)


# Plain iterators rather than async generators: one of those, left early, waits for its loop to close it.


class _Pages(AsyncIterator[list[T]]):
    def __init__(self, fetch: Fetch[T], per_page: int, identity: Callable[[T], object] | None) -> None:
        self._fetch = fetch
        self._per_page = per_page
        self._identity = identity
        self._number = 1
        self._before: list[object] = []
        self._ended = False

    async def __anext__(self) -> list[T]:
        if self._ended:
            raise StopAsyncIteration
        found = await self._fetch(self._number, self._per_page)
        if isinstance(found, Page):
            items, self._ended = list(found.items), found.last
        else:
            items, self._ended = list(found), len(found) < min(self._per_page, LARGEST_PAGE)
        self._number += 1
        if not items or self._repeats(items):
            self._ended = True
            raise StopAsyncIteration
        return items

    def _repeats(self, items: list[T]) -> bool:
        if self._identity is None:
            return False
        before, self._before = self._before, [self._identity(item) for item in items]
        return self._before == before


class _Items(AsyncIterator[T]):
    def __init__(self, pages: AsyncIterator[list[T]]) -> None:
        self._pages = pages
        self._page: list[T] = []
        self._next = 0

    async def __anext__(self) -> T:
        if self._next == len(self._page):
            self._page = await anext(self._pages)
            self._next = 0
        item = self._page[self._next]
        self._next += 1
        return item
