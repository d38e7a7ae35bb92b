"""One request of an upload that gets no further, or is told to wait: the others go on meanwhile."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from conftest import Control

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_patience")]

TIMEOUT = 1.0  # seconds without progress
PART = 16 * 1024
LARGE = 6 * 2**20  # more than a connection takes of which nobody reads


@pytest.fixture(params=["memory", "file"])
def in_file(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "file")


def source_of(data: bytes, in_file: bool, folder: Path) -> bytes | Path:
    if not in_file:
        return data
    path = folder / "film.mp4"
    path.write_bytes(data)
    return path


def asked(sandbox: Sandbox, *methods: str) -> list[dict[str, object]]:
    """Return the requests to the upload location, in the order of their beginnings."""
    requests = [dict(request) for request in sandbox.world.requests]
    return [
        each for each in requests if str(each["path"]).startswith("/upload") and each["method"] in methods
    ]


@pytest.fixture
def fresh(sandbox: Sandbox) -> Sandbox:
    sandbox.world.requests.clear()
    sandbox.world.part_size = PART
    return sandbox


@pytest.mark.parametrize("size", [PART, LARGE])
async def test_a_stalled_part_is_sent_again_while_the_others_go_on(
    fresh: Sandbox, control: Control, in_file: bool, tmp_path: Path, size: int
) -> None:
    parts = 8 if size == PART else 2
    data = random.Random(size).randbytes(parts * size - 5)
    fresh.world.part_size = size
    async with fresh.telestream(timeout=TIMEOUT, retries=5) as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        source = source_of(data, in_file, tmp_path)
        session = await factory.upload_session(source, threads=2, profiles="none")
        control.faults({"path": "/upload/*", "method": "PUT", "action": "stall", "after_bytes": 1000})
        await session.start()
    sent = [each["part"] for each in asked(fresh, "PUT", "GET")]
    stalled = sent[0]
    again = sent.index(stalled, 1)
    assert None in sent[:again], "the service is asked for a part before it is sent again"
    assert len(set(sent[:again]) - {stalled, None}) >= 1, "the others go on"
    upload = control.upload(session.ticket().session_id)
    assert (upload["sha256"], upload["repeated"]) == (hashlib.sha256(data).hexdigest(), 0)


async def test_a_stalled_stream_goes_on_where_it_stands(
    fresh: Sandbox, control: Control, in_file: bool, tmp_path: Path
) -> None:
    data = random.Random(2).randbytes(5 * PART - 5)
    async with fresh.panda(timeout=TIMEOUT) as panda:
        source = source_of(data, in_file, tmp_path)
        session = await panda.upload_session(source, chunk_size=PART, profiles="none")
        control.faults({"path": "/upload/*", "method": "PUT", "action": "stall", "after_bytes": 1000})
        await session.start()
    ranges = [str(each["range"]).removeprefix("bytes ").partition("/")[0] for each in asked(fresh, "PUT")]
    assert ranges[:2] == [f"0-{PART - 1}", "*"]
    # The service may be asked before it has stored what reached it.
    assert ranges[2] in (f"1000-{PART - 1}", f"0-{PART - 1}")
    upload = control.upload(session.ticket().session_id)
    assert upload["sha256"] == hashlib.sha256(data).hexdigest()


async def test_a_stalled_file_is_sent_anew_to_another_address(
    fresh: Sandbox, control: Control, in_file: bool, tmp_path: Path
) -> None:
    data = random.Random(3).randbytes(5 * PART - 5)
    async with fresh.cloudkey(timeout=TIMEOUT) as ck:
        control.faults({"path": "/upload", "method": "POST", "action": "stall", "after_bytes": 1000})
        stored = await ck.file.upload_file(source_of(data, in_file, tmp_path))
    assert stored["hash"] == hashlib.sha1(data).hexdigest()
    assert len(asked(fresh, "POST")) == 2


@pytest.mark.parametrize(("status", "in_file"), [(429, False), (503, True)])
async def test_a_part_that_is_told_to_wait_waits_alone(
    fresh: Sandbox, control: Control, status: int, in_file: bool, tmp_path: Path
) -> None:
    data = random.Random(status).randbytes(8 * PART - 5)
    async with fresh.telestream() as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        source = source_of(data, in_file, tmp_path)
        session = await factory.upload_session(source, threads=2, profiles="none")
        control.faults(
            {"path": "/upload/*", "method": "PUT", "action": "status", "status": status, "seconds": 1}
        )
        began = anyio.current_time()
        await session.start()
    assert anyio.current_time() - began >= 1
    sent = [each["part"] for each in asked(fresh, "PUT")]
    again = sent.index(sent[0], 1)
    assert again > 1
    assert len(sent) == 9
    assert control.upload(session.ticket().session_id)["sha256"] == hashlib.sha256(data).hexdigest()


class Counting(httpx.AsyncHTTPTransport):
    """Notes how many parts are under way whenever one begins."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_keepalive_connections=8))
        self.together: list[int] = []
        self._under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "PUT":
            return await super().handle_async_request(request)
        self._under_way += 1
        self.together.append(self._under_way)
        try:
            await anyio.sleep(0.005)  # time for company
            return await super().handle_async_request(request)
        finally:
            self._under_way -= 1


async def test_fewer_parts_go_out_at_a_busy_service_and_more_again_afterwards(
    fresh: Sandbox, control: Control
) -> None:
    fresh.world.part_size = 1024
    data = random.Random(4).randbytes(200 * 1024 - 5)
    async with Counting() as counting, fresh.telestream(transport=counting, retries=100) as tc:
        factory = await tc.flip.factories.find(str(tc.factory_id))
        session = await factory.upload_session(data, threads=8, profiles="none")
        parts = {"path": "/upload/*", "method": "PUT"}
        control.faults(
            {**parts, "action": "delay", "seconds": 0, "times": 40},
            {**parts, "action": "status", "status": 503, "times": 60},
        )
        await session.start()
    assert control.upload(session.ticket().session_id)["sha256"] == hashlib.sha256(data).hexdigest()
    assert max(counting.together[:40]) == 8
    assert min(counting.together[60:100]) == 1
    assert max(counting.together[-30:]) == 8
