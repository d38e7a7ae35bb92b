"""What it costs to begin: imports, the first client, the command line; CPU of whole processes."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from measure import Effort
from table import Row, versioned

HTTPS_CLIENT = """
import anyio
from cloudreel.telestream import AsyncTelestream
async def main():
    async with AsyncTelestream("access", "secret") as client:
        client._transport._pool.client()
anyio.run(main)
"""
# httpx and httpcore import what they find of these; none of it comes with the package alone.
ALONE = """
import sys
sys.modules.update(dict.fromkeys(["click", "opentelemetry", "pygments", "rich", "trio"]))
"""
# Ours, what is meant in milliseconds over a bare interpreter, and what stands beside it.
STARTS = [
    ("import cloudreel", ["-c", "import cloudreel"], "at most 4 ms", "requests"),
    (
        "the signer of URLs, imported",
        ["-c", "from cloudreel.signing import sign_url"],
        "at most 10 ms",
        "botocore.session",
    ),
    ("import cloudreel.telestream", ["-c", "import cloudreel.telestream"], "", "httpx"),
    ("first client, https", ["-c", HTTPS_CLIENT], "", "requests"),
    ("first client, https, without extras", ["-c", ALONE + HTTPS_CLIENT], "", "requests"),
    ("cloudreel --help", ["-m", "cloudreel", "--help"], "at most 120 ms", "click"),
]


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each way to begin."""
    for question, ours, meant, peer in STARTS:
        row = Row(question, f"import {versioned(peer.partition('.')[0])}")
        target = 1.1 if "client" in question else None
        if find_spec(peer.partition(".")[0]) is None:
            yield Row(question, row.peer, target=target, note=f"not measured: {peer} is not installed")
            continue
        rounds = [(over(ours), over(["-c", f"import {peer}"])) for _ in range(effort.pairs)]
        ratio = statistics.median(a / b for a, b in rounds)
        mine, theirs = (statistics.median(side) * 1e3 for side in zip(*rounds, strict=True))
        note = f"over a bare interpreter; meant: {meant}" if meant else "over a bare interpreter"
        yield Row(question, row.peer, mine, theirs, ratio, target, unit="ms", note=note)


def over(arguments: list[str]) -> float:
    """Return the seconds of CPU that a program takes over a bare interpreter, run right before it."""
    bare = cpu(["-c", "pass"])
    return max(cpu(arguments) - bare, 1e-6)


def cpu(arguments: list[str]) -> float:
    """Return the seconds of CPU of a run of Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
