"""What becomes of Flix Cloud's jobs: statement 15 of flixcloud.md section 9, inputs, outputs, restarts."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.etree import ElementTree

import anyio
import httpx
import pytest

from cloudreel.sandbox.flixcloud import storage
from cloudreel.sandbox.net import FetchFailed
from cloudreel.sandbox.state import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from conftest import Flix, Outside

    Enter: TypeAlias = Callable[[World], AbstractAsyncContextManager[Flix]]

ONE_LOOP = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # what ffmpeg makes is the same on any
STATES = [
    "initialized_job",
    "waiting_to_download_input_files",
    "downloading_input_files",
    "waiting_to_transcode",
    "transcoding",
    "waiting_to_upload_output_files",
    "uploading_output_files",
    "waiting_to_notify",
    "notifying",
]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def watching(world: World) -> Iterator[list[dict[str, Any]]]:
    """Note every version of every job."""
    seen: list[dict[str, Any]] = []
    update = world.store.update

    def noting(kind: str, id: str, changes: dict[str, Any]) -> dict[str, Any] | None:
        document = update(kind, id, changes)
        if kind == "job" and document is not None:
            seen.append(document)
        return document

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.store, "update", noting)
        yield seen


def in_order(seen: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(job["task_state"] for job in seen))


@pytest.mark.anyio
async def test_15_a_job_passes_through_the_states_in_order(flix: Flix) -> None:
    with watching(flix.world) as seen:
        id = await flix.create()
        assert await flix.state(id) == "initialized_job"
        await flix.settled(id)
    assert in_order(seen) == [*STATES[1:], "successful_job"]
    for number in range(3):
        steps = [job["tasks"][number]["progress"] for job in seen]
        assert steps == sorted(steps)
        assert (steps[0], steps[-1]) == (0.0, 100.0)
        words = list(dict.fromkeys(job["tasks"][number]["state"] for job in seen))
        assert words == (["initialized"] if number else []) + ["waiting", "processing", "success"]


@pytest.mark.anyio
async def test_15_the_percentage_is_that_of_the_transcoder(
    flix: Flix, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, may_go_on = anyio.Event(), anyio.Event()
    encode = flix.world.transcoder.encode

    async def slowly(*args: Any, progress: Callable[[float], None], **more: Any) -> Any:
        progress(12.345)
        under_way.set()
        await may_go_on.wait()
        return await encode(*args, progress=progress, **more)

    monkeypatch.setattr(flix.world.transcoder, "encode", slowly)
    id = await flix.create()
    with anyio.fail_after(60):
        await under_way.wait()
    job = ElementTree.fromstring((await flix.status(id)).content)
    assert job.findtext("task-state") == "transcoding"
    assert [element.text for element in job.findall("*/state")] == [
        *("success", "100.0"),
        *("processing", "12.3"),
        *("initialized", "0.0"),
    ]
    may_go_on.set()
    assert (await flix.settled(id))["task_state"] == "successful_job"


@ONE_LOOP
@pytest.mark.anyio
async def test_the_output_is_what_the_recipe_says(flix: Flix, clip: Path) -> None:
    job = await flix.settled(await flix.create(output="ftp://bob:pw@Files.example/films/out%20put.avi"))
    assert (job["task_state"], job["error_message"]) == ("successful_job", None)
    assert (job["size"], job["sha256"]) == (clip.stat().st_size, sha256(clip.read_bytes()))
    output = job["output"]
    assert output["url"] == "ftp://Files.example/films/out%20put.avi"
    assert output["served_at"] == "http://sandbox.local/storage/ftp/files.example/films/out%20put.avi"
    served = await flix.http.get(output["served_at"])
    assert (served.status_code, len(served.content)) == (200, output["size"])
    assert sha256(served.content) == output["sha256"]
    part = await flix.http.get(output["served_at"], headers={"range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, served.content[2:6])
    info = await flix.world.transcoder.probe(
        flix.world.store.data / "storage/ftp/files.example/films/out put.avi"
    )
    assert (info.container, info.video_codec, info.audio_codec) == ("avi", "mpeg4", "mp3")
    assert (output["width"], output["height"]) == (320, 180)
    assert abs(output["duration"] - 2000) < 200
    assert "pw" not in json.dumps(job)


@ONE_LOOP
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("web-sd", "mov", "h264"),
        ("web-hd", "mov", "h264"),
        ("webm", "matroska", "vp8"),
        ("flash", "flv", "flv1"),
    ],
)
async def test_every_recipe_makes_its_kind(flix: Flix, name: str, container: str, codec: str) -> None:
    recipe = f"<recipe-name>{name}</recipe-name>"
    settings = "<width>160</width><fps>10</fps><audio_channels>1</audio_channels><hue>3</hue>"
    id = await flix.create(recipe=recipe, more=f"<recipe-settings>{settings}</recipe-settings>")
    job = await flix.settled(id)
    assert job["error_message"] is None
    info = await flix.world.transcoder.probe(flix.world.store.data / "storage/ftp/files.example/out.avi")
    assert (info.container, info.video_codec, info.width, info.fps) == (container, codec, 160, 10.0)
    assert info.audio_channels == 1


@ONE_LOOP
@pytest.mark.anyio
async def test_sound_alone_has_no_size_in_pixels(flix: Flix) -> None:
    recipe = "<recipe-name>mp3</recipe-name>"
    job = await flix.settled(await flix.create(recipe=recipe, output="s3://bucket/out.mp3"))
    assert (job["task_state"], job["output"]["width"]) == ("successful_job", None)
    again = await flix.settled(await flix.create(input="s3://bucket/out.mp3"))
    assert (again["task_state"], again["error_message"]) == ("failed_job", "The input file has no picture")


LOGIN = "<parameters><user>bob</user><password>p&amp;w</password></parameters>"


def transfer(input: str, output: str) -> str:
    return f"<file-locations><input>{input}</input><output>{output}</output></file-locations>"


@ONE_LOOP
@pytest.mark.anyio
async def test_an_output_is_the_input_of_the_next_job(flix: Flix) -> None:
    files = transfer("<url>http://media.example/clip.mp4</url>", f"<url>ftp://h/a.avi</url>{LOGIN}")
    first = await flix.settled(await flix.create(instead=files))
    assert first["error_message"] is None
    files = transfer(f"<url>ftp://h:21/a.avi</url>{LOGIN}", "<url>s3://bucket/b.mp3</url>")
    second = await flix.settled(await flix.create(recipe="<recipe-name>mp3</recipe-name>", instead=files))
    assert (second["task_state"], second["sha256"]) == ("successful_job", first["output"]["sha256"])
    files = transfer("<url>ftp://h/a.avi</url>", "<url>s3://bucket/b.mp3</url>")
    third = await flix.settled(await flix.create(instead=files))
    assert third["task_state"] == "failed_job"
    assert "Login incorrect" in third["error_message"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("stored_with", "login", "found"),
    [
        (None, None, True),
        (None, ("bob", "pw"), True),
        (("bob", "pw"), ("bob", "pw"), True),
        (("bob", "pw"), ("bob", ""), False),
        (("bob", ""), ("bob", "pw"), False),
        (("bob", "pw"), None, False),
    ],
)
async def test_a_stored_file_is_had_again_by_whom_it_came_from(
    flix: Flix, stored_with: tuple[str, str] | None, login: tuple[str, str] | None, found: bool
) -> None:
    for content in (b"first", b"then"):  # the later replaces the earlier, and its owner
        file = flix.world.store.folder("work") / "file"
        file.write_bytes(content)
        owner = stored_with if content == b"then" else ("eve", "other")
        await storage.put(flix.world, file, storage.place("ftp://h/a"), owner)
    assert storage.find(flix.world, "http://h/a", login) is None
    assert storage.find(flix.world, "ftp://h/none", login) is None
    if found:
        path = storage.find(flix.world, "ftp://H/a", login)
        assert path is not None
        assert path.read_bytes() == b"then"
    else:
        with pytest.raises(FetchFailed, match="Login incorrect"):
            storage.find(flix.world, "ftp://h/a", login)


@pytest.mark.anyio
@pytest.mark.parametrize("with_parameters", [True, False])
async def test_an_input_may_need_a_login(
    flix: Flix, outside: Outside, clip: Path, with_parameters: bool
) -> None:
    outside.files["/in.mp4"] = clip.read_bytes()
    outside.login = ("bob", "p&w")
    url = f"{outside.url}/in.mp4"
    with_login = (
        f"<url>{url}</url>{LOGIN}" if with_parameters else f"<url>{url.replace('//', '//bob:p%26w@')}</url>"
    )
    files = transfer(with_login, "<url>ftp://h/out.avi</url>")
    job = await flix.settled(await flix.create(instead=files))
    assert (job["error_message"], job["input"]["url"]) == (None, url)
    assert (await flix.settled(await flix.create(input=url)))["task_state"] == "failed_job"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"input": "http://encoder.example/a.mpg"}, "The input file could not be downloaded"),
        ({"input": "http://media.example/none.mpg"}, "The input file could not be downloaded"),
        ({"input": "http:///a.mpg"}, "The input file could not be downloaded"),
        ({"input": "ftp://files.example/none.mpg"}, "The input file could not be downloaded"),
        ({"input": "http://media.example/notes.txt"}, "The input file is no media"),
        (
            {"files": "<watermark><url>http:///watermark.png</url></watermark>"},
            "The watermark file could not be downloaded",
        ),
        (
            {"files": "<watermark><url>http://media.example/notes.txt</url></watermark>"},
            "The watermark file is no picture",
        ),
        ({"output": "ftp://files.example/taken/out.avi"}, "The output could not be stored"),
        ({"output": "ftp://files.example/folder"}, "The output could not be stored"),
    ],
)
async def test_a_job_that_cannot_be_done_says_why(
    flix: Flix, clip: Path, parts: dict[str, str], error: str
) -> None:
    clip.with_name("notes.txt").write_text("This is neither film nor picture.\n" * 9)
    host = flix.world.store.folder("storage/ftp/files.example")
    (host / "taken").write_bytes(b"a file")
    (host / "folder").mkdir()
    job = await flix.settled(await flix.create(**parts))
    assert (job["task_state"], job["error_message"].partition(":")[0].startswith(error)) == (
        "failed_job",
        True,
    )
    assert str(flix.world.store.data) not in job["error_message"]
    assert job["finished_job_at"] is not None
    assert job["output"]["size"] is None


# -- being stopped ---------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_job_is_cancelled_from_outside_the_protocol(flix: Flix, outside: Outside, clip: Path) -> None:
    outside.files["/in.mp4"] = clip.read_bytes()
    outside.may_answer.clear()
    id = await flix.create(input=f"{outside.url}/in.mp4")
    await outside.until(lambda: flix.world.store.list("job", task_state="downloading_input_files"))
    assert (await flix.control("/jobs/99/cancel")).status_code == 404
    response = await flix.control(f"/jobs/{id}/cancel")
    assert (response.status_code, response.json()) == (200, {"id": id, "cancelled": True})
    job = await flix.settled(id)
    assert (job["task_state"], job["error_message"]) == ("cancelled_job", None)
    assert [task["state"] for task in job["tasks"]] == ["failed", "initialized", "initialized"]
    assert (await flix.control(f"/jobs/{id}/cancel")).status_code == 409
    outside.may_answer.set()
    other = await flix.settled(await flix.create(input=f"{outside.url}/in.mp4"))
    assert other["task_state"] == "successful_job"
    assert await flix.state(id) == "cancelled_job"


@pytest.mark.anyio
async def test_a_reset_stops_jobs_and_forgets_them(flix: Flix, outside: Outside) -> None:
    outside.may_answer.clear()
    await flix.create(input=f"{outside.url}/in.mp4")
    done = await flix.create(output="ftp://h/out.avi")
    served = (await flix.settled(done))["output"]["served_at"]
    assert (await flix.control("/reset")).status_code == 200
    assert flix.world.snapshot()["jobs"] == []
    assert (await flix.http.get(served)).status_code == 404


async def wait_for(world: World, state: str) -> dict[str, Any]:
    with anyio.fail_after(90):
        while not (found := world.store.list("job", task_state=state)):
            await anyio.sleep(0.02)
    return found[0]


@pytest.mark.anyio
async def test_a_job_begins_anew_after_a_restart(
    tmp_path: Path, flix_in: Enter, outside: Outside, clip: Path
) -> None:
    outside.files["/in.mp4"] = clip.read_bytes()
    outside.may_answer.clear()
    async with flix_in(World.open(tmp_path)) as flix:
        id = await flix.create(input=f"{outside.url}/in.mp4")
        await outside.until(lambda: flix.world.store.list("job", task_state="downloading_input_files"))
    outside.may_answer.set()
    async with flix_in(World.open(tmp_path)) as flix:
        assert (await flix.settled(id))["task_state"] == "successful_job"


@pytest.mark.anyio
async def test_a_job_that_had_ended_is_not_run_again(
    tmp_path: Path, flix_in: Enter, outside: Outside, clip: Path
) -> None:
    outside.files["/in.mp4"] = clip.read_bytes()
    outside.statuses = [500]
    async with flix_in(World.open(tmp_path, retry_gap=60)) as flix:
        hook = f"<notification-url>{outside.url}/hook</notification-url>"
        await flix.create(input=f"{outside.url}/in.mp4", more=hook)
        await outside.until(lambda: any(told["attempts"] for told in flix.world.store.list("delivery")))
        (before,) = flix.world.store.list("job", task_state="notifying")
    world = World.open(tmp_path)
    with watching(world) as seen:
        async with flix_in(world) as flix:
            after = await flix.settled(before["id"])
            (told,) = world.store.list("delivery")
    assert in_order(seen) == ["waiting_to_notify", "notifying", "successful_job"]
    assert (after["finished_job_at"], after["output"]["size"]) == (
        before["finished_job_at"],
        before["output"]["size"],
    )
    assert (told["attempts"], len(outside.told)) == ([500, 200], 2)


@contextmanager
def served(data: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Serve a sandbox in a process of its own, which is killed at the end."""
    command = [sys.executable, "-m", "cloudreel", "sandbox", "--json", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def test_a_killed_sandbox_goes_on_with_its_jobs(tmp_path: Path, outside: Outside, clip: Path) -> None:
    outside.files["/in.mp4"] = clip.read_bytes()
    outside.may_answer.clear()

    def status(base_url: str) -> str:
        return httpx.get(f"{base_url}/jobs/1/status", auth=("name", key), timeout=60).text

    with served(tmp_path) as (process, config):
        key = config["flixcloud"]["api_key"]
        document = (
            f"<api-request><api-key>{key}</api-key><recipe-id>3</recipe-id>"
            f"{transfer(f'<url>{outside.url}/in.mp4</url>', '<url>ftp://h/out.avi</url>')}</api-request>"
        )
        base_url = config["flixcloud"]["base_url"]
        assert httpx.post(f"{base_url}/jobs", content=document, timeout=60).status_code == 201
        until(lambda: "downloading_input_files" in status(base_url))
        process.kill()
        process.wait()
    outside.may_answer.set()
    with served(tmp_path) as (_, config):
        base_url = config["flixcloud"]["base_url"]
        assert config["flixcloud"]["api_key"] == key
        until(lambda: "successful_job" in status(base_url))
        (job,) = httpx.get(f"{base_url}/__sandbox__/state", timeout=60).json()["jobs"]
        film = httpx.get(job["output"]["served_at"], timeout=60).content
    assert sha256(film) == job["output"]["sha256"]
    assert job["sha256"] == sha256(clip.read_bytes())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
