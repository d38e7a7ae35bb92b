"""CloudKey's downloads from a sandbox, over connections that it breaks in the middle."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from cloudreel.cloudkey import (
    AsyncCloudKey,
    AuthenticationError,
    Bandwidth,
    InvalidParameter,
    Limits,
    NotFound,
    TransportException,
)
from cloudreel.core import retry
from cloudreel.downloads import DownloadProgress
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cloudreel.core.options import Http

pytestmark = pytest.mark.anyio

EVERYWHERE = pytest.mark.parametrize(
    ("http", "anyio_backend"), [("httpx", "asyncio"), ("httpx", "trio"), ("aiohttp", "asyncio")]
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox on a real socket."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def film(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip with two megabytes behind it that no player minds."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    filler = random.Random(1).randbytes(2 * 2**20)
    path.write_bytes(clip.read_bytes() + (len(filler) + 8).to_bytes(4, "big") + b"free" + filler)
    return path


@pytest.fixture(scope="module")
def media_id(sandbox: Sandbox, film: Path) -> str:
    """A medium with that film as its source, and one asset of it."""
    with sandbox.sync.cloudkey() as ck:
        stored = ck.file.upload_file(film)
        made = ck.media.create(url=stored["url"], assets_names=["mp4_h264_aac"])
        ck.media.wait_for_assets(made["id"], ["source", "mp4_h264_aac"], timeout=120, poll=0.05)
    return made["id"]


@pytest.fixture
async def ck(sandbox: Sandbox, http: Http, anyio_backend: str) -> AsyncIterator[AsyncCloudKey]:
    """A client of the sandbox."""
    async with sandbox.cloudkey(http=http) as client:
        yield client


@pytest.fixture
def faults(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Have things go wrong, and attempts follow each other at once."""
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.002)
    with httpx.Client(base_url=f"{sandbox.base_url}/__sandbox__") as control:

        def add(*faults: dict[str, object]) -> None:
            each = [{"path": "/route/*", "method": "GET", **fault} for fault in faults]
            control.post("/faults", json=each).raise_for_status()

        yield add
        control.delete("/faults").raise_for_status()


@EVERYWHERE
async def test_an_asset_comes_whole_however_often_the_line_breaks(
    ck: AsyncCloudKey, media_id: str, film: Path, faults: Any, tmp_path: Path
) -> None:
    breaks: list[dict[str, object]] = [
        {"action": "truncate", "after_bytes": 500_000},
        {"action": "drop"},
        {"action": "truncate", "after_bytes": 1},  # not even a head
        {"action": "truncate", "after_bytes": 900_000},
        {"action": "status", "status": 503},
        {"action": "garbage"},
        {"action": "truncate", "after_bytes": 100_000},
    ]
    client = ck.with_options(retries=3)
    for dest in (tmp_path / "film.mp4", io.BytesIO()):
        faults(*breaks)
        seen: list[DownloadProgress] = []
        count = await client.media.download(media_id, "source", dest, progress=seen.append)
        data = dest.getvalue() if isinstance(dest, io.BytesIO) else dest.read_bytes()
        assert data == film.read_bytes()
        assert count == film.stat().st_size
        assert seen[-1] == DownloadProgress(count, count)
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]


@EVERYWHERE
async def test_a_break_costs_only_what_was_on_the_line(
    ck: AsyncCloudKey, sandbox: Sandbox, media_id: str, film: Path, faults: Any
) -> None:
    half = film.stat().st_size // 2
    faults({"action": "truncate", "after_bytes": half})
    sent = 0

    class Counted(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal sent
            answer = await super().handle_async_request(request)
            sent += int(answer.headers.get("content-length", 0))
            return answer

    async with Counted() as counted, sandbox.cloudkey(transport=counted) as client:
        await client.media.download(media_id, "source", io.BytesIO())
    assert sent < film.stat().st_size + half + 65536


@EVERYWHERE
async def test_a_line_that_stands_still_is_left(
    ck: AsyncCloudKey, media_id: str, film: Path, faults: Any
) -> None:
    faults({"action": "stall"})
    memory = io.BytesIO()
    await ck.with_options(timeout=1.0).media.download(media_id, "source", memory)
    assert memory.getvalue() == film.read_bytes()


@EVERYWHERE
async def test_what_is_not_there_or_no_file_is_told(
    ck: AsyncCloudKey, sandbox: Sandbox, media_id: str, faults: Any, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="no asset flv_h263_mp3") as caught:
        await ck.media.download(media_id, "flv_h263_mp3", tmp_path / "film")
    assert caught.value.url == f"{sandbox.base_url}/***"
    with pytest.raises(InvalidParameter, match="id must be a text"):
        await ck.media.download("", "source", tmp_path / "film")
    faults({"action": "truncate", "after_bytes": 5, "times": 3})
    with pytest.raises(TransportException, match="no usable answer") as broken:
        await ck.media.download(media_id, "source", tmp_path / "film")
    assert media_id not in str(broken.value)
    wrong = sandbox.cloudkey(api_key="0" * 40)
    with pytest.raises(AuthenticationError) as refused:
        await wrong.media.download(media_id, "source", tmp_path / "film")
    assert refused.value.status == 403
    await wrong.close()
    assert list(tmp_path.iterdir()) == []


@EVERYWHERE
async def test_a_picture_needs_no_signature(ck: AsyncCloudKey, media_id: str) -> None:
    await ck.media.set_assets(id=media_id, assets=[{"name": "jpeg_thumbnail_small"}])
    await ck.media.wait_for_assets(media_id, ["jpeg_thumbnail_small"], timeout=60, poll=0.05)
    memory = io.BytesIO()
    await ck.media.download(media_id, "jpeg_thumbnail_small", memory)
    assert memory.getvalue().startswith(b"\xff\xd8")


@EVERYWHERE
async def test_a_cancelled_download_is_gone_at_once(
    ck: AsyncCloudKey, media_id: str, tmp_path: Path, faults: Any
) -> None:
    faults({"action": "stall"})
    with anyio.move_on_after(0.2) as scope:
        await ck.media.download(media_id, "source", tmp_path / "film")
    assert scope.cancelled_caught
    assert list(tmp_path.iterdir()) == []
    assert await ck.media.download(media_id, "mp4_h264_aac", tmp_path / "film") > 1000


@pytest.mark.parametrize("http", ["httpx"])
async def test_uploads_and_downloads_keep_to_one_cap_that_may_change(
    sandbox: Sandbox, http: Http, anyio_backend: str, media_id: str, film: Path
) -> None:
    size = film.stat().st_size
    cap = Bandwidth(size)  # a second each way
    async with sandbox.cloudkey(limits=Limits(bandwidth=cap)) as client:
        start = anyio.current_time()
        async with anyio.create_task_group() as group:
            group.start_soon(client.file.upload_file, film)
            group.start_soon(client.media.download, media_id, "source", io.BytesIO())
        assert anyio.current_time() - start > 1.5
        cap.bytes_per_second = size / 1000
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                group.start_soon(client.media.download, media_id, "source", io.BytesIO())
                await anyio.sleep(0.2)
                cap.bytes_per_second = None


def test_the_sandbox_gives_ranges_of_what_is_still_the_same(
    sandbox: Sandbox, media_id: str, film: Path
) -> None:
    data = film.read_bytes()
    with sandbox.sync.cloudkey() as ck, httpx.Client() as viewer:
        url = ck.media.get_stream_url(media_id, "source")
        whole = viewer.get(url)
        assert (whole.status_code, whole.content) == (200, data)
        assert whole.headers["accept-ranges"] == "bytes"
        for validator in (whole.headers["etag"], whole.headers["last-modified"]):
            rest = viewer.get(url, headers={"Range": "bytes=1000000-", "If-Range": validator})
            assert (rest.status_code, rest.content) == (206, data[1_000_000:])
            assert rest.headers["content-range"] == f"bytes 1000000-{len(data) - 1}/{len(data)}"
            assert rest.headers["etag"] == whole.headers["etag"]
        other = viewer.get(url, headers={"Range": "bytes=1000000-", "If-Range": '"another"'})
        assert (other.status_code, other.content) == (200, data)
        beyond = viewer.get(url, headers={"Range": f"bytes={len(data)}-"})
        assert beyond.status_code == 416


def test_without_async_it_is_the_same(
    sandbox: Sandbox, media_id: str, film: Path, faults: Any, tmp_path: Path
) -> None:
    faults({"action": "truncate", "after_bytes": 500_000})
    seen: list[DownloadProgress] = []
    with sandbox.sync.cloudkey() as ck:
        with (tmp_path / "film.mp4").open("wb") as file:
            count = ck.media.download(media_id, "source", file, progress=seen.append)
            assert not file.closed
        assert (tmp_path / "film.mp4").read_bytes() == film.read_bytes()
        assert seen[-1].bytes_received == count == film.stat().st_size
        assert ck.media.download(media_id, "source", tmp_path / "film.mp4") == count


async def test_the_older_era_downloads_too(
    sandbox: Sandbox, clip: Path, faults: Any, tmp_path: Path, anyio_backend: str
) -> None:
    async with sandbox.cloudkey_rest() as ck:
        stored = await ck.file.upload_file(clip)
        made = await ck.media.publish(url=stored["url"], presets=["mp4_h264_aac"])
        with anyio.fail_after(60):
            while (await ck.media.get_asset(id=made["id"], preset="mp4_h264_aac"))["status"] != "ready":
                await anyio.sleep(0.05)
        faults({"action": "truncate", "after_bytes": 20_000})
        count = await ck.media.download(id=made["id"], preset="source", dest=tmp_path / "film.mp4")
        assert (tmp_path / "film.mp4").read_bytes() == clip.read_bytes()
        assert count == clip.stat().st_size
    with sandbox.sync.cloudkey_rest() as twin:
        memory = io.BytesIO()
        assert twin.media.download(id=made["id"], preset="mp4_h264_aac", dest=memory) == len(
            memory.getvalue()
        )
