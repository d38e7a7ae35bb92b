"""What the tasks do and give back, with a worker in this process."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from taskiq.receiver import Receiver

from cloudreel.errors import CloudReelError, DecodeError, JobFailed, NotFoundError, TimedOut
from cloudreel.fleet import Fleet, Ready, Uploaded
from cloudreel.fleet.ledger import Ledger
from cloudreel.fleet.redis import connect
from cloudreel.flixcloud import AsyncFlixCloud
from cloudreel.panda import AsyncPanda
from cloudreel.telestream import AsyncTelestream, Hooks
from cloudreel.uploads import Lease, RedisTicketStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from cloudreel.fleet.values import Service
    from cloudreel.notifications import Notification
    from cloudreel.sandbox import Sandbox

pytestmark = pytest.mark.anyio

PATIENCE = 60.0  # seconds
FILM = bytes(range(256)) * 200


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(FILM)
    return path


@pytest.fixture
def make_worker(redis_url: str, name: str, sandbox: Sandbox) -> Callable[..., Fleet]:
    """The fleet as the module of the workers makes it."""

    def make(**options: Any) -> Fleet:
        clients = {
            "telestream": lambda: AsyncTelestream(**sandbox.config["telestream"]),
            "panda": lambda: AsyncPanda(**sandbox.config["panda"]),
            "flixcloud": lambda: AsyncFlixCloud(**sandbox.config["flixcloud"]),
        }
        return Fleet(redis_url, name=name, **{**clients, **options})

    return make


@asynccontextmanager
async def at_work(worker: Fleet) -> AsyncGenerator[None]:
    """Do the tasks of a fleet, as ``taskiq worker`` does."""
    worker.broker.is_worker_process = True
    finish = asyncio.Event()
    receiver = Receiver(worker.broker, max_async_tasks=8)
    working = asyncio.create_task(receiver.listen(finish))
    try:
        yield
    finally:
        finish.set()
        await working
        await worker.broker.shutdown()


def finish_video(sandbox: Sandbox, **changes: str) -> str:
    """Have the one video of a sandbox be through; return its id."""
    (video,) = sandbox.world.snapshot()["videos"]
    sandbox.world.store.update("video", video["id"], {"status": "success", **changes})
    return str(video["id"])


async def open_session(sandbox: Sandbox, service: str, film: Path, store: RedisTicketStore | None) -> Any:
    """Open an upload as a worker does; the client is to be closed."""
    if service == "panda":
        panda = AsyncPanda(**sandbox.config["panda"])
        return panda, await panda.upload_session(film, profiles="none", chunk_size=16 * 1024, store=store)
    telestream = AsyncTelestream(**sandbox.config["telestream"])
    factory = await telestream.flip.factories.find(str(telestream.factory_id))
    return telestream, await factory.upload_session(film, profiles="none", store=store)


@pytest.mark.parametrize("service", ["telestream", "panda"])
async def test_a_file_is_uploaded_and_waited_for(
    fleet: Fleet, make_worker: Callable[..., Fleet], sandbox: Sandbox, film: Path, service: Service
) -> None:
    scope = sandbox.config[service][{"telestream": "factory_id", "panda": "cloud_id"}[service]]
    async with fleet, at_work(make_worker(parts_in_flight=2, per_second=1000)):
        sending = await fleet.upload.kiq(str(film), service=service, profiles="none")
        result = await sending.wait_result(timeout=PATIENCE)
        video_id = finish_video(sandbox)
        assert result.return_value == Uploaded(service, scope, video_id, "film.mp4", len(FILM))
        (upload,) = sandbox.world.snapshot()["uploads"]
        assert upload["sha256"] == hashlib.sha256(FILM).hexdigest()
        waiting = await fleet.wait.kiq(video_id, service=service, scope=scope)
        ready = await waiting.wait_result(timeout=PATIENCE)
        assert ready.return_value == Ready(service, scope, video_id)


async def test_the_same_task_sent_again_uploads_nothing_again(
    fleet: Fleet, make_worker: Callable[..., Fleet], sandbox: Sandbox, film: Path
) -> None:
    async with fleet, at_work(make_worker()):
        results = []
        for _ in range(2):
            kicker = fleet.upload.kicker().with_task_id(f"film-{film}")
            sending = await kicker.kiq(str(film), profiles="none")
            results.append((await sending.wait_result(timeout=PATIENCE)).return_value)
            await sending.result_backend.shutdown()
    assert results[0] == results[1]
    assert len(sandbox.world.snapshot()["uploads"]) == 1


@pytest.mark.parametrize("service", ["telestream", "panda"])
@pytest.mark.parametrize("reached", ["opened", "stored", "uploaded"])
async def test_a_worker_goes_on_wherever_another_has_died(
    fleet: Fleet,
    make_worker: Callable[..., Fleet],
    sandbox: Sandbox,
    film: Path,
    redis_url: str,
    name: str,
    service: Service,
    reached: str,
) -> None:
    store = RedisTicketStore(redis_url, prefix=name)
    client, session = await open_session(sandbox, service, film, store)
    redis = connect(redis_url)
    await Ledger(redis, prefix=name, keep=60).begin("job", session.ticket())
    await redis.aclose()
    if reached == "stored":
        await store.save(session.ticket())
    if reached == "uploaded":
        await session.start()
    await client.close()
    async with fleet, at_work(make_worker()):
        sending = await fleet.upload.kicker().with_task_id("job").kiq(str(film), service=service)
        result = await sending.wait_result(timeout=PATIENCE)
    (upload,) = sandbox.world.snapshot()["uploads"]
    assert result.return_value.video_id == upload["video_id"]
    assert (upload["sha256"], upload["repeated"]) == (hashlib.sha256(FILM).hexdigest(), 0)
    assert await store.keys() == []


async def test_a_worker_waits_for_one_that_lives(
    fleet: Fleet, make_worker: Callable[..., Fleet], sandbox: Sandbox, film: Path, redis_url: str, name: str
) -> None:
    store = RedisTicketStore(redis_url, prefix=name)
    client, session = await open_session(sandbox, "telestream", film, None)
    redis = connect(redis_url)
    ledger = Ledger(redis, prefix=name, keep=60)
    await ledger.begin("job", session.ticket())
    await store.save(session.ticket())
    lease = Lease(store, session.ticket(), seconds=1.5)
    await lease.take()
    async with fleet, at_work(make_worker()):
        sending = await fleet.upload.kicker().with_task_id("job").kiq(str(film))
        await anyio.sleep(0.5)
        assert not await sending.is_ready()
        video = await session.start()
        await ledger.finish("job", video.id)
        await lease.release(finished=True)
        result = await sending.wait_result(timeout=PATIENCE)
    await client.close()
    await redis.aclose()
    assert result.return_value.video_id == video.id
    (upload,) = sandbox.world.snapshot()["uploads"]
    assert upload["repeated"] == 0


async def test_of_two_workers_that_begin_together_one_gives_way(
    make_worker: Callable[..., Fleet], sandbox: Sandbox, film: Path, fleet: Fleet, redis_url: str, name: str
) -> None:
    client, session = await open_session(sandbox, "telestream", film, None)
    redis = connect(redis_url)
    ledger = Ledger(redis, prefix=name, keep=60)
    store = RedisTicketStore(redis_url, prefix=name)
    worker = make_worker()
    find = Ledger.find
    asked: list[str] = []

    async def late(self: Ledger, job: str) -> Any:
        """See nothing at first, although the other has begun in the meantime."""
        asked.append(job)
        return None if len(asked) == 1 else await find(self, job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "find", late)
        await ledger.begin("job", session.ticket())
        async with fleet, at_work(worker):
            sending = await fleet.upload.kicker().with_task_id("job").kiq(str(film), profiles="none")
            await sending.wait_result(timeout=PATIENCE)
    await client.close()
    await redis.aclose()
    assert asked == ["job", "job", "job"]
    assert await store.keys() == []
    statuses = [upload["status"] for upload in sandbox.world.snapshot()["uploads"]]
    assert statuses.count("uploaded") == len(sandbox.world.snapshot()["videos"]) == 1


async def test_errors_come_back_as_what_they_are(
    fleet: Fleet, make_worker: Callable[..., Fleet], sandbox: Sandbox, film: Path, tmp_path: Path
) -> None:
    async with fleet, at_work(make_worker()):
        await (await fleet.upload.kiq(str(film), profiles="none")).wait_result(timeout=PATIENCE)
        video_id = finish_video(sandbox, status="fail", error_message="no picture")
        sent: dict[type[Exception], Any] = {
            FileNotFoundError: await fleet.upload.kiq(str(tmp_path / "none.mp4")),
            NotFoundError: await fleet.upload.kiq(str(film), scope="no-such-factory"),
            JobFailed: await fleet.wait.kiq(video_id),
            DecodeError: await fleet.notify.kiq("neither a form nor XML"),
        }
        for kind, sending in sent.items():
            result = await sending.wait_result(timeout=PATIENCE)
            assert isinstance(result.error, kind), result
            assert sandbox.config["telestream"]["secret_key"] not in str(result.error)


async def test_a_wait_runs_out_of_time(
    fleet: Fleet, make_worker: Callable[..., Fleet], sandbox: Sandbox, film: Path
) -> None:
    async with fleet, at_work(make_worker()):
        await (await fleet.upload.kiq(str(film))).wait_result(timeout=PATIENCE)
        (video,) = sandbox.world.snapshot()["videos"]
        result = await (await fleet.wait.kiq(video["id"], timeout=0.01)).wait_result(timeout=PATIENCE)
    assert isinstance(result.error, TimedOut)


async def test_without_a_factory_a_worker_says_what_to_do(
    fleet: Fleet, make_worker: Callable[..., Fleet], sandbox: Sandbox, film: Path
) -> None:
    config = {**sandbox.config["telestream"], "factory_id": None}
    async with fleet, at_work(make_worker(telestream=lambda: AsyncTelestream(**config))):
        result = await (await fleet.upload.kiq(str(film))).wait_result(timeout=PATIENCE)
    assert isinstance(result.error, CloudReelError)
    assert "give scope=" in str(result.error)


# -- notifications ---------------------------------------------------------------------------------------


async def test_a_notification_wakes_the_worker_that_waits(
    fleet: Fleet,
    make_worker: Callable[..., Fleet],
    sandbox: Sandbox,
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cloudreel.core.waiting.FIRST_PAUSE", 1000.0)
    looks: list[str] = []
    hooks = Hooks(on_response=lambda event: looks.append(event.url))
    client = AsyncTelestream(**sandbox.config["telestream"], hooks=hooks)
    async with fleet, at_work(make_worker(telestream=lambda: client)):
        await (await fleet.upload.kiq(str(film), profiles="none")).wait_result(timeout=PATIENCE)
        (video,) = sandbox.world.snapshot()["videos"]
        waiting = await fleet.wait.kiq(video["id"])
        with anyio.fail_after(PATIENCE):
            while not any("/encodings.json" in url for url in looks):
                await anyio.sleep(0.01)
        finish_video(sandbox)
        with anyio.fail_after(PATIENCE):
            while not await waiting.is_ready():  # the first may come before the worker pauses
                await fleet.notify.kiq(f"event=video-encoded&video_id={video['id']}")
                await anyio.sleep(0.2)
        assert not (await waiting.get_result()).is_err


async def test_a_job_of_flix_cloud_is_waited_for(
    fleet: Fleet, make_worker: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudreel.core.waiting.FIRST_PAUSE", 1000.0)
    states, looked = {"7": "transcoding", "8": "failed_job"}, asyncio.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        looked.set()
        id = request.url.path.split("/")[2]
        return httpx.Response(200, text=f"<job><id>{id}</id><task-state>{states[id]}</task-state></job>")

    client = AsyncFlixCloud("key", transport=httpx.MockTransport(answer))
    async with fleet, at_work(make_worker(flixcloud=lambda: client)):
        waiting = await fleet.wait.kiq("7", service="flixcloud")
        with anyio.fail_after(PATIENCE):
            await looked.wait()
            states["7"] = "successful_job"
            while not await waiting.is_ready():  # the first may come before the worker pauses
                await fleet.notify.kiq("<job><id>7</id><state>successful_job</state></job>")
                await anyio.sleep(0.2)
        assert (await waiting.get_result()).return_value == Ready("flixcloud", None, "7")
        failed = await (await fleet.wait.kiq("8", service="flixcloud")).wait_result(timeout=PATIENCE)
    assert isinstance(failed.error, JobFailed)


async def test_handlers_are_given_the_notification(fleet: Fleet, make_worker: Callable[..., Fleet]) -> None:
    worker = make_worker()
    heard: list[Notification] = []

    @worker.on_notification
    async def hear(notification: Notification) -> None:
        heard.append(notification)

    async with fleet, at_work(worker):
        sending = await fleet.notify.kiq("event=video-created&video_id=f00d")
        result = await sending.wait_result(timeout=PATIENCE)
    assert not result.is_err
    assert [(notification.event, notification.video_id) for notification in heard] == [
        ("video-created", "f00d")
    ]
