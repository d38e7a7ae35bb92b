"""Where downloads go: files that appear whole or not at all, and objects that take bytes."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

if TYPE_CHECKING:
    from conftest import Shelf

pytestmark = pytest.mark.anyio

CONTENT = bytes(range(256)) * 3000  # three chunks of 256 KiB, not quite


@pytest.fixture(autouse=True)
def content(shelf: Shelf) -> None:
    shelf.content = CONTENT


# -- paths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, Path, anyio.Path])
async def test_a_path_gets_the_file(shelf: Shelf, tmp_path: Path, kind: type) -> None:
    assert await shelf.download(kind(tmp_path / "film.mp4")) == len(CONTENT)
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == CONTENT


async def test_an_empty_file_is_a_file(shelf: Shelf, tmp_path: Path) -> None:
    shelf.content = b""
    assert await shelf.download(tmp_path / "film.mp4") == 0
    assert (tmp_path / "film.mp4").read_bytes() == b""


async def test_a_file_that_is_there_stays_until_the_new_one_is_whole(shelf: Shelf, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_text("old")
    seen: list[tuple[int, str]] = []
    await shelf.download(path, progress=lambda p: seen.append((p.bytes_received, path.read_text())))
    assert {text for _, text in seen} == {"old"}
    assert seen[-1][0] == len(CONTENT)
    assert path.read_bytes() == CONTENT


@pytest.mark.usefixtures("pauses")
async def test_a_failed_download_leaves_nothing_behind(shelf: Shelf, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_text("old")
    shelf.breaks.extend([300_000, 0, 0, 0, 0])
    with pytest.raises(Exception, match="the line broke"):
        await shelf.download(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]
    assert path.read_text() == "old"


async def test_a_cancelled_download_leaves_nothing_behind(shelf: Shelf, tmp_path: Path) -> None:
    with anyio.CancelScope() as scope:
        await shelf.download(tmp_path / "film.mp4", progress=lambda progress: scope.cancel())
    assert scope.cancelled_caught
    assert list(tmp_path.iterdir()) == []


async def test_a_link_leads_to_what_is_replaced(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "real.mp4").write_text("old")
    (tmp_path / "link.mp4").symlink_to("real.mp4")
    await shelf.download(tmp_path / "link.mp4")
    assert (tmp_path / "link.mp4").is_symlink()
    assert (tmp_path / "real.mp4").read_bytes() == CONTENT


async def test_a_name_of_any_length_will_do(shelf: Shelf, tmp_path: Path) -> None:
    name = "é" * 125 + ".mp4"
    await shelf.download(tmp_path / name)
    assert (tmp_path / name).read_bytes() == CONTENT


async def test_where_no_file_can_be_nothing_is_asked_for(shelf: Shelf, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, error in [
        (tmp_path, IsADirectoryError),
        (tmp_path / "missing" / "film.mp4", FileNotFoundError),
        (fifo, FileExistsError),
        (Path(os.devnull), FileExistsError),
    ]:
        with pytest.raises(error):
            await shelf.download(path)
    assert shelf.requests == []
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


# -- objects with write ----------------------------------------------------------------------------------


class Sink:
    """Takes bytes, at its pace; remembers on which threads."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.sizes: list[int] = []
        self.threads: set[int] = set()

    def take(self, data: bytes) -> None:
        self.data += data
        self.sizes.append(len(data))
        self.threads.add(threading.get_ident())


class SyncSink(Sink):
    def write(self, data: bytes) -> None:
        self.take(data)


class AsyncSink(Sink):
    busy = False

    async def write(self, data: bytes) -> None:
        assert not self.busy
        self.busy = True
        await anyio.sleep(0.001)
        self.take(data)
        self.busy = False


class LazySink(Sink):
    """Its ``write`` is a plain function that returns something to await."""

    def write(self, data: bytes) -> object:
        async def later() -> None:
            self.take(data)

        return later()


class SlowSink(Sink):
    """A raw file that takes what it likes."""

    def write(self, data: bytes) -> int:
        self.take(data[:100_000])
        return min(len(data), 100_000)


@pytest.mark.parametrize(
    ("kind", "on_loop"), [(SyncSink, False), (AsyncSink, True), (LazySink, True), (SlowSink, False)]
)
async def test_whatever_writes_gets_every_byte_in_pieces(shelf: Shelf, kind: Any, on_loop: bool) -> None:
    sink = kind()
    assert await shelf.download(sink) == len(CONTENT)
    assert bytes(sink.data) == CONTENT
    assert max(sink.sizes) < 300_000
    assert (threading.get_ident() in sink.threads) is on_loop


async def test_a_file_of_the_callers_is_written_from_where_it_stands_and_stays_open(
    shelf: Shelf, tmp_path: Path
) -> None:
    with (tmp_path / "film.mp4").open("wb", buffering=0) as file:
        file.write(b"before")
        await shelf.download(file)
        file.write(b"after")
    assert (tmp_path / "film.mp4").read_bytes() == b"before" + CONTENT + b"after"


async def test_memory_will_do(shelf: Shelf) -> None:
    memory = io.BytesIO()
    await shelf.download(memory)
    assert memory.getvalue() == CONTENT


async def test_a_file_of_anyio_will_do(shelf: Shelf, tmp_path: Path) -> None:
    async with await anyio.open_file(tmp_path / "film.mp4", "wb") as file:
        await shelf.download(file)
    assert (tmp_path / "film.mp4").read_bytes() == CONTENT


async def test_what_a_writer_raises_comes_as_it_is(shelf: Shelf) -> None:
    class Full:
        def write(self, data: bytes) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await shelf.download(Full())
    assert len(shelf.requests) == 1


async def test_a_writer_that_takes_nothing_is_no_endless_loop(shelf: Shelf) -> None:
    class Stuck:
        def write(self, data: bytes) -> int:
            return 0

    with pytest.raises(BlockingIOError, match="took 0 of"):
        await shelf.download(Stuck())


async def test_text_files_and_other_things_are_no_destination(shelf: Shelf) -> None:
    wrong: list[Any] = [io.StringIO(), b"film.mp4"]
    with pytest.raises(TypeError):
        await shelf.download(wrong[0])
    with pytest.raises(TypeError, match="a path or to an object with write"):
        await shelf.download(wrong[1])
