"""What is remembered: through jumps of the clock, resets, restarts and the sudden end of its process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.sandbox.state import World
from cloudreel.signing import signed_params

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Caller

SERVER = """
import json, sys
from cloudreel.sandbox import Sandbox
with Sandbox(sys.argv[1], part_size=100_000) as sandbox:
    print(json.dumps(sandbox.config), flush=True)
    sys.stdin.read()
"""


def test_the_clock_keeps_its_offset(tmp_path: Path) -> None:
    world = World.open(tmp_path)
    world.clock.set(1_000_000_000)
    world.clock.advance(50)
    world.close()
    again = World.open(tmp_path)
    assert 1_000_000_050 <= again.clock.now() < 1_000_000_650
    again.close()


@pytest.mark.parametrize("service", ["telestream", "panda"])
def test_the_configuration_names_the_service_and_stays(tmp_path: Path, service: str) -> None:
    world = World.open(tmp_path)
    world.base_url = "https://[::1]:8443"
    config: dict[str, Any] = world.config
    world.close()
    assert config["base_url"] == "https://[::1]:8443"
    assert (config[service]["api_host"], config[service]["api_port"]) == ("::1", 8443)
    again = World.open(tmp_path)
    assert again.credentials[service].items() <= config[service].items()
    again.close()


@pytest.mark.anyio
async def test_a_reset_leaves_the_credentials_only(call: Caller, clip: Path) -> None:
    world = call.world
    await call.upload(clip, profiles="webm.hi")
    await call.session(10)
    world.clock.advance(1e6)
    before = world.credentials
    await world.reset()
    assert world.credentials == before
    assert abs(world.clock.now() - time.time()) < 60
    assert not any(world.snapshot().values())
    assert len(await call.json("GET", "/profiles.json")) > 10
    assert [path for name in ("uploads", "sources") for path in world.store.folder(name).iterdir()] == []


@pytest.mark.anyio
async def test_requests_are_noted(call: Caller) -> None:
    session = await call.session(1500)
    await call.part(session["location"], 1, b"x" * 500)
    requests = call.world.snapshot()["requests"]
    path = "/upload/session"
    unsigned = {"signature": None, "refusal": None, "fault": None}
    put = {"method": "PUT", "path": path, "status": 200, "part": "1", "range": None}
    assert requests[-1] == {"number": requests[-2]["number"] + 1, **put, **unsigned}
    assert (requests[-2]["path"], requests[-2]["status"]) == ("/v3.0/videos/upload.json", 201)
    assert requests[-2]["signature"] == "accepted"


def test_an_upload_survives_the_kill_of_its_process(tmp_path: Path) -> None:
    body = bytes(250_000)
    first = _serve(tmp_path)
    config = _config(first)
    with httpx.Client() as http:
        asked = {"file_size": len(body), "file_name": "a", "multi_chunk": "true"}
        signed = _signed(config["telestream"], asked)
        session = http.post(f"{config['base_url']}/v3.0/videos/upload.json", params=signed).json()
        path = session["location"].removeprefix(config["base_url"])
        for part in (2, 0):
            content = body[part * 100_000 :][:100_000]
            reply = http.put(session["location"], content=content, headers={"X-Part": str(part)})
            assert reply.status_code == 200
        first.kill()
        first.communicate()
        second = _serve(tmp_path)
        again = _config(second)
        assert again["telestream"] == {**config["telestream"], "api_port": again["telestream"]["api_port"]}
        url = again["base_url"] + path
        assert http.get(url).json() == {"missing_parts": [1]}
        assert http.post(f"{again['base_url']}/v3.0/videos/upload.json", params=signed).status_code == 401
        done = http.put(url, content=body[100_000:200_000], headers={"X-Part": "1"})
        assert done.json()["file_size"] == len(body)
    second.communicate()
    assert second.returncode == 0


def _serve(data: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SERVER, str(data)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _config(server: subprocess.Popen[str]) -> dict[str, Any]:
    assert server.stdout is not None
    config: dict[str, Any] = json.loads(server.stdout.readline())
    return config


def _signed(telestream: dict[str, Any], params: dict[str, Any]) -> dict[str, str]:
    return signed_params(
        "POST",
        "/videos/upload.json",
        params,
        access_key=telestream["access_key"],
        secret_key=telestream["secret_key"],
        host=telestream["api_host"],
        factory_id=telestream["factory_id"],
        timestamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
