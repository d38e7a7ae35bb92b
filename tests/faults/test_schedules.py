"""Uploads over a line on which anything may go wrong: whatever happens, what is stored is what was sent.

A seed makes a schedule: which service, how large the source is, its parts, how many go out at once, and which
requests fail in which way. Every fault spoils a request that matches it, in the order of the plan.

No part is sent again that the service already holds. After an answer that was lost the service is asked
before the part is repeated; and when a part fails for good, those on the wire beside it get a moment to
arrive, before `resume` asks what is missing. CloudKey takes a file in one request, which is sent anew.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen

from cloudreel.errors import CloudReelError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from cloudreel.core.options import Http
    from cloudreel.sandbox import Sandbox
    from conftest import Control

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_patience")]

BACKENDS = ("asyncio", "trio")  # one schedule after the other on each
SERVICES = ("telestream", "telestream", "panda", "telestream", "panda", "cloudkey")
METHODS = {"telestream": "PUT", "panda": "PUT", "cloudkey": "POST"}
MOST_FAILURES = 12  # of one upload
PATIENCE = 1.5  # seconds without an answer

Fault = dict[str, object]


@frozen
class Schedule:
    """What one seed stands for."""

    service: str
    part_size: int
    data: bytes = field(repr=False)
    threads: int
    faults: list[Fault]


def schedule(seed: int) -> Schedule:
    """Return the schedule of a seed: about as many faults as there are parts, at most twelve in a row."""
    draw = random.Random(seed)
    service = SERVICES[seed // len(BACKENDS) % len(SERVICES)]
    part_size = draw.randint(16 * 1024, 64 * 1024)
    parts = draw.randint(5, 30)
    size = (parts - 1) * part_size + draw.randint(1, part_size)
    request = size if service == "cloudkey" else part_size
    faults: list[Fault] = []
    for _ in range(draw.randint(1, 3 if service == "cloudkey" else 12)):
        faults.append(any_fault(draw, service, request))
        if service != "cloudkey" and draw.random() < 0.7:  # then some requests get through
            some = draw.randint(1, 5)
            faults.append(on_parts(service, {"action": "delay", "seconds": 0, "times": some}))
    return Schedule(service, part_size, draw.randbytes(size), draw.randint(1, 8), faults)


def any_fault(draw: random.Random, service: str, request: int) -> Fault:
    """Return a fault of one or a few requests, or of a question.

    Args:
        request: bytes of one request's body.
    """
    if service == "telestream" and draw.random() < 0.1:  # what is missing, or whether a part is held
        way = draw.choice(["drop", "lost", "status", "reset", "garbage", "early", "redirect", "duplicate"])
        return {"path": "/upload/*", "method": "GET", "action": way}
    if draw.random() < 0.1:
        busy = draw.randint(1, 3)
        return on_parts(service, {"action": "status", "status": 429, "seconds": 0, "times": busy})
    fault = draw.choice(faults_of_requests(draw, request))
    return on_parts(service, fault | {"times": draw.choice([1, 1, 1, 2, 3])})


def faults_of_requests(draw: random.Random, request: int) -> list[Fault]:
    """Return one of each kind."""
    within, some, moment = draw.randint(1, request - 1), draw.randint(1, 100), draw.random() / 50
    return [
        {"action": "status", "status": draw.choice([500, 502, 503, 408])},
        {"action": "redirect", "status": draw.choice([301, 302, 303, 307, 308])},
        {"action": "drop"},
        {"action": "drop", "after_bytes": within},
        {"action": "drop", "after_bytes": request},
        {"action": "drop", "after_bytes": request + 1},
        {"action": "stall", "after_bytes": within, "seconds": moment},
        {"action": "delay", "seconds": moment},
        {"action": "slow", "bytes_per_second": 50 * request},
        {"action": "slow", "bytes_per_second": request, "seconds": moment},
        {"action": "lost"},
        {"action": "truncate", "after_bytes": some},
        {"action": "reset", "after_bytes": some},
        {"action": "half_open", "after_bytes": draw.choice([0, some]), "seconds": moment},
        {"action": "garbage"},
        {"action": "early", "status": draw.choice([100, 102, 103])},
        {"action": "duplicate"},
        {"action": "moved"},
        {"action": "skew", "seconds": draw.randint(-7200, 7200)},
    ]


def on_parts(service: str, fault: Fault) -> Fault:
    """Return a fault of the requests that carry the file."""
    return {"path": "/upload*", "method": METHODS[service], **fault}


async def open_session(service: str, client: Any, plan: Schedule, path: Path | None = None) -> Any:
    """Open an upload; for CloudKey, which has no sessions, one that sends all in one request.

    Args:
        path: where to put what is sent, so that the kernel sends it; else it comes out of memory.
    """
    source: bytes | Path = plan.data
    if path is not None:
        path.write_bytes(plan.data)
        source = path
    match service:
        case "telestream":
            factory = await client.flip.factories.find(str(client.factory_id))
            return await factory.upload_session(source, threads=plan.threads, profiles="none")
        case "panda":
            return await client.upload_session(source, chunk_size=plan.part_size, profiles="none")
        case _:
            return NodeUpload(client, source)


class NodeUpload:
    """CloudKey's upload in the shape of a session."""

    def __init__(self, client: Any, source: bytes | Path) -> None:
        self._client = client
        self._source = source
        self.status = "initialized"
        self.stored: dict[str, Any] = {}

    async def start(self) -> None:
        """Send the file."""
        self.status = "error"
        self.stored = await self._client.file.upload_file(self._source)
        self.status = "uploaded"

    resume = start


async def send(session: Any, failures: list[CloudReelError]) -> None:
    """Upload, and go on after each failure."""
    while session.status != "uploaded" and len(failures) <= MOST_FAILURES:
        going: Awaitable[object] = session.start() if session.status == "initialized" else session.resume()
        try:
            await going
        except CloudReelError as error:
            failures.append(error)


async def upload_through(seed: int, sandbox: Sandbox, control: Control, tmp_path: Path) -> None:
    """Upload by a schedule, out of a file or out of memory, and check what the service has in the end."""
    plan = schedule(seed)
    in_file = seed // (len(BACKENDS) * len(SERVICES)) % 2
    sandbox.world.part_size = plan.part_size
    failures: list[CloudReelError] = []
    async with getattr(sandbox, plan.service)() as client:
        session = await open_session(plan.service, client, plan, tmp_path / "film.mp4" if in_file else None)
        control.faults(*plan.faults)
        await send(session, failures)
    control.faults()
    assert session.status == "uploaded", failures
    digest = (len(plan.data), hashlib.sha256(plan.data).hexdigest())
    if plan.service == "cloudkey":
        assert session.stored["hash"] == hashlib.sha1(plan.data).hexdigest()
        upload = control.upload(session.stored["url"].rpartition("/")[2].partition(".")[0])
        assert (upload["size"], upload["sha256"]) == digest
        return
    upload = control.upload(session.ticket().session_id)
    assert (upload["size"], upload["sha256"]) == digest
    assert (upload["status"], upload["video_id"]) == ("uploaded", session.video.id)
    assert upload["missing"] == []
    assert session.progress.bytes_confirmed == session.progress.bytes_sent == len(plan.data)
    assert upload["repeated"] <= (duplicates(plan) if plan.service == "panda" else 0)
    assert {failure.ticket and failure.ticket.key for failure in failures} <= {session.ticket().key}


def duplicates(plan: Schedule) -> int:
    """Return how many requests the line itself delivers twice."""
    return sum(int(str(fault["times"])) for fault in plan.faults if fault["action"] == "duplicate")


@pytest.mark.parametrize(("seed", "anyio_backend"), [(seed, BACKENDS[seed % 2]) for seed in range(100)])
async def test_every_upload_ends_complete(
    seed: int, anyio_backend: str, sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    await upload_through(seed, sandbox, control, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(100, 2100, 50))
async def test_every_one_of_many_uploads_ends_complete(
    first: int, anyio_backend: str, sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    for seed in range(first + BACKENDS.index(anyio_backend), first + 50, 2):
        await upload_through(seed, sandbox, control, tmp_path)


@pytest.mark.parametrize(
    ("http", "anyio_backend"), [("httpx", "asyncio"), ("httpx", "trio"), ("aiohttp", "asyncio")]
)
@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.soak), 8])
@pytest.mark.parametrize("lost", [{"action": "lost"}, {"action": "drop", "after_bytes": 10**9}])
async def test_no_part_is_repeated_though_every_answer_is_lost(
    sandbox: Sandbox,
    control: Control,
    http: Http,
    anyio_backend: str,
    threads: int,
    lost: Fault,
    in_file: bool,
    tmp_path: Path,
) -> None:
    data = random.Random(threads).randbytes(12 * 16384 - 5)
    sandbox.world.part_size = 16384
    async with sandbox.telestream(http=http) as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        path = tmp_path / "film.mp4"
        path.write_bytes(data)
        session = await factory.upload_session(path if in_file else data, threads=threads, profiles="none")
        control.faults(on_parts("telestream", lost | {"times": 12}))
        video = await session.start()
    upload = control.upload(session.ticket().session_id)
    assert (upload["repeated"], upload["video_id"]) == (0, video.id)
    assert upload["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("service", ["telestream", "panda", "cloudkey"])
@pytest.mark.parametrize("silence", [{"action": "half_open"}, {"action": "stall", "after_bytes": 100}])
@pytest.mark.parametrize(("in_file", "anyio_backend"), [(False, "asyncio"), (True, "trio")])
async def test_silence_ends_with_the_timeout(
    sandbox: Sandbox, control: Control, service: str, silence: Fault, in_file: bool, tmp_path: Path
) -> None:
    data = random.Random(service).randbytes(20_000)
    async with getattr(sandbox, service)(timeout=PATIENCE, retries=0) as client:
        path = tmp_path / "film.mp4" if in_file else None
        session = await open_session(service, client, Schedule(service, 5_000, data, 2, []), path)
        control.faults(on_parts(service, silence))
        failures: list[CloudReelError] = []
        await send(session, failures)
    assert session.status == "uploaded"
    assert failures
    assert all("no answer in time" in str(failure) for failure in failures)  # a slow machine adds to them


@pytest.mark.parametrize("service", ["telestream", "panda"])
async def test_an_upload_that_the_service_forgot_is_told_of(
    sandbox: Sandbox, control: Control, service: str
) -> None:
    data = random.Random(service).randbytes(50_000)
    plan = Schedule(service, 16384, data, 2, [])
    sandbox.world.part_size = plan.part_size
    async with getattr(sandbox, service)() as client:
        session = await open_session(service, client, plan)
        control.faults(on_parts(service, {"action": "expired"}))
        with pytest.raises(NotFoundError):
            await session.start()
        with pytest.raises(NotFoundError):
            await session.resume()
        again = await open_session(service, client, plan)
        await send(again, [])
    assert control.upload(again.ticket().session_id)["sha256"] == hashlib.sha256(data).hexdigest()
