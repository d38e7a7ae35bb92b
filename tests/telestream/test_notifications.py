"""The notification settings of a factory, and the notifications that come of them."""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.errors import InvalidRequestError
from cloudreel.telestream import AsyncFactory, VideoNotification, parse_notification

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Control, Tap

pytestmark = pytest.mark.anyio

OFF = dict.fromkeys(("video_created", "video_encoded", "encoding_progress", "encoding_completed"), False)


@contextmanager
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """Take notifications on a port of this machine: its URL, and the bodies that came."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", bodies
        finally:
            server.shutdown()
            thread.join()


async def test_settings_are_changed_in_parts(factory: AsyncFactory) -> None:
    assert await factory.get_notifications() == {
        "url": None,
        "delay": 0,
        "send_video_payload": False,
        "events": OFF,
    }
    conf = {"url": "http://127.0.0.1:1/hook", "events": {"video_encoded": True, "video_created": True}}
    before = copy.deepcopy(conf)
    changed = await factory.update_notifications(conf)
    assert conf == before
    on = {**OFF, "video_encoded": True, "video_created": True}
    assert changed == {
        "url": "http://127.0.0.1:1/hook",
        "delay": 0,
        "send_video_payload": False,
        "events": on,
    }
    changed = await factory.update_notifications({"delay": 7, "send_video_payload": True})
    assert (changed["delay"], changed["send_video_payload"], changed["events"]) == (7, True, on)
    changed = await factory.update_notifications({"events": {"video_created": False}})
    assert changed["events"] == {**OFF, "video_encoded": True}
    assert await factory.get_notifications() == changed
    assert await factory.update_notifications({}) == changed


async def test_events_are_sent_in_brackets(tapped: AsyncFactory, tap: Tap) -> None:
    await tapped.update_notifications({"send_video_payload": False, "events": {"video_created": False}})
    assert tap.params() == {"events[video_created]": "false", "send_video_payload": "false"}


async def test_an_event_that_does_not_exist_is_refused(factory: AsyncFactory) -> None:
    with pytest.raises(InvalidRequestError, match="video_lost"):
        await factory.update_notifications({"events": {"video_lost": True}})


async def test_settings_belong_to_one_factory(factory: AsyncFactory, tapped: AsyncFactory) -> None:
    await factory.update_notifications({"delay": 9})
    assert (await tapped.get_notifications())["delay"] == 0


async def test_what_arrives_can_be_read(factory: AsyncFactory, control: Control, clip: Path) -> None:
    with receiver() as (url, bodies):
        await factory.update_notifications(
            {"url": url, "send_video_payload": True, "events": dict.fromkeys(OFF, True)}
        )
        video = await factory.videos.create(file=clip, profiles="mp3")
        await video.wait(timeout=120)
        (encoding,) = await video.encodings.all()
        found: list[VideoNotification] = []
        with anyio.fail_after(60):
            while "video-encoded" not in [notification.event for notification in found]:
                await anyio.sleep(0.05)
                found = [parse_notification(body) for body in bodies]
        await factory.update_notifications({"events": OFF})
    by_event = {notification.event: notification for notification in found}
    assert {"video-created", "encoding-complete", "video-encoded"} <= set(by_event)
    assert {notification.video_id for notification in found} == {video.id}
    assert by_event["video-created"].encoding_ids == by_event["video-encoded"].encoding_ids == (encoding.id,)
    assert by_event["encoding-complete"].encoding_id == encoding.id
    assert by_event["video-encoded"].details["original_filename"] == "clip.mp4"
