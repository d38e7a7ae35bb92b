"""Workers that compete for one upload as real processes, some of which are killed without warning."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from cloudreel.uploads import FileTicketStore, Fingerprint, RedisTicketStore, Ticket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from cloudreel.uploads import TicketStore

pytestmark = pytest.mark.anyio

PROGRAM = Path(__file__).with_name("leaseholder.py")
TICKET = Ticket(
    service="telestream",
    endpoint="https://api.example:443/v3.0",
    scope="5c1d7e90",
    session_id="9f2c41",
    location="http://vm-abc.upload.example/upload/session?id=s3cret",
    dialect="parts",
    size=5,
    part_size=5,
    parts=1,
    max_connections=16,
    file_name="clip.mp4",
    fingerprint=Fingerprint(5, None, "ab" * 32),
    created=1_480_000_000.0,
)
LEASE = 1.5  # seconds: the dead are waited for as long
LONG_LEASE = 6.0  # seconds: a living worker may be held up for most of it


class Worker:
    """A process that wants the lease."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def begin(self, **job: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps({'ticket': TICKET.to_json(), **job})}\n")
        self.process.stdin.flush()

    def told(self, step: str) -> dict[str, Any]:
        """Return what it tells when it comes to a step, past what it told before."""
        assert self.process.stdout is not None
        line: dict[str, Any] = {}
        while line.get("step") != step:
            line = json.loads(self.process.stdout.readline())
        return line

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()


@contextmanager
def working() -> Iterator[Worker]:
    command = [sys.executable, str(PROGRAM)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


@pytest.fixture
def hire() -> Iterator[Callable[[], Worker]]:
    """Start workers, each a process that ends with the test."""
    with ExitStack() as stack:

        def start() -> Worker:
            worker = stack.enter_context(working())
            worker.told("ready")
            return worker

        yield start


@pytest.fixture(params=["file-trio", "redis-asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store, and each event loop."""
    return str(request.param)


@pytest.fixture
def anyio_backend(kind: str) -> str:
    return kind.partition("-")[2]


@pytest.fixture
def where(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where the store is, for each process to open it."""
    if kind.startswith("file"):
        return f"file={tmp_path / 'tickets'}"
    return f"redis={request.getfixturevalue('redis_url')}"


@pytest.fixture
async def store(where: str) -> AsyncIterator[TicketStore]:
    kind, _, address = where.partition("=")
    store = FileTicketStore(address) if kind == "file" else RedisTicketStore(address)
    await store.save(TICKET)
    yield store
    await store.remove(TICKET.key)


@pytest.fixture
def job(store: TicketStore, where: str, anyio_backend: str) -> dict[str, Any]:
    """What every worker is told: where the ticket is, and its event loop."""
    return {"store": where, "backend": anyio_backend}


async def test_a_killed_worker_is_followed_when_its_lease_expires_and_not_before(
    hire: Callable[[], Worker], job: dict[str, Any]
) -> None:
    first, second = hire(), hire()
    first.begin(do="hold", seconds=LEASE, **job)
    taken = first.told("taken")
    first.kill()
    second.begin(do="hold", seconds=LEASE, **job)
    followed = second.told("taken")
    assert followed["at"] >= taken["begun"] + LEASE - 0.01  # Redis counts whole milliseconds
    assert followed["holder"] != taken["holder"]


async def test_a_living_worker_renews_its_lease_and_the_other_waits(
    hire: Callable[[], Worker], job: dict[str, Any], store: TicketStore
) -> None:
    first, second = hire(), hire()
    first.begin(do="hold", seconds=LONG_LEASE, **job)
    taken = first.told("taken")
    second.begin(do="hold", seconds=LONG_LEASE, **job)
    refused = second.told("refused")
    assert refused["holder"] == taken["holder"]
    claim = await store.claim(TICKET.key, "onlooker", LONG_LEASE)
    while claim.until < refused["until"] + 1:
        assert claim.holder == taken["holder"]
        await anyio.sleep(0.05)
        claim = await store.claim(TICKET.key, "onlooker", LONG_LEASE)
    assert claim.holder == taken["holder"]


async def test_workers_take_turns(hire: Callable[[], Worker], job: dict[str, Any], tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    workers = [hire() for _ in range(3)]
    for worker in workers:
        worker.begin(do="count", seconds=600, path=str(counter), times=10, **job)
    for worker in workers:
        worker.told("counted")
    assert counter.read_text() == "30"


async def test_workers_killed_at_any_moment_leave_a_whole_store(
    hire: Callable[[], Worker], job: dict[str, Any], store: TicketStore
) -> None:
    workers = [hire() for _ in range(3)]
    for worker in workers:
        worker.begin(do="churn", seconds=0.5, **job)
    for worker in workers:
        worker.told("churning")
        await anyio.sleep(0.05)
        worker.kill()
    assert await store.tickets() == [TICKET]
    while (await store.claim(TICKET.key, "successor", 60)).holder != "successor":
        await anyio.sleep(0.05)
