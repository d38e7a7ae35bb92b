"""Many uploads: a few at a time, in order, fail-fast or collected, from whatever gives the sessions."""

from __future__ import annotations

import random
from contextlib import aclosing
from itertools import count

import anyio
import pytest

from cloudreel.errors import UploadError
from cloudreel.uploads import UploadSession, upload_many, upload_many_sync

CONTENT = random.Random(4).randbytes(20)


class Fleet:
    """Uploads, each to a service of its own, and how many are under way."""

    def __init__(self, kit):
        self.kit = kit
        self.services = []
        self.sessions = []
        self.under_way = 0
        self.most = 0
        self.most_open = 0

    async def open(self, *faults, retries=0):
        service = self.kit.Service(CONTENT, 10, retries=retries)
        service.video = {"id": f"v{len(self.services)}"}
        service.fault("PUT", 0, *faults)
        service.before_part = self._count
        self.services.append(service)
        session = await self.kit.session(service, threads=1)
        self.sessions.append(session)
        self.most_open = max(self.most_open, len(self.waiting()) + self.under_way)
        return session

    def waiting(self):
        return [session for session in self.sessions if session.status == "initialized"]

    async def _count(self, index):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await anyio.sleep(0.002)
        self.under_way -= 1


@pytest.fixture
def fleet(kit):
    return Fleet(kit)


def ids(videos):
    return [video["id"] for video in videos]


class TestAsync:
    pytestmark = pytest.mark.anyio

    @pytest.mark.parametrize(("limit", "most"), [(1, 1), (3, 3), (50, 7)])
    async def test_so_many_at_a_time_and_all_in_order(self, fleet, limit, most):
        sessions = [await fleet.open() for _ in range(7)]
        with anyio.fail_after(30):
            videos = await upload_many(sessions, limit=limit)
        assert ids(videos) == [f"v{n}" for n in range(7)]
        assert fleet.most == most
        assert all(service.received == CONTENT for service in fleet.services)

    async def test_none_are_uploaded_too(self):
        assert await upload_many([], limit=3) == []
        assert await upload_many([], limit=3, collect=True) == []

    async def test_the_limit_is_positive(self):
        with pytest.raises(ValueError, match="limit"):
            await upload_many([], limit=0)

    @pytest.mark.parametrize("kind", ["generator", "list", "async generator", "async sessions"])
    async def test_whatever_gives_them(self, fleet, kind):
        async def asynchronously(*, opened):
            for _ in range(6):
                yield (await fleet.open()) if opened else fleet.open()

        sessions = {
            "generator": lambda: (fleet.open() for _ in range(6)),
            "list": lambda: [fleet.open() for _ in range(6)],
            "async generator": lambda: asynchronously(opened=False),
            "async sessions": lambda: asynchronously(opened=True),
        }[kind]()
        videos = await upload_many(sessions, limit=2)
        assert sorted(ids(videos)) == [f"v{n}" for n in range(6)]
        assert fleet.most_open <= 3

    async def test_no_more_are_open_than_under_way(self, fleet):
        opened = []

        def openings():
            for n in range(100):
                opened.append(n)
                yield fleet.open(400 if n == 10 else "ok")

        with pytest.raises(fleet.kit.FAMILY.root):
            await upload_many(openings(), limit=2)
        assert len(opened) <= 14

    @pytest.mark.parametrize("collect", [False, True])
    async def test_failures(self, fleet, collect):
        sessions = [await fleet.open(400 if n == 2 else "ok") for n in range(5)]
        if collect:
            results = await upload_many(sessions, limit=2, collect=True)
            assert [getattr(result, "status", None) for result in results] == [None, None, 400, None, None]
            assert results[2].ticket == sessions[2].ticket()
            assert ids(results[:2] + results[3:]) == ["v0", "v1", "v3", "v4"]
        else:
            with pytest.raises(fleet.kit.FAMILY.root) as caught:
                await upload_many(sessions, limit=2)
            assert caught.value.status == 400
            assert not isinstance(caught.value.__context__, BaseExceptionGroup)
            assert sessions[4].status == "initialized"
        assert sessions[2].status == "error"
        for service in fleet.services:
            service.before_part = None
        assert ids(await upload_many(sessions, limit=2)) == [f"v{n}" for n in range(5)]
        assert all(service.received == CONTENT for service in fleet.services)

    async def test_a_failure_interrupts_the_others(self, fleet):
        stalled = await fleet.open("stall")

        async def failing():
            await fleet.services[0].arrived.wait()
            return await fleet.open(400)

        with anyio.fail_after(30), pytest.raises(fleet.kit.FAMILY.root):
            await upload_many([stalled, failing()], limit=2)
        assert stalled.status == "interrupted"
        assert fleet.services[0].in_flight == 0
        assert (await stalled.resume())["id"] == "v0"

    @pytest.mark.parametrize("collect", [False, True])
    async def test_one_that_cannot_be_opened(self, fleet, collect, tmp_path):
        async def missing():
            return await fleet.kit.session(fleet.kit.Service(CONTENT, 10), tmp_path / "nothing.mp4")

        openings = [missing(), fleet.open(), fleet.open()]
        if collect:
            failure, *others = await upload_many(openings, limit=1, collect=True)
            assert isinstance(failure, FileNotFoundError)
            assert ids(others) == ["v0", "v1"]
        else:
            with pytest.raises(FileNotFoundError):
                await upload_many(openings, limit=1)
            assert fleet.services == []

    async def test_a_mistake_is_not_collected(self, fleet):
        with pytest.raises(TypeError):
            await upload_many([None, fleet.open()], limit=1, collect=True)

    @pytest.mark.parametrize("collect", [False, True])
    async def test_an_iterable_that_fails_ends_it(self, fleet, collect):
        async def openings():
            yield fleet.open()
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await upload_many(openings(), limit=1, collect=collect)
        assert fleet.sessions[0].status == "uploaded"

    async def test_what_cannot_be_started_says_why(self, fleet):
        session = await fleet.open()
        await session.abort()
        (refusal,) = await upload_many([session], limit=1, collect=True)
        assert isinstance(refusal, UploadError)
        assert "aborted" in refusal.message

    async def test_cancelled_it_leaves_every_session_resumable(self, fleet):
        sessions = [await fleet.open("stall") for _ in range(3)]
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: upload_many(sessions, limit=2))
            await fleet.services[1].arrived.wait()
            group.cancel_scope.cancel()
        assert [session.status for session in sessions] == ["interrupted", "interrupted", "initialized"]
        for service in fleet.services:
            service.faults.clear()
        assert len(await upload_many(sessions, limit=2)) == 3

    async def test_cancelled_at_once_it_awaits_nothing(self, fleet):
        async def endless():
            for _ in count():
                yield fleet.open()

        async with aclosing(endless()) as openings:
            for sessions in ([fleet.open(), fleet.open()], openings):
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await upload_many(sessions, limit=2)
        assert fleet.sessions == []


class TestSync:
    @pytest.mark.anyio
    async def test_its_sessions_are_not_for_the_other(self, fleet):
        with pytest.raises(TypeError, match=r"upload_many_sync\(\)"):
            await upload_many([UploadSession(await fleet.open(), dict)], limit=1)

    def twin(self, fleet, *faults):
        async def opened():
            return await fleet.open(*faults)

        return UploadSession(anyio.run(opened), dict)

    def test_in_order(self, fleet):
        sessions = [self.twin(fleet) for _ in range(5)]
        assert ids(upload_many_sync(sessions, limit=2)) == [f"v{n}" for n in range(5)]
        assert fleet.most == 2
        assert ids(upload_many_sync(sessions, limit=2)) == [f"v{n}" for n in range(5)]

    def test_a_generator_is_stepped_through_as_it_goes(self, fleet):
        def openings():
            for _ in range(5):
                yield self.twin(fleet)

        assert sorted(ids(upload_many_sync(openings(), limit=2))) == [f"v{n}" for n in range(5)]
        assert fleet.most_open <= 3

    def test_failures_are_raised_or_collected(self, fleet):
        sessions = [self.twin(fleet, 400 if n == 1 else "ok") for n in range(3)]
        first, failure, last = upload_many_sync(sessions, limit=1, collect=True)
        assert (first["id"], failure.status, last["id"]) == ("v0", 400, "v2")
        with pytest.raises(fleet.kit.FAMILY.root) as caught:
            upload_many_sync([self.twin(fleet, 400)], limit=1)
        assert caught.value.status == 400
        assert len(upload_many_sync(sessions, limit=1)) == 3
