"""Sources: what can be uploaded, and how it is read."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import random
import tempfile
import threading
import time
import zipfile

import anyio
import pytest

from cloudreel.errors import UploadError
from cloudreel.uploads import Spooled, open_source
from cloudreel.uploads.files import FileReader, OpenFileReader
from cloudreel.uploads.readers import MemoryReader, SeekReader

pytestmark = pytest.mark.anyio

CONTENT = random.Random(7).randbytes(1_400_000)


async def read(source, offset=0, length=None):
    return [piece async for piece in source.read(offset, source.size if length is None else length)]


async def whole(source):
    async with source:
        return b"".join(await read(source))


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "clip.mp4"
    made.write_bytes(CONTENT)
    return made


class Unseekable(io.RawIOBase):
    def __init__(self, content):
        self.inner = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.inner.readinto(buffer)


class Upload:
    """As an ASGI framework gives one."""

    filename = "C:\\videos\\clip.mp4"

    def __init__(self, content):
        self.inner = io.BytesIO(content)

    async def read(self, size=-1):
        await anyio.sleep(0)
        return self.inner.read(size)


async def generate(content=CONTENT, step=100_000):
    for start in range(0, len(content), step):
        await anyio.sleep(0)
        yield content[start : start + step]
        yield b""


class Slow(io.BytesIO):
    """A file object of the caller's own kind."""

    def __init__(self, content):
        super().__init__(content)
        self.threads = set()

    def read(self, size=-1):
        self.threads.add(threading.current_thread())
        return super().read(size)

    def seek(self, offset, whence=0):
        position = super().seek(offset, whence)
        time.sleep(0.001)
        return position


MAKERS = {
    "str": lambda path: str(path),
    "path": lambda path: path,
    "bytes": lambda path: CONTENT,
    "bytearray": lambda path: bytearray(CONTENT),
    "memoryview": lambda path: memoryview(CONTENT),
    "strided": lambda path: memoryview(bytes(b for byte in CONTENT for b in (byte, 0)))[::2],
    "BytesIO": lambda path: io.BytesIO(CONTENT),
    "own": lambda path: Slow(CONTENT),
    "buffered": lambda path: path.open("rb"),
    "raw": lambda path: path.open("rb", buffering=0),
    "random": lambda path: path.open("r+b"),
    "unseekable": lambda path: Unseekable(CONTENT),
    "generator": lambda path: generate(),
    "upload": lambda path: Upload(CONTENT),
}


@pytest.mark.parametrize("kind", list(MAKERS))
async def test_every_kind_gives_its_bytes(kind, path, spool_folder):
    made = MAKERS[kind](path)
    source = await open_source(made)
    assert source.size == len(CONTENT)
    assert await whole(source) == CONTENT
    assert list(spool_folder.iterdir()) == []
    if hasattr(made, "closed"):
        assert not made.closed
        made.close()


@pytest.mark.parametrize("kind", list(MAKERS))
async def test_slices_may_be_read_at_once(kind, path, spool_folder):
    made = MAKERS[kind](path)
    found = {}
    async with await open_source(made) as source, anyio.create_task_group() as group:

        async def take(offset):
            found[offset] = b"".join(await read(source, offset, 130_000))

        for offset in range(0, len(CONTENT), 130_000):
            group.start_soon(take, offset)
    assert b"".join(found[offset] for offset in sorted(found)) == CONTENT
    if hasattr(made, "closed"):
        made.close()


@pytest.mark.parametrize("kind", ["path", "bytes", "own", "generator"])
async def test_pieces_are_small_and_fresh(kind, path, spool_folder):
    async with await open_source(MAKERS[kind](path)) as source:
        pieces = await read(source)
    assert all(type(piece) is bytes for piece in pieces)
    assert max(map(len, pieces)) <= 256 * 1024
    assert b"".join(pieces) == CONTENT


async def test_async_files_and_streams(path, spool_folder):
    async with await anyio.open_file(path, "rb") as file:
        assert await whole(await open_source(file)) == CONTENT


@pytest.mark.parametrize("opener", [gzip.open, bz2.open])
async def test_compressed_files_give_what_they_unpack(opener, tmp_path, spool_folder):
    packed = tmp_path / "clip.packed"
    with opener(packed, "wb") as file:
        file.write(CONTENT)
    with opener(packed, "rb") as file:
        file.seek(100)
        source = await open_source(file)
        assert source.size == len(CONTENT) - 100
        assert len(list(spool_folder.iterdir())) == 1
        assert await whole(source) == CONTENT[100:]
        assert file.tell() == 100
        assert not file.closed


async def test_a_member_of_a_zip_file(tmp_path, spool_folder):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("clip.mp4", CONTENT)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("clip.mp4") as file:
        source = await open_source(file)
        assert source.name == "clip.mp4"
        assert await whole(source) == CONTENT


async def test_a_pipe(spool_folder):
    reading, writing = os.pipe()
    os.write(writing, b"movie")
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        assert await whole(await open_source(file)) == b"movie"


async def test_the_same_bytes_have_the_same_digest_whatever_holds_them(path, spool_folder):
    digests = set()
    for make in MAKERS.values():
        made = make(path)
        source = await open_source(made)
        digests.add(source.fingerprint.sha256)
        await source.close()
        if hasattr(made, "closed"):
            made.close()
    assert len(digests) == 1


@pytest.mark.parametrize("made", ["generator", "unseekable", "upload"])
async def test_the_spool_limit(made, path, spool_folder):
    with pytest.raises(UploadError, match="1000000 bytes"):
        await open_source(Spooled(MAKERS[made](path), limit=1_000_000))
    assert list(spool_folder.iterdir()) == []
    source = await open_source(Spooled(MAKERS[made](path), limit=len(CONTENT)))
    await source.close()


# -- the caller's file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["buffered", "raw", "random", "own", "BytesIO"])
async def test_a_file_is_read_from_its_position_which_is_restored(kind, path):
    with MAKERS[kind](path) as file:
        file.seek(1000)
        source = await open_source(file)
        assert file.tell() == 1000
        assert source.size == len(CONTENT) - 1000
        assert await whole(source) == CONTENT[1000:]
        assert file.tell() == 1000
        assert not file.closed


async def test_what_was_written_but_not_flushed_is_read(tmp_path):
    with (tmp_path / "new.bin").open("w+b") as file:
        file.write(b"movie")
        file.seek(0)
        file.write(b"M")
        file.seek(0)
        assert await whole(await open_source(file)) == b"Movie"


async def test_a_file_that_the_caller_closed_is_no_trouble_to_release(path):
    file = Slow(CONTENT)
    source = await open_source(file)
    await source.open()
    file.close()
    await source.close()


async def test_a_bytearray_and_bytesio_stay_usable():
    data, file = bytearray(b"movie"), io.BytesIO(b"movie")
    for made in (data, file):
        async with await open_source(made) as source:
            pieces = source.read(0, 5)
            assert await anext(pieces) == b"movie"
    data.extend(b"!")
    file.close()


async def test_which_reader_is_chosen(path):
    with path.open("rb") as file, tempfile.TemporaryFile() as temporary:
        temporary.write(b"x")
        temporary.seek(0)
        for made, kind in [
            (path, FileReader),
            (file, OpenFileReader),
            (temporary, OpenFileReader),
            (io.BytesIO(b"x"), MemoryReader),
            (Slow(b"x"), SeekReader),
        ]:
            assert type((await open_source(made))._reader) is kind


async def test_own_files_are_read_in_threads_only():
    file = Slow(CONTENT)
    await whole(await open_source(file))
    assert threading.current_thread() not in file.threads
    assert file.threads


# -- what is no source ----------------------------------------------------------------------------------


async def test_a_missing_file_and_a_directory(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        await open_source(tmp_path / "missing.mp4")
    assert (
        caught.value.filename == str(tmp_path / "missing.mp4")
        or caught.value.filename == tmp_path / "missing.mp4"
    )
    with pytest.raises(IsADirectoryError):
        await open_source(tmp_path)


async def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UploadError, match="no regular file"):
        await open_source(tmp_path / "pipe")


async def test_text_is_no_source(path, spool_folder):
    with path.open(encoding="latin-1") as file, pytest.raises(TypeError, match="binary mode"):
        await open_source(file)
    with pytest.raises(TypeError, match="binary mode"):
        await open_source(io.StringIO("x"))

    async def texts():
        yield "x"

    with pytest.raises(TypeError, match="bytes, but it gave str"):
        await open_source(texts())
    async with await anyio.open_file(path, encoding="latin-1") as file:
        with pytest.raises(TypeError, match="bytes, but it gave str"):
            await open_source(file)
    assert list(spool_folder.iterdir()) == []


@pytest.mark.parametrize("made", [None, 5, [b"x"], object()])
async def test_other_objects_are_no_source(made):
    with pytest.raises(TypeError, match="no source"):
        await open_source(made)


@pytest.mark.parametrize("made", [b"", bytearray(), io.BytesIO(), Slow(b""), Unseekable(b""), Upload(b"")])
async def test_nothing_cannot_be_uploaded(made, spool_folder):
    with pytest.raises(UploadError, match="empty"):
        await open_source(made)
    assert list(spool_folder.iterdir()) == []


async def test_an_empty_file_and_a_file_at_its_end(tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.touch()
    with pytest.raises(UploadError, match=r"empty\.mp4.*empty"):
        await open_source(empty)
    file = io.BytesIO(b"movie")
    file.seek(9)
    with pytest.raises(UploadError, match="empty"):
        await open_source(file)
