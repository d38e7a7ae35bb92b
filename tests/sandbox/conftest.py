"""A running world, and a caller that signs: the sandbox without a socket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from cloudreel.sandbox.app import create_app
from cloudreel.sandbox.panda import PANDA
from cloudreel.sandbox.state import World
from cloudreel.sandbox.telestream import TELESTREAM
from cloudreel.signing import sign_call, signed_params

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
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
