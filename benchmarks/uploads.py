"""What an upload costs, beside other clients and beside bare sockets: ``python benchmarks/uploads.py``.

Every figure comes from a process of its own. The clients take turns, so that a slower minute of the machine
strikes all of them; a ratio is the median over the rounds, ours against another client in the same round.
CPU is that of the client alone. A benchmark never fails; it prints, and with ``--json FILE`` writes.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
CERTIFICATE = HERE.parent / "tests" / "core" / "filewire" / "localhost.pem"
CLIENTS = ["ours", "ours-plain", "httpx-bytes", "aiohttp", "requests", "sockets", "curl"]
GIB, MIB = 2**30, 2**20

# Ours against these, CPU; the whole process against curl, which has no other.
TARGETS = {
    ("http", "requests"): 0.65,
    ("http", "httpx-bytes"): 0.40,
    ("http", "sockets"): 1.30,
    ("http", "curl"): 0.80,
    ("https", "requests"): 0.62,
    ("https", "sockets"): 1.25,
    ("https", "curl"): 1.00,
}


@dataclass(frozen=True)
class Run:
    """What one upload took: seconds and bytes."""

    cpu: float
    wall: float
    peak: float
    process: float


@dataclass(frozen=True)
class Row:
    """One client over all rounds: medians for each GiB, and ours against it."""

    scheme: str
    client: str
    cpu: float
    process: float
    rate: float
    peak: float
    ratio: float
    target: float | None


@contextmanager
def sink(scheme: str, part_size: int) -> Iterator[int]:
    """Run the sink in a process of its own; give its port."""
    command = [sys.executable, str(HERE / "sink.py"), "--part-size", str(part_size)]
    if scheme == "https":
        command += ["--certificate", str(CERTIFICATE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield int(running.stdout.readline())
        finally:
            running.kill()


def upload(client: str, scheme: str, port: int, path: Path, chosen: argparse.Namespace) -> Run:
    """Upload once with one client."""
    if client == "curl":
        return curl(scheme, port, path)
    job = {
        "client": client,
        "host": "127.0.0.1",
        "port": port,
        "path": str(path),
        "part_size": chosen.part * MIB,
        "threads": chosen.threads,
        "certificate": str(CERTIFICATE) if scheme == "https" else None,
        "loop": chosen.loop,
    }
    command = [sys.executable, str(HERE / "upload_clients.py")]
    done = subprocess.run(command, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
    return Run(**json.loads(done.stdout))


def curl(scheme: str, port: int, path: Path) -> Run:
    """Upload the file whole with curl, a process measured from outside."""
    url = f"{scheme}://127.0.0.1:{port}/upload/session?id=u1"
    command = [
        "curl",
        "-s",
        "-S",
        "-f",
        "-o",
        "/dev/null",
        "--cacert",
        str(CERTIFICATE),
        "-T",
        str(path),
        url,
    ]
    timed = (
        "import json, resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "cpu, wall = used.ru_utime + used.ru_stime, time.perf_counter() - began\n"
        "print(json.dumps({'cpu': cpu, 'wall': wall, 'peak': used.ru_maxrss * 1024, 'process': cpu}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", timed, *command], stdout=subprocess.PIPE, text=True, check=True
    )
    return Run(**json.loads(done.stdout))


def compared(scheme: str, runs: dict[str, list[Run]], size: int) -> Iterator[Row]:
    """Yield a row for each client."""
    ours = runs["ours"]
    for client, theirs in runs.items():
        pairs = list(zip(ours, theirs, strict=True))
        whole = client == "curl"
        yield Row(
            scheme,
            client,
            statistics.median(run.cpu for run in theirs) * GIB / size,
            statistics.median(run.process for run in theirs) * GIB / size,
            size / GIB / statistics.median(run.wall for run in theirs),
            statistics.median(run.peak for run in theirs) / MIB,
            statistics.median(a.process / b.process if whole else a.cpu / b.cpu for a, b in pairs),
            TARGETS.get((scheme, client)),
        )


def main() -> None:
    """Print the table, and write the rows where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, metavar="MIB", help="of the file")
    parser.add_argument("--part", type=int, default=5, metavar="MIB", help="of a part")
    parser.add_argument("--threads", type=int, default=8, help="parts at once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scheme", choices=["http", "https"], action="append", help="both by default")
    parser.add_argument("--client", choices=CLIENTS, action="append", help="all by default; ours always")
    parser.add_argument("--loop", choices=["asyncio", "uvloop", "trio"], default="asyncio")
    parser.add_argument("--folder", type=Path, help="where the file is made; a temporary folder by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    chosen = parser.parse_args()
    clients = ["ours", *(name for name in chosen.client or CLIENTS if name != "ours")]
    if "curl" in clients and shutil.which("curl") is None:
        clients.remove("curl")
    if chosen.loop == "trio" and "aiohttp" in clients:
        clients.remove("aiohttp")
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}; ", end="")
    print(
        f"{chosen.size} MiB in parts of {chosen.part} MiB, {chosen.threads} at once, {chosen.rounds} rounds"
    )
    print(f"{'':<20}{'CPU s/GiB':>10}{'process':>9}{'GiB/s':>7}{'peak MiB':>10}{'ours /':>8}{'target':>8}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        path = Path(folder, "film.mp4")
        subprocess.run(
            ["dd", "if=/dev/urandom", f"of={path}", "bs=1M", f"count={chosen.size}", "status=none"]
        )
        for scheme in chosen.scheme or ["http", "https"]:
            runs: dict[str, list[Run]] = {client: [] for client in clients}
            with sink(scheme, chosen.part * MIB) as port:
                for _ in range(chosen.rounds):
                    for client in clients:
                        runs[client].append(upload(client, scheme, port, path, chosen))
            for row in compared(scheme, runs, chosen.size * MIB):
                rows.append(row)
                target = "" if row.target is None else f"{row.target:.2f}"
                print(
                    f"{row.scheme:<7}{row.client:<13}{row.cpu:>10.3f}{row.process:>9.3f}{row.rate:>7.2f}"
                    f"{row.peak:>10.1f}{row.ratio:>8.2f}{target:>8}"
                )
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
