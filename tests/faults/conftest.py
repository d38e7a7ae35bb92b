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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

UPLOADER = Path(__file__).with_name("uploader.py")


class Control:
    """The control routes of a sandbox, and what its upload state says."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything the sandbox knows."""
        reply = httpx.get(f"{self.base_url}/__sandbox__/state", timeout=300)
        state: dict[str, list[dict[str, Any]]] = reply.raise_for_status().json()
        return state

    def upload(self, session_id: str) -> dict[str, Any]:
        """Return one upload."""
        (found,) = [upload for upload in self.state()["uploads"] if upload["id"] == session_id]
        return found

    def faults(self, *faults: dict[str, object]) -> None:
        """Have these things go wrong, in this order, and forget earlier ones."""
        url = f"{self.base_url}/__sandbox__/faults"
        httpx.delete(url).raise_for_status()
        httpx.post(url, json=faults).raise_for_status()


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
        try:
            yield Served(process, json.loads(line))
        finally:
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
    """One sandbox in this process; tests set its part size as they need it."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[Control]:
    control = Control(sandbox.base_url)
    yield control
    control.faults()


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let attempts follow each other at once."""
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.002)
