"""Sandboxes in this process and in others, and small files to break on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.core import retry
from cloudreel.sandbox import Sandbox
from cloudreel.uploads import sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

UPLOADER = Path(__file__).with_name("uploader.py")


class Control:
    """The control routes of a sandbox, and what its upload state says."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=f"{base_url}/__sandbox__", timeout=300, verify=False)

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything the sandbox knows."""
        state: dict[str, list[dict[str, Any]]] = self._http.get("/state").raise_for_status().json()
        return state

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def upload(self, session_id: str) -> dict[str, Any]:
        """Return one upload."""
        (found,) = [upload for upload in self.state()["uploads"] if upload["id"] == session_id]
        return found

    def faults(self, *faults: dict[str, object]) -> None:
        """Have these things go wrong, in this order, and forget earlier ones."""
        self._http.delete("/faults").raise_for_status()
        self._http.post("/faults", json=faults).raise_for_status()


class Served:
    """A sandbox in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], config: dict[str, Any]) -> None:
        self.process = process
        self.config = config
        self.control = Control(config["base_url"])

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()


@contextmanager
def served(data: Path, *options: str) -> Iterator[Served]:
    """Serve a sandbox from a data directory until it is killed or the block ends."""
    command = [sys.executable, "-m", "cloudreel", "sandbox", "--json", "--data", str(data), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the sandbox did not start"
        running = Served(process, json.loads(line))
        try:
            yield running
        finally:
            running.control.close()
            process.kill()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Start sandboxes in processes of their own, which end with the test."""
    with ExitStack() as stack:

        def start(data: Path, *options: str) -> Served:
            context: AbstractContextManager[Served] = served(data, *options)
            return stack.enter_context(context)

        yield start


@pytest.fixture
def upload_elsewhere() -> Callable[..., dict[str, Any]]:
    """Upload or resume in another process and return what it tells."""

    def run(config: dict[str, Any], path: Path, **job: object) -> dict[str, Any]:
        told = subprocess.run(
            [sys.executable, str(UPLOADER)],
            input=json.dumps({"credentials": config["telestream"], "path": str(path), **job}),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=600,
        )
        result: dict[str, Any] = json.loads(told.stdout)
        return result

    return run


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox in this process, which keeps what it is sent and encodes none of it.

    Tests set its part size as they need it.
    """
    with Sandbox() as running, pytest.MonkeyPatch.context() as patch:
        patch.setattr(running.world.encoder, "submit_video", lambda id: None)
        yield running


@pytest.fixture
def make_control() -> Callable[[str], Control]:
    """Reach the control routes of any sandbox."""
    return Control


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[Control]:
    control = Control(sandbox.base_url)
    yield control
    control.faults()
    control.close()


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let attempts follow each other at once, and parts on the wire arrive on the slowest machine."""
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.002)
    monkeypatch.setattr(sender, "GRACE", 30.0)
