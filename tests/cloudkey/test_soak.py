"""Many calls of all kinds at once: a hundred at a time in the long runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.core.options import Limits
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from cloudreel.cloudkey import AsyncCloudKey
    from cloudreel.core.options import Http

pytestmark = pytest.mark.anyio

LOOKS: list[Callable[[AsyncCloudKey, str], Awaitable[object]]] = [
    lambda ck, id: ck.media.info(id=id, fields=["id", "meta.title"]),
    lambda ck, id: ck.media.list(fields=["id"], per_page=100),
    lambda ck, id: ck.media.search(query=f"meta.title:{id}", fields=["id"]),
    lambda ck, id: ck.media.get_assets(id=id),
    lambda ck, id: ck.file.upload(status=True),
    lambda ck, id: ck.user.info(fields=["id", "username"]),
    lambda ck, id: ck.encoding_settings.get_active_assets(),
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox on a real socket."""
    with Sandbox() as running:
        yield running


def sockets(port: int) -> set[str]:
    """Return the sockets of this process that lead to a port of this machine, in whatever state."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    leading = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(f":{port:04X}")}
    ours: set[str] = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            ours.add(str(link.readlink()))
    return leading & ours


async def live(ck: AsyncCloudKey, number: int) -> None:
    """Lead a medium through its life, in five calls."""
    id = (await ck.media.create(meta={"title": f"clip {number}"}))["id"]
    await ck.media.set_meta(id=id, meta={"number": number})
    assert await ck.media.get_meta(id=id) == {"title": f"clip {number}", "number": number}
    await LOOKS[number % len(LOOKS)](ck, id)
    await ck.media.delete(id=id)


# With httpx alone a call costs the more the more connections there are, hence its short run by default.
@pytest.mark.parametrize(
    ("calls", "http", "anyio_backend"),
    [
        (60, "httpx", "asyncio"),
        (60, "httpx", "trio"),
        (500, "aiohttp", "asyncio"),
        pytest.param(500, "httpx", "asyncio", marks=pytest.mark.soak),
        pytest.param(500, "httpx", "trio", marks=pytest.mark.soak),
    ],
)
async def test_many_calls_at_once_succeed_and_leave_no_connection(
    sandbox: Sandbox, calls: int, http: Http, anyio_backend: str
) -> None:
    lives = calls // 5
    port = int(sandbox.base_url.rpartition(":")[2])
    async with sandbox.cloudkey(limits=Limits(in_flight=lives), http=http) as ck:
        async with anyio.create_task_group() as group:
            for number in range(lives):
                group.start_soon(live, ck, number)
        assert (await ck.media.list(fields=["id"]))["total"] == 0
        assert sockets(port)
    assert sockets(port) == set()
