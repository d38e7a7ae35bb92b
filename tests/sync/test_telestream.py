"""Telestream without async: what the twins add to the facade that they stand on."""

from __future__ import annotations

import copy
import json
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.core import portal
from cloudreel.errors import CloudReelError, JobFailed, NotFoundError, WrongEventLoopError
from cloudreel.sandbox import Sandbox
from cloudreel.telestream import (
    Encoding,
    EncodingFailed,
    Factories,
    Factory,
    Flip,
    Profile,
    RecordNotFound,
    Telestream,
    TelestreamCloudException,
    Video,
    VideoEncodings,
)
from cloudreel.uploads import Progress, UploadSession

if TYPE_CHECKING:
    from conftest import Fault

# With every warning an error; what asyncio finds slow on a busy machine is none of them.
PRELUDE = """
import json, logging, sys
logging.getLogger("asyncio").setLevel(logging.ERROR)
from cloudreel.telestream import Telestream
config = json.loads(sys.argv[1])
"""

DATA = random.Random(2).randbytes(300_000)  # five parts
NO_VIDEO = b"This is no video at all.\n" * 100


# -- objects -----------------------------------------------------------------------------------------


def test_what_comes_back_are_twins(factory: Factory, tc: Telestream) -> None:
    assert type(tc.flip) is type(tc.get_resource("flip")) is Flip
    assert type(tc.flip.factories) is Factories
    assert type(factory) is Factory
    assert type(tc.flip.factories.find(str(factory.id))) is Factory
    assert {type(each) for each in tc.flip.factories.all()} == {Factory}
    assert {type(each) for each in tc.flip.factories.iterate()} == {Factory}
    video = factory.videos.create(source_url="http://127.0.0.1:1/a.mp4", profiles="h264")
    assert type(video) is Video
    assert type(video.encodings) is VideoEncodings
    (encoding,) = video.encodings.all()
    assert type(encoding) is Encoding
    assert type(encoding.video()) is Video
    assert type(encoding.profile()) is Profile


def test_names_have_no_async(factory: Factory, tc: Telestream) -> None:
    assert str(factory) == repr(factory) == f"Factory {factory.id}"
    assert repr(tc).startswith("<Telestream at http://127.0.0.1:")


def test_fields_are_read_and_assigned(factory: Factory) -> None:
    assert factory.name == "made for a test"
    assert factory.details["name"] == "made for a test"
    factory.name = "renamed"
    assert factory.name == "renamed"
    factory.reload()
    assert factory.name == "made for a test"
    factory.name = "renamed"
    factory.save()
    factory.reload()
    assert factory.name == "renamed"
    with pytest.raises(AttributeError, match="no field or method 'nonesuch'"):
        _ = factory.nonesuch


def test_what_cannot_be_assigned_is_refused(factory: Factory) -> None:
    video = factory.videos.create(source_url="http://127.0.0.1:1/a.mp4", profiles="none")
    with pytest.raises(TelestreamCloudException, match="immutable"):
        video.status = "success"
    with pytest.raises(TypeError, match="name"):
        factory.name = object()


def test_twins_of_one_object_are_equal(factory: Factory) -> None:
    session = factory.upload_session(b"abc", profiles="none")
    assert session.video is None
    video = session.start()
    assert session.video == video
    assert hash(session.video) == hash(video)
    assert session.video != factory.videos.find(str(video.id))
    twin = copy.copy(video)
    assert twin == video
    assert twin.id == video.id


def test_raw_calls_are_answered_by_httpx(tc: Telestream, sandbox: Sandbox) -> None:
    assert tc.factory_id == sandbox.config["telestream"]["factory_id"]
    answer = tc.get("/videos.json", {"per_page": 1})
    assert isinstance(answer, httpx.Response)
    assert (answer.status_code, type(answer.json())) == (200, list)


def test_errors_are_those_of_the_async_api(factory: Factory) -> None:
    with pytest.raises(RecordNotFound) as caught:
        factory.videos.find("0" * 32)
    assert isinstance(caught.value, NotFoundError)
    assert caught.value.status == 404
    assert caught.value.__cause__ is None


# -- clients -----------------------------------------------------------------------------------------


def test_a_closed_client_says_so(sandbox: Sandbox) -> None:
    with sandbox.sync.telestream() as tc:
        assert tc.flip.factories.all()
    with pytest.raises(CloudReelError, match="closed"):
        tc.flip.factories.all()
    tc.close()


def test_a_copy_shares_the_connections_and_closes_none(tc: Telestream) -> None:
    with tc.with_options(timeout=5.0, retries=0) as other:
        assert type(other) is Telestream
        assert other != tc
        assert other.flip.factories.all()
    assert tc.flip.factories.all()


def test_a_client_comes_from_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.config["telestream"].items():
        monkeypatch.setenv(f"TELESTREAM_{name}".upper(), str(value))

    class Mine(Telestream):
        pass

    with Mine.from_env() as tc:
        assert type(tc) is Mine
        assert tc.flip.factories.all()


def test_making_a_client_starts_nothing() -> None:
    code = (
        "import threading; from cloudreel.telestream import Telestream; tc = Telestream('a', 'b')\n"
        "assert tc.signed_params('GET', '/videos.json')['access_key'] == 'a'\n"
        "print(threading.active_count())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=200) == "1\n"


def test_threads_share_a_client(tc: Telestream, factory: Factory) -> None:
    together = threading.Barrier(8)

    def work(number: int) -> str | None:
        together.wait()
        video = factory.videos.create(file=b"%d" % number, profiles="none", payload=str(number))
        return factory.videos.find(str(video.id)).payload

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [str(number) for number in range(8)]


@pytest.mark.anyio
async def test_it_works_in_the_thread_of_a_running_loop(sandbox: Sandbox, anyio_backend: str) -> None:
    with sandbox.sync.telestream() as tc:
        assert tc.flip.factories.all()
        assert [factory.id for factory in tc.flip.factories.iterate()]


# -- iterators ---------------------------------------------------------------------------------------


def test_pages_are_crossed_for_and_items_are_not(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        factory.videos.create(source_url="http://127.0.0.1:1/a.mp4", profiles="none", payload=str(number))
    crossings = 0
    run = portal.run

    def count(*args: object) -> object:
        nonlocal crossings
        crossings += 1
        return run(*args)

    monkeypatch.setattr(portal, "run", count)
    pager = factory.videos.iterate(per_page=2)
    assert crossings == 0
    assert sorted(str(video.payload) for video in pager) == ["0", "1", "2", "3", "4"]
    assert crossings == 4  # three pages and the end
    assert [len(page) for page in pager.pages()] == [2, 2, 1]
    for video in pager:
        assert type(video) is Video
        break


def test_a_video_is_waited_for_and_watched(factory: Factory) -> None:
    video = factory.videos.create(source_url="http://media.example/clip.mp4", profiles="mp3")
    progress = list(video.watch(poll=0.1))
    assert progress[-1].final
    assert video.wait(timeout=200) is video
    assert (video.status, video.width) == ("success", 320)
    (encoding,) = video.encodings.all()
    assert encoding.wait() is encoding
    assert encoding.status == "success"


def test_a_failed_job_is_a_twin(factory: Factory) -> None:
    video = factory.videos.create(file=NO_VIDEO, profiles="h264")
    with pytest.raises(JobFailed) as caught:
        video.wait(timeout=200)
    assert isinstance(caught.value, EncodingFailed)
    assert type(caught.value.job) is Video
    assert caught.value.job == video
    assert video.status == "fail"


# -- uploads -----------------------------------------------------------------------------------------


def test_an_upload_is_followed_from_another_thread(factory: Factory) -> None:
    told: list[Progress] = []
    seen: list[Progress] = []
    session: UploadSession[Video] = factory.upload_session(DATA, profiles="none", progress=told.append)
    assert session.status == "initialized"
    observer = threading.Thread(target=lambda: seen.extend(session.events()))
    observer.start()
    video = session.start()
    observer.join()
    assert type(video) is Video
    assert session.status == "uploaded"
    assert told[-1].bytes_confirmed == seen[-1].bytes_confirmed == session.progress.total == len(DATA)


def test_a_paused_upload_goes_on(factory: Factory, fault: Fault) -> None:
    fault("delay", method="PUT", path="/upload/*", seconds=0.3, times=5)
    session = factory.upload_session(DATA, threads=1, profiles="none")
    with ThreadPoolExecutor(1) as threads:
        started = threads.submit(session.start)
        for _ in session.events():
            break
        session.pause()
        assert session.status == "paused"
        assert session.resume() is None
        video = started.result()
    assert type(video) is Video
    assert session.status == "uploaded"


def test_an_upload_goes_on_elsewhere(factory: Factory, fault: Fault, tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(DATA)
    session = factory.upload_session(path, threads=1, profiles="none")
    fault("status", method="PUT", path="/upload/*", status=400)
    with pytest.raises(TelestreamCloudException) as caught:
        session.start()
    assert caught.value.ticket == session.ticket()
    other = factory.resume_upload(session.ticket(), path)
    assert other.status == "interrupted"
    assert other.resume().original_filename == "video.mp4"


def test_a_callback_that_calls_back_is_told(factory: Factory) -> None:
    def call_back(progress: Progress) -> None:
        factory.reload()

    session = factory.upload_session(DATA, profiles="none", progress=call_back)
    with pytest.raises(WrongEventLoopError, match="callback"):
        session.start()
    assert session.status == "error"


# -- whole programs ----------------------------------------------------------------------------------


def program(text: str, config: Mapping[str, Any]) -> list[str]:
    """Return the command that runs a program against a sandbox."""
    text = PRELUDE + textwrap.dedent(text)
    return [sys.executable, "-X", "dev", "-W", "error", "-c", text, json.dumps(config["telestream"])]


def output_of(text: str, config: Mapping[str, Any]) -> list[str]:
    """Run a program to its end, which must be a quiet one, and return the lines that it printed."""
    done = subprocess.run(program(text, config), capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_script_that_closes_nothing_ends_quietly(sandbox: Sandbox, clip: Path) -> None:
    text = f"""
        tc = Telestream(**config)
        factory = tc.flip.factories.all()[0]
        video = factory.upload_session({str(clip)!r}, profiles="none").start()
        for each in factory.videos.iterate():
            break
        print(type(each).__name__, video.wait(timeout=200).status)
    """
    assert output_of(text, sandbox.config) == ["Video success"]


def test_a_callback_may_end_the_program(sandbox: Sandbox) -> None:
    text = """
        import warnings
        warnings.simplefilter("ignore", ResourceWarning)  # the connections go down with their loop

        tc = Telestream(**config)
        factory = tc.flip.factories.all()[0]
        session = factory.upload_session(bytes(300_000), profiles="none", progress=lambda p: sys.exit(3))
        try:
            session.start()
        except SystemExit as error:
            print(error.code, session.status)
        try:
            tc.flip.factories.all()
        except RuntimeError as error:
            print(type(error).__name__)
        print(len(Telestream(**config).flip.factories.all()) > 0)
    """
    assert output_of(text, sandbox.config) == ["3 interrupted", "WrongEventLoopError", "True"]


def test_ctrl_c_stops_an_upload_that_can_go_on(sandbox: Sandbox, fault: Fault) -> None:
    text = """
        tc = Telestream(**config)
        factory = tc.flip.factories.all()[0]
        told = []
        session = factory.upload_session(bytes(300_000), profiles="none", threads=2, progress=told.append)
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            session.start()
        except KeyboardInterrupt:
            print(session.status, flush=True)
        sys.stdin.readline()
        print(session.resume().status, session.status, told[-1].parts_done)
    """
    command = program(text, sandbox.config)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        fault("stall", method="PUT", path="/upload/*", after_bytes=1000, times=100)
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(1.0)  # in which the parts come to a standstill
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        fault.clear()
        out, err = process.communicate("\n", timeout=200)
    assert (out, err, process.returncode) == ("processing uploaded 5\n", "", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_forked_child_needs_a_client_of_its_own(sandbox: Sandbox) -> None:
    text = """
        import multiprocessing, warnings
        from cloudreel.errors import WrongEventLoopError
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # fork beside threads

        def child():
            try:
                used.flip.factories.all()
            except WrongEventLoopError as error:
                print("forked" in str(error))
            with Telestream(**config) as own:
                print(len(own.flip.factories.all()) > 0)
            print(len(unused.flip.factories.all()) > 0)
            unused.close()

        unused = Telestream(**config)
        used = Telestream(**config)
        used.flip.factories.all()
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join()
        print(process.exitcode, len(used.flip.factories.all()) > 0)
    """
    assert output_of(text, sandbox.config) == ["True", "True", "True", "0 True"]
