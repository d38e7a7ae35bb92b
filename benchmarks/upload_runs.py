"""Uploads for `uploads`, each in a process of its own: clients take turns, against one sink."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CERTIFICATE = HERE.parent / "tests" / "core" / "filewire" / "localhost.pem"
GIB, MIB = 2**30, 2**20


@dataclass(frozen=True)
class Case:
    """One upload: MiB of the file and of its parts, parts at once, whether the file has to come from disk."""

    scheme: str = "http"
    size: int = 512
    part: int = 5
    at_once: int = 8
    cold: bool = False
    loop: str = "asyncio"

    def __str__(self) -> str:
        usual = Case()
        size = f"{self.size // 1024} GiB" if self.size >= 1024 else f"{self.size} MiB"
        parts = [self.scheme, f"{self.at_once} at once"]
        parts += [f"parts of {self.part} MiB"] if self.part != usual.part else []
        parts += [size] if self.size != usual.size else []
        parts += ["cold file"] if self.cold else []
        parts += [self.loop] if self.loop != usual.loop else []
        return ", ".join(parts)

    @property
    def peak(self) -> float:
        """MiB that an upload may take at most."""
        return 4.0 if self.at_once <= 8 else 8.0


@dataclass(frozen=True)
class Run:
    """What one upload took: seconds and bytes."""

    cpu: float = 0.0
    wall: float = 0.0
    peak: float = 0.0
    process: float = 0.0
    stall: float = 0.0
    late: float = 0.0


def measured(case: Case, clients: Sequence[str], rounds: int) -> dict[str, list[Run]]:
    """Upload with each client in turn, several times."""
    runs: dict[str, list[Run]] = {client: [] for client in clients}
    with file_of(case.size) as path, sink(case) as port:
        for _ in range(rounds):
            for client in clients:
                if case.cold:
                    forget(path)
                runs[client].append((curl if client == "curl" else upload)(client, case, port, path))
    return runs


@contextmanager
def file_of(size: int) -> Iterator[Path]:
    """Make a file of so many MiB, which is on the disk."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made, "film.mp4")
        block = os.urandom(MIB)
        with path.open("wb") as file:
            for _ in range(size):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        yield path


def forget(path: Path) -> None:
    """Have the kernel forget what it holds of a file."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def sink(case: Case) -> Iterator[int]:
    """Run the sink in a process of its own; give its port."""
    command = [sys.executable, str(HERE / "sink.py"), "--part-size", str(case.part * MIB)]
    if case.scheme == "https":
        command += ["--certificate", str(CERTIFICATE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield int(running.stdout.readline())
        finally:
            running.kill()


def upload(client: str, case: Case, port: int, path: Path) -> Run:
    """Upload once with one client."""
    job = {
        "client": client,
        "host": "127.0.0.1",
        "port": port,
        "path": str(path),
        "part_size": case.part * MIB,
        "threads": case.at_once,
        "certificate": str(CERTIFICATE) if case.scheme == "https" else None,
        "loop": case.loop,
        "tick": case.cold,
    }
    command = [sys.executable, str(HERE / "upload_clients.py")]
    done = subprocess.run(command, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
    return Run(**json.loads(done.stdout))


def curl(_: str, case: Case, port: int, path: Path) -> Run:
    """Upload the file whole with curl, a process measured from outside."""
    url = f"{case.scheme}://127.0.0.1:{port}/upload/session?id=u1"
    options = ["--silent", "--show-error", "--fail", "--output", "/dev/null", "--cacert", str(CERTIFICATE)]
    timed = (
        "import json, resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "process, wall = used.ru_utime + used.ru_stime, time.perf_counter() - began\n"
        "print(json.dumps({'process': process, 'wall': wall, 'peak': used.ru_maxrss * 1024}))\n"
    )
    command = [sys.executable, "-c", timed, "curl", *options, "-T", str(path), url]
    return Run(**json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout))
