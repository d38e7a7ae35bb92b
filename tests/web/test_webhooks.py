"""Notifications on their way into an application: who is let in, what is believed, what is told, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from attrs import evolve
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from cloudreel import panda, telestream, web
from cloudreel.errors import TransportError
from cloudreel.flixcloud import AsyncFlixCloud, JobNotification, JobStatus
from cloudreel.notifications import VideoNotification
from cloudreel.web import Event, MemorySeen, Seen

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from conftest import Running, Served

pytestmark = pytest.mark.anyio

SECRET = "Zm9yLXRlc3RzLW9ubHk_-9"
NEVER = 3600.0  # seconds between looks
XML = "<job><id>{id}</id><state>successful_job</state></job>"


class Cloud:
    """Panda and Flix Cloud in memory; what they say is a test's to set."""

    def __init__(self) -> None:
        self.video: dict[str, Any] | None = {"id": "1f", "status": "success", "updated_at": None}
        self.status = 200
        self.asked = 0
        self.hang = False

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.hang:
            await anyio.sleep_forever()
        if request.url.path.startswith("/jobs/"):
            id = request.url.path.split("/")[2]
            state = f"<job><id>{id}</id><task-state>successful_job</task-state></job>"
            return httpx.Response(self.status, headers={"content-type": "application/xml"}, content=state)
        if self.status != 200 or self.video is None:
            return httpx.Response(self.status if self.video else 404, json={"error": "E", "message": "no"})
        if "/encodings/" in request.url.path:
            return httpx.Response(200, json={"id": "2e", "status": "success", "video_id": "1f"})
        return httpx.Response(200, json=self.video)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def events() -> list[Event]:
    """What the application was told."""
    return []


def application(
    cloud: Cloud,
    events: list[Event],
    *,
    secret: str | Sequence[str] = SECRET,
    seen: Seen | None = None,
    patience: float = 60.0,
) -> Starlette:
    async def note(event: Event) -> None:
        await anyio.lowlevel.checkpoint()
        events.append(event)

    def make_panda() -> panda.AsyncPanda:
        return panda.AsyncPanda("k", "s", "c", transport=httpx.MockTransport(cloud.answer), retries=0)

    def make_flix() -> AsyncFlixCloud:
        return AsyncFlixCloud("k:1:2:3", transport=httpx.MockTransport(cloud.answer), retries=0)

    hooks = web.webhooks(note, secret=secret, seen=seen, patience=patience)
    return Starlette(routes=[Mount("/hooks", hooks)], lifespan=web.lifespan(make_panda, make_flix))


@pytest.fixture
async def client(
    cloud: Cloud, events: list[Event], anyio_backend: str, running: Running
) -> AsyncIterator[httpx.AsyncClient]:
    async with running(application(cloud, events)) as (client, _):
        yield client


def form(event: str, **fields: object) -> bytes:
    return urlencode({"event": event, **fields}).encode()


ENCODED = form("video-encoded", video_id="1f", **{"encoding_ids[0]": "2e"})
COMPLETE = form("encoding-complete", encoding_id="2e")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_event_of_a_video_is_told_as_the_service_shows_it(
    client: httpx.AsyncClient, events: list[Event], method: str
) -> None:
    body = form("video-encoded", video_id="1f", status="a lie")
    answer = await client.request(method, f"/hooks/panda/{SECRET}", content=body)
    assert (answer.status_code, answer.text) == (200, "OK")
    (event,) = events
    assert event.service == "panda"
    assert isinstance(event.notification, VideoNotification)
    assert isinstance(event.subject, panda.AsyncVideo)
    assert event.subject.status == "success"


async def test_an_event_of_an_encoding_is_told_with_the_encoding(
    client: httpx.AsyncClient, events: list[Event]
) -> None:
    assert (await client.post(f"/hooks/panda/{SECRET}", content=COMPLETE)).status_code == 200
    (event,) = events
    assert isinstance(event.subject, panda.AsyncEncoding)
    assert event.subject.id == "2e"


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_event_of_a_job_is_told_with_its_status(
    client: httpx.AsyncClient, events: list[Event], method: str
) -> None:
    body = XML.format(id=7)
    headers = {"content-type": "application/x-www-form-urlencoded"}  # which is not looked at
    answer = await client.request(method, f"/hooks/flixcloud/{SECRET}", content=body, headers=headers)
    assert answer.status_code == 200
    (event,) = events
    assert isinstance(event.notification, JobNotification)
    assert isinstance(event.subject, JobStatus)
    assert (event.subject.id, event.subject.task_state) == (7, "successful_job")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/hooks/panda/{SECRET}x", 404),
        (f"/hooks/panda/{SECRET[:-1]}", 404),
        ("/hooks/panda/%E2%99%A5%ED%A0%80", 404),
        ("/hooks/panda/", 404),
        ("/hooks/panda", 404),
        (f"/hooks/telestream/{SECRET}", 404),
        (f"/hooks/elsewhere/{SECRET}", 404),
    ],
)
async def test_nobody_comes_in_by_another_path(
    client: httpx.AsyncClient, cloud: Cloud, events: list[Event], path: str, status: int
) -> None:
    assert (await client.post(path, content=ENCODED)).status_code == status
    assert (cloud.asked, events) == (0, [])


async def test_only_post_and_put_are_taken(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/hooks/panda/{SECRET}")).status_code == 405


@pytest.mark.parametrize(
    ("service", "body", "status"),
    [
        ("panda", b"", 400),
        ("panda", b"event=video-encoded", 400),
        ("panda", b"\xff" * 100, 400),
        ("panda", XML.format(id=7).encode(), 400),
        ("flixcloud", ENCODED, 400),
        ("flixcloud", b"<job>", 400),
        ("flixcloud", b'<!DOCTYPE j [<!ENTITY a "aa">]><job><id>1</id><state>&a;</state></job>', 400),
        ("panda", b"event=x&a=" + b"a" * 2**20, 413),
    ],
)
async def test_what_is_no_notification_is_refused(
    client: httpx.AsyncClient, cloud: Cloud, events: list[Event], service: str, body: bytes, status: int
) -> None:
    assert (await client.post(f"/hooks/{service}/{SECRET}", content=body)).status_code == status
    assert (cloud.asked, events) == (0, [])


class Endless(httpx.AsyncByteStream):
    """A body without end."""

    def __init__(self) -> None:
        self.given = 0

    def __aiter__(self) -> Endless:
        return self

    async def __anext__(self) -> bytes:
        self.given += 2**16
        return b"a" * 2**16


async def test_a_body_without_end_is_left_where_it_is_too_large(client: httpx.AsyncClient) -> None:
    body = Endless()
    request = httpx.Request("POST", f"http://app.example/hooks/panda/{SECRET}", stream=body)
    assert (await client.send(request)).status_code == 413
    assert body.given <= 2**20 + 2 * 2**16


async def test_the_same_is_told_once(client: httpx.AsyncClient, cloud: Cloud, events: list[Event]) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(post, client, ENCODED)
    await post(client, ENCODED)
    assert len(events) == 1
    assert cloud.video is not None
    cloud.video["updated_at"] = "2016/01/04 11:10:51 +0000"  # encoded once more
    await post(client, ENCODED)
    await post(client, COMPLETE)
    assert len(events) == 3


async def post(client: httpx.AsyncClient, body: bytes, status: int = 200) -> None:
    assert (await client.post(f"/hooks/panda/{SECRET}", content=body)).status_code == status


async def test_progress_is_told_at_each_step(client: httpx.AsyncClient, events: list[Event]) -> None:
    for progress in (10, 20, 20):
        await post(client, form("encoding-progress", encoding_id="2e", progress=progress))
    assert len(events) == 2


async def test_a_store_of_one_s_own_remembers(cloud: Cloud, events: list[Event], running: Running) -> None:
    seen = MemorySeen()
    for _ in range(2):  # as after a restart, or in another process
        async with running(application(cloud, events, seen=seen)) as (client, _):
            await post(client, ENCODED)
    assert len(events) == 1


async def test_what_cannot_be_remembered_is_asked_for_again(
    cloud: Cloud, events: list[Event], running: Running
) -> None:
    class Broken(MemorySeen):
        async def first(self, key: str, seconds: float) -> bool:
            raise TransportError("There is no Redis")

    async with running(application(cloud, events, seen=Broken())) as (client, _):
        await post(client, ENCODED, 503)
    assert events == []


async def test_what_the_service_does_not_know_is_told_to_nobody(
    client: httpx.AsyncClient, cloud: Cloud, events: list[Event]
) -> None:
    cloud.video = None
    await post(client, ENCODED)
    assert events == []


@pytest.mark.parametrize("status", [500, 429, 401])
async def test_what_cannot_be_confirmed_is_asked_for_again(
    client: httpx.AsyncClient, cloud: Cloud, events: list[Event], status: int
) -> None:
    cloud.status = status
    await post(client, ENCODED, 503)
    assert events == []
    cloud.status = 200
    await post(client, ENCODED)
    assert len(events) == 1


async def test_an_answer_is_given_in_time(cloud: Cloud, events: list[Event], running: Running) -> None:
    cloud.hang = True
    async with running(application(cloud, events, patience=0.05)) as (client, _):
        await post(client, ENCODED, 503)
    assert events == []


async def test_secrets_are_replaced_one_by_the_other(
    cloud: Cloud, events: list[Event], running: Running
) -> None:
    other = "the-one-from-now-on"
    async with running(application(cloud, events, secret=[other, SECRET])) as (client, _):
        for secret in (SECRET, other):
            answer = await client.post(f"/hooks/panda/{secret}", content=ENCODED)
            assert answer.status_code == 200


@pytest.mark.parametrize("secret", ["", "short", "a" * 15, "with/a/slash/in/it/12345", "ä" * 20])
def test_a_bad_secret_is_refused_at_once(secret: str) -> None:
    async def nothing(event: Event) -> None: ...

    with pytest.raises(ValueError, match="token_urlsafe"):
        web.webhooks(nothing, secret=[SECRET, secret])


async def test_who_waits_is_woken_even_where_nothing_can_be_confirmed(
    cloud: Cloud, events: list[Event], running: Running
) -> None:
    async with running(application(cloud, events)) as (client, state):
        ear = state["cloudreel"].inbox.listen()
        cloud.status = 500
        await post(client, ENCODED, 503)
        with anyio.fail_after(60):
            await ear.wait(NEVER)


async def test_equal_events_have_equal_keys() -> None:
    status = JobStatus(7, "successful_job")
    event = Event("flixcloud", JobNotification(XML.format(id=7)), status)
    assert event.key == evolve(event).key
    assert event.key != evolve(event, subject=JobStatus(8, "successful_job")).key
    assert event.key != evolve(event, service="panda").key


# -- with the services themselves ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framework", "at_home"),
    [(FastAPI, True), (Starlette, False)],
    ids=["FastAPI, in its factory", "Starlette, in any factory"],
)
async def test_telestream_s_own_notifications_wake_and_are_told(
    sandbox: Sandbox, clip: Path, framework: type[Starlette], at_home: bool, served: Served
) -> None:
    told: list[Event] = []

    async def note(event: Event) -> None:
        told.append(event)

    def make() -> telestream.AsyncTelestream:
        config = dict(sandbox.config["telestream"])
        return telestream.AsyncTelestream(**(config if at_home else {**config, "factory_id": None}))

    app = framework(lifespan=web.lifespan(make))
    app.mount("/hooks", web.webhooks(note, secret=SECRET))
    woken = web.Inbox()
    with served(app) as address:
        async with sandbox.telestream() as client:
            factory = await client.flip.factories.create(name="hooked")
            if at_home:
                factory = await client.flip.factories.find(client.factory_id or "")
            url = f"{address}/hooks/telestream/{SECRET}"
            settings = {"url": url, "delay": 0, "events": {"video_encoded": True, "encoding_completed": True}}
            await factory.update_notifications(settings)
            video = await factory.videos.create(file=clip, profiles="h264")
            await video.wait(timeout=60, poll=0.1, notified=woken)
            with anyio.fail_after(60):
                while {type(event.subject).__name__ for event in told} != {"AsyncVideo", "AsyncEncoding"}:
                    await anyio.sleep(0.02)
            await factory.update_notifications({"url": ""})
    (event,) = [event for event in told if isinstance(event.subject, telestream.AsyncVideo)]
    assert event.subject.id == video.id
    assert event.subject.status == "success"


async def test_a_wait_inside_the_application_ends_by_its_webhook(
    sandbox: Sandbox, clip: Path, served: Served
) -> None:
    """The poll is so slow that only the notification can have ended the wait."""

    async def nothing(event: Event) -> None: ...

    app = FastAPI(lifespan=web.lifespan(sandbox.panda))
    app.mount("/hooks", web.webhooks(nothing, secret=SECRET))

    @app.post("/videos/{id}/wait")
    async def wait(
        id: str,
        client: Annotated[panda.AsyncPanda, Depends(web.panda)],
        inbox: Annotated[web.Inbox, Depends(web.inbox)],
    ) -> str | None:
        video = await client.videos.find(id)
        return (await video.wait(timeout=60, poll=NEVER, notified=inbox)).status

    with served(app) as address:
        async with sandbox.panda() as client, httpx.AsyncClient(base_url=address, timeout=60) as browser:
            settings = await client.notifications.get()
            settings["url"], settings["delay"] = f"{address}/hooks/panda/{SECRET}", 0
            settings["events"] = {"video_encoded": True}
            await settings.save()
            video = await client.videos.create(file=clip, profiles="h264")
            assert (await browser.post(f"/videos/{video.id}/wait")).json() == "success"
            settings["url"] = ""
            await settings.save()
