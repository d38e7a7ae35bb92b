"""Stores of tickets: what every one of them does."""

from __future__ import annotations

import time
import uuid

import anyio
import pytest
from attrs import evolve

from cloudreel.errors import UploadError
from cloudreel.uploads import FileTicketStore, Fingerprint, RedisTicketStore, Ticket

pytestmark = pytest.mark.anyio

TICKET = Ticket(
    service="telestream",
    endpoint="https://api.example:443/v3.0",
    scope="5c1d7e90",
    session_id="9f2c41",
    location="http://vm-abc.upload.example/upload/session?id=s3cret",
    dialect="parts",
    size=45_000_000,
    part_size=10_000_000,
    parts=5,
    max_connections=16,
    file_name="clip ♥.mp4",
    fingerprint=Fingerprint(45_000_000, 1_480_000_000_000_000_000, "ab" * 32),
    created=1_480_000_000.25,
)
KEY = TICKET.key
OTHER = evolve(TICKET, session_id="77aa01", created=1_470_000_000.0)
LONG = 3600.0  # seconds: no lease of this length expires here


@pytest.fixture(params=["file-asyncio", "file-trio", "redis-asyncio"])
def kind(request):
    return request.param


@pytest.fixture
def anyio_backend(kind):
    return kind.partition("-")[2]


@pytest.fixture
def make(kind, tmp_path, request):
    """Open the test's store, as each process does for itself."""
    if kind.startswith("file"):
        return lambda: FileTicketStore(tmp_path / "tickets")
    url, prefix = request.getfixturevalue("redis_url"), uuid.uuid4().hex
    return lambda: RedisTicketStore(url, prefix=prefix)


@pytest.fixture
def store(make):
    return make()


async def test_a_ticket_is_found_by_another_process(make):
    await make().save(TICKET)
    store = make()
    assert await store.keys() == [KEY]
    assert await store.load(KEY) == TICKET
    assert await store.tickets() == [TICKET]


async def test_an_empty_store_has_nothing(store):
    assert await store.keys() == []
    assert await store.tickets() == []
    assert await store.load(KEY) is None
    await store.remove(KEY)
    await store.release(KEY, "a")
    assert not await store.renew(KEY, "a", LONG)


async def test_a_later_ticket_takes_the_place_of_an_earlier_one(store):
    moved = evolve(TICKET, location="https://vm-xyz.upload.example/upload/session?id=s3cret")
    await store.save(TICKET)
    await store.save(moved)
    assert await store.tickets() == [moved]


async def test_a_removed_ticket_is_gone_with_its_lease(store):
    await store.save(TICKET)
    await store.save(OTHER)
    await store.claim(KEY, "a", LONG)
    await store.remove(KEY)
    assert await store.tickets() == [OTHER]
    assert not await store.renew(KEY, "a", LONG)
    await store.save(TICKET)
    assert (await store.claim(KEY, "b", LONG)).holder == "b"


async def test_tickets_come_in_the_order_of_their_creation(store):
    for ticket in (TICKET, OTHER):
        await store.save(ticket)
    assert await store.tickets() == [OTHER, TICKET]


async def test_the_uploads_of_a_source_are_found(store):
    stored = [
        TICKET,
        evolve(OTHER, fingerprint=evolve(TICKET.fingerprint, mtime_ns=None)),
        evolve(TICKET, session_id="1", scope=None),
        evolve(TICKET, session_id="2", service="panda"),
        evolve(TICKET, session_id="3", fingerprint=evolve(TICKET.fingerprint, sha256="cd" * 32)),
        evolve(TICKET, session_id="4", fingerprint=evolve(TICKET.fingerprint, mtime_ns=5)),
    ]
    for ticket in stored:
        await store.save(ticket)
    assert await store.find("telestream", "5c1d7e90", TICKET.fingerprint) == stored[:2]
    assert await store.find("telestream", None, TICKET.fingerprint) == [stored[2]]
    assert await store.find("flixcloud", None, TICKET.fingerprint) == []


async def test_one_holder_at_a_time(make):
    await make().save(TICKET)
    before = time.time()
    mine = await make().claim(KEY, "a", LONG)
    # Redis rounds to milliseconds.
    assert before + LONG - 0.01 <= mine.until <= time.time() + LONG + 0.01
    standing = await make().claim(KEY, "b", LONG)
    assert standing.holder == "a"
    assert abs(standing.until - mine.until) < LONG / 2
    assert (await make().claim(KEY, "a", LONG)).holder == "a"
    assert await make().renew(KEY, "a", LONG)
    assert not await make().renew(KEY, "b", LONG)


async def test_a_lease_is_given_back_by_its_holder_only(store):
    await store.save(TICKET)
    await store.claim(KEY, "a", LONG)
    await store.release(KEY, "b")
    assert (await store.claim(KEY, "b", LONG)).holder == "a"
    await store.release(KEY, "a")
    assert (await store.claim(KEY, "b", LONG)).holder == "b"
    await store.release(KEY, "a")
    assert await store.renew(KEY, "b", LONG)


async def test_an_expired_lease_is_lost(store):
    await store.save(TICKET)
    claim = await store.claim(KEY, "a", 0.05)
    while time.time() < claim.until + 0.01:
        await anyio.sleep(0.01)
    assert not await store.renew(KEY, "a", LONG)
    assert (await store.claim(KEY, "b", LONG)).holder == "b"
    assert not await store.renew(KEY, "a", LONG)


async def test_leases_are_apart(store):
    await store.save(TICKET)
    await store.save(OTHER)
    assert (await store.claim(KEY, "a", LONG)).holder == "a"
    assert (await store.claim(OTHER.key, "b", LONG)).holder == "b"


async def test_nobody_takes_an_upload_that_is_not_there(store):
    with pytest.raises(UploadError, match="no ticket"):
        await store.claim(KEY, "a", LONG)


async def test_one_of_many_gets_the_lease(make):
    await make().save(TICKET)
    holders = []

    async def run(name):
        holders.append((await make().claim(KEY, name, LONG)).holder)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(run, f"holder {number}")
    assert len(holders) == 20
    assert len(set(holders)) == 1


async def test_saving_at_once_leaves_one_whole_ticket(make):
    tickets = [evolve(TICKET, created=float(number)) for number in range(20)]
    async with anyio.create_task_group() as group:
        for ticket in tickets:
            group.start_soon(make().save, ticket)
    (stored,) = await make().tickets()
    assert stored in tickets


async def test_a_store_shows_no_secret(store):
    await store.save(TICKET)
    assert "s3cret" not in repr(store)
