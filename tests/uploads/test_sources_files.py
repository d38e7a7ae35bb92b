"""What sources make of files: names, fingerprints, temporary copies, cached and cold pages."""

from __future__ import annotations

import gc
import io
import os
import random
import subprocess
import sys
import threading

import anyio
import pytest

from cloudreel.errors import UploadError
from cloudreel.uploads import files, open_source
from cloudreel.uploads.bodies import SourceBody

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


async def generate():
    for piece in (b"mo", b"vi", b"e"):
        await anyio.sleep(0)
        yield piece


class Own(io.BytesIO):
    """A file object of the caller's own kind."""


class Upload:
    """As a browser sends it, with a path of its own system."""

    filename = "C:\\videos\\clip.mp4"

    async def read(self, size=-1):
        await anyio.sleep(0)
        self.read = nothing
        return b"x"


async def nothing(size=-1):
    return b""


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
    async with await open_source(Upload()) as source:
        assert source.name == "clip.mp4"


async def test_the_name_of_a_path_is_its_last_part(tmp_path):
    path = tmp_path / "a\\b.mp4"
    path.write_bytes(b"x")
    assert (await open_source(str(path))).name == "a\\b.mp4"


# -- nothing left open -------------------------------------------------------------------------------------


async def test_an_opened_source_holds_nothing_until_it_is_read(kit, path):
    source = await open_source(path)
    assert path not in kit.open_files()
    assert source.fileno() is None
    for _ in range(2):
        await source.open()
        await source.open()
        assert path in kit.open_files()
        descriptor, start = source.fileno()
        assert os.pread(descriptor, 10, start) == CONTENT[:10]
        assert b"".join(await read(source, 5, 10)) == CONTENT[5:15]
        await source.release()
        assert path not in kit.open_files()


async def test_a_released_source_is_not_read(path):
    source = await open_source(path)
    with pytest.raises(ValueError, match="not open"):
        await read(source)


async def test_a_spooled_copy_goes_with_the_source(spool_folder):
    source = await open_source(generate())
    assert len(list(spool_folder.iterdir())) == 1
    del source
    gc.collect()
    assert list(spool_folder.iterdir()) == []


@pytest.mark.parametrize("end", ["", "os.kill(os.getpid(), signal.SIGINT)"])
def test_a_spooled_copy_goes_with_the_interpreter(end, spool_folder):
    program = f"""
import anyio, os, signal
from cloudreel.uploads import open_source

async def pieces():
    yield b"movie"

source = anyio.run(open_source, pieces())
assert len(os.listdir()) == 1
if not os.fork():
    del source  # a copy of the object is none of the file
    raise SystemExit
os.wait()
print(len(os.listdir()), flush=True)
{end}
"""
    environment = {**os.environ, "TMPDIR": str(spool_folder)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=spool_folder, env=environment, capture_output=True, check=False)
    assert done.stdout == b"1\n"
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


# -- fingerprints and bodies -------------------------------------------------------------------------------


async def test_a_fingerprint_sees_head_middle_and_tail(kit, path):
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
    assert path not in kit.open_files()


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
    made = {"path": path, "own": Own(CONTENT), "BytesIO": io.BytesIO(CONTENT)}[kind]
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


# -- cached and cold pages ---------------------------------------------------------------------------------


@pytest.fixture
def cold(monkeypatch):
    def refuse(*_):
        raise BlockingIOError

    monkeypatch.setattr(files.os, "preadv", refuse)


async def test_cold_pages_are_read_in_a_thread_half_a_mebibyte_at_a_time(path, cold, monkeypatch):
    calls = []
    pread = os.pread

    def recorded(descriptor, size, offset):
        calls.append((threading.current_thread(), size))
        return pread(descriptor, size, offset)

    monkeypatch.setattr(files.os, "pread", recorded)
    async with await open_source(path) as source:
        calls.clear()
        assert b"".join(await read(source)) == CONTENT
    whole_hops, rest = divmod(len(CONTENT), 2**19)
    assert [size for _, size in calls] == [2**19] * whole_hops + [rest]
    assert threading.current_thread() not in [thread for thread, _ in calls]


async def test_a_file_system_that_cannot_say_is_asked_once(path, monkeypatch):
    asked = []

    def refuse(*_):
        asked.append(1)
        raise OSError(95, "not supported")

    monkeypatch.setattr(files.os, "preadv", refuse)
    assert await whole(await open_source(path)) == CONTENT
    assert len(asked) == 1


async def test_a_broken_disk_is_told(kit, path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    source = await open_source(path)
    monkeypatch.setattr(files.os, "preadv", fail)
    with pytest.raises(OSError, match="Input/output"):
        await whole(source)
    assert path not in kit.open_files()


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
