"""The examples of fleets, each on its own engine: a worker and a program that sends it a film."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloudreel.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[2] / "examples" / "fleet"
FILM = bytes(100_000)
PATIENCE = 120  # seconds


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(FILM)
    return path


@pytest.fixture
def start(sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start modules of Python in the folder of the examples; they end with the test."""
    credentials = {
        f"{service}_{key}".upper(): str(value)
        for service, values in sandbox.config.items()
        if isinstance(values, dict)
        for key, value in values.items()
    }
    with ExitStack() as stack:

        def begin(*command: str, **environment: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=EXAMPLES,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **credentials, **environment},
                stdout=stack.enter_context((tmp_path / "output.txt").open("ab")),
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            stack.callback(process.wait)
            stack.callback(end, process)
            return process

        yield begin


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def arrived(sandbox: Sandbox) -> list[tuple[str, int]]:
    """Return the uploads, as soon as there are some and all have ended."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        uploads = sandbox.world.snapshot()["uploads"]
        if uploads and all(upload["status"] == "uploaded" for upload in uploads):
            break
        time.sleep(0.1)
    return [(upload["status"], upload["size"]) for upload in sandbox.world.snapshot()["uploads"]]


def test_taskiq(
    start: Callable[..., subprocess.Popen[bytes]],
    redis_url: str,
    sandbox: Sandbox,
    film: Path,
    tmp_path: Path,
) -> None:
    start("-m", "taskiq", "worker", "taskiq_worker:broker", "--workers", "1", REDIS_URL=redis_url)
    sender = start("taskiq_worker.py", str(film), REDIS_URL=redis_url)
    assert arrived(sandbox) == [("uploaded", len(FILM))]
    (video,) = sandbox.world.snapshot()["videos"]
    for encoding in sandbox.world.store.list("encoding"):
        sandbox.world.store.update("encoding", encoding["id"], {"status": "success"})
    sandbox.world.store.update("video", video["id"], {"status": "success"})
    assert sender.wait(PATIENCE) == 0, (tmp_path / "output.txt").read_text()


def test_celery(
    start: Callable[..., subprocess.Popen[bytes]],
    redis_url: str,
    sandbox: Sandbox,
    film: Path,
    tmp_path: Path,
) -> None:
    url = redis_url.replace("unix://", "redis+socket://")
    where = {"CELERY_BROKER_URL": url, "CELERY_RESULT_BACKEND": url, "REDIS_URL": redis_url}
    start("-m", "celery", "-A", "celery_worker", "worker", "--concurrency", "1", **where)
    sender = start("celery_worker.py", str(film), **where)
    assert arrived(sandbox) == [("uploaded", len(FILM))]
    assert sender.wait(PATIENCE) == 0, (tmp_path / "output.txt").read_text()


def find_postgres() -> Path | None:
    """Return the folder of the programs of Postgres."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")), shutil.which("initdb")]
    return Path(found[0]).parent if found[0] else None


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a Postgres of the test's own; yield its address."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("there is no Postgres on this machine (Debian: apt-get install postgresql)")
    # It does not run as root.
    user = "postgres" if os.geteuid() == 0 else None
    folder.mkdir()
    if user:
        shutil.chown(folder, user)
    data = ["--pgdata", str(folder / "data"), "--auth=trust", "--no-sync", "--username=films"]
    quiet = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL}
    subprocess.run([programs / "initdb", *data], check=True, **quiet)
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", str(folder)]
    with subprocess.Popen(
        [programs / "postgres", "-D", folder / "data", *options], stderr=subprocess.DEVNULL, **quiet
    ) as server:
        try:
            while not (folder / ".s.PGSQL.5432").exists():
                assert server.poll() is None, "postgres did not start"
                time.sleep(0.05)
            yield f"host={folder} user=films dbname=postgres"
        finally:
            server.send_signal(signal.SIGINT)


@pytest.mark.soak
def test_procrastinate(
    start: Callable[..., subprocess.Popen[bytes]], sandbox: Sandbox, film: Path, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory(prefix="pg-") as short:  # the name of a socket has to be short
        Path(short).chmod(0o755)
        with postgres(Path(short) / "pg") as address:
            command = ["-m", "procrastinate", "--app", "procrastinate_worker.app"]
            applied = start(*command, "schema", "--apply", DATABASE_URL=address)
            assert applied.wait(PATIENCE) == 0, (tmp_path / "output.txt").read_text()
            worker = start(*command, "worker", DATABASE_URL=address)
            sender = start("procrastinate_worker.py", str(film), DATABASE_URL=address)
            assert sender.wait(PATIENCE) == 0, (tmp_path / "output.txt").read_text()
            assert arrived(sandbox) == [("uploaded", len(FILM))]
            end(worker)
            worker.wait()
