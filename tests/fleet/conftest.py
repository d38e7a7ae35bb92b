"""Workers as real processes, a sandbox that keeps what it is sent, and one Redis."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudreel.fleet import Fleet
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent


class Workers:
    """``taskiq worker`` with some worker processes, which it replaces when they die."""

    def __init__(self, count: int, environment: dict[str, str], log: Path) -> None:
        command = [sys.executable, "-m", "taskiq", "worker", "workers:broker"]
        options = ["--workers", str(count), "--max-async-tasks", "2", "--log-level", "WARNING"]
        with log.open("wb") as file:
            self._manager = subprocess.Popen(
                [*command, *options], env=environment, cwd=HERE, stderr=file, start_new_session=True
            )
        self.log = log

    def end(self) -> None:
        """End all of them."""
        os.killpg(self._manager.pid, signal.SIGKILL)
        self._manager.wait()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def name() -> str:
    """Name of a fleet of the test's own."""
    return uuid.uuid4().hex


@pytest.fixture
def fleet(redis_url: str, name: str) -> Fleet:
    """The fleet as a program sees it that only sends tasks."""
    return Fleet(redis_url, name=name)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that encodes nothing."""
    with Sandbox(part_size=16 * 1024) as running:
        monkeypatch.setattr(running.world.encoder, "submit_video", lambda id: None)
        yield running


@pytest.fixture
def hire(redis_url: str, name: str, sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., Workers]]:
    """Start worker processes of the fleet, which end with the test."""
    with ExitStack() as stack:

        def start(count: int, **job: Any) -> Workers:
            credentials = {
                f"{service}_{key}".upper(): str(value)
                for service, values in sandbox.config.items()
                if isinstance(values, dict)
                for key, value in values.items()
            }
            settings = json.dumps({"redis": redis_url, "name": name, "lease": 2.0, **job})
            environment = {**os.environ, **credentials, "FLEET": settings}
            workers = Workers(count, environment, tmp_path / "workers.log")
            stack.callback(workers.end)
            return workers

        yield start
