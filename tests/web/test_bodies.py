"""Bodies of requests that pass through to the cloud: whole, within limits, and never all in memory."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI, UploadFile
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudreel import web
from cloudreel.sandbox import Sandbox
from cloudreel.web import RequestBody

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Running

pytestmark = pytest.mark.anyio

LARGEST = 24 * 2**20
PIECE = 64 * 1024


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with parts as large as usual."""
    with Sandbox(part_size=5 * 2**20) as running:
        yield running


async def receive(request: Request) -> Response:
    client = await web.telestream(request)
    factory = await client.flip.factories.find(client.factory_id or "")
    body = RequestBody(request, largest=LARGEST, name=request.path_params["name"])
    session = await factory.upload_session(body, profiles="none")
    try:
        video = await session.start()
    finally:
        await session.close()
    return JSONResponse({"id": video.id, "name": video.original_filename})


@pytest.fixture
async def app(sandbox: Sandbox, anyio_backend: str, running: Running) -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route("/{name}", receive, methods=["PUT"])]
    async with running(Starlette(routes=routes, lifespan=web.lifespan(sandbox.telestream))) as (client, _):
        yield client


class Body(httpx.AsyncByteStream):
    """So many bytes, made as they are read."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.digest = hashlib.sha256()

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        piece = (b"%016d" % self.left) * (PIECE // 16)
        piece = piece[: self.left]
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


async def test_it_is_never_in_memory_as_a_whole(app: httpx.AsyncClient) -> None:
    tracemalloc.start()
    try:
        size = LARGEST
        request = httpx.Request("PUT", "http://app.example/film.mp4", stream=Body(size))
        assert (await app.send(request)).status_code == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 2


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
