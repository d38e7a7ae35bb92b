"""A fleet as it runs: ``taskiq worker`` with real processes, some of which are killed without warning."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from cloudreel.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from conftest import Workers

pytestmark = pytest.mark.anyio

PART = 16 * 1024
PATIENCE = 120  # seconds


def films(folder: Path, count: int) -> dict[Path, str]:
    """Write files of different sizes; return their digests."""
    draw = random.Random(count)
    made: dict[Path, str] = {}
    for number in range(count):
        content = draw.randbytes(draw.randint(10, 20) * PART + draw.randint(1, PART))
        path = folder / f"film-{number}.mp4"
        path.write_bytes(content)
        made[path] = hashlib.sha256(content).hexdigest()
    return made


def half_done(uploads: list[dict[str, Any]]) -> int:
    """Return how many uploads have begun to arrive, and not ended."""
    return sum(0 < len(upload["missing"]) < upload["size"] // PART for upload in uploads)


async def busy(fleet: Fleet) -> list[int]:
    """Return the processes that have messages in hand."""
    client: Any = fleet.broker.redis
    consumers = await client.xinfo_consumers(fleet.broker.queue_name, "workers")
    names = [consumer["name"].decode() for consumer in consumers if consumer["pending"]]
    return [int(name.split(", process ")[1].split(",")[0]) for name in names]


async def check_kill(
    fleet: Fleet, hire: Callable[..., Workers], sandbox: Sandbox, folder: Path, count: int, service: str
) -> None:
    slow = {"action": "delay", "seconds": 0.1, "path": "/upload/*", "times": 100_000}
    httpx.post(f"{sandbox.base_url}/__sandbox__/faults", json=[slow]).raise_for_status()
    made = films(folder, count)
    hire(4)
    async with fleet:
        tasks = {
            path: await fleet.upload.kiq(str(path), service=service, profiles="none", options={"threads": 2})
            for path in made
        }
        with anyio.fail_after(PATIENCE):
            while half_done(sandbox.world.snapshot()["uploads"]) < 4:
                await anyio.sleep(0.05)
        killed = (await busy(fleet))[:2]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        results = {path: await task.wait_result(timeout=PATIENCE) for path, task in tasks.items()}
    assert len(killed) == 2
    for path, result in results.items():
        result.raise_for_error()
        assert result.return_value.file_name == path.name
    state = sandbox.world.snapshot()
    uploaded = [upload for upload in state["uploads"] if upload["status"] == "uploaded"]
    arrived = {upload["file_name"]: upload for upload in uploaded}
    assert len(uploaded) == len(arrived) == len(state["videos"]) == count
    # The ticket of what a worker has just opened may die with it; nothing was sent there yet.
    # And a worker that was held up aborts what it has opened when it finds that another was faster.
    opened = [upload for upload in state["uploads"] if upload["status"] not in ("uploaded", "aborted")]
    assert len(opened) <= len(killed)
    assert [upload for upload in opened if len(upload["missing"]) != -(-upload["size"] // PART)] == []
    for path, digest in made.items():
        upload = arrived[path.name]
        assert (upload["status"], upload["sha256"]) == ("uploaded", digest)
        assert upload["video_id"] == results[path].return_value.video_id
        assert upload["repeated"] <= 2
    assert sum(upload["repeated"] for upload in arrived.values()) <= 2 * 2 * 2


async def test_videos_arrive_once_though_workers_are_killed(
    fleet: Fleet, hire: Callable[..., Workers], sandbox: Sandbox, tmp_path: Path
) -> None:
    await check_kill(fleet, hire, sandbox, tmp_path, 8, "telestream")


@pytest.mark.soak
async def test_forty_videos_arrive_once_though_workers_are_killed(
    fleet: Fleet, hire: Callable[..., Workers], sandbox: Sandbox, tmp_path: Path
) -> None:
    await check_kill(fleet, hire, sandbox, tmp_path, 40, "telestream")
