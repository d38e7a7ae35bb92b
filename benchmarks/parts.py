"""What a part of an upload costs when there are many: as much as when there are few."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import httpx
import orjson
from measure import Effort, Peer, Work, compare
from table import Row

from cloudreel.telestream import AsyncTelestream

FEW = 1_000
MANY = {10_000: 3, 100_000: 1}  # parts, and how often they are measured: the most take half a minute
TARGET = 1.2
PART = 16  # bytes: what is measured is not how they are moved


class Swallow(httpx.AsyncBaseTransport):
    """A service in this process, which takes parts at no cost, and as many as it says.

    Args:
        parts: of each upload.
    """

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self._left = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take a part, or open an upload."""
        if request.method == "PUT":
            await request.aread()
            self._left -= 1
            return httpx.Response(200, content=b"" if self._left else b'{"id": "v1"}')
        if request.method == "GET":
            return httpx.Response(200, content=b'{"id": "f1", "name": "Bench"}')
        self._left = self.parts
        opened = {
            "id": "u1",
            "location": "http://upload.example/u1",
            "parts": self.parts,
            "part_size": PART,
            "max_connections": 8,
        }
        return httpx.Response(201, content=orjson.dumps(opened))


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each count, beside an upload of 1,000 parts."""
    few = effort.count(FEW)
    for wanted, pairs in MANY.items():
        many = effort.count(wanted)
        peer = Peer("cloudreel", partial(upload, few, many // few), f"{few:,} parts")
        fewer = replace(effort, pairs=min(effort.pairs, pairs))
        yield compare(
            f"upload of {many:,} parts, each", upload(many, 1), peer, fewer, target=TARGET, per=many
        )


def upload(parts: int, times: int) -> Work:
    """Return what uploads so many parts, so many times."""
    data = bytes(parts * PART)

    async def all_of_them() -> None:
        async with AsyncTelestream("key", "secret", "f1", transport=Swallow(parts)) as client:
            factory = await client.flip.factories.find("f1")
            for _ in range(times):
                session = await factory.upload_session(data, threads=8, profiles="none")
                await session.start()

    return lambda: asyncio.run(all_of_them())
