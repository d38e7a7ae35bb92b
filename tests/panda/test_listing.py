"""Lists of the family: one page when one is asked for, else all of them."""

from __future__ import annotations

import pytest

from cloudreel.panda import listing
from cloudreel.panda.models import VideoFields
from cloudreel.panda.protocol import Params

pytestmark = pytest.mark.anyio


ITEMS = [VideoFields(id=str(number)) for number in range(300)]


class Shelf:
    """A service with some objects, which notes what it was asked."""

    def __init__(self, count: int) -> None:
        self.items = ITEMS[:count]
        self.asked: list[dict[str, object]] = []

    async def page(self, params: Params) -> list[VideoFields]:
        self.asked.append(dict(params))
        page, per_page = int(str(params.get("page", 1))), int(str(params.get("per_page", 100)))
        return self.items[(page - 1) * per_page : page * per_page]


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (99, 1), (100, 2), (250, 3), (300, 4)])
async def test_everything_follows_pages_to_a_short_one(count: int, pages: int) -> None:
    shelf = Shelf(count)
    filters = {"status": "success"}
    assert await listing.everything(shelf.page, filters) == shelf.items
    assert shelf.asked == [{"status": "success", "page": 1 + n, "per_page": 100} for n in range(pages)]
    assert filters == {"status": "success"}


@pytest.mark.parametrize("filters", [{"page": 2}, {"per_page": 30}, {"page": 3, "per_page": 30}])
async def test_a_page_that_is_asked_for_is_all_there_is(filters: dict[str, int]) -> None:
    shelf = Shelf(250)
    found = await listing.everything(shelf.page, filters)
    assert shelf.asked == [filters]
    assert found == await Shelf(250).page(filters)


async def test_a_pager_asks_for_nothing_before_it_is_stepped() -> None:
    shelf = Shelf(250)
    pager = listing.pager(shelf.page, {}, 50)
    assert shelf.asked == []
    async for item in pager:
        if item.id == "60":
            break
    assert shelf.asked == [{"page": 1, "per_page": 50}, {"page": 2, "per_page": 50}]


async def test_an_undivided_list_is_asked_for_once_per_loop() -> None:
    shelf = Shelf(100)
    pager = listing.single_page(shelf.page, {"status": "fail"})
    assert [item async for item in pager] == shelf.items
    assert all(params == {"status": "fail"} for params in shelf.asked)


async def test_a_service_without_pages_is_not_asked_for_ever() -> None:
    shelf = Shelf(250)

    async def everything(params: Params) -> list[VideoFields]:
        shelf.asked.append(dict(params))
        return [VideoFields(id=item.id, status=str(len(shelf.asked))) for item in shelf.items]

    assert [item.id for item in await listing.everything(everything, {})] == [item.id for item in shelf.items]
    assert len(shelf.asked) == 2
