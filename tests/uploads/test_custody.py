"""A session's ticket in a store: there before the first byte, leased while bytes go out, gone in the end."""

from __future__ import annotations

import random

import anyio
import pytest
from attrs import evolve

from cloudreel.errors import ServiceError, UploadError
from cloudreel.uploads import FileTicketStore, Leased, custody
from cloudreel.uploads.dialects import PartsDialect

pytestmark = pytest.mark.anyio

CONTENT = bytes(random.Random(2).randbytes(45))


@pytest.fixture
def service(kit):
    return kit.Service(CONTENT, 10)


@pytest.fixture
def store(tmp_path):
    return FileTicketStore(tmp_path / "tickets")


async def is_free(store, ticket):
    """Return whether nobody has the lease; nobody has it afterwards either."""
    free = (await store.claim(ticket.key, "onlooker", 60)).holder == "onlooker"
    await store.release(ticket.key, "onlooker")
    return free


async def test_it_is_stored_and_leased_before_the_first_byte_and_gone_in_the_end(kit, service, store):
    found = []

    async def look(index):
        ticket = await store.load(session.ticket().key)
        found.append((ticket == session.ticket(), await is_free(store, ticket)))

    service.before_part = look
    session = await kit.session(service, store=store)
    assert await store.keys() == []
    await session.start()
    assert found == [(True, False)] * 5
    assert await store.keys() == []


async def test_a_failure_leaves_it_for_anybody(kit, service, store):
    service.fault("PUT", 3, 400)
    session = await kit.session(service, threads=1, store=store)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    (ticket,) = await store.tickets()
    assert ticket == session.ticket()
    assert await is_free(store, ticket)
    service.requests.clear()
    successor = await kit.session(service, ticket=ticket, store=store)
    assert (await successor.resume())["id"] == "v1"
    assert sorted(service.parts_sent()) == [3, 4]
    assert await store.keys() == []


async def test_the_same_session_goes_on_with_it(kit, service, store):
    service.fault("PUT", 3, 400)
    session = await kit.session(service, store=store)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    await session.resume()
    assert service.received == CONTENT
    assert await store.keys() == []


async def test_resuming_before_the_start_stores_it_too(kit, service, store):
    session = await kit.session(service, store=store)
    service.fault("PUT", 0, 400)
    with pytest.raises(kit.FAMILY.root):
        await session.resume()
    assert await store.tickets() == [session.ticket()]


async def test_cancelling_gives_the_lease_back(kit, service, store):
    service.fault("PUT", 2, "stall")
    session = await kit.session(service, store=store)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        await service.arrived.wait()
        group.cancel_scope.cancel()
    assert session.status == "interrupted"
    assert await is_free(store, session.ticket())


@pytest.mark.parametrize("call", ["resume", "abort"])
async def test_what_another_worker_has_in_hand_is_left_alone(kit, service, store, call):
    ticket = (await kit.session(service)).ticket()
    await store.save(ticket)
    await store.claim(ticket.key, "the other", 60)
    session = await kit.session(service, ticket=ticket, store=store)
    with pytest.raises(Leased, match="the other") as caught:
        await getattr(session, call)()
    assert caught.value.holder == "the other"
    assert service.requests == []
    assert session.status == ("error" if call == "resume" else "interrupted")
    await store.release(ticket.key, "the other")
    assert (await session.resume())["id"] == "v1"


async def test_what_was_finished_elsewhere_is_not_begun_again(kit, service, store):
    ticket = (await kit.session(service)).ticket()
    session = await kit.session(service, ticket=ticket, store=store)
    with pytest.raises(UploadError, match="finished or aborted"):
        await session.resume()
    assert service.requests == []
    assert await store.keys() == []


async def test_a_lost_lease_stops_the_upload(kit, service, tmp_path, monkeypatch):
    class Loses(FileTicketStore):
        async def renew(self, key, holder, seconds):
            await self.release(key, holder)
            await self.claim(key, "the other", 60)
            return await super().renew(key, holder, seconds)

    monkeypatch.setattr(custody, "SECONDS", 1.5)
    store = Loses(tmp_path / "tickets")
    service.fault("PUT", 2, "stall")
    session = await kit.session(service, store=store)
    with anyio.fail_after(60), pytest.raises(UploadError, match=r"lease .* is lost"):
        await session.start()
    assert session.status == "error"
    assert service.in_flight == 0
    assert (await store.claim(session.ticket().key, "onlooker", 60)).holder == "the other"
    with pytest.raises(Leased):
        await session.resume()


async def test_a_pause_keeps_the_lease(kit, service, tmp_path, monkeypatch):
    renewed = anyio.Event()

    class Counts(FileTicketStore):
        async def renew(self, key, holder, seconds):
            if session.status == "paused":
                renewed.set()
            return await super().renew(key, holder, seconds)

    async def pause(index):
        await session.pause()

    monkeypatch.setattr(custody, "SECONDS", 3)
    service.before_part = pause
    session = await kit.session(service, threads=1, store=Counts(tmp_path / "tickets"))
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(session.start)
            await renewed.wait()
            service.before_part = None
            await session.resume()
    assert session.status == "uploaded"


async def test_an_abort_forgets_it(kit, service, store):
    service.fault("PUT", 3, 400)
    session = await kit.session(service, store=store)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    await session.abort()
    assert service.gone
    assert await store.keys() == []


async def test_an_abort_under_way_forgets_it(kit, service, store):
    service.fault("PUT", 2, "stall")
    session = await kit.session(service, store=store)

    async def start():
        with pytest.raises(UploadError, match=r"abort\(\)"):
            await session.start()

    async with anyio.create_task_group() as group:
        group.start_soon(start)
        await service.arrived.wait()
        await session.abort()
    assert await store.keys() == []


async def test_an_abort_that_fails_leaves_it(kit, store):
    service = kit.Service(CONTENT, 10, retries=0)
    service.fault("PUT", 3, 400)
    service.fault("DELETE", None, 500)
    session = await kit.session(service, store=store)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    with pytest.raises(ServiceError):
        await session.abort()
    assert await store.tickets() == [session.ticket()]
    assert await is_free(store, session.ticket())


async def test_what_was_never_started_is_never_stored(kit, service, store):
    session = await kit.session(service, store=store)
    await session.abort()
    assert session.status == "aborted"
    assert await store.keys() == []


async def test_a_changed_source_is_not_stored(kit, service, store, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)
    session = await kit.session(service, path, store=store)
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(UploadError, match="changed"):
        await session.start()
    assert await store.keys() == []


async def test_a_store_that_does_not_work_lets_no_byte_out(kit, service, tmp_path):
    (tmp_path / "tickets").write_text("no folder")
    session = await kit.session(service, store=FileTicketStore(tmp_path / "tickets"))
    with pytest.raises(OSError, match="tickets"):
        await session.start()
    assert service.requests == []
    assert session.status == "error"


async def test_it_follows_an_upload_that_moves(kit, service, store):
    moved = "http://vm-def.upload.example/upload/session?id=s3cret"

    class Moving(PartsDialect):
        def put(self, part, body):
            call = super().put(part, body)
            return evolve(call, parse=lambda response: evolve(call.parse(response), location=moved))

    async def move(index):
        service.location = moved

    service.before_part = move
    service.fault("PUT", 3, 400)
    session = await kit.session(service, threads=1, dialect=Moving, store=store)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    (ticket,) = await store.tickets()
    assert ticket.location == moved
