"""Uploads from process to process: how much memory they take, and servers that die in the middle."""

from __future__ import annotations

import hashlib
import random
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from cloudreel.errors import CloudReelError, TransportError
from cloudreel.sandbox import Sandbox
from cloudreel.telestream import AsyncTelestream
from cloudreel.uploads.ticket import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Control, SandboxProcess, UploaderProcess

MIB = 2**20
FILE_LEEWAY = 8 * MIB  # memory that an upload of a file may take, whatever its size and that of its parts
OTHER_LEEWAY = 24 * MIB  # the same for other sources


def sparse(path: Path, size: int) -> str:
    """Write a file of holes with a mark here and there; return its SHA-256."""
    draw = random.Random(size)
    with path.open("wb") as file:
        file.truncate(size)
        for _ in range(200):
            file.seek(draw.randrange(size - 64))
            file.write(draw.randbytes(64))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_memory(
    tmp_path: Path,
    serve: Callable[..., SandboxProcess],
    start_uploader: Callable[..., UploaderProcess],
    size: int,
    part: int,
    source: str,
) -> None:
    path = tmp_path / "large.mp4"
    digest = sparse(path, size)
    server = serve(tmp_path / "data", "--part-size", str(part))
    told = start_uploader("telestream", server.config, path, source=source).result()["done"]
    found = server.control.upload(told["id"])
    assert (told["status"], found["status"], found["repeated"]) == ("uploaded", "uploaded", 0)
    assert (found["size"], found["sha256"]) == (size, digest)
    assert told["peak"] - told["rss"] <= (FILE_LEEWAY if source == "path" else OTHER_LEEWAY)


@pytest.mark.parametrize("source", ["path", "reader", "pieces"])
def test_64_mib_take_little_memory(
    tmp_path: Path,
    serve: Callable[..., SandboxProcess],
    start_uploader: Callable[..., UploaderProcess],
    source: str,
) -> None:
    check_memory(tmp_path, serve, start_uploader, 64 * MIB, 5 * MIB, source)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("size", "part", "source"),
    [
        (4096 * MIB, 5 * MIB, "path"),
        (4096 * MIB, 64 * MIB, "path"),
        (4096 * MIB, 64 * 1024, "path"),
        (4096 * MIB, 5 * MIB, "reader"),
        (4096 * MIB, 64 * MIB, "reader"),
        (1024 * MIB, 64 * 1024, "reader"),
        (4096 * MIB, 5 * MIB, "pieces"),
        (1024 * MIB, 64 * 1024, "pieces"),
    ],
)
def test_much_takes_no_more_memory(
    tmp_path: Path,
    serve: Callable[..., SandboxProcess],
    start_uploader: Callable[..., UploaderProcess],
    size: int,
    part: int,
    source: str,
) -> None:
    check_memory(tmp_path, serve, start_uploader, size, part, source)


# -- servers that die ------------------------------------------------------------------------------------

PART = 64 * 1024
DATA = random.Random(2).randbytes(16 * PART - 100)


async def upload_until_it_breaks(
    credentials: dict[str, Any], path: Path, control: Control, kill: Callable[[], object]
) -> str:
    """Upload, kill the server when some parts are stored, and return the ticket that the error brings."""
    control.faults({"method": "PUT", "path": "/upload/*", "action": "delay", "seconds": 0.05, "times": 1000})
    errors: list[CloudReelError] = []
    async with AsyncTelestream(**credentials, retries=0) as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        session = await factory.upload_session(path, threads=2, profiles="none")

        async def send() -> None:
            try:
                await session.start()
            except TransportError as error:
                errors.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            while session.progress.parts_done < 4:
                await anyio.sleep(0.005)
            await anyio.to_thread.run_sync(kill)
        assert session.status == "error"
    (error,) = errors
    assert error.ticket is not None
    return error.ticket.to_json()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_killed_server_comes_back_and_another_process_goes_on(
    tmp_path: Path,
    serve: Callable[..., SandboxProcess],
    start_uploader: Callable[..., UploaderProcess],
    backend: str,
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    server = serve(tmp_path / "data", "--part-size", str(PART))
    credentials = server.config["telestream"]
    ticket = anyio.run(
        upload_until_it_breaks, credentials, path, server.control, server.kill, backend=backend
    )
    server.restart()
    session_id = Ticket.from_json(ticket).session_id
    missing = server.control.upload(session_id)["missing"]
    assert 0 < len(missing) <= 12
    told = start_uploader("telestream", server.config, path, ticket=ticket).result()["done"]
    state = server.control.state()
    (found,) = [upload for upload in state["uploads"] if upload["id"] == session_id]
    assert (told["status"], found["video_id"], found["repeated"]) == ("uploaded", told["video_id"], 0)
    assert found["sha256"] == hashlib.sha256(DATA).hexdigest()
    sent = [int(request["part"]) for request in state["requests"] if request["method"] == "PUT"]
    assert sorted(sent) == missing


def test_a_sandbox_entered_again_goes_on(
    tmp_path: Path,
    make_control: Callable[[str], Control],
    start_uploader: Callable[..., UploaderProcess],
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(tmp_path / "data", part_size=PART))
        config = sandbox.config
        credentials = config["telestream"]
        control = make_control(sandbox.base_url)
        ticket = anyio.run(upload_until_it_breaks, credentials, path, control, stack.close)
        control.close()
    with Sandbox(tmp_path / "data", part_size=PART, port=credentials["api_port"]) as sandbox:
        assert sandbox.config == config
        told = start_uploader("telestream", config, path, ticket=ticket).result()["done"]
        (found,) = sandbox.world.snapshot()["uploads"]
    assert (told["status"], found["video_id"]) == ("uploaded", told["video_id"])
    assert found["sha256"] == hashlib.sha256(DATA).hexdigest()
