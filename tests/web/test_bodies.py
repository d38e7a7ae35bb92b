"""Bodies of requests that pass through to the cloud: whole, within limits, and never all in memory."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import httpx
import pytest
from fastapi import FastAPI, UploadFile
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudreel import web
from cloudreel.sandbox import Sandbox
from cloudreel.uploads import Progress
from cloudreel.web import RequestBody

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Running, Served

pytestmark = pytest.mark.anyio

LARGEST = 64 * 2**20
PIECE = 64 * 1024


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with parts as large as usual."""
    with Sandbox(part_size=5 * 2**20) as running:
        yield running


arrived = threading.Event()  # set when the service has confirmed a part


def note(progress: Progress) -> None:
    if progress.parts_done:
        arrived.set()


def until_a_part_arrived() -> None:
    assert arrived.wait(60)


async def receive(request: Request) -> Response:
    body = RequestBody(request, largest=LARGEST, name=request.path_params["name"])
    arrived.clear()
    if request.method == "POST":
        panda = await web.panda(request)
        session = await panda.upload_session(body, profiles="none", progress=note)
    else:
        client = await web.telestream(request)
        factory = await client.flip.factories.find(client.factory_id or "")
        session = await factory.upload_session(body, profiles="none", progress=note)
    try:
        video = await session.start()
    finally:
        await session.close()
    return JSONResponse({"id": video.id, "name": video.original_filename})


def application(sandbox: Sandbox) -> Starlette:
    routes = [Route("/{name}", receive, methods=["PUT", "POST"])]
    return Starlette(routes=routes, lifespan=web.lifespan(sandbox.telestream, sandbox.panda))


@pytest.fixture
async def app(sandbox: Sandbox, anyio_backend: str, running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with running(application(sandbox)) as (client, _):
        yield client


class Body(httpx.AsyncByteStream):
    """So many bytes, made as they are read."""

    def __init__(self, size: int, hold: Callable[[], object] = bool) -> None:
        self.left = size
        self.hold = hold  # called, in a thread, before the last piece
        self.digest = hashlib.sha256()

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        piece = (b"%016d" % self.left) * (PIECE // 16)
        piece = piece[: self.left]
        if len(piece) == self.left:
            await anyio.to_thread.run_sync(self.hold)
        self.left -= len(piece)
        self.digest.update(piece)
        return piece


def uploads(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.world.snapshot()["uploads"]
    return found


@pytest.mark.parametrize("headers", [{}, {"content-length": str(20 * PIECE + 7)}])
async def test_a_body_passes_through(
    app: httpx.AsyncClient, sandbox: Sandbox, headers: dict[str, str]
) -> None:
    body = Body(20 * PIECE + 7)
    answer = await app.send(httpx.Request("PUT", "http://app.example/film.mp4", stream=body, headers=headers))
    assert answer.json()["name"] == "film.mp4"
    [stored] = [one for one in sandbox.world.snapshot()["videos"] if one["id"] == answer.json()["id"]]
    assert (stored["size"], stored["sha256"]) == (20 * PIECE + 7, body.digest.hexdigest())


@pytest.mark.parametrize("method", ["PUT", "POST"])  # to Telestream, and to Panda
async def test_a_part_has_arrived_before_the_last_byte_was_sent(
    app: httpx.AsyncClient, sandbox: Sandbox, method: str
) -> None:
    size = 6 * 2**20
    body = Body(size, until_a_part_arrived)
    headers = {"content-length": str(size)}
    request = httpx.Request(method, "http://app.example/film.mp4", stream=body, headers=headers)
    answer = await app.send(request)
    [stored] = [one for one in sandbox.world.snapshot()["videos"] if one["id"] == answer.json()["id"]]
    assert (stored["size"], stored["sha256"]) == (size, body.digest.hexdigest())


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)  # uvicorn runs on it
async def test_it_is_never_in_memory_as_a_whole(sandbox: Sandbox, served: Served) -> None:
    body = Body(LARGEST, until_a_part_arrived)
    headers = {"content-length": str(LARGEST)}
    with served(application(sandbox)) as address:
        tracemalloc.start()
        try:
            async with httpx.AsyncClient(timeout=60) as client:
                answer = await client.put(f"{address}/film.mp4", content=body, headers=headers)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    [stored] = [one for one in sandbox.world.snapshot()["videos"] if one["id"] == answer.json()["id"]]
    assert (stored["size"], stored["sha256"]) == (LARGEST, body.digest.hexdigest())
    assert peak < LARGEST / 3


async def test_what_is_too_large_is_refused_before_anything_is_uploaded(
    app: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    before = len(uploads(sandbox))
    announced = httpx.Request("PUT", "http://app.example/a", headers={"content-length": str(LARGEST + 1)})
    assert (await app.send(announced)).status_code == 413
    body = Body(10 * LARGEST)
    assert (await app.send(httpx.Request("PUT", "http://app.example/a", stream=body))).status_code == 413
    assert body.left >= 9 * LARGEST - PIECE
    assert len(uploads(sandbox)) == before


async def test_of_a_sender_who_has_gone_nothing_is_uploaded(sandbox: Sandbox) -> None:
    before = len(uploads(sandbox))
    messages = [
        {"type": "http.request", "body": b"half a film", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def come() -> dict[str, Any]:
        return messages.pop(0)

    request = Request({"type": "http", "method": "PUT", "headers": []}, come)
    async with sandbox.telestream() as client:
        factory = (await client.flip.factories.all())[0]
        with pytest.raises(ClientDisconnect):
            await factory.upload_session(RequestBody(request, largest=LARGEST))
    assert len(uploads(sandbox)) == before


async def test_a_sender_who_goes_on_the_way_ends_the_upload(sandbox: Sandbox) -> None:
    messages = [
        {"type": "http.request", "body": bytes(5 * 2**20), "more_body": True},
        {"type": "http.request", "body": b"half a film", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def come() -> dict[str, Any]:
        return messages.pop(0)

    headers = [(b"content-length", b"%d" % (10 * 2**20))]
    request = Request({"type": "http", "method": "PUT", "headers": headers}, come)
    async with sandbox.panda() as client:
        session = await client.upload_session(RequestBody(request, largest=LARGEST))
        with pytest.raises(ClientDisconnect, match="gone after 5242891 of 10485760 bytes"):
            await session.start()
        assert session.status == "error"
        assert (session.video, messages) == (None, [])
        await session.abort()
        assert session.status == "aborted"


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)  # uvicorn runs on it
async def test_a_line_that_breaks_completes_nothing(sandbox: Sandbox, served: Served) -> None:
    failures: list[BaseException] = []
    over = threading.Event()

    async def noticing(request: Request) -> Response:
        try:
            return await receive(request)
        except ClientDisconnect as error:
            failures.append(error)
            return Response(status_code=400)
        finally:
            over.set()

    routes = [Route("/{name}", noticing, methods=["PUT"])]
    with served(Starlette(routes=routes, lifespan=web.lifespan(sandbox.telestream))) as address:
        host, port = address.removeprefix("http://").split(":")
        async with await anyio.connect_tcp(host, int(port)) as line:
            head = b"PUT /film.mp4 HTTP/1.1\r\nHost: app.example\r\nContent-Length: 12000000\r\n\r\n"
            await line.send(head + bytes(11_000_000))
            await anyio.to_thread.run_sync(until_a_part_arrived)
        assert await anyio.to_thread.run_sync(over.wait, 60)
    assert [type(failure) for failure in failures] == [ClientDisconnect]
    assert "of 12000000 bytes" in str(failures[0])
    upload = uploads(sandbox)[-1]
    assert upload["missing"], upload


async def test_the_file_of_a_form_is_a_source_as_it_is(
    sandbox: Sandbox, clip: Path, running: Running
) -> None:
    app = FastAPI(lifespan=web.lifespan(sandbox.panda))

    @app.post("/")
    async def receive(request: Request, film: UploadFile) -> dict[str, str | None]:
        client = await web.panda(request)
        video = await (await client.upload_session(film, profiles="none")).start()
        return {"id": video.id, "name": video.original_filename}

    async with running(app) as (client, _):
        answer = await client.post("/", files={"film": ("a film.mp4", clip.read_bytes())})
    assert answer.json()["name"] == "a film.mp4"
    [stored] = [one for one in sandbox.world.snapshot()["videos"] if one["id"] == answer.json()["id"]]
    assert stored["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
