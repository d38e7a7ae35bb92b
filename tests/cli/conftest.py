"""One sandbox for the tests of a module, its credentials, and the command line in and out of this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from cloudreel.cli.commands import run
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

Ran = subprocess.CompletedProcess[str]
Command = Callable[..., Ran]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox on a real socket, with small parts."""
    with Sandbox(part_size=64 * 1024) as running:
        yield running


@pytest.fixture
def credentials(sandbox: Sandbox) -> dict[str, str]:
    """The variables that ``from_env()`` reads, of all services."""
    found = {
        f"{service}_{name}".upper(): str(value)
        for service, values in sandbox.config.items()
        if isinstance(values, dict)
        for name, value in values.items()
    }
    for service in ("TELESTREAM", "PANDA", "CLOUDKEY_REST"):
        found[f"{service}_BASE_URL"] = found[f"{service}_CDN_URL"] = sandbox.base_url
    return found


@pytest.fixture
def env(credentials: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The credentials in the environment; Telestream is meant, and tickets lie in ``tickets``."""
    credentials |= {"CLOUDREEL_SERVICE": "telestream", "CLOUDREEL_TICKET_DIR": str(tmp_path / "tickets")}
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return credentials


@pytest.fixture
def started(env: dict[str, str]) -> Callable[..., subprocess.Popen[str]]:
    """Starts a command as a user does: in a process of its own."""

    def start(*arguments: str, **options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-m", "cloudreel", *arguments]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **env, **options},
        )

    return start


@pytest.fixture
def ran(started: Callable[..., subprocess.Popen[str]]) -> Command:
    """Runs a command in a process of its own, to its end."""

    def end(*arguments: str, **options: str) -> Ran:
        with started(*arguments, **options) as process:
            out, err = process.communicate(timeout=120)
        return Ran(arguments, process.returncode, out, err)

    return end


@pytest.fixture
def said(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process."""

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        try:
            code = run(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return Ran(arguments, code, out, err)

    return call
