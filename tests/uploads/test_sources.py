"""Sources: what can be uploaded, and how it is read."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import os
import random
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import anyio
import pytest

from cloudreel.errors import UploadError
from cloudreel.uploads import Spooled, files, open_source
from cloudreel.uploads.bodies import SourceBody
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


@pytest.fixture
def spool_folder(monkeypatch, tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def open_files():
    return {link.resolve() for link in Path("/proc/self/fd").iterdir()}


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


# -- nothing left open -----------------------------------------------------------------------------------


async def test_an_opened_source_holds_nothing_until_it_is_read(path):
    source = await open_source(path)
    assert path not in open_files()
    assert source.fileno() is None
    for _ in range(2):
        await source.open()
        await source.open()
        assert path in open_files()
        descriptor, start = source.fileno()
        assert os.pread(descriptor, 10, start) == CONTENT[:10]
        assert b"".join(await read(source, 5, 10)) == CONTENT[5:15]
        await source.release()
        assert path not in open_files()


async def test_a_released_source_is_not_read(path):
    source = await open_source(path)
    with pytest.raises(ValueError, match="not open"):
        await read(source)


async def test_a_spooled_copy_goes_with_the_source(spool_folder):
    source = await open_source(generate(b"movie", 2))
    assert len(list(spool_folder.iterdir())) == 1
    del source
    gc.collect()
    assert list(spool_folder.iterdir()) == []


async def test_a_cancelled_spool_leaves_nothing(spool_folder):
    closed = []

    async def endless():
        try:
            while True:
                yield bytes(100_000)
                await anyio.sleep(0)
        finally:
            closed.append(True)

    async with anyio.create_task_group() as group:
        group.start_soon(open_source, endless())
        while not list(spool_folder.iterdir()):
            await anyio.sleep(0.001)
        await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert closed == [True]
    assert list(spool_folder.iterdir()) == []


async def test_a_failing_iterable_leaves_nothing(spool_folder):
    async def fail():
        yield b"x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await open_source(fail())
    assert list(spool_folder.iterdir()) == []


@pytest.mark.parametrize("made", ["generator", "unseekable", "upload"])
async def test_the_spool_limit(made, path, spool_folder):
    with pytest.raises(UploadError, match="1000000 bytes"):
        await open_source(Spooled(MAKERS[made](path), limit=1_000_000))
    assert list(spool_folder.iterdir()) == []
    source = await open_source(Spooled(MAKERS[made](path), limit=len(CONTENT)))
    await source.close()


# -- what is no source -----------------------------------------------------------------------------------


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


# -- names -----------------------------------------------------------------------------------------------


class Named(io.BytesIO):
    def __init__(self, name):
        super().__init__(b"x")
        self.name = name


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (b"x", "upload.bin"),
        (io.BytesIO(b"x"), "upload.bin"),
        (Named("clip.mp4"), "clip.mp4"),
        (Named("/home/me/clip.mp4"), "clip.mp4"),
        (Named("<stdin>"), "upload.bin"),
        (Named(5), "upload.bin"),
        (Named(""), "upload.bin"),
        (Named("/"), "upload.bin"),
        (Named("a\udcff.mp4"), "a?.mp4"),
    ],
)
async def test_names(made, name, spool_folder):
    source = await open_source(made)
    assert source.name == name
    assert repr(source) == f"<Source {name!r}, 1 bytes>"
    await source.close()


async def test_the_name_of_an_upload_is_no_path_of_the_browser(spool_folder):
    async with await open_source(Upload(b"x")) as source:
        assert source.name == "clip.mp4"


async def test_the_name_of_a_path_is_its_last_part(tmp_path):
    path = tmp_path / "a\\b.mp4"
    path.write_bytes(b"x")
    assert (await open_source(str(path))).name == "a\\b.mp4"


# -- fingerprints and bodies -----------------------------------------------------------------------------


async def test_a_fingerprint_sees_head_middle_and_tail(path):
    source = await open_source(path)
    stamp = path.stat().st_mtime_ns
    assert source.fingerprint.mtime_ns == stamp
    await source.verify(source.fingerprint)
    for position in (0, len(CONTENT) // 2, len(CONTENT) - 1):
        changed = bytearray(CONTENT)
        changed[position] ^= 1
        path.write_bytes(changed)
        os.utime(path, ns=(stamp, stamp))
        with pytest.raises(UploadError, match="content is another"):
            await source.verify(source.fingerprint)
    path.write_bytes(CONTENT)
    os.utime(path, ns=(stamp + 1, stamp + 1))
    with pytest.raises(UploadError, match="written to"):
        await source.verify(source.fingerprint)
    path.write_bytes(CONTENT + b"x")
    with pytest.raises(UploadError, match="1400001 bytes instead of 1400000"):
        await source.verify(source.fingerprint)
    assert path not in open_files()


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


async def test_a_copy_of_the_bytes_continues_where_a_file_began(path):
    of_file = await open_source(path)
    of_bytes = await open_source(CONTENT)
    await of_bytes.verify(of_file.fingerprint)
    await of_file.verify(of_bytes.fingerprint)


async def test_a_body_counts_what_is_sent_and_starts_anew(path):
    counts = []
    async with await open_source(path) as source:
        body = SourceBody(source, 100, 600_000, counts.append)
        for _ in range(2):
            counts.clear()
            pieces = []
            async for piece in body:
                assert sum(map(len, pieces)) == (counts[-1] if counts else 0)
                pieces.append(piece)
            assert b"".join(pieces) == CONTENT[100:600_100]
            assert counts[-1] == body.length == 600_000


@pytest.mark.parametrize("kind", ["path", "own", "BytesIO"])
async def test_a_body_of_a_source_that_shrank(kind, path):
    made = MAKERS[kind](path)
    async with await open_source(made) as source:
        body = SourceBody(source, 0, 1_400_000)
        pieces = aiter(body)
        await anext(pieces)
        if kind == "path":
            os.truncate(path, 1_200_000)
        else:
            made.truncate(1_200_000)
        with pytest.raises(UploadError, match="ends after 1200000 of 1400000 bytes"):
            async for _ in pieces:
                pass


async def test_a_body_keeps_its_last_piece_when_the_file_was_written_to(path):
    async with await open_source(path) as source:
        os.utime(path, ns=(1, 1))
        pieces = aiter(SourceBody(source, 0, 600_000))
        assert len(await anext(pieces)) + len(await anext(pieces)) < 600_000
        with pytest.raises(UploadError, match="written to"):
            await anext(pieces)


# -- cached and cold pages -------------------------------------------------------------------------------


@pytest.fixture
def cold(monkeypatch):
    def refuse(*_):
        raise BlockingIOError

    monkeypatch.setattr(files.os, "preadv", refuse)


async def test_cold_pages_are_read_in_a_thread_a_mebibyte_at_a_time(path, cold, monkeypatch):
    calls = []
    pread = os.pread

    def recorded(descriptor, size, offset):
        calls.append((threading.current_thread(), size))
        return pread(descriptor, size, offset)

    monkeypatch.setattr(files.os, "pread", recorded)
    async with await open_source(path) as source:
        calls.clear()
        assert b"".join(await read(source)) == CONTENT
    assert [size for _, size in calls] == [2**20, len(CONTENT) - 2**20]
    assert threading.current_thread() not in [thread for thread, _ in calls]


async def test_a_file_system_that_cannot_say_is_asked_once(path, monkeypatch):
    asked = []

    def refuse(*_):
        asked.append(1)
        raise OSError(95, "not supported")

    monkeypatch.setattr(files.os, "preadv", refuse)
    assert await whole(await open_source(path)) == CONTENT
    assert len(asked) == 1


async def test_a_broken_disk_is_told(path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    source = await open_source(path)
    monkeypatch.setattr(files.os, "preadv", fail)
    with pytest.raises(OSError, match="Input/output"):
        await whole(source)
    assert path not in open_files()


async def test_without_pread_the_position_is_shared_under_a_lock(path, monkeypatch):
    monkeypatch.delattr(os, "RWF_NOWAIT", raising=False)
    monkeypatch.delattr(os, "pread")
    found = {}
    async with await open_source(path) as source, anyio.create_task_group() as group:

        async def take(offset):
            found[offset] = b"".join(await read(source, offset, 200_000))

        for offset in range(0, len(CONTENT), 200_000):
            group.start_soon(take, offset)
    assert b"".join(found[offset] for offset in sorted(found)) == CONTENT
