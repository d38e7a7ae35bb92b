"""Downloads of what Panda and Telestream have encoded, and the clocks that they go by."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel import InvalidRequestError, NotFoundError, TransportError
from cloudreel.core import retry
from cloudreel.panda import AsyncPanda, PandaError
from cloudreel.sandbox import Sandbox
from cloudreel.telestream import AsyncTelestream, TelestreamCloudException

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cloudreel.panda import AsyncEncoding as PandaEncoding
    from cloudreel.telestream import AsyncEncoding as TelestreamEncoding

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox on a real socket."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def made(sandbox: Sandbox, clip: Path) -> dict[str, str]:
    """The id of an encoding of each service."""
    with sandbox.sync.panda() as panda, sandbox.sync.telestream() as tc:
        factory = tc.flip.factories.find(str(tc.factory_id))
        videos = {
            "panda": panda.videos.create(file=clip, profiles="h264", path_format="films/:id é"),
            "telestream": factory.videos.create(file=clip, profiles="h264"),
        }
        for video in videos.values():
            video.wait(timeout=120, poll=0.05)
        return {
            "panda": str(videos["panda"].encodings()[0].id),
            "telestream": str(videos["telestream"].encodings.all()[0].id),
        }


@pytest.fixture(params=["panda", "telestream"])
async def encoding(
    request: pytest.FixtureRequest, sandbox: Sandbox, made: dict[str, str], anyio_backend: str
) -> AsyncIterator[PandaEncoding | TelestreamEncoding]:
    """An encoding that is done, of each service."""
    if request.param == "panda":
        async with sandbox.panda() as panda:
            yield await panda.encodings.find(made["panda"])
    else:
        async with sandbox.telestream() as tc:
            factory = await tc.flip.factories.find(str(tc.factory_id))
            yield await factory.encodings.find(made["telestream"])


@pytest.fixture
def control(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The sandbox's control routes; attempts follow each other at once."""
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.002)
    with httpx.Client(base_url=f"{sandbox.base_url}/__sandbox__") as client:
        yield client
        client.delete("/faults").raise_for_status()


def spoil(control: httpx.Client, *faults: dict[str, object]) -> None:
    each = [{"path": "/outputs/*", "method": "GET", **fault} for fault in faults]
    control.post("/faults", json=each).raise_for_status()


# -- downloads -------------------------------------------------------------------------------------------


async def test_an_encoding_comes_whole_though_the_line_breaks(
    encoding: Any, control: httpx.Client, tmp_path: Path
) -> None:
    plain = io.BytesIO()
    size = await encoding.download(plain)
    assert size == len(plain.getvalue()) == encoding.file_size
    assert plain.getvalue()[4:8] == b"ftyp"
    for dest in (tmp_path / "film.mp4", io.BytesIO()):
        spoil(
            control,
            {"action": "truncate", "after_bytes": size // 2},
            {"action": "drop"},
            {"action": "truncate", "after_bytes": size // 4},
            {"action": "status", "status": 503},
        )
        assert await encoding.download(dest) == size
        data = dest.getvalue() if isinstance(dest, io.BytesIO) else dest.read_bytes()
        assert data == plain.getvalue()


async def test_every_file_of_an_encoding_can_be_had(encoding: Any, tmp_path: Path) -> None:
    (film,), screenshots = encoding.files, encoding.screenshots
    assert screenshots
    assert await encoding.download(tmp_path / "film.mp4", film) == encoding.file_size
    for name in screenshots:
        picture = io.BytesIO()
        assert await encoding.download(picture, file=name) == len(picture.getvalue())
        assert picture.getvalue()[:2] == b"\xff\xd8"  # JPEG
    with pytest.raises(NotFoundError):
        await encoding.download(tmp_path / "none.mp4", "none.mp4")


async def test_failures_are_the_services_own(encoding: Any, control: httpx.Client, tmp_path: Path) -> None:
    root = PandaError if type(encoding).__module__.startswith("cloudreel.panda") else TelestreamCloudException
    spoil(control, {"action": "drop", "times": 3})
    with pytest.raises(TransportError) as lost:
        await encoding.download(tmp_path / "film.mp4")
    spoil(control, {"action": "status", "status": 404})
    with pytest.raises(NotFoundError) as missing:
        await encoding.download(tmp_path / "film.mp4")
    assert isinstance(lost.value, root)
    assert isinstance(missing.value, root)
    assert list(tmp_path.iterdir()) == []


async def test_what_has_no_file_yet_is_refused_before_anything_is_asked(sandbox: Sandbox) -> None:
    async with sandbox.panda() as panda:
        with pytest.raises(InvalidRequestError, match="has no file yet"):
            await panda.encodings.new(id="1").download(io.BytesIO())


async def test_a_file_that_is_not_of_the_size_that_was_told_is_refused(
    sandbox: Sandbox, made: dict[str, str]
) -> None:
    async with sandbox.panda() as panda:
        encoding = await panda.encodings.find(made["panda"])
        encoding["file_size"] = 5
        with pytest.raises(TransportError, match="the file should have 5 bytes"):
            await encoding.download(io.BytesIO())


def test_without_async_it_is_the_same(sandbox: Sandbox, made: dict[str, str], tmp_path: Path) -> None:
    seen: list[Any] = []
    with sandbox.sync.panda() as panda, sandbox.sync.telestream() as tc:
        encoding = panda.encodings.find(made["panda"])
        assert encoding.download(tmp_path / "a.mp4", progress=seen.append) == encoding.file_size
        assert seen[-1].bytes_received == (tmp_path / "a.mp4").stat().st_size
        other = tc.flip.factories.find(str(tc.factory_id)).encodings.find(made["telestream"])
        with (tmp_path / "b.mp4").open("wb") as file:
            assert other.download(file, other.files[0]) == other.file_size


# -- clocks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["panda", "telestream"])
async def test_a_clock_that_goes_wrong_twice_is_corrected_twice(
    sandbox: Sandbox, control: httpx.Client, kind: str
) -> None:
    def refused() -> int:
        requests = control.get("/state").raise_for_status().json()["requests"]
        return sum(request["status"] == 401 for request in requests)

    client: AsyncPanda | AsyncTelestream = getattr(sandbox, kind)(retries=0)

    async def call() -> object:
        return await (client.clouds.all() if isinstance(client, AsyncPanda) else client.flip.factories.all())

    before = refused()
    moved = 0
    try:
        async with client:
            for count, step in enumerate((0, 3600, -7200, 86400)):
                control.post("/clock", json={"advance": step}).raise_for_status()
                moved += step
                assert await call()
                assert await call()
                assert refused() == before + count
    finally:
        control.post("/clock", json={"advance": -moved}).raise_for_status()
