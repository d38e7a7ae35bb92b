"""Processes that are killed without warning, at any moment: the uploader, the sandbox, or both.

A seed says who is killed and when. A new process goes on with the ticket that lies in a store since before
the first byte went out (CloudKey has none: there the file is sent anew). Whatever happened, the sandbox has
exactly the file in the end, as one upload, and at most the parts that were under way were sent to it twice.
"""

from __future__ import annotations

import hashlib
import random
import time
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import SandboxProcess, UploaderProcess

PART = 16384  # bytes; what the sandbox asks for
KILLED = (("uploader",), ("sandbox",), ("uploader", "sandbox"))
PATHS = {"telestream": "/upload/*", "panda": "/upload/*", "cloudkey": "/upload"}
PARALLEL = {"telestream": 4, "panda": 1, "cloudkey": 1}  # requests at a time


@frozen
class Moment:
    """What one seed stands for: a file, how fast it crosses the line, who is killed and when."""

    data: bytes = field(repr=False)
    pace: int  # bytes a second of one request
    killed: tuple[str, ...]
    after_bytes: int  # handed to connections
    after_seconds: float  # from then


def moment(service: str, seed: int) -> Moment:
    """Return the moment of a seed; the upload would take half a second."""
    draw = random.Random(f"{service} {seed}")
    size = draw.randint(10, 30) * PART + draw.randint(1, PART)
    by_bytes = draw.random() < 0.5
    return Moment(
        data=draw.randbytes(size),
        pace=2 * size // PARALLEL[service],
        killed=KILLED[seed % 3],
        after_bytes=draw.randint(1, size) if by_bytes else 1,
        after_seconds=0.0 if by_bytes else draw.random() / 2,
    )


def check_moment(
    service: str,
    seed: int,
    sandbox: SandboxProcess,
    start_uploader: Callable[..., UploaderProcess],
    tmp_path: Path,
) -> None:
    plan = moment(service, seed)
    path = tmp_path / f"{service}-{seed}.mp4"
    path.write_bytes(plan.data)
    begin = {"telestream": {"threads": PARALLEL[service]}, "panda": {"chunk_size": PART * 4}}.get(service, {})
    job: dict[str, Any] = {"store": str(tmp_path / "tickets"), "begin": begin}
    slow = {"action": "slow", "path": PATHS[service], "bytes_per_second": plan.pace, "times": 1000}
    sandbox.control.faults(slow)
    uploader = start_uploader(service, sandbox.config, path, tell=True, **job)
    uploader.wait_for(plan.after_bytes)
    time.sleep(plan.after_seconds)
    if "uploader" in plan.killed:
        uploader.kill()
    if "sandbox" in plan.killed:
        sandbox.restart()
    else:
        sandbox.control.faults()
    told = {} if "uploader" in plan.killed else uploader.result()
    if "done" not in told:
        told = start_uploader(service, sandbox.config, path, **job).result()
    assert told["done"]["status"] == "uploaded", told
    uploads = [each for each in sandbox.control.state()["uploads"] if path.name in names(each)]
    finished = [each for each in uploads if each["status"] == "uploaded"]
    digests = {(each["size"], each["sha256"]) for each in finished}
    assert digests == {(len(plan.data), hashlib.sha256(plan.data).hexdigest())}
    if service != "cloudkey":
        (upload,) = uploads
        assert (upload["id"], upload["video_id"]) == (told["done"]["id"], told["done"]["video_id"])
        assert upload["missing"] == []
        assert upload["repeated"] <= PARALLEL[service]


def names(upload: dict[str, Any]) -> set[str]:
    """Return what an upload may be called; CloudKey keeps the stem of a name."""
    return {str(upload.get("file_name")), f"{upload.get('name')}.mp4"}


def moments(telestream: range, panda: range, cloudkey: range) -> list[tuple[str, int]]:
    """Return services with seeds."""
    seeds = {"telestream": telestream, "panda": panda, "cloudkey": cloudkey}
    return [(service, seed) for service, some in seeds.items() for seed in some]


@pytest.mark.parametrize(("service", "seed"), moments(range(3), range(2), range(2, 3)))
def test_an_upload_survives_a_kill(
    service: str,
    seed: int,
    sandbox_process: SandboxProcess,
    start_uploader: Callable[..., UploaderProcess],
    tmp_path: Path,
) -> None:
    check_moment(service, seed, sandbox_process, start_uploader, tmp_path)


@pytest.mark.soak  # more than 50 of each kind
@pytest.mark.parametrize(("service", "seed"), moments(range(3, 54), range(2, 53), range(51)))
def test_an_upload_survives_many_kills(
    service: str,
    seed: int,
    sandbox_process: SandboxProcess,
    start_uploader: Callable[..., UploaderProcess],
    tmp_path: Path,
) -> None:
    check_moment(service, seed, sandbox_process, start_uploader, tmp_path)
