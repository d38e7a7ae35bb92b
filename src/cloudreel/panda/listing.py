"""How the lists of the Panda family are read: one page when asked for, else all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias, TypeVar

from cloudreel.core.paging import AsyncPager
from cloudreel.panda.protocol import PER_PAGE, Params


class Identified(Protocol):
    """What has an id."""

    @property
    def id(self) -> str | None:
        """The id that the service gave it."""
        ...


T = TypeVar("T", bound=Identified)

GetPage: TypeAlias = Callable[[Params], Awaitable[list[T]]]


def pager(get_page: GetPage[T], filters: Params, per_page: int = PER_PAGE) -> AsyncPager[T]:
    """Return an async iterator over all objects that match ``filters``."""

    async def fetch(page: int, per_page: int) -> Sequence[T]:
        return await get_page({**filters, "page": page, "per_page": per_page})

    return AsyncPager(fetch, per_page=per_page, identity=lambda item: item.id)


def single_page(get_page: GetPage[T], filters: Params) -> AsyncPager[T]:
    """Return an async iterator over a list that the service does not divide into pages."""

    async def fetch(page: int, per_page: int) -> Sequence[T]:
        return await get_page(filters) if page == 1 else []

    return AsyncPager(fetch, per_page=PER_PAGE)


async def everything(get_page: GetPage[T], filters: Params) -> list[T]:
    """Return all objects, or exactly one page where ``page`` or ``per_page`` stands in ``filters``."""
    if "page" in filters or "per_page" in filters:
        return await get_page(filters)
    return [item async for item in pager(get_page, filters)]
