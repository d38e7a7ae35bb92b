"""Leases: taken, kept while the upload runs, lost and given back, whatever the store does meanwhile."""

from __future__ import annotations

import logging
import pickle
import re
import time

import anyio
import pytest

from cloudreel.errors import UploadError
from cloudreel.uploads import Claim, Fingerprint, Lease, Leased, Ticket, TicketStore, leases

pytestmark = pytest.mark.anyio

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
KEY = TICKET.key
LONG = 1000.0  # seconds: a lease of this length ends in no test
SHORT = 0.03  # and one of this length soon


class MemoryStore(TicketStore):
    """A store in memory, as somebody else would write one; it fails as it is told to.

    ``renewals`` holds what comes of the next renewals: a bool, an error, or ``hang``.
    """

    def __init__(self):
        self.stored = {KEY: TICKET}
        self.claims = {}
        self.renewals = []
        self.renewed = 0
        self.enough = anyio.Event()
        self.failure = None

    async def save(self, ticket):
        self.stored[ticket.key] = ticket

    async def load(self, key):
        return self.stored.get(key)

    async def keys(self):
        return list(self.stored)

    async def remove(self, key):
        await self._fail()
        self.stored.pop(key, None)
        self.claims.pop(key, None)

    async def claim(self, key, holder, seconds):
        claim = self.claims.get(key)
        if claim is None or claim.holder == holder:
            claim = self.claims[key] = Claim(holder, time.time() + seconds)
        return claim

    async def renew(self, key, holder, seconds):
        await anyio.sleep(0)
        self.renewed += 1
        if self.renewed == 5:
            self.enough.set()
        outcome = self.renewals.pop(0) if self.renewals else True
        if outcome == "hang":
            await anyio.sleep_forever()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def release(self, key, holder):
        await self._fail()
        if key in self.claims and self.claims[key].holder == holder:
            del self.claims[key]

    async def _fail(self):
        await anyio.sleep(0)
        if self.failure == "hang":
            await anyio.sleep_forever()
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def brisk(monkeypatch):
    """Renew long leases, too, every ten milliseconds."""
    monkeypatch.setattr(leases, "RENEWALS", 100_000)
    monkeypatch.setattr(leases, "TRIES", 100_000)


async def keep(lease):
    """Keep a lease beside an upload that never ends; return what the upload is stopped by."""
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(lease.keep)
            await anyio.sleep_forever()
    except ExceptionGroup as stopped:
        (failure,) = stopped.exceptions
        return failure


async def test_the_other_learns_who_has_it_and_how_long(store):
    await Lease(store, TICKET, name="worker 7", seconds=60).take()
    with pytest.raises(
        Leased, match=r"'clip\.mp4' is in the hands of worker 7, .* until 20.*\+00:00;"
    ) as caught:
        await Lease(store, TICKET, name="worker 8").take()
    error = caught.value
    assert isinstance(error, UploadError)
    assert (error.holder, error.until) == (store.claims[KEY].holder, store.claims[KEY].until)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.holder, again.until) == (
        Leased,
        str(error),
        error.holder,
        error.until,
    )


async def test_each_lease_is_a_holder_of_its_own(store):
    first, second = Lease(store, TICKET), Lease(store, TICKET)
    assert first.holder != second.holder
    await first.take()
    await first.take()
    with pytest.raises(Leased):
        await second.take()
    await first.release()
    await second.take()


async def test_repr_names_the_upload_and_no_secret(store):
    shown = repr(Lease(store, TICKET, name="worker 7"))
    assert "clip.mp4" in shown
    assert "worker 7" in shown
    assert "s3cret" not in shown


async def test_a_lease_lasts_some_time(store):
    with pytest.raises(ValueError, match="seconds"):
        Lease(store, TICKET, seconds=0)


@pytest.mark.usefixtures("brisk")
async def test_it_is_renewed_until_the_upload_ends(store):
    lease = Lease(store, TICKET, seconds=LONG)
    await lease.take()
    async with anyio.create_task_group() as group:
        group.start_soon(lease.keep)
        await store.enough.wait()
        group.cancel_scope.cancel()
    assert store.renewed >= 5


@pytest.mark.usefixtures("brisk")
async def test_a_lost_lease_stops_the_upload(store):
    lease = Lease(store, TICKET, seconds=LONG)
    store.renewals = [False]
    await lease.take()
    failure = await keep(lease)
    assert type(failure) is UploadError
    assert "'clip.mp4' is lost: it expired" in str(failure)
    assert store.renewed == 1


@pytest.mark.usefixtures("brisk")
async def test_a_store_may_fail_for_a_while(store):
    lease = Lease(store, TICKET, seconds=LONG)
    store.renewals = [OSError("disk full"), UploadError("no answer"), TimeoutError(), False]
    await lease.take()
    assert "it expired" in str(await keep(lease))
    assert store.renewed == 4


@pytest.mark.parametrize("trouble", [OSError("disk full"), UploadError("no answer")])
async def test_a_store_that_fails_for_good_stops_the_upload(store, trouble):
    lease = Lease(store, TICKET, seconds=SHORT)
    store.renewals = [trouble] * 100_000
    await lease.take()
    failure = await keep(lease)
    assert type(failure) is UploadError
    assert "in time" in str(failure)
    assert failure.__cause__ in (trouble, None)  # None: this machine was too slow to ask even once


async def test_a_store_that_hangs_stops_the_upload(store):
    lease = Lease(store, TICKET, seconds=SHORT)
    store.renewals = ["hang"] * 2
    await lease.take()
    assert "in time" in str(await keep(lease))


@pytest.mark.usefixtures("brisk")
async def test_a_mistake_in_a_store_is_not_hidden(store):
    lease = Lease(store, TICKET, seconds=LONG)
    store.renewals = [ZeroDivisionError()]
    await lease.take()
    assert isinstance(await keep(lease), ZeroDivisionError)


async def test_what_is_finished_is_forgotten(store):
    lease = Lease(store, TICKET)
    await lease.take()
    await lease.release(finished=True)
    assert (store.stored, store.claims) == ({}, {})


async def test_what_is_cancelled_is_given_back(store):
    lease = Lease(store, TICKET)
    await lease.take()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await lease.release()
    assert (store.stored, store.claims) == ({KEY: TICKET}, {})


@pytest.mark.parametrize(
    ("failure", "finished", "told"),
    [
        (OSError("disk full"), False, "The lease of the upload of 'clip.mp4' remains in .*disk full"),
        (UploadError("api_key=s3cret"), True, r"The ticket of .* remains in .*api_key=\*\*\*"),
        ("hang", False, "remains in .*TimeoutError"),
    ],
)
async def test_what_cannot_be_given_back_is_logged(store, monkeypatch, caplog, failure, finished, told):
    monkeypatch.setattr(leases, "PATIENCE", 0.01)
    lease = Lease(store, TICKET)
    await lease.take()
    store.failure = failure
    with caplog.at_level(logging.WARNING, "cloudreel"):
        await lease.release(finished=finished)
    (record,) = caplog.records
    assert re.search(told, record.getMessage())


def test_a_store_lacks_nothing():
    class Half(TicketStore):
        async def save(self, ticket):
            pass

    with pytest.raises(TypeError, match="abstract"):
        Half()


async def test_a_store_of_ones_own_lists_and_finds(store):
    assert await store.tickets() == [TICKET]
    assert await store.find("telestream", "5c1d7e90", TICKET.fingerprint) == [TICKET]
