"""What it costs to begin: imports, the first client, the command line; CPU of whole processes."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
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
    with tempfile.TemporaryDirectory() as compiled:
        # What is installed is compiled; a checkout may not be, so each program is run once before it counts.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        over = partial(over_bare, environment)
        for question, ours, meant, peer in STARTS:
            row = Row(question, f"import {versioned(peer.partition('.')[0])}")
            target = 1.1 if "client" in question else None
            if find_spec(peer.partition(".")[0]) is None:
                yield Row(question, row.peer, target=target, note=f"not measured: {peer} is not installed")
                continue
            theirs = ["-c", f"import {peer}"]
            for program in (ours, theirs):
                over(program)
            rounds = [(over(ours), over(theirs)) for _ in range(effort.pairs)]
            ratio = statistics.median(a / b for a, b in rounds)
            mine, other = (statistics.median(side) * 1e3 for side in zip(*rounds, strict=True))
            note = f"over a bare interpreter; meant: {meant}" if meant else "over a bare interpreter"
            yield Row(question, row.peer, mine, other, ratio, target, unit="ms", note=note)


def over_bare(environment: Mapping[str, str], arguments: list[str]) -> float:
    """Return the seconds of CPU that a program takes over a bare interpreter, run right before it."""
    bare = cpu(environment, ["-c", "pass"])
    return max(cpu(environment, arguments) - bare, 1e-6)


def cpu(environment: Mapping[str, str], arguments: list[str]) -> float:
    """Return the seconds of CPU of a run of Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
