"""``cloudreel upload``: what breaks off goes on."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from cloudreel.cli.upload import way_on
from cloudreel.sandbox.faults import Fault

if TYPE_CHECKING:
    from cloudreel.sandbox import Sandbox
    from conftest import Command


@pytest.fixture(autouse=True)
def clear(sandbox: Sandbox) -> Iterator[None]:
    """No test leaves faults to the next."""
    yield
    sandbox.world.faults.clear()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A file of seven parts; nobody looks into it."""
    path = tmp_path / "my film.mp4"
    path.write_bytes(secrets.token_bytes(7 * 64 * 1024 - 100))
    return path


def spoil(sandbox: Sandbox, **fault: object) -> None:
    sandbox.world.faults.add(Fault.from_json({"method": "PUT", "path": "/upload/*", **fault}))


def tickets(folder: Path) -> list[str]:
    return [path.name for path in (folder / "tickets").glob("*.json")]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_ticket_and_says_how_to_go_on(
    started: Callable[..., subprocess.Popen[str]],
    said: Command,
    sandbox: Sandbox,
    film: Path,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
) -> None:
    httpx.post(f"{sandbox.base_url}/__sandbox__/reset").raise_for_status()
    spoil(sandbox, action="slow", bytes_per_second=10_000, times=1000)
    with started("upload", "-p", "none", film.name) as process:
        give_up = time.monotonic() + 60
        while not any(each["method"] == "PUT" for each in sandbox.world.requests):
            assert time.monotonic() < give_up
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert err.splitlines() == [
        "1 of 1 not uploaded; to go on:",
        "  cloudreel upload --resume -p none 'my film.mp4'",
    ]
    assert len(tickets(tmp_path)) == 1

    sandbox.world.faults.clear()
    resumed = said("upload", "--resume", "-p", "none", film.name)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stderr == "my film.mp4: going on where it broke off\n"
    assert tickets(tmp_path) == []
    (upload,) = sandbox.world.snapshot()["uploads"]
    assert (upload["status"], upload["video_id"]) == ("uploaded", resumed.stdout.split("\t")[0])


def test_a_broken_line_leaves_a_ticket(said: Command, sandbox: Sandbox, film: Path, tmp_path: Path) -> None:
    spoil(sandbox, action="status", status=400)
    broken = said("upload", "--json", "-p", "none", film.name)
    assert (broken.returncode, broken.stdout) == (1, "")
    failure, way = map(json.loads, broken.stderr.splitlines())
    assert failure["file"] == film.name
    assert failure["error"]["status"] == 400
    assert way["left"] == [film.name]
    assert way["resume"].startswith("cloudreel upload --resume ")
    anew = said("upload", "-p", "none", film.name)
    assert "an earlier upload of it is unfinished" in anew.stderr
    assert len(tickets(tmp_path)) == 1
    assert said("upload", "--resume", "-p", "none", film.name).returncode == 0
    assert tickets(tmp_path) == []


def test_an_upload_that_the_service_forgot_begins_anew(
    said: Command, sandbox: Sandbox, film: Path, tmp_path: Path
) -> None:
    spoil(sandbox, action="expired")
    assert said("upload", "-p", "none", film.name).returncode == 4
    assert len(tickets(tmp_path)) == 1
    again = said("upload", "--resume", "-p", "none", film.name)
    assert again.returncode == 0, again.stderr
    assert tickets(tmp_path) == []


def test_one_bad_file_does_not_stop_the_others(said: Command, film: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    uploaded = said("upload", "-p", "none", "nowhere.mp4", film.name, "empty.mp4", film.name)
    assert uploaded.returncode == 1
    assert uploaded.stdout.endswith(f"\t{film.name}\n")
    assert len(uploaded.stdout.splitlines()) == 1
    assert "Error: nowhere.mp4: No such file or directory" in uploaded.stderr
    assert "Error: 'empty.mp4' is empty" in uploaded.stderr
    assert uploaded.stderr.splitlines()[-1] == "2 of 3 not uploaded"
    assert said("upload", "nowhere.mp4").returncode == 4


def test_cloudkey_has_nothing_to_resume(said: Command, clip: Path, tmp_path: Path) -> None:
    uploaded = said("upload", "--resume", "-s", "cloudkey", str(clip))
    assert uploaded.returncode == 0
    assert uploaded.stderr == ("cloudkey takes a file in one request: all are uploaded from the beginning\n")
    assert tickets(tmp_path) == []


def test_the_way_on_keeps_the_options() -> None:
    files = [Path("a b.mp4"), Path("c.mp4")]
    arguments = ["upload", "--resume", "-p", "h264", "a b.mp4", "c.mp4", "--jobs", "2"]
    assert way_on(files[:1], arguments, files) == ("cloudreel upload --resume -p h264 --jobs 2 'a b.mp4'")
