"""An upload that is cancelled anywhere leaves nothing behind, and can go on."""

from __future__ import annotations

import asyncio
import hashlib
import random
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import pytest
import sniffio
import trio

if TYPE_CHECKING:
    from cloudreel.sandbox import Sandbox
    from cloudreel.telestream import AsyncVideo
    from cloudreel.uploads.session import AsyncUploadSession
    from conftest import Control

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_patience")]

PART_SIZE = 32 * 1024
DATA = random.Random(0).randbytes(20 * PART_SIZE + 7)
POINTS = 6  # on each event loop
MANY_POINTS = 50  # in soak
ESTABLISHED = "01"


def tasks() -> int:
    """Return how many tasks live on this event loop."""
    if sniffio.current_async_library() == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


def opened(path: Path) -> int:
    """Return how often this process has a file open."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found += link.readlink() == path
    return found


def connections(port: int) -> int:
    """Return how many connections lead to a port of this machine."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[2].endswith(f":{port:04X}") and row[3] == ESTABLISHED)


async def closed(port: int, left: int) -> None:
    """Make sure that no more connections are left: at once, unless a process is just being forked."""
    with anyio.fail_after(60):
        while connections(port) > left:
            await anyio.sleep(0.01)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[httpcore.AsyncHTTPConnection]:
    """The connections of clients that the test makes."""
    found: list[httpcore.AsyncHTTPConnection] = []
    init = httpcore.AsyncHTTPConnection.__init__

    def noting(self: httpcore.AsyncHTTPConnection, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        found.append(self)

    monkeypatch.setattr(httpcore.AsyncHTTPConnection, "__init__", noting)
    return found


def busy(made: list[httpcore.AsyncHTTPConnection]) -> list[httpcore.AsyncHTTPConnection]:
    """Return the connections with a request under way."""
    return [each for each in made if not (each.is_idle() or each.is_closed())]


async def cancel_somewhere(draw: random.Random, session: AsyncUploadSession[AsyncVideo]) -> None:
    """Start the session and cancel it at some byte or after some time."""
    limit = draw.randint(0, len(DATA) - 1)
    by_time = draw.random() < 0.5
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        if by_time:
            await anyio.sleep(draw.random() * 0.03)
        else:
            while session.progress.bytes_sent < limit:
                await anyio.sleep(0)
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    "seed",
    [*range(POINTS), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(POINTS, MANY_POINTS))],
)
async def test_a_cancelled_upload_leaves_nothing_behind_and_goes_on(
    seed: int,
    sandbox: Sandbox,
    control: Control,
    made: list[httpcore.AsyncHTTPConnection],
    tmp_path: Path,
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    draw = random.Random(seed)
    port = int(sandbox.config["telestream"]["api_port"])
    sandbox.world.part_size = PART_SIZE
    slow = {"path": "/upload/*", "method": "PUT"}
    control.faults(
        {**slow, "action": "delay", "seconds": 0.01, "times": 5},
        {**slow, "action": "drop", "after_bytes": 5000, "times": 2},
        {**slow, "action": "stall", "seconds": 0.02, "after_bytes": 9000, "times": 2},
    )
    tasks_before, connections_before = tasks(), connections(port)
    async with sandbox.telestream(retries=10) as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        session = await factory.upload_session(path, threads=draw.randint(1, 8), profiles="none")
        await cancel_somewhere(draw, session)
        assert tasks() == tasks_before
        assert opened(path) == 0
        assert busy(made) == []
        if session.status != "uploaded":
            assert session.status in ("initialized", "interrupted")
            await (session.start() if session.status == "initialized" else session.resume())
        assert session.status == "uploaded"
        assert made
        assert opened(path) == 0
        assert busy(made) == []
    assert tasks() == tasks_before
    await closed(port, connections_before)
    assert control.upload(session.ticket().session_id)["sha256"] == hashlib.sha256(DATA).hexdigest()


async def test_cancelling_the_opening_leaves_nothing_behind(
    sandbox: Sandbox, control: Control, made: list[httpcore.AsyncHTTPConnection], tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    port = int(sandbox.config["telestream"]["api_port"])
    control.faults({"path": "*/upload.json", "action": "delay", "seconds": 30})
    tasks_before, connections_before = tasks(), connections(port)
    async with sandbox.telestream() as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        with anyio.move_on_after(0.1) as scope:
            await factory.upload_session(path)
        assert scope.cancelled_caught
        assert made
        assert opened(path) == 0
        assert busy(made) == []
    assert tasks() == tasks_before
    await closed(port, connections_before)
