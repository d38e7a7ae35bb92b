"""Sources that are uploaded while they come."""

from __future__ import annotations

import anyio
import pytest

from cloudreel.errors import TransportError, UploadError
from cloudreel.uploads import SizedStream, Spooled, Ticket, open_source
from cloudreel.uploads.readers import HOP

pytestmark = pytest.mark.anyio


class Line(SizedStream):
    """A stream whose bytes are put on the line by the test."""

    def __init__(self, size):
        self._size = size
        self.name = "film.mp4"
        self.put, self._take = anyio.create_memory_object_stream[bytes](100)

    @property
    def size(self):
        return self._size

    async def __anext__(self):
        try:
            return await self._take.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    def __del__(self):
        self.put.close()
        self._take.close()


@pytest.fixture
def line(kit) -> Line:
    line = Line(len(kit.CONTENT))
    line.put.send_nowait(kit.CONTENT[:4])
    return line


async def stored(service, parts):
    with anyio.fail_after(60):
        while sorted(service.stored) != parts:
            await anyio.sleep(0.001)


async def test_each_part_is_sent_as_soon_as_it_is_there(kit, service, line, spool_folder):
    session = await kit.session(service, line)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        await anyio.wait_all_tasks_blocked()
        assert service.stored == {}
        for count, end in enumerate([10, 20, 30, 40], 1):
            line.put.send_nowait(kit.CONTENT[4 if end == 10 else end - 10 : end])
            await stored(service, list(range(count)))
            assert session.progress.parts_done == count
        line.put.send_nowait(kit.CONTENT[40:])
        await anyio.wait_all_tasks_blocked()
        assert service.missing == [4]  # only the end says that nothing comes after it
        line.put.close()
    assert session.status == "uploaded"
    assert service.received == kit.CONTENT
    assert list(spool_folder.iterdir()) == []


async def test_what_has_come_is_sent_again_after_a_lost_part(kit, service, line):
    service.fault("PUT", 0, "drop", "drop", 500)
    session = await kit.session(service, line)
    line.put.send_nowait(kit.CONTENT[4:20])
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    assert session.status == "error"
    line.put.send_nowait(kit.CONTENT[20:])
    line.put.close()
    await session.resume()
    assert service.received == kit.CONTENT


async def test_an_upload_that_was_cancelled_goes_on_with_the_next_byte(kit, service, line):
    session = await kit.session(service, line)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(session.start)
            line.put.send_nowait(kit.CONTENT[4:23])
            await stored(service, [0, 1])
            scope.cancel()
    assert session.status == "interrupted"
    line.put.send_nowait(kit.CONTENT[23:])
    line.put.close()
    await session.resume()
    assert service.received == kit.CONTENT


@pytest.mark.parametrize(
    ("rest", "why"),
    [(slice(4, 41), r"ended after 41 of the 45 bytes"), (slice(4, None), r"more than the 45 bytes")],
)
async def test_a_source_of_another_length_than_announced_completes_nothing(kit, service, line, rest, why):
    session = await kit.session(service, line)
    line.put.send_nowait(kit.CONTENT[rest])
    if rest.stop is None:
        line.put.send_nowait(b"!")
    line.put.close()
    for upload in (session.start, session.resume):
        with pytest.raises(UploadError, match=why):
            await upload()
        assert 4 in service.missing
        assert session.status == "error"
    await session.abort()
    assert service.gone


async def test_what_the_stream_raises_ends_the_upload(kit, service, line):
    class Gone(Exception):
        pass

    class Breaking(Line):
        async def __anext__(self):
            if not self._take.statistics().current_buffer_used:
                raise Gone
            return await super().__anext__()

    breaking = Breaking(45)
    for part in (kit.CONTENT[:4], kit.CONTENT[4:30]):
        breaking.put.send_nowait(part)
    session = await kit.session(service, breaking)
    with pytest.raises(Gone):
        await session.start()
    assert session.status == "error"
    assert 4 in service.missing


async def test_the_ticket_knows_the_source_once_it_is_whole(kit, service, line):
    session = await kit.session(service, line, threads=1)
    early = session.ticket()
    assert early.fingerprint.sha256 is None
    assert Ticket.from_json(early.to_json()) == early
    line.put.send_nowait(kit.CONTENT[4:])
    line.put.close()

    async def wait_for_all(index):
        with anyio.fail_after(60):
            while session.ticket().fingerprint.sha256 is None:
                await anyio.sleep(0.001)

    service.before_part = wait_for_all
    service.fault("PUT", 1, 400)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    late = Ticket.from_json(session.ticket().to_json())
    await session.close()
    elsewhere = await kit.session(service, kit.CONTENT, ticket=late)
    await elsewhere.resume()
    assert service.received == kit.CONTENT


async def test_a_ticket_from_before_does_not_take_any_source_of_the_same_size(kit, service, line):
    early = (await kit.session(service, line)).ticket()
    other = await kit.session(service, kit.CONTENT[::-1], ticket=early)
    with pytest.raises(UploadError, match="had not come whole"):
        await other.resume()
    assert service.requests == []


async def test_no_more_is_promised_than_may_be_copied(line):
    with pytest.raises(UploadError, match="larger than the 44 bytes"):
        await open_source(Spooled(line, 44), whole=False)


async def test_a_failing_stream_is_refused_before_anything_begins(spool_folder):
    line = Line(3)
    line.put.close()
    with pytest.raises(UploadError, match="ended after 0 of the 3 bytes"):
        await open_source(line, whole=False)
    assert list(spool_folder.iterdir()) == []


async def test_whoever_needs_the_whole_gets_it(line, kit):
    line.put.send_nowait(kit.CONTENT[4:])
    line.put.close()
    async with await open_source(line) as source:
        assert source.is_whole
        assert b"".join([piece async for piece in source.read(0, 45)]) == kit.CONTENT


async def test_a_fast_stream_waits_for_the_disk():
    taken = 0

    class Fast(Line):
        async def __anext__(self):
            nonlocal taken
            if taken == 10:
                raise StopAsyncIteration
            taken += 1
            return bytes(HOP)

    async with await open_source(Fast(10 * HOP), whole=False) as source:
        async with anyio.create_task_group() as group:
            group.start_soon(source.fill)
            await source.reach(1)
            assert taken < 10
        async with await open_source(bytes(10 * HOP)) as same:
            assert source.fingerprint == same.fingerprint


async def test_a_lost_transport_keeps_what_came(kit, service, line):
    service.fault("PUT", 1, "drop", "drop", "drop")
    session = await kit.session(service, line)
    line.put.send_nowait(kit.CONTENT[4:])
    line.put.close()
    with pytest.raises(TransportError):
        await session.start()
    assert await session.resume() == service.video
    assert service.received == kit.CONTENT
