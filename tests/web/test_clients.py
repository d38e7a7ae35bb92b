"""Clients that are opened once per application, found by every request, and closed in the end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from cloudreel import web
from cloudreel.cloudkey import AsyncCloudKey
from cloudreel.cloudkey_rest import AsyncCloudKeyRest
from cloudreel.errors import CloudReelError
from cloudreel.flixcloud import AsyncFlixCloud
from cloudreel.panda import AsyncPanda
from cloudreel.telestream import AsyncTelestream
from cloudreel.web import Clients, Inbox

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from cloudreel.sandbox import Sandbox
    from conftest import Running

pytestmark = pytest.mark.anyio


def telestream() -> AsyncTelestream:
    return AsyncTelestream("access", "secret")


async def test_every_request_of_fastapi_gets_the_same_clients(sandbox: Sandbox, running: Running) -> None:
    makers = [sandbox.telestream, sandbox.panda, sandbox.flixcloud, sandbox.cloudkey, sandbox.cloudkey_rest]
    app = FastAPI(lifespan=web.lifespan(*makers))
    seen: list[set[int]] = []

    @app.get("/")
    async def look(
        tc: Annotated[AsyncTelestream, Depends(web.telestream)],
        panda: Annotated[AsyncPanda, Depends(web.panda)],
        flix: Annotated[AsyncFlixCloud, Depends(web.flixcloud)],
        ck: Annotated[AsyncCloudKey, Depends(web.cloudkey)],
        rest: Annotated[AsyncCloudKeyRest, Depends(web.cloudkey_rest)],
        inbox: Annotated[Inbox, Depends(web.inbox)],
    ) -> list[str]:
        seen.append({id(tc), id(panda), id(flix), id(ck), id(rest), id(inbox)})
        names = [str((await tc.flip.factories.all())[0].name), str((await panda.clouds.all())[0].name)]
        return [*names, (await ck.user.info(fields=["username"]))["username"]]

    async with running(app) as (client, _):
        first = (await client.get("/")).json()
        assert all(first)
        assert (await client.get("/")).json() == first
    assert len(seen[0]) == 6
    assert seen[0] == seen[1]


async def test_clients_are_closed_with_the_application(sandbox: Sandbox, running: Running) -> None:
    made: list[AsyncTelestream] = []

    def make() -> AsyncTelestream:
        made.append(sandbox.telestream())
        return made[-1]

    app = Starlette(routes=[Route("/", _list_factories)], lifespan=web.lifespan(make))
    for run in (1, 2):
        async with running(app) as (client, _):
            assert (await client.get("/")).json() == ["main"]
        assert len(made) == run
        with pytest.raises(CloudReelError, match="closed"):
            await made[-1].flip.factories.all()


async def _list_factories(request: Request) -> Response:
    client = await web.telestream(request)
    return JSONResponse([factory.name for factory in await client.flip.factories.all()])


async def test_an_application_has_its_own_lifespan_besides(sandbox: Sandbox, running: Running) -> None:
    @asynccontextmanager
    async def own(app: Starlette) -> AsyncGenerator[dict[str, object]]:
        async with web.lifespan(sandbox.telestream)(app) as state:
            yield {**state, "answer": 42}

    async def look(request: Request) -> Response:
        return JSONResponse([request.state.answer, repr(await web.telestream(request))])

    inner = FastAPI()
    inner.add_route("/", look)
    app = Starlette(routes=[Route("/", look), Mount("/inner", inner)], lifespan=own)
    async with running(app) as (client, _):
        for path in ("/", "/inner/"):
            answer, client_of_ours = (await client.get(path)).json()
            assert answer == 42
            assert client_of_ours.startswith("<Telestream at ")


async def test_two_clients_of_a_kind_are_refused(running: Running) -> None:
    app = Starlette(lifespan=web.lifespan(telestream, telestream))
    with pytest.raises(ValueError, match="one client of a kind"):
        async with running(app):
            pass


async def test_what_is_missing_is_told_with_what_to_do(running: Running) -> None:
    async def look(request: Request) -> Response:
        with pytest.raises(CloudReelError, match=r"has no AsyncPanda: .*lifespan\(AsyncPanda.from_env\)"):
            await web.panda(request)
        assert isinstance(await web.inbox(request), Inbox)
        return Response()

    app = Starlette(routes=[Route("/", look)], lifespan=web.lifespan(telestream))
    async with running(app) as (client, _):
        assert (await client.get("/")).status_code == 200
    with pytest.raises(CloudReelError, match=r"lifespan=cloudreel\.web\.lifespan"):
        Clients.of(Request({"type": "http", "state": {}}))


def test_starlette_is_enough() -> None:
    program = "import sys; sys.modules['fastapi'] = None; import cloudreel.web; print('ok')"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "ok\n"
