"""What all tests share: both event loops, a short real video, a running sandbox."""

from __future__ import annotations

import gc
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from functools import cache
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, settings

# Loaded here once, in the main thread: pytest rewrites what is imported, and Python 3.11 cannot parse in two
# threads at a time.
for _name in dir(anyio):
    getattr(anyio, _name)

# No property fails for being slow, and the first text of a fresh machine takes seconds.
# `nox -s soak` asks for the thorough profile.
_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", _patient, max_examples=200)
settings.register_profile("quick", _patient, max_examples=30)
settings.load_profile("quick")

# What runs in the background may be deaf to Ctrl-C, and so would be the programs that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

gc.disable()  # while tests are collected: they all stay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from cloudreel.sandbox import Sandbox


def pytest_collection_finish() -> None:
    """Look for garbage among what tests leave only: not in every collected test, again and again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run async tests on both event loops."""
    return str(request.param)


@pytest.fixture(scope="session", autouse=True)
def one_trust() -> Iterator[None]:
    """Have the authorities' certificates read once: that takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture
def replace_sleep(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[float], Awaitable[None]]], None]:
    """Put something in the place of `anyio.sleep` in this thread: sandboxes sleep on in theirs."""
    real, here = anyio.sleep, threading.get_ident()

    def replace(sleep: Callable[[float], Awaitable[None]]) -> None:
        async def chosen(delay: float) -> None:
            await (sleep if threading.get_ident() == here else real)(delay)

        monkeypatch.setattr(anyio, "sleep", chosen)

    return replace


@pytest.fixture
def pauses(replace_sleep: Callable[[Callable[[float], Awaitable[None]]], None]) -> list[float]:
    """The pauses that were asked for, none of which is made."""
    asked: list[float] = []
    checkpoint = anyio.lowlevel.checkpoint  # which tests with a clock of their own replace

    async def sleep(delay: float) -> None:
        asked.append(delay)
        await checkpoint()

    replace_sleep(sleep)
    return asked


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have progress told after each change, however fast they follow each other."""
    monkeypatch.setattr("cloudreel.uploads.events.INTERVAL", 0.0)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of moving picture and sound: 320x180, H.264 and AAC in MP4."""
    from cloudreel.sandbox.media import find_ffmpeg

    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=frequency=440"]
    codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-t", "2"]
    command = [find_ffmpeg(), "-v", "error", "-nostdin", *inputs, *codecs, str(path)]
    subprocess.run(command, check=True, timeout=120)
    return path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox on a real socket, with small parts."""
    from cloudreel.sandbox import Sandbox

    with Sandbox(part_size=64 * 1024) as running:
        yield running


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of an empty Redis of the tests' own, on a socket in a directory."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("there is no redis-server on this machine (Debian: apt-get install redis-server)")
    with tempfile.TemporaryDirectory(prefix="redis-") as home:  # the name of a socket has to be short
        path = f"{home}/redis.sock"
        command = [server, "--port", "0", "--unixsocket", path, "--save", "", "--dir", home]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                while not _listens(path):
                    assert process.poll() is None, "redis-server did not start"
                    time.sleep(0.01)
                yield f"unix://{path}"
            finally:
                process.terminate()


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0
