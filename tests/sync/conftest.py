"""One sandbox for the tests of the synchronous API, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cloudreel.sandbox import Sandbox
from cloudreel.telestream import Factory, Telestream

PART_SIZE = 64 * 1024


class Fault:
    """Has things go wrong in the sandbox."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/__sandbox__/faults"

    def __call__(self, action: str, **fields: object) -> None:
        httpx.post(self._url, json={"action": action, **fields}).raise_for_status()

    def clear(self) -> None:
        """Let everything go well again."""
        httpx.delete(self._url).raise_for_status()


@pytest.fixture(scope="session")
def sandbox(clip: Path) -> Iterator[Sandbox]:
    """A sandbox with small parts that fetches http://media.example/ from the clip's folder."""
    with Sandbox(part_size=PART_SIZE, map={"http://media.example/": clip.parent}) as running:
        yield running


@pytest.fixture
def tc(sandbox: Sandbox) -> Iterator[Telestream]:
    """A client of the sandbox."""
    with sandbox.sync.telestream() as client:
        yield client


@pytest.fixture
def factory(tc: Telestream) -> Factory:
    """A new factory."""
    return tc.flip.factories.create(name="made for a test")


@pytest.fixture
def fault(sandbox: Sandbox) -> Iterator[Fault]:
    """Has something go wrong, until the end of the test."""
    fault = Fault(sandbox.base_url)
    yield fault
    fault.clear()
