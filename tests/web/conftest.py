"""A sandbox, and applications that run in the test's own event loop or on a socket."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn

from cloudreel.sandbox import Sandbox
from cloudreel.sandbox.server import bind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

    Running = Callable[[Starlette], AbstractAsyncContextManager[tuple[httpx.AsyncClient, Mapping[str, Any]]]]
    Served = Callable[[Starlette], AbstractContextManager[str]]

PART_SIZE = 16 * 1024


@pytest.fixture(scope="session")
def sandbox(clip: Path) -> Iterator[Sandbox]:
    """A sandbox with small parts that fetches http://media.example/ from the clip's folder."""
    with Sandbox(part_size=PART_SIZE, map={"http://media.example/": clip.parent}) as running:
        yield running


@pytest.fixture
def running() -> Running:
    """Runs an application's lifespan; gives a client whose requests go straight into it, and its state."""
    return _running


@asynccontextmanager
async def _running(app: Starlette) -> AsyncGenerator[tuple[httpx.AsyncClient, Mapping[str, Any]]]:
    async with app.router.lifespan_context(app) as state:
        state = state or {}

        async def server(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state)}, receive, send)

        transport = httpx.ASGITransport(server)
        async with httpx.AsyncClient(transport=transport, base_url="http://app.example") as client:
            yield client, state


@pytest.fixture
def served() -> Served:
    """Serves an application by uvicorn on a socket, in a thread; gives its address."""
    return _served


@contextmanager
def _served(app: Starlette) -> Iterator[str]:
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
