"""Sandboxes in this process and in others, and small files to break on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.core import retry
from cloudreel.sandbox import Sandbox
from cloudreel.uploads import sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process, which may have ended before."""
    process.kill()
    with process:  # waits, and closes the pipes
        pass


class SandboxProcess:
    """``cloudreel sandbox`` in a process of its own, which can be killed and come back.

    It comes back on the same data and the same port, with the same credentials; faults are forgotten.
    """

    def __init__(self, data: Path, *options: str) -> None:
        self.config: dict[str, Any] = {}
        self._command = [
            sys.executable,
            "-m",
            "cloudreel",
            "sandbox",
            "--json",
            "--data",
            str(data),
            *options,
        ]
        self._port = 0
        self._stack = ExitStack()
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [*self._command, "--port", str(self._port)], stdout=subprocess.PIPE, text=True
        )
        self._stack.callback(self.kill)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the sandbox did not start"
        config = json.loads(line)
        assert self.config in ({}, config)
        self.config = config
        self._port = config["telestream"]["api_port"]
        self.control = self._stack.enter_context(closing(Control(config["base_url"])))

    def kill(self) -> None:
        """End it without warning."""
        end(self._process)

    def restart(self) -> None:
        """Kill it and start it again."""
        self.close()
        self.start()

    def close(self) -> None:
        """End it for good."""
        self._stack.close()


class UploaderProcess:
    """One upload in a process of its own (see `uploader.py`), which can be killed at any byte or time."""

    def __init__(self, service: str, config: dict[str, Any], path: Path, **job: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(UPLOADER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        given = {"service": service, "config": config[service], "path": str(path), **job}
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        self._last: dict[str, Any] = {}

    def wait_for(self, count: int) -> None:
        """Wait until so many bytes were sent, or the upload is over. The job must ``tell``."""
        assert self._process.stdout is not None
        while self._last.get("sent", 0) < count and (line := self._process.stdout.readline()):
            self._last = json.loads(line)
            if "sent" not in self._last:
                return

    def kill(self) -> None:
        """End it without warning."""
        end(self._process)

    def result(self) -> dict[str, Any]:
        """Wait for the end; return what came of it: ``done``, or why it ``failed``."""
        said, _ = self._process.communicate(timeout=600)
        assert self._process.returncode == 0, "the uploader broke down"
        lines = said.splitlines()
        result: dict[str, Any] = json.loads(lines[-1]) if lines else self._last
        return result


@pytest.fixture
def serve() -> Iterator[Callable[..., SandboxProcess]]:
    """Start sandboxes in processes of their own, which end with the test."""
    with ExitStack() as stack:

        def start(data: Path, *options: str) -> SandboxProcess:
            return stack.enter_context(closing(SandboxProcess(data, *options)))

        yield start


@pytest.fixture(scope="module")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for many tests, each of which may kill it as long as it starts it again."""
    with closing(SandboxProcess(tmp_path_factory.mktemp("data"), "--part-size", "16384")) as process:
        yield process


@pytest.fixture
def start_uploader() -> Iterator[Callable[..., UploaderProcess]]:
    """Start uploads in processes of their own, which end with the test."""
    with ExitStack() as stack:

        def start(service: str, config: dict[str, Any], path: Path, **job: object) -> UploaderProcess:
            uploader = UploaderProcess(service, config, path, **job)
            stack.callback(uploader.kill)
            return uploader

        yield start


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
