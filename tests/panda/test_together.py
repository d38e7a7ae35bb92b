"""Waiting for many at once, and for one while a notification races the polls: on a service in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import anyio
import httpx
import pytest

from cloudreel.errors import CloudReelError, JobFailed, TimedOut
from cloudreel.panda import AsyncEncoding, AsyncPanda, Encoding, Inbox, Panda, wait_all, wait_all_sync
from cloudreel.panda import parse_notification as parse

NEVER = 3600.0  # seconds between looks


class Service:
    """Encodings of one video that are over when a test says so."""

    def __init__(self) -> None:
        self.status: dict[str, str] = {}
        self.looks = 0
        self.looked: Callable[[], object] = lambda: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.looks += 1
        name = request.url.path.rsplit("/", 1)[1].removesuffix(".json")
        self.looked()
        if name == "encodings":
            page = int(request.url.params.get("page", 1))
            return httpx.Response(200, json=[self.encoding(one) for one in self.status] if page == 1 else [])
        if name == "video":
            return httpx.Response(200, json={"id": "video", "status": "success"})
        if name not in self.status:
            return httpx.Response(404, json={"error": "RecordNotFound", "message": f"no {name}"})
        return httpx.Response(200, json=self.encoding(name))

    def encoding(self, name: str) -> dict[str, str]:
        return {"id": name, "video_id": "video", "status": self.status[name]}


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def panda(service: Service) -> AsyncPanda:
    return AsyncPanda("key", "secret", "cloud", transport=httpx.MockTransport(service.answer))


@pytest.fixture
def blocking(service: Service) -> Iterator[Panda]:
    with Panda("key", "secret", "cloud", transport=httpx.MockTransport(service.answer)) as client:
        yield client


async def encodings(panda: AsyncPanda, service: Service, **status: str) -> list[AsyncEncoding]:
    service.status = status
    return [await panda.encodings.find(name) for name in status]


@pytest.mark.anyio
async def test_all_come_back_in_their_order(panda: AsyncPanda, service: Service) -> None:
    found = await encodings(panda, service, a="processing", b="success", c="processing")
    assert [e.status for e in found] == ["processing", "success", "processing"]
    service.status = dict.fromkeys(service.status, "success")
    ready = await wait_all(iter(found), timeout=60)
    assert ready == found
    assert [e.status for e in ready] == ["success"] * 3
    assert await wait_all(list[AsyncEncoding]()) == []


@pytest.mark.anyio
async def test_the_first_failure_is_raised_at_once(panda: AsyncPanda, service: Service) -> None:
    found = await encodings(panda, service, a="processing", b="fail", c="processing")
    with anyio.fail_after(60), pytest.raises(JobFailed, match="Encoding b failed") as caught:
        await wait_all(found, poll=NEVER)
    assert caught.value.job is found[1]
    assert caught.value.__context__ is None


@pytest.mark.anyio
async def test_failures_are_collected_on_request(panda: AsyncPanda, service: Service) -> None:
    found = await encodings(panda, service, a="success", b="fail", c="gone", d="processing")
    del service.status["c"]
    results = await wait_all(found, timeout=1.5, poll=0.01, collect=True)
    assert results[0] is found[0]
    failures = [result for result in results if isinstance(result, CloudReelError)]
    assert [type(failure).__name__ for failure in failures] == [
        "EncodingFailed",
        "RecordNotFound",
        "WaitTimedOut",
    ]


@pytest.mark.anyio
async def test_a_wait_for_all_runs_out_of_time(panda: AsyncPanda, service: Service) -> None:
    found = await encodings(panda, service, a="success", b="processing")
    with pytest.raises(TimedOut, match="Encoding b was not ready"):
        await wait_all(found, timeout=0.05, poll=0.01)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        b"event=video-encoded&video_id=video&encoding_ids%5B0%5D=a",
        b"event=encoding-complete&encoding_id=a",
    ],
    ids=["about the video", "about an encoding, by an old server"],
)
async def test_a_notification_is_faster_than_the_poll(
    panda: AsyncPanda, service: Service, body: bytes
) -> None:
    await encodings(panda, service, a="processing")
    video, inbox = await panda.videos.find("video"), Inbox()
    before = service.looks
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:

            async def encode() -> None:
                while service.looks < before + 2:  # the wait has not looked yet
                    await anyio.wait_all_tasks_blocked()
                await anyio.wait_all_tasks_blocked()
                service.status["a"] = "success"
                inbox.put(parse(body))

            group.start_soon(encode)
            assert await video.wait(poll=NEVER, notified=inbox) is video


@pytest.mark.anyio
async def test_the_poll_is_faster_than_a_notification_that_never_comes(
    panda: AsyncPanda, service: Service
) -> None:
    (found,) = await encodings(panda, service, a="processing")
    service.looked = lambda: service.status.update(a="success" if service.looks > 5 else "processing")
    with anyio.fail_after(60):
        assert (await found.wait(poll=0.001, notified=Inbox())).status == "success"


@pytest.mark.anyio
async def test_a_forged_notification_is_not_believed(panda: AsyncPanda, service: Service) -> None:
    (found,) = await encodings(panda, service, a="processing")
    inbox = Inbox()
    service.looked = lambda: inbox.put(parse(b"event=encoding-complete&encoding_id=a"))
    with pytest.raises(TimedOut):
        await found.wait(timeout=0.05, poll=NEVER, notified=inbox)
    assert service.looks > 2


def test_the_same_without_async(blocking: Panda, service: Service) -> None:
    service.status = {"a": "processing", "b": "success"}
    found = [blocking.encodings.find(name) for name in service.status]
    inbox, begun = Inbox(), threading.Event()
    service.looked = begun.set

    def encode() -> None:
        begun.wait(60)
        service.status["a"] = "success"
        inbox.put(parse(b"event=encoding-complete&encoding_id=a"))

    thread = threading.Thread(target=encode)
    thread.start()
    ready = wait_all_sync(found, timeout=60, poll=0.5, notified=inbox)
    thread.join()
    assert all(one is other for one, other in zip(ready, found, strict=True))


def test_failures_hold_what_a_synchronous_caller_has(blocking: Panda, service: Service) -> None:
    service.status = {"a": "success", "b": "fail"}
    found = [blocking.encodings.find(name) for name in service.status]
    with pytest.raises(JobFailed) as caught:
        wait_all_sync(found, timeout=60)
    assert type(caught.value.job) is Encoding
    ready, failed = wait_all_sync(found, timeout=60, collect=True)
    assert ready is found[0]
    assert isinstance(failed, JobFailed)
    assert failed.job == found[1]
    assert type(failed.job) is Encoding
