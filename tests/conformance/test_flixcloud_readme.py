"""The examples of the old client's README, version 0.2, on the clients of today.

They changed in nothing but imports, ``await``, addresses, credentials and ids. The facts: flixcloud.md,
sections 3 to 7.
"""

from __future__ import annotations

import queue
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from cloudreel import flixcloud as FlixCloud
from cloudreel.sandbox import Sandbox
from cloudreel.sandbox.media import find_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def example_com(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is to be had at example.com."""
    folder = tmp_path_factory.mktemp("example.com")
    shutil.copy(clip, folder / "file_in.mpg")
    picture = ["-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1"]
    command = [find_ffmpeg(), "-v", "error", "-nostdin", *picture, str(folder / "watermark.png")]
    subprocess.run(command, check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def sandbox(example_com: Path) -> Iterator[Sandbox]:
    mapped = {"http://example.com/": example_com, "http:///": example_com}
    with Sandbox(map=mapped) as running:
        yield running


@pytest.fixture(scope="module")
def flix(sandbox: Sandbox) -> dict[str, str]:
    """The address of the service and the key."""
    return dict(sandbox.config["flixcloud"])


@pytest.fixture(scope="module")
def notified() -> Iterator[tuple[str, queue.Queue[bytes]]]:
    """An address for notifications, and what came there."""
    bodies: queue.Queue[bytes] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", bodies
        finally:
            server.shutdown()
            thread.join()


def printed(job_req: Any) -> list[Any]:
    """Return what the examples print when they are through."""
    said: list[Any] = []
    if job_req.success:
        said.append(job_req.id)
        said.append(job_req.initialized_job_at)
    else:
        for error in job_req.errors:
            said.append(error)
    return said


def accepted(said: list[Any]) -> bool:
    return isinstance(said[0], int) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said[1]) is not None


def set_up(job_req: Any) -> None:
    job_req.recipe_id = 3
    job_req.set_input("http://example.com/file_in.mpg")
    job_req.set_output("ftp://example.com/file_out.avi", "user", "password")
    job_req.set_watermark("http://example.com/watermark.png")


PARAMS: FlixCloud.SentParams = {
    "recipe_name": "mpg2avi",
    "input_url": "http://example.com/file_in.mpg",
    "output_url": "ftp://example.com/output.avi",
    "output_user": "ftp_user",
    "output_password": "ftp_pass",
    "watermark_url": "http:///watermark.png",
    "send": True,
}


async def test_example_1(flix: dict[str, str]) -> None:
    job_req = FlixCloud.AsyncJob(flix["api_key"], base_url=flix["base_url"])
    set_up(job_req)
    await job_req.send()
    assert accepted(printed(job_req))
    async with FlixCloud.AsyncFlixCloud(**flix) as fc:
        status = await fc.wait(job_req.id or 0, timeout=120)
    assert {task.percent for task in status.tasks.values()} == {100.0}


async def test_example_2(flix: dict[str, str], sandbox: Sandbox) -> None:
    job_req = await FlixCloud.AsyncJob.create(flix["api_key"], PARAMS, base_url=flix["base_url"])
    assert accepted(printed(job_req))
    async with sandbox.flixcloud() as fc:
        assert (await fc.wait(job_req.id or 0, timeout=120)).task_state == "successful_job"


def test_example_1_without_async(flix: dict[str, str], sandbox: Sandbox) -> None:
    job_req = FlixCloud.Job(flix["api_key"], base_url=flix["base_url"])
    set_up(job_req)
    job_req.send()
    assert accepted(printed(job_req))
    with sandbox.sync.flixcloud() as fc:
        assert fc.wait(job_req.id or 0, timeout=120).task_state == "successful_job"
    stored = httpx.get(f"{flix['base_url']}/storage/ftp/example.com/file_out.avi")
    assert stored.content[8:12] == b"AVI "


def test_example_2_without_async(flix: dict[str, str], sandbox: Sandbox) -> None:
    job_req = FlixCloud.Job(flix["api_key"], PARAMS, base_url=flix["base_url"])
    assert accepted(printed(job_req))
    with sandbox.sync.flixcloud() as fc:
        assert fc.wait(job_req.id or 0, timeout=120).task_state == "successful_job"


def test_failures_are_told(flix: dict[str, str]) -> None:
    job_req = FlixCloud.Job("wrong:key", PARAMS, base_url=flix["base_url"])
    assert printed(job_req) == ["Send error: 401, Unauthorized"]
    job_req = FlixCloud.Job(flix["api_key"], {**PARAMS, "recipe_name": "nonesuch"}, base_url=flix["base_url"])
    said = printed(job_req)
    assert said[0] == "Send error: 200, OK"
    assert len(said) == 2
    job_req = FlixCloud.Job(flix["api_key"], {"send": True}, base_url=flix["base_url"])
    assert printed(job_req) == [
        "Either recipe_id or recipe_name is required.",
        "Input and output files are required.",
    ]


async def test_the_notification_example(
    flix: dict[str, str], notified: tuple[str, queue.Queue[bytes]]
) -> None:
    url, bodies = notified

    async def heard() -> list[Any]:
        """Return what the example prints of the next notification."""
        xml_msg = await anyio.to_thread.run_sync(lambda: bodies.get(timeout=120))
        said: list[Any] = []
        notification: Any = FlixCloud.JobNotification(xml_msg)
        said.append(notification.state)
        if notification.state == "successful_job":
            said.append(notification.id)
            said.append(notification.output_media_file.url)
            said.append(notification.output_media_file.cost)
            said.append(notification.input_media_file.url)
            said.append(notification.input_media_file.cost)
        elif notification.state == "cancelled_job":
            pass
        elif notification.state == "failed_job":
            said.append(notification.error_message)
        return said

    job_req = FlixCloud.AsyncJob(flix["api_key"], base_url=flix["base_url"])
    set_up(job_req)
    job_req.set_notification_url(url)
    assert await job_req.send()
    state, id, output_url, output_cost, input_url, input_cost = await heard()
    assert (state, id) == ("successful_job", job_req.id)
    assert (output_url, input_url) == ("ftp://example.com/file_out.avi", "http://example.com/file_in.mpg")
    assert isinstance(output_cost, int)
    assert isinstance(input_cost, int)

    job_req.set_input("http://example.com/no_such_file.mpg")
    assert await job_req.send()
    state, error_message = await heard()
    assert state == "failed_job"
    assert error_message
