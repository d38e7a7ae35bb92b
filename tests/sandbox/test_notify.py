"""Notifications: items 33 and 34 of panda.md section 11, 29 and 30 of telestream.md section 11."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import anyio
import pytest

from cloudreel.sandbox.state import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Caller

pytestmark = pytest.mark.anyio

EVENTS = ("video_created", "video_encoded", "encoding_progress", "encoding_completed")


class Receiver(ThreadingHTTPServer):
    """An application that is told: keeps the forms it got, answers with the given statuses, then with 200."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.statuses = list(statuses)
        self.forms: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"

    def named(self, event: str) -> list[dict[str, str]]:
        return [form for form in self.forms if form["event"] == event]


class _Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        assert self.headers["content-type"] == "application/x-www-form-urlencoded"
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.forms.append(dict(parse_qsl(body.decode(), strict_parsing=True)))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    with Receiver(*statuses) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(90):
        while not condition():
            await anyio.sleep(0.02)


async def subscribe(call: Caller, url: str, *events: str, **more: str) -> None:
    wanted = dict.fromkeys(events, "true")
    await call.json("PUT", "/notifications.json", {"url": url, "events": wanted, **more})


@pytest.fixture(params=["panda", "telestream"])
def either(request: pytest.FixtureRequest, panda: Caller, call: Caller) -> Caller:
    """A caller of each member of the family."""
    return panda if request.param == "panda" else call


async def test_33_a_video_tells_its_life(either: Caller, clip: Path) -> None:
    with receiving() as receiver:
        await subscribe(either, receiver.url, *EVENTS)
        video = await either.upload(clip, profiles="mp3,h264")
        await until(lambda: receiver.named("video-encoded"))
        encodings = await either.json("GET", f"/videos/{video['id']}/encodings.json")
        ids = {f"encoding_ids[{number}]": encoding["id"] for number, encoding in enumerate(encodings)}
        expected = {"event": "video-created", "video_id": video["id"], **ids}
        assert receiver.named("video-created") == [expected]
        assert receiver.named("video-encoded") == [expected | {"event": "video-encoded"}]
        await until(lambda: len(receiver.named("encoding-complete")) == 2)
        for form in receiver.named("encoding-complete"):
            assert form.keys() == {"event", "video_id", "encoding_id"}
        assert {form["encoding_id"] for form in receiver.named("encoding-complete")} == set(ids.values())
        assert all(0 <= int(form["progress"]) <= 100 for form in receiver.named("encoding-progress"))
        assert receiver.named("encoding-progress")


async def test_33_only_the_events_asked_for_are_told(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"no video")
    with receiving() as receiver:
        await subscribe(call, receiver.url, "video_encoded")
        await call.upload(tmp_path / "a.txt", profiles="mp3")
        await until(lambda: receiver.forms)
        assert [form["event"] for form in receiver.forms] == ["video-encoded"]


async def test_29_the_video_payload_is_in_every_event(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"no video")
    with receiving() as receiver:
        await subscribe(call, receiver.url, *EVENTS, send_video_payload="true")
        video = await call.upload(tmp_path / "a.txt", profiles="mp3", payload="own words")
        await until(lambda: receiver.named("video-encoded") and receiver.named("encoding-complete"))
        expected = {"video_id": video["id"], "original_filename": "a.txt", "payload": "own words"}
        for form in receiver.forms:
            assert form == {**form, **expected, "status": "fail"}
            assert "id" not in form


async def test_30_34_what_is_not_acknowledged_is_sent_again(either: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"no video")
    with receiving(500, 204) as receiver:
        await subscribe(either, receiver.url, "video_created")
        await either.upload(tmp_path / "a.txt")
        await until(lambda: either.world.snapshot()["notifications"][0:1] and _first(either)["delivered"])
        assert _first(either)["attempts"] == [500, 204, 200]
        assert (_first(either)["url"], _first(either)["body"]) == (receiver.url, receiver.forms[0])
        assert len(receiver.forms) == 3


async def test_30_nobody_there_is_an_attempt_too(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"no video")
    with receiving() as receiver:
        url = receiver.url
    await subscribe(call, url, "video_created")
    await call.upload(tmp_path / "a.txt")
    await until(lambda: call.world.store.list("delivery") and len(_first(call)["attempts"]) > 1)
    assert "ConnectError" in _first(call)["attempts"][0]
    assert not _first(call)["delivered"]


async def test_30_34_the_delay_comes_before_the_first_attempt(either: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"no video")
    with receiving() as receiver:
        await subscribe(either, receiver.url, "video_created", delay="3600")
        video = await either.upload(tmp_path / "a.txt")
        await either.settled(f"/videos/{video['id']}.json")
        assert _first(either)["attempts"] == []
        assert receiver.forms == []


async def test_30_a_restart_forgets_no_notification(tmp_path: Path) -> None:
    with receiving() as receiver:
        world = World.open(tmp_path / "data")
        factory_id = world.credentials["telestream"]["factory_id"]
        events = {**dict.fromkeys(EVENTS, False), "video_created": True}
        world.store.update("notifications", factory_id, {"url": receiver.url, "events": events})
        world.notifier.tell("video-created", {"id": "v", "_scope": factory_id})
        world.close()
        again = World.open(tmp_path / "data")
        async with again.running():
            await until(lambda: receiver.forms)
        again.close()
        assert receiver.forms == [{"event": "video-created", "video_id": "v"}]


def _first(call: Caller) -> dict[str, object]:
    return call.world.store.list("delivery")[0]
