"""The sandbox as a whole: entered and left in every way, on a socket and without, leaving nothing behind."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
import time
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from cloudreel.sandbox import Sandbox
from cloudreel.sandbox.server import Tls
from cloudreel.sandbox.state import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TLS = Path(__file__).with_name("tls")


def state_url(sandbox: Sandbox) -> str:
    return f"{sandbox.base_url}/__sandbox__/state"


def settle(threads: set[threading.Thread]) -> set[threading.Thread]:
    """Return the threads that are more than these, once those that are ending have ended."""
    deadline = time.monotonic() + 10
    while (more := set(threading.enumerate()) - threads) and time.monotonic() < deadline:
        time.sleep(0.01)
    return more


def test_with_serves_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(threading.enumerate())
    sandbox = Sandbox(part_size=1000, max_connections=3)
    for _ in range(2):
        with sandbox as entered:
            assert entered is sandbox
            assert sandbox.serving
            assert httpx.get(state_url(sandbox)).json()["uploads"] == []
            assert (sandbox.world.part_size, sandbox.world.max_connections) == (1000, 3)
            port = sandbox.config["telestream"]["api_port"]
            assert list(tmp_path.iterdir())
        assert not sandbox.serving
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert settle(before) == set()


@pytest.mark.anyio
async def test_async_with_serves_without_holding_the_loop() -> None:
    sandbox = Sandbox()
    for _ in range(2):
        async with sandbox, httpx.AsyncClient() as client:
            assert (await client.get(state_url(sandbox))).status_code == 200
    assert not sandbox.serving


@pytest.mark.anyio
async def test_a_cancelled_block_still_stops_the_server() -> None:
    with anyio.move_on_after(0.05):
        async with Sandbox() as sandbox:
            port = sandbox.config["telestream"]["api_port"]
            await anyio.sleep_forever()
    with pytest.raises(OSError, match="connect"):
        await anyio.connect_tcp("127.0.0.1", port)


@pytest.mark.anyio
async def test_without_a_socket_the_same_answers() -> None:
    async with Sandbox.asgi(part_size=1000) as sandbox:
        async with httpx.AsyncClient(transport=sandbox.transport(), base_url=sandbox.base_url) as client:
            assert (await client.get("/__sandbox__/state")).json()["videos"] == []
        async with sandbox.telestream() as tc:
            assert [str(each) for each in await tc.flip.factories.all()] == [
                f"Factory {sandbox.config['telestream']['factory_id']}"
            ]
        with pytest.raises(RuntimeError, match="need a socket"):
            sandbox.sync.telestream()
    with pytest.raises(RuntimeError, match="async with"), sandbox:
        pass


@pytest.mark.anyio
async def test_the_async_client_is_configured(sandbox: Sandbox) -> None:
    async with sandbox.telestream() as tc:
        assert len(await tc.flip.factories.all()) == 1


def test_the_blocking_client_is_configured(sandbox: Sandbox) -> None:
    with sandbox.sync.telestream() as tc:
        assert len(tc.flip.factories.all()) == 1


def test_credentials_stay_with_the_data(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as first:
        credentials = first.config["telestream"]
    with Sandbox(tmp_path) as second:
        again = second.config["telestream"]
    with Sandbox() as other:
        assert other.config["telestream"]["secret_key"] != credentials["secret_key"]
    assert credentials | {"api_port": 0} == again | {"api_port": 0}


def test_a_taken_port_is_named() -> None:
    with (
        Sandbox() as first,
        pytest.raises(OSError, match="cannot listen on 127"),
        Sandbox(port=first.config["telestream"]["api_port"]),
    ):
        pass


def test_an_error_at_the_start_is_raised(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    occupied = tmp_path / "file"
    occupied.write_text("no directory")
    with pytest.raises(OSError, match="file"), Sandbox(occupied):
        pass
    assert settle(before) == set()


def test_it_cannot_be_entered_twice_at_once_nor_asked_outside(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="running already"), sandbox:
        pass
    assert sandbox.serving
    with pytest.raises(RuntimeError, match="not running"):
        Sandbox().config  # noqa: B018


def test_a_breakdown_is_seen_and_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def running(world: World) -> AsyncIterator[None]:
        async def fail() -> None:
            await anyio.sleep(0.05)
            raise ZeroDivisionError("the background broke")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fail)
            yield

    def serve_until_it_breaks() -> None:
        with Sandbox() as sandbox:
            deadline = time.monotonic() + 30
            while sandbox.serving and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not sandbox.serving

    monkeypatch.setattr(World, "running", running)
    with pytest.raises(ExceptionGroup) as caught:
        serve_until_it_breaks()
    assert caught.group_contains(ZeroDivisionError)


def test_https(tmp_path: Path) -> None:
    sandbox = Sandbox()
    sandbox.tls = Tls(TLS / "certificate.pem", TLS / "key.pem")
    trust = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    with sandbox, httpx.Client(verify=trust) as client:
        assert sandbox.base_url.startswith("https://127.0.0.1:")
        assert client.get(state_url(sandbox)).status_code == 200
        client.post(f"{sandbox.base_url}/__sandbox__/faults", json={"action": "drop"})
        with pytest.raises(httpx.TransportError):
            client.get(f"{sandbox.base_url}/v3.0/factories.json")


def test_answers_carry_the_sandbox_s_time(sandbox: Sandbox) -> None:
    sandbox.world.clock.advance(86_400)
    date = parsedate_to_datetime(httpx.get(state_url(sandbox)).headers["date"])
    assert date.timestamp() == pytest.approx(time.time() + 86_400, abs=60)


def test_it_listens_on_every_address() -> None:
    with Sandbox(host="0.0.0.0") as sandbox:
        assert sandbox.base_url.startswith("http://127.0.0.1:")
        assert httpx.get(state_url(sandbox)).status_code == 200
