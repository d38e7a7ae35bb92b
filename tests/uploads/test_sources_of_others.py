"""Sources as other libraries give them: web requests, answers, stores of objects, temporary files."""

from __future__ import annotations

import io
import random
import tempfile

import anyio
import fsspec
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cloudreel.errors import UploadError
from cloudreel.uploads import Spooled, open_source
from cloudreel.uploads.readers import SeekReader

pytestmark = pytest.mark.anyio

CONTENT = random.Random(11).randbytes(1_300_000)


async def whole(source):
    async with source:
        return b"".join([piece async for piece in source.read(0, source.size)])


class App:
    """A web application whose endpoints upload what they are sent."""

    def __init__(self):
        self.got = None
        self.name = None
        routes = [Route(f"/{name}", getattr(self, name), methods=["POST"]) for name in ("form", "stream")]
        self.app = Starlette(routes=routes)

    async def form(self, request):
        async with request.form() as form:
            return await self._keep(form["film"])

    async def stream(self, request):
        return await self._keep(request.stream())

    async def _keep(self, made):
        source = await open_source(made)
        self.name = source.name
        self.got = await whole(source)
        return JSONResponse({"size": source.size})

    def client(self):
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://app.example")


async def test_a_file_of_a_form(spool_folder):
    app = App()
    async with app.client() as client:
        answer = await client.post("/form", files={"film": ("film.mp4", CONTENT)})
    assert (answer.json(), app.name) == ({"size": len(CONTENT)}, "film.mp4")
    assert app.got == CONTENT
    assert list(spool_folder.iterdir()) == []


async def test_the_body_of_a_request(spool_folder):
    app = App()

    async def body():
        for start in range(0, len(CONTENT), 70_000):
            yield CONTENT[start : start + 70_000]

    async with app.client() as client:
        answer = await client.post("/stream", content=body())
    assert answer.json() == {"size": len(CONTENT)}
    assert app.got == CONTENT
    assert list(spool_folder.iterdir()) == []


def request_with(receive):
    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_a_body_larger_than_allowed_is_refused_as_it_comes(spool_folder):
    received = []

    async def endless():
        received.append(1)
        return {"type": "http.request", "body": bytes(100_000), "more_body": True}

    with pytest.raises(UploadError, match=r"1000000 bytes.*Spooled"):
        await open_source(Spooled(request_with(endless).stream(), limit=1_000_000))
    assert len(received) == 11
    assert list(spool_folder.iterdir()) == []


async def test_a_client_that_leaves_leaves_no_copy(spool_folder):
    messages = iter(
        [{"type": "http.request", "body": CONTENT, "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive():
        await anyio.sleep(0)
        return next(messages)

    with pytest.raises(ClientDisconnect):
        await open_source(request_with(receive).stream())
    assert list(spool_folder.iterdir()) == []


@pytest.mark.parametrize("piece", ["aiter_bytes", "aiter_raw"])
async def test_the_answer_to_a_request(piece, spool_folder):
    def serve(request):
        return httpx.Response(200, stream=Body())

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self):
            for start in range(0, len(CONTENT), 100_000):
                yield CONTENT[start : start + 100_000]

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(serve)) as client,
        client.stream("GET", "http://store.example/film.mp4") as answer,
    ):
        assert await whole(await open_source(getattr(answer, piece)())) == CONTENT


async def test_an_answer_that_breaks_off_is_told_as_it_is(spool_folder):
    class Body(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield CONTENT
            raise httpx.ReadError("reset")

    answer = httpx.Response(200, stream=Body(), request=httpx.Request("GET", "http://store.example/"))
    with pytest.raises(httpx.ReadError):
        await open_source(answer.aiter_bytes())
    await answer.aclose()
    assert list(spool_folder.iterdir()) == []


async def test_a_file_of_fsspec_is_read_where_it_is(spool_folder):
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/films/film.mp4", CONTENT)
    with fs.open("/films/film.mp4", "rb") as file:
        file.seek(5)
        source = await open_source(file)
        assert type(source._reader) is SeekReader
        assert await whole(source) == CONTENT[5:]
        assert file.tell() == 5
        assert not file.closed
    fs.rm("/films/film.mp4")


class CompiledReader:
    """Reads as obstore's async reader does: no coroutine function, and everything is async but `seekable`."""

    def __init__(self, data):
        self._inner = io.BytesIO(data)

    def read(self, size=None, /):
        async def give():
            await anyio.sleep(0)
            return memoryview(self._inner.read(size))

        return give()

    def seekable(self):
        return True

    async def tell(self):
        return self._inner.tell()

    async def seek(self, position, whence=0):
        return self._inner.seek(position, whence)


async def test_a_compiled_async_reader(spool_folder):
    assert await whole(await open_source(CompiledReader(CONTENT))) == CONTENT


async def test_pieces_may_be_any_bytes(spool_folder):
    async def pieces():
        yield bytearray(b"a")
        yield memoryview(b"_b_c_d")[1::2]
        yield memoryview(b"ef").cast("H")
        yield memoryview(b"")
        yield b"g"

    assert await whole(await open_source(Spooled(pieces(), limit=7))) == b"abcdefg"


@pytest.mark.parametrize("size", [10, 10**7])
async def test_a_spooled_temporary_file(size, spool_folder):
    with tempfile.SpooledTemporaryFile(max_size=size) as file:
        file.write(CONTENT)
        file.seek(0)
        assert await whole(await open_source(file)) == CONTENT
        assert file.tell() == 0


async def test_a_named_temporary_file():
    with tempfile.NamedTemporaryFile() as file:
        file.write(CONTENT)
        file.seek(0)
        assert await whole(await open_source(file)) == CONTENT


async def test_an_async_temporary_file(spool_folder):
    async with anyio.TemporaryFile() as file:
        await file.write(CONTENT)
        await file.seek(0)
        assert await whole(await open_source(file)) == CONTENT


@pytest.mark.parametrize(
    "made",
    [
        memoryview(CONTENT).cast("I"),
        memoryview(CONTENT).cast("B", (1000, 1300)),
        memoryview(CONTENT)[::-3],
    ],
    ids=["of integers", "of two dimensions", "backwards"],
)
async def test_memory_of_any_shape(made):
    assert await whole(await open_source(made)) == made.tobytes()
