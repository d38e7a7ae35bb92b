"""A running world, and a caller that signs: the sandbox without a socket."""

from __future__ import annotations

import base64
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import anyio
import httpx
import pytest

from cloudreel.sandbox.app import create_app
from cloudreel.sandbox.panda import PANDA
from cloudreel.sandbox.state import World
from cloudreel.sandbox.telestream import TELESTREAM
from cloudreel.signing import sign_call, signed_params

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from cloudreel.sandbox.auth import Service

PART = 1000


class Caller:
    """Calls one API of the Panda family as its clients do."""

    def __init__(self, world: World, http: httpx.AsyncClient, service: Service = TELESTREAM) -> None:
        self.world = world
        self.http = http
        self.prefix = service.prefix
        self.credentials = world.credentials[service.name]
        self.host = "sandbox.local"

    def sign(
        self, verb: str, path: str, params: dict[str, Any] | None = None, **changes: Any
    ) -> dict[str, str]:
        """Return signed parameters; ``changes`` replace what is signed with (a time, a secret, a factory)."""
        signing: dict[str, Any] = {
            "host": self.host,
            "timestamp": datetime.fromtimestamp(self.world.clock.now(), UTC).isoformat(),
            **self.credentials,
            **changes,
        }
        return signed_params(verb, path, params, **signing)

    async def __call__(
        self, verb: str, path: str, params: dict[str, Any] | None = None, **changes: Any
    ) -> httpx.Response:
        """Send one call with all parameters in the query, as the original client does."""
        return await self.http.request(
            verb, f"{self.prefix}{path}", params=self.sign(verb, path, params, **changes)
        )

    async def json(self, verb: str, path: str, params: dict[str, Any] | None = None) -> Any:
        """Send one call that must succeed; return its JSON."""
        response = await self(verb, path, params)
        assert response.is_success, response.text
        return response.json()

    async def session(self, size: int, **params: Any) -> dict[str, Any]:
        """Make an upload session; Telestream's takes parts."""
        asked = {"file_size": size, "file_name": "a.mp4", "profiles": "none", "multi_chunk": "true", **params}
        response = await self("POST", "/videos/upload.json", asked)
        assert response.status_code == 201, response.text
        reply: dict[str, Any] = response.json()
        return reply

    async def part(
        self, location: str, index: object, body: bytes, *, verb: str = "PUT", tag: str | None = None
    ) -> httpx.Response:
        """Send one part of an upload, unsigned."""
        sent = {"X-Part": str(index), "Content-Type": "application/octet-stream"}
        if tag is not None:
            sent["X-Extra-File-Tag"] = tag
        return await self.http.request(verb, location, content=body, headers=sent)

    async def upload(self, file: Path, profiles: str = "none", **params: Any) -> dict[str, Any]:
        """Send a file in one multipart request; return the Video."""
        query = self.sign("POST", "/videos.json", {"profiles": profiles, **params})
        files = {"file": (file.name, file.read_bytes())}
        response = await self.http.post(f"{self.prefix}/videos.json", params=query, files=files)
        assert response.status_code == 200, response.text
        video: dict[str, Any] = response.json()
        return video

    async def settled(self, path: str) -> dict[str, Any]:
        """Return an object once it is no longer processing."""
        with anyio.fail_after(90):
            while (found := await self.json("GET", path))["status"] == "processing":
                await anyio.sleep(0.05)
        document: dict[str, Any] = found
        return document


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A running world with parts of a thousand bytes and quick repetitions."""
    world = World.open(tmp_path / "data", part_size=PART, retry_gap=0.05, progress_gap=0.0)
    async with world.running():
        yield world
    world.close()


@pytest.fixture
async def call(world: World) -> AsyncIterator[Caller]:
    """A signing caller of that world."""
    transport = httpx.ASGITransport(app=create_app(world))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.local") as http:
        yield Caller(world, http)


@pytest.fixture
def panda(world: World, call: Caller) -> Caller:
    """A signing caller of Panda v2 in that world."""
    return Caller(world, call.http, PANDA)


class Rpc:
    """Calls CloudKey's JSON-RPC API as one of its accounts."""

    def __init__(self, world: World, http: httpx.AsyncClient, user_id: str, api_key: str) -> None:
        self.world = world
        self.http = http
        self.user_id = user_id
        self.api_key = api_key

    async def reply(self, call: str, /, *, act_as_user: str | None = None, **args: Any) -> dict[str, Any]:
        """Send a signed call; return the whole answer."""
        auth = sign_call(self.user_id, self.api_key, call, args, act_as_user=act_as_user)
        return await self.send({"call": call, "args": args, "auth": auth})

    async def send(self, body: object) -> dict[str, Any]:
        """Send any JSON; return the whole answer, whose status is always 200."""
        response = await self.http.post("/api", json=body)
        assert response.status_code == 200, response.text
        reply: dict[str, Any] = response.json()
        return reply

    async def __call__(self, call: str, /, **args: Any) -> Any:
        """Send a call that must succeed; return its result."""
        reply = await self.reply(call, **args)
        assert reply.keys() == {"result"}, reply
        return reply["result"]

    async def code(self, call: str, /, **args: Any) -> int:
        """Send a call that must fail; return the error's code."""
        reply = await self.reply(call, **args)
        assert reply.keys() == {"error"}, reply
        code: int = reply["error"]["code"]
        return code

    async def upload(self, name: str, content: bytes) -> str:
        """Send a file to the upload node; return the URL to fetch it from."""
        location = (await self("file.upload"))["url"]
        response = await self.http.post(location, files={"file": (name, content)})
        assert response.status_code == 200, response.text
        url: str = response.json()["url"]
        return url

    async def settled(self, media: str) -> dict[str, Any]:
        """Return the assets of a media once none is pending or processing."""
        with anyio.fail_after(90):
            while True:
                assets: dict[str, Any] = await self("media.get_assets", id=media)
                if all(asset["status"] in {"ready", "error"} for asset in assets.values()):
                    return assets
                await anyio.sleep(0.05)


@pytest.fixture
def rpc(world: World, call: Caller) -> Rpc:
    """A normal CloudKey account."""
    return Rpc(world, call.http, **world.credentials["cloudkey"])


@pytest.fixture
def root(world: World, call: Caller) -> Rpc:
    """A CloudKey account that manages others."""
    return Rpc(world, call.http, **world.credentials["cloudkey_root"])


class Flix:
    """Calls Flix Cloud as its clients do: XML written by hand."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world = world
        self.http = http
        self.key = world.credentials["flixcloud"]["api_key"]

    def document(
        self,
        *,
        input: str = "http://media.example/clip.mp4",
        output: str = "ftp://files.example/out.avi",
        recipe: str = "<recipe-id>3</recipe-id>",
        files: str = "",
        instead: str = "",
        more: str = "",
    ) -> str:
        """Return a job request; ``files`` are further locations, ``instead`` stands for all of them."""
        locations = instead or (
            f"<file-locations><input><url>{input}</url></input><output><url>{output}</url></output>"
            f"{files}</file-locations>"
        )
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><api-request><api-key>{self.key}</api-key>{recipe}'
            f"{locations}{more}</api-request>"
        )

    async def send(self, document: str | bytes, **headers: str) -> httpx.Response:
        """Send a document to where jobs are made."""
        sent = {"content-type": "application/xml", **headers}
        return await self.http.post("/jobs", content=document, headers=sent)

    async def create(self, **parts: str) -> int:
        """Make a job that is accepted; return its id."""
        response = await self.send(self.document(**parts))
        assert response.status_code == 201, response.text
        return int(ElementTree.fromstring(response.content).findtext("id", ""))

    async def status(self, id: int) -> httpx.Response:
        """Ask how far a job is."""
        return await self.http.get(f"/jobs/{id}/status", auth=("name", self.key))

    async def state(self, id: int) -> str:
        """Return the state a job is in."""
        return ElementTree.fromstring((await self.status(id)).content).findtext("task-state", "")

    async def settled(self, id: int) -> dict[str, Any]:
        """Return what the sandbox knows of a job once it is in a final state."""
        final = {"successful_job", "failed_job", "cancelled_job"}
        with anyio.fail_after(90):
            while await self.state(id) not in final:
                await anyio.sleep(0.02)
        (found,) = [job for job in self.world.snapshot()["jobs"] if job["id"] == id]
        return found

    async def control(self, path: str, body: object = None) -> httpx.Response:
        """Post to one of the control routes."""
        return await self.http.post(f"/__sandbox__{path}", json=body)


@asynccontextmanager
async def calling(world: World) -> AsyncIterator[Flix]:
    """Enter a world and call it."""
    async with world.running():
        transport = httpx.ASGITransport(app=create_app(world))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.local") as http:
            yield Flix(world, http)
    world.close()


@pytest.fixture
def flix_in() -> Callable[[World], AbstractAsyncContextManager[Flix]]:
    """Enter any world with a caller of Flix Cloud, and close it on the way out."""
    return calling


@pytest.fixture
async def flix(tmp_path: Path, clip: Path) -> AsyncIterator[Flix]:
    """A caller of Flix Cloud, in a world where ``http://media.example/clip.mp4`` is the short clip."""
    world = World.open(tmp_path / "data", retry_gap=0.05, map={"http://media.example/": clip.parent})
    async with calling(world) as flix:
        yield flix


class Outside(ThreadingHTTPServer):
    """Somebody else's server: has files, is told things, and answers what it is told with some statuses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Outsider)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.login: tuple[str, str] | None = None  # without which no file is had
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.statuses: list[int] = []
        self.told: list[tuple[str, str | None, bytes]] = []  # verb, content type, body

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to be so."""
        with anyio.fail_after(90):
            while not condition():
                await anyio.sleep(0.02)


class _Outsider(BaseHTTPRequestHandler):
    server: Outside

    def do_GET(self) -> None:
        self.server.may_answer.wait(60)
        login = self.server.login
        basic = login and "Basic " + base64.b64encode(":".join(login).encode()).decode()
        content = self.server.files.get(self.path)
        allowed = basic is None or self.headers["authorization"] == basic
        self.send_response(404 if content is None else 200 if allowed else 401)
        self.send_header("content-length", str(len(content)) if content and allowed else "0")
        self.end_headers()
        if content and allowed:
            self.wfile.write(content)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.told.append((self.command, self.headers["content-type"], body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def outside() -> Iterator[Outside]:
    """A running server that is not the sandbox's."""
    with Outside() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.may_answer.set()
            server.shutdown()
            thread.join()
