from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.paging import AsyncPager, Page

pytestmark = pytest.mark.anyio


class Shelf:
    """A service with ``total`` numbered items that gives at most ``cap`` a page."""

    def __init__(self, total: int, cap: int = 100) -> None:
        self.total = total
        self.cap = cap
        self.asked: list[tuple[int, int]] = []

    async def fetch(self, page: int, per_page: int) -> Sequence[int]:
        self.asked.append((page, per_page))
        size = min(per_page, self.cap)
        return range(self.total)[(page - 1) * size : page * size]


@pytest.mark.parametrize(
    ("total", "per_page", "pages_asked"),
    [
        (0, 10, 1),
        (1, 10, 1),
        (9, 10, 1),
        (10, 10, 2),
        (11, 10, 2),
        (20, 10, 3),
        (3, 1, 4),
        (99, 100, 1),
        (100, 100, 2),
        (100, 250, 2),  # 100 is a full page for a service that gives no more
        (250, 250, 3),
        (200, 1000, 3),
    ],
)
async def test_every_item_comes_once_and_no_page_too_many(
    total: int, per_page: int, pages_asked: int
) -> None:
    shelf = Shelf(total)
    assert [item async for item in AsyncPager(shelf.fetch, per_page=per_page)] == list(range(total))
    assert shelf.asked == [(number, per_page) for number in range(1, pages_asked + 1)]


async def test_pages_are_lists_and_none_is_empty() -> None:
    pages = [page async for page in AsyncPager(Shelf(20).fetch, per_page=10).pages()]
    assert pages == [list(range(10)), list(range(10, 20))]


async def test_nothing_is_asked_for_before_it_is_needed() -> None:
    shelf = Shelf(30)
    pager = AsyncPager(shelf.fetch, per_page=10)
    items = aiter(pager)
    assert shelf.asked == []
    for _ in range(10):
        await anext(items)
    assert shelf.asked == [(1, 10)]
    await anext(items)
    assert shelf.asked == [(1, 10), (2, 10)]


async def test_every_loop_starts_at_the_first_page() -> None:
    pager = AsyncPager(Shelf(5).fetch, per_page=2)
    assert [n async for n in pager] == [n async for n in pager] == [0, 1, 2, 3, 4]


async def test_it_stays_ended() -> None:
    pages = AsyncPager(Shelf(1).fetch, per_page=2).pages()
    assert await anext(pages) == [0]
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(pages)


async def test_a_failure_is_raised_and_the_same_page_is_asked_for_again() -> None:
    shelf = Shelf(15)
    failures = [ConnectionResetError("gone")]

    async def fetch(page: int, per_page: int) -> Sequence[int]:
        if page == 2 and failures:
            raise failures.pop()
        return await shelf.fetch(page, per_page)

    items = aiter(AsyncPager(fetch, per_page=10))
    first = [await anext(items) for _ in range(10)]
    with pytest.raises(ConnectionResetError):
        await anext(items)
    assert first + [item async for item in items] == list(range(15))


async def test_a_page_is_dropped_once_its_items_are_gone() -> None:
    class Item:
        pass

    async def fetch(page: int, per_page: int) -> Sequence[Item]:
        return [Item() for _ in range(per_page)]

    alive: list[weakref.ref[Item]] = []
    async for item in AsyncPager(fetch, per_page=10):
        alive.append(weakref.ref(item))
        if len(alive) == 100:
            break
    del item
    gc.collect()
    assert sum(ref() is not None for ref in alive) <= 10


@pytest.mark.parametrize(
    ("sizes", "lasts", "asked"),
    [
        ([5, 2, 3], [False, False, True], 3),  # of whatever size
        ([2], [True], 1),
        ([2, 0], [False, False], 2),
        ([0], [False], 1),
        ([100, 100], [False, True], 2),
    ],
)
async def test_a_service_may_say_which_page_is_the_last(
    sizes: list[int], lasts: list[bool], asked: int
) -> None:
    numbers: list[int] = []

    async def fetch(page: int, per_page: int) -> Page[int]:
        numbers.append(page)
        start = sum(sizes[: page - 1])
        return Page(range(start, start + sizes[page - 1]), last=lasts[page - 1])

    pages = AsyncPager(fetch, per_page=2).pages()
    assert [item async for page in pages for item in page] == list(range(sum(sizes)))
    with pytest.raises(StopAsyncIteration):
        await anext(pages)
    assert numbers == list(range(1, asked + 1))


@pytest.mark.parametrize("size", [10, 250])
async def test_the_same_items_again_are_the_end(size: int) -> None:
    looks: list[int] = []

    async def fetch(page: int, per_page: int) -> Sequence[dict[str, int]]:
        looks.append(page)
        return [{"id": number, "seen": page} for number in range(size)]

    pager = AsyncPager(fetch, per_page=10, identity=lambda item: item["id"])
    for _ in range(2):
        assert [item["id"] async for item in pager] == list(range(size))
    assert looks == [1, 2, 1, 2]


async def test_equal_items_are_not_the_same_unless_it_is_said_how_to_tell() -> None:
    async def fetch(page: int, per_page: int) -> Sequence[str]:
        return ["alike"] * (per_page if page < 4 else 1)

    assert [item async for item in AsyncPager(fetch, per_page=2)] == ["alike"] * 7


async def test_one_item_that_two_pages_share_is_no_end() -> None:
    pages = [[1, 2], [2, 3], [3, 4], [4]]

    async def fetch(page: int, per_page: int) -> Sequence[int]:
        return pages[page - 1]

    pager = AsyncPager(fetch, per_page=2, identity=lambda item: item)
    assert [item async for item in pager.pages()] == pages


@pytest.mark.parametrize("per_page", [0, -1])
async def test_a_page_of_nothing_is_refused(per_page: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        AsyncPager(Shelf(1).fetch, per_page=per_page)


@given(total=st.integers(0, 700), per_page=st.integers(1, 300))
def test_all_sizes(total: int, per_page: int) -> None:
    async def collect() -> list[int]:
        return [item async for item in AsyncPager(Shelf(total).fetch, per_page=per_page)]

    steps = collect()
    with pytest.raises(StopIteration) as ended:
        steps.send(None)  # nothing in it waits: one step runs it to the end
    assert ended.value.value == list(range(total))
