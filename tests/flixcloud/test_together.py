"""Waiting for many jobs at once: fail-fast or collecting, by notifications or by polling."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable

import anyio
import httpx
import pytest

from cloudreel import CloudReelError
from cloudreel.flixcloud import (
    AsyncFlixCloud,
    FlixCloud,
    Inbox,
    JobNotFound,
    JobNotification,
    TranscodingFailed,
    WaitTimedOut,
    wait_all,
    wait_all_sync,
)

KEY = "2j1l:kd3add:0:ivzf:2e1y"
NEVER = 3600.0  # seconds between two looks


class Service:
    """Jobs and their states; a job without one is not found."""

    def __init__(self) -> None:
        self.states: dict[int, str] = {}
        self.looks = 0
        self.looked: Callable[[], object] = lambda: None  # called before each answer

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.looks += 1
        self.looked()
        id = int(request.url.path.split("/")[2])
        if id not in self.states:
            return httpx.Response(404)
        state = self.states[id]
        return httpx.Response(200, text=f"<job><id>{id}</id><task-state>{state}</task-state></job>")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def fc(service: Service, anyio_backend: str) -> AsyncIterator[AsyncFlixCloud]:
    async with AsyncFlixCloud(KEY, transport=httpx.MockTransport(service.handle), retries=0) as client:
        with pytest.raises(JobNotFound):
            await client.job_status(0)  # the first call takes longest, which no wait has to bear
        yield client


def notification(id: int) -> JobNotification:
    return JobNotification(f"<job><id>{id}</id><state>successful_job</state></job>")


@pytest.mark.anyio
async def test_all_come_back_in_their_order(fc: AsyncFlixCloud, service: Service) -> None:
    service.states = dict.fromkeys([3, 1, 2], "successful_job")
    ended = await wait_all(fc, iter([3, "1", 2]), timeout=60)
    assert [(status.id, status.task_state) for status in ended] == [
        (id, "successful_job") for id in (3, 1, 2)
    ]
    assert await wait_all(fc, []) == []


@pytest.mark.anyio
async def test_the_first_failure_is_raised_at_once(fc: AsyncFlixCloud, service: Service) -> None:
    service.states = {1: "transcoding", 2: "failed_job", 3: "transcoding"}
    with anyio.fail_after(60), pytest.raises(TranscodingFailed, match="Job 2 ended as failed_job") as caught:
        await wait_all(fc, [1, 2, 3], poll=NEVER)
    assert caught.value.__context__ is None


@pytest.mark.anyio
async def test_failures_are_collected_on_request(fc: AsyncFlixCloud, service: Service) -> None:
    service.states = {1: "successful_job", 2: "cancelled_job", 4: "transcoding"}
    results = await wait_all(fc, [1, 2, 3, 4], timeout=1.5, poll=0.01, collect=True)
    failures = [type(each).__name__ for each in results if isinstance(each, CloudReelError)]
    assert (len(results), failures) == (4, ["TranscodingFailed", "JobNotFound", "WaitTimedOut"])


@pytest.mark.anyio
async def test_a_wait_for_all_runs_out_of_time(fc: AsyncFlixCloud, service: Service) -> None:
    service.states = {1: "successful_job", 2: "transcoding"}
    with pytest.raises(WaitTimedOut, match="Job 2 had not ended"):
        await wait_all(fc, [1, 2], timeout=0.5, poll=0.01)


@pytest.mark.anyio
async def test_a_notification_is_faster_than_the_poll(fc: AsyncFlixCloud, service: Service) -> None:
    service.states = {1: "transcoding", 2: "transcoding"}
    inbox = Inbox()

    async def transcode() -> None:
        for id in (2, 1):
            await anyio.wait_all_tasks_blocked()
            service.states[id] = "successful_job"
            inbox.put(notification(id))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(transcode)
            assert len(await wait_all(fc, [1, 2], poll=NEVER, notified=inbox)) == 2


@pytest.mark.anyio
async def test_the_poll_is_faster_than_a_notification_that_never_comes(
    fc: AsyncFlixCloud, service: Service
) -> None:
    service.states = {1: "transcoding", 2: "transcoding"}
    service.looked = lambda: service.states.update(
        dict.fromkeys([1, 2], "successful_job") if service.looks > 7 else {}
    )
    with anyio.fail_after(60):
        assert len(await wait_all(fc, [1, 2], poll=0.001, notified=Inbox())) == 2


def test_the_same_without_async(service: Service) -> None:
    service.states = {1: "transcoding", 2: "successful_job"}
    inbox, begun = Inbox(), threading.Event()
    service.looked = begun.set

    def transcode() -> None:
        begun.wait(60)
        service.states[1] = "successful_job"
        inbox.put(notification(1))

    with FlixCloud(KEY, transport=httpx.MockTransport(service.handle), retries=0) as fc:
        thread = threading.Thread(target=transcode)
        thread.start()
        ended = wait_all_sync(fc, [1, 2], timeout=60, poll=0.5, notified=inbox)
        thread.join()
        assert [status.id for status in ended] == [1, 2]
        service.states = {1: "failed_job", 2: "successful_job"}
        failed, good = wait_all_sync(fc, [1, 2], timeout=60, collect=True)
        assert isinstance(failed, TranscodingFailed)
        assert not isinstance(good, CloudReelError)
        with pytest.raises(TranscodingFailed):
            wait_all_sync(fc, [1, 2], timeout=60)
