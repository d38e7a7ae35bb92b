"""An upload of many parts costs no more for each than one of few: counted in lines run, not in time."""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from cloudreel import uploads
from cloudreel.panda import AsyncPanda
from cloudreel.telestream import AsyncTelestream

pytestmark = pytest.mark.anyio

ROOM = str(Path(uploads.__file__).parent)
FEW, MANY = 50, 400
ALLOWED = 1.05


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Service(httpx.AsyncBaseTransport):
    """Takes every part; it has the first half already where an upload goes on."""

    def __init__(self, parts, *, in_parts):
        self.parts = parts
        self.in_parts = in_parts
        self.held = 0

    async def handle_async_request(self, request):
        if request.url.host != "upload.example":
            numbers = {"parts": self.parts, "part_size": 1, "max_connections": 8} if self.in_parts else {}
            return httpx.Response(200, json={"id": "x1", "location": "http://upload.example/", **numbers})
        sent = len(await request.aread())
        self.held += sent
        if request.method == "GET":
            return httpx.Response(200, json={"missing_parts": list(range(self.held, self.parts))})
        if self.held == self.parts:
            return httpx.Response(200, json={"id": "v1"})
        if self.in_parts:
            return httpx.Response(200)
        return httpx.Response(204, headers={"Range": f"0-{self.held - 1}"} if self.held else {})


class Lines:
    """Counts the lines of the uploader's code that run."""

    def __init__(self):
        self.run = 0

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_):
        sys.settrace(self._before)

    def _enter(self, frame, event, argument):
        return self._count if frame.f_code.co_filename.startswith(ROOM) else None

    def _count(self, frame, event, argument):
        self.run += event == "line"
        return self._count


async def lines_for_each(parts, *, in_parts, goes_on):
    service = Service(parts, in_parts=in_parts)
    data = random.Random(parts).randbytes(parts)
    if in_parts:
        client = AsyncTelestream("key", "secret", "f1", transport=service)
        session = await (await client.flip.factories.find("f1")).upload_session(data, threads=4)
    else:
        client = AsyncPanda("key", "secret", "c1", transport=service)
        session = await client.upload_session(data, chunk_size=1)
    service.held = parts // 2 if goes_on else 0
    with Lines() as lines:
        await (session.resume() if goes_on else session.start())
    assert session.progress.parts_done == parts
    await client.close()
    return lines.run / parts


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("in_parts", [False, True])
async def test_each_of_many_parts_takes_as_many_steps_as_each_of_few(in_parts, goes_on):
    few = await lines_for_each(FEW, in_parts=in_parts, goes_on=goes_on)
    many = await lines_for_each(MANY, in_parts=in_parts, goes_on=goes_on)
    assert 1 < many <= few * ALLOWED


def test_lines_are_counted():
    lines = Counter()
    for count in (10, 100):
        with Lines() as counted:
            plan = uploads.session.Plan(count, 1)
            plan.missing_is(range(count))
        lines[count] = counted.run
    assert lines[100] > 5 * lines[10]
