"""Sessions against a service in memory: sending, failing, resuming."""

from __future__ import annotations

import random
from itertools import pairwise

import anyio
import pytest

from cloudreel.errors import NotFoundError, TransportError, UploadError
from cloudreel.uploads import Ticket

pytestmark = pytest.mark.anyio


def wait_for_company(service, expected):
    """Let no part through before as many as expected are under way."""

    async def wait(index):
        while service.most_in_flight < expected:
            await anyio.sleep(0.001)
        if len(service.stored) < expected:
            await anyio.sleep(0.02)  # time for one too many to show

    service.before_part = wait


async def test_start_sends_every_part_and_returns_the_video(kit, service):
    session = await kit.session(service)
    assert session.status == "initialized"
    assert session.video is None
    video = await session.start()
    assert video == {"id": "v1", "status": "processing"}
    assert session.video == video
    assert session.status == "uploaded"
    assert service.received == kit.CONTENT
    assert sorted(service.parts_sent()) == [0, 1, 2, 3, 4]
    assert ("GET", None) not in service.requests
    assert session.progress.bytes_confirmed == session.progress.bytes_sent == 45
    assert session.progress.parts_done == session.progress.parts == 5


@pytest.mark.parametrize(("threads", "allowed", "expected"), [(8, 16, 5), (2, 16, 2), (8, 3, 3), (1, 16, 1)])
async def test_concurrency_is_what_caller_service_and_parts_allow(kit, threads, allowed, expected):
    service = kit.Service(kit.CONTENT, 10, max_connections=allowed)
    wait_for_company(service, expected)
    session = await kit.session(service, threads=threads)
    with anyio.fail_after(60):
        await session.start()
    assert service.most_in_flight == expected


async def test_parts_begin_in_order(kit, service):
    session = await kit.session(service, threads=1)
    await session.start()
    assert service.parts_sent() == [0, 1, 2, 3, 4]


async def test_threads_must_be_positive(kit, service):
    with pytest.raises(ValueError, match="threads"):
        await kit.session(service, threads=0)


async def test_a_lost_part_is_sent_again_and_counted_once(kit, service):
    service.fault("PUT", 2, "drop", 500)
    seen = []
    session = await kit.session(service, progress=seen.append)
    await session.start()
    assert service.received == kit.CONTENT
    assert service.parts_sent().count(2) == 3
    assert max(p.bytes_sent for p in seen) == 45
    assert seen[-1].bytes_confirmed == 45


async def test_first_failure_is_bare_and_the_session_resumes(kit, service):
    service.fault("PUT", 2, 400)
    session = await kit.session(service, threads=2)
    with pytest.raises(kit.FAMILY.root) as caught:
        await session.start()
    assert caught.value.status == 400
    assert caught.value.ticket == session.ticket()
    assert session.status == "error"
    assert session.error_message == "refused: 400"
    assert service.in_flight == 0
    held = sorted(service.stored)
    service.requests.clear()
    video = await session.resume()
    assert video == {"id": "v1", "status": "processing"}
    assert session.status == "uploaded"
    assert session.error_message is None
    assert service.requests[0] == ("GET", None)
    assert sorted(service.parts_sent()) == [i for i in range(5) if i not in held]
    assert service.received == kit.CONTENT


async def test_failure_cancels_what_is_under_way(kit, service):
    service.fault("PUT", 0, "stall")
    service.fault("PUT", 1, 400)
    session = await kit.session(service)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    assert service.in_flight == 0


async def test_the_cause_of_a_failure_is_kept(kit, service):
    cause = OSError("line cut")

    async def fail(index):
        raise kit.FAMILY.leaf(TransportError)("no answer") from cause

    service.before_part = fail
    session = await kit.session(service)
    with pytest.raises(TransportError) as caught:
        await session.start()
    assert caught.value.__cause__ is cause
    assert not isinstance(caught.value.__context__, BaseExceptionGroup)


async def test_a_part_whose_answer_was_lost_is_not_sent_again(kit, service):
    service.fault("PUT", 1, "lose")
    session = await kit.session(service, threads=1)
    assert (await session.start())["id"] == "v1"
    assert service.parts_sent() == [0, 1, 2, 3, 4]


async def test_lost_completing_answer_is_answered_again(kit, service):
    service.fault("PUT", 4, "lose")
    session = await kit.session(service, threads=1)
    assert (await session.start())["id"] == "v1"
    assert service.parts_sent() == [0, 1, 2, 3, 4, 4]


async def test_lost_completing_answer_and_failure_then_resume_sends_one_part_again(kit):
    service = kit.Service(kit.CONTENT, 10, retries=0)
    service.fault("PUT", 4, "lose")
    session = await kit.session(service, threads=1)
    with pytest.raises(TransportError):
        await session.start()
    assert not service.missing
    service.requests.clear()
    assert (await session.resume())["id"] == "v1"
    assert service.requests == [("GET", None), ("PUT", 4)]
    assert session.progress.bytes_sent == 45


async def test_media_id_saves_sending_a_part_again(kit, service):
    service.media_id = "v9"
    service.fault("PUT", None, *["empty"] * 5)
    session = await kit.session(service)
    assert await session.start() == {"id": "v9", "found": True}
    assert session.status == "uploaded"
    assert sorted(service.parts_sent()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("video", [{}, {"status": "processing"}, {"id": ""}, {"id": None}])
async def test_complete_but_unknown_is_told(kit, service, video):
    service.video = video
    session = await kit.session(service)
    with pytest.raises(UploadError, match="id is unknown") as caught:
        await session.start()
    assert isinstance(caught.value, kit.FAMILY.root)
    assert session.status == "error"


async def test_a_completing_answer_needs_no_status(kit, service):
    service.video = {"id": "v1"}
    session = await kit.session(service)
    assert await session.start() == {"id": "v1"}


async def test_what_the_service_still_misses_is_sent_in_another_round(kit, service):
    async def forget(index):
        if service.parts_sent() == [0, 1, 2, 3, 4]:
            del service.stored[1]

    service.before_part = forget
    session = await kit.session(service, threads=1)
    assert (await session.start())["id"] == "v1"
    assert service.received == kit.CONTENT
    assert service.parts_sent() == [0, 1, 2, 3, 4, 1]


async def test_rounds_are_bounded(kit, service):
    async def forget(index):
        service.stored.clear()

    service.before_part = forget
    session = await kit.session(service)
    with pytest.raises(UploadError, match="after 5 rounds the service still misses"):
        await session.start()
    assert service.requests.count(("GET", None)) == 5


async def test_a_ticket_continues_elsewhere(kit, service):
    service.fault("PUT", 3, 400)
    first = await kit.session(service, threads=1)
    with pytest.raises(kit.FAMILY.root):
        await first.start()
    text = first.ticket().to_json()
    service.requests.clear()
    second = await kit.session(service, ticket=Ticket.from_json(text))
    assert second.status == "interrupted"
    assert (await second.resume())["id"] == "v1"
    assert service.requests[0] == ("GET", None)
    assert sorted(service.parts_sent()) == [3, 4]


async def test_resume_works_before_start(kit, service):
    session = await kit.session(service)
    assert (await session.resume())["id"] == "v1"


@pytest.mark.parametrize("seed", range(15))
async def test_whatever_fails_it_arrives_in_the_end(kit, seed):
    draw = random.Random(seed)
    content = draw.randbytes(draw.randrange(1, 400))
    service = kit.Service(content, draw.randrange(1, 40), retries=draw.randrange(3))
    for method, part in [("GET", None), *(("PUT", index) for index in range(service.parts))]:
        faults = draw.choices(["ok", "drop", 500, "lose", "empty", 429], [6, 1, 1, 1, 1, 1], k=4)
        service.fault(method, part, *(f for f in faults if method == "PUT" or f != "empty"))
    seen = []
    session = await kit.session(service, threads=draw.randrange(1, 9), progress=seen.append)
    for _ in range(100):
        try:
            video = await (session.start() if session.status == "initialized" else session.resume())
        except kit.FAMILY.root:
            assert session.status == "error"
            assert service.in_flight == 0
            continue
        break
    assert video["id"] == "v1"
    assert service.received == content
    for before, after in pairwise(seen):
        assert before.bytes_sent <= after.bytes_sent <= len(content)
        assert before.bytes_confirmed <= after.bytes_confirmed <= after.bytes_sent
        assert before.parts_done <= after.parts_done
    assert seen[-1].bytes_confirmed == len(content)


async def test_many_parts(kit):
    content = random.Random(3).randbytes(1000)
    service = kit.Service(content, 1, max_connections=64)
    wait_for_company(service, 64)
    session = await kit.session(service, threads=64)
    await session.start()
    assert service.received == content
    assert service.most_in_flight == 64


async def test_a_vanished_upload_is_not_found(kit, service):
    session = await kit.session(service)
    service.gone = True
    with pytest.raises(NotFoundError):
        await session.start()
