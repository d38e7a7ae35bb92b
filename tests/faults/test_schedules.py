"""Uploads over a line on which anything may go wrong: whatever happens, what is stored is what was sent.

A seed makes a schedule: how large the source is, its parts, how many go out at once, and which requests
fail in which way. Every fault spoils a request that matches it, in the order of the plan.

No part is sent again that the service already holds. After an answer that was lost the service is asked
before the part is repeated; and when a part fails for good, those on the wire beside it get a moment to
arrive, before `resume` asks what is missing.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest
from attrs import field, frozen

from cloudreel.telestream import TelestreamCloudException

if TYPE_CHECKING:
    from cloudreel.core.options import Http
    from cloudreel.sandbox import Sandbox
    from conftest import Control

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_patience")]

MOST_RESUMES = 8


@frozen
class Schedule:
    """What one seed stands for."""

    part_size: int
    data: bytes = field(repr=False)
    threads: int
    faults: list[dict[str, object]]


def schedule(seed: int) -> Schedule:
    """Return the schedule of a seed: about as many faults as there are parts, at most twelve in a row."""
    draw = random.Random(seed)
    part_size = draw.randint(16 * 1024, 64 * 1024)
    parts = draw.randint(5, 30)
    size = (parts - 1) * part_size + draw.randint(1, part_size)
    faults: list[dict[str, object]] = []
    for _ in range(draw.randint(1, 12)):
        faults.append(any_fault(draw, part_size))
        if draw.random() < 0.7:  # then some requests get through
            faults.append(on_parts({"action": "delay", "seconds": 0, "times": draw.randint(1, 5)}))
    return Schedule(part_size, draw.randbytes(size), draw.randint(1, 8), faults)


def any_fault(draw: random.Random, part_size: int) -> dict[str, object]:
    kind = draw.choice(["status", "before", "in", "exactly", "after", "delay", "lost", "cut", "question"])
    within = draw.randint(1, part_size - 1)
    faults: dict[str, dict[str, object]] = {
        "status": {"action": "status", "status": draw.choice([500, 502, 503, 408])},
        "before": {"action": "drop"},
        "in": {"action": "drop", "after_bytes": within},
        "exactly": {"action": "drop", "after_bytes": part_size},
        "after": {"action": "drop", "after_bytes": part_size + 1},
        "delay": {"action": "delay", "seconds": draw.random() / 20},
        "lost": {"action": "truncate"},
        "cut": {"action": "truncate", "after_bytes": draw.randint(1, 100)},
    }
    if kind == "question":  # what is missing, or whether a part is held
        ways: list[dict[str, object]] = [{"action": "drop"}, {"action": "truncate"}, {"action": "status"}]
        return {"path": "/upload/*", "method": "GET", **draw.choice(ways)}
    if draw.random() < 0.15:
        return on_parts({"action": "status", "status": 429, "seconds": 0, "times": draw.randint(1, 3)})
    return on_parts(faults[kind] | {"times": draw.choice([1, 1, 1, 2, 3])})


def on_parts(fault: dict[str, object]) -> dict[str, object]:
    return {"path": "/upload/*", "method": "PUT", **fault}


async def upload_through(seed: int, sandbox: Sandbox, control: Control) -> None:
    """Upload by a schedule and check what the service has in the end."""
    plan = schedule(seed)
    sandbox.world.part_size = plan.part_size
    async with sandbox.telestream() as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        session = await factory.upload_session(plan.data, threads=plan.threads, profiles="none")
        session_id = session.ticket().session_id
        control.faults(*plan.faults)
        failures: list[TelestreamCloudException] = []
        while session.status != "uploaded" and len(failures) <= MOST_RESUMES:
            try:
                await (session.start() if session.status == "initialized" else session.resume())
            except TelestreamCloudException as error:
                failures.append(error)
        assert all(failure.ticket == session.ticket() for failure in failures)
        video = session.video
    control.faults()
    assert video is not None, failures
    upload = control.upload(session_id)
    assert upload["status"] == "uploaded"
    assert upload["video_id"] == video.id
    assert (upload["size"], upload["missing"]) == (len(plan.data), [])
    assert upload["sha256"] == hashlib.sha256(plan.data).hexdigest()
    assert session.progress.bytes_confirmed == session.progress.bytes_sent == len(plan.data)
    assert upload["repeated"] == 0


BACKENDS = ("asyncio", "trio")  # one schedule after the other on each


@pytest.mark.parametrize(("seed", "anyio_backend"), [(seed, BACKENDS[seed % 2]) for seed in range(30)])
async def test_every_upload_ends_complete(
    seed: int, anyio_backend: str, sandbox: Sandbox, control: Control
) -> None:
    await upload_through(seed, sandbox, control)


@pytest.mark.soak
@pytest.mark.parametrize(("seed", "anyio_backend"), [(seed, BACKENDS[seed % 2]) for seed in range(30, 200)])
async def test_every_one_of_many_uploads_ends_complete(
    seed: int, anyio_backend: str, sandbox: Sandbox, control: Control
) -> None:
    await upload_through(seed, sandbox, control)


@pytest.mark.parametrize(
    ("http", "anyio_backend"), [("httpx", "asyncio"), ("httpx", "trio"), ("aiohttp", "asyncio")]
)
@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("lost", [{"action": "truncate"}, {"action": "drop", "after_bytes": 10**9}])
async def test_no_part_is_repeated_though_every_answer_is_lost(
    sandbox: Sandbox, control: Control, http: Http, anyio_backend: str, threads: int, lost: dict[str, object]
) -> None:
    data = random.Random(threads).randbytes(12 * 16384 - 5)
    sandbox.world.part_size = 16384
    async with sandbox.telestream(http=http) as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        session = await factory.upload_session(data, threads=threads, profiles="none")
        control.faults(on_parts(lost | {"times": 12}))
        video = await session.start()
    upload = control.upload(session.ticket().session_id)
    assert (upload["repeated"], upload["video_id"]) == (0, video.id)
    assert upload["sha256"] == hashlib.sha256(data).hexdigest()
