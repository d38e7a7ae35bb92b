"""A service that answers every GET at once; run as a program, it prints its port.

Lists of videos go on until there are no more of them; a single video is ready at the third look at it.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from objects import video

CERTIFICATE = Path(__file__).parents[1] / "tests" / "core" / "filewire" / "localhost.pem"
TARGET = re.compile(rb"GET /v[\d.]+/videos(?:/(\w+))?(/encodings)?\.json\?(\S*)")
PAGE, PER_PAGE = re.compile(rb"\bpage=(\d+)"), re.compile(rb"\bper_page=(\d+)")
MARK = b"f" * 32
READY_AT = 3


@contextmanager
def answering(objects: int = 0, *, https: bool = False) -> Iterator[int]:
    """Run this program; give its port on 127.0.0.1."""
    command = [sys.executable, __file__, "--objects", str(objects)]
    command += ["--https"] if https else []
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as running:
        try:
            assert running.stdout is not None
            yield int(running.stdout.readline())
        finally:
            running.kill()


class Service(asyncio.Protocol):
    """One connection."""

    def __init__(self, objects: int, looks: Counter[bytes]) -> None:
        self._objects = objects
        self._looks = looks
        self._begun = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what has come whole."""
        *requests, self._begun = (self._begun + data).split(b"\r\n\r\n")
        for request in requests:
            body = self._answer(request)
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            self._transport.write(head % len(body) + body)

    def _answer(self, request: bytes) -> bytes:
        asked = TARGET.match(request)
        assert asked is not None, request
        name, encodings, query = asked.groups()
        if encodings:
            return b"[]"
        if name:
            self._looks[name] += 1
            return one(name, self._looks[name] >= READY_AT)
        page, per_page = PAGE.search(query), PER_PAGE.search(query)
        return listed(int(page[1]) if page else 1, int(per_page[1]) if per_page else 20, self._objects)


def listed(page: int, per_page: int, objects: int) -> bytes:
    """Return a page of videos; without a count of objects every page is full."""
    if objects and (page - 1) * per_page >= objects:
        return b"[]"
    return _page(per_page).replace(MARK, b"%032x" % page)


def one(name: bytes, ready: bool) -> bytes:
    """Return one video."""
    return _one(ready).replace(MARK, name)


_pages: dict[int, bytes] = {}


def _page(per_page: int) -> bytes:
    if per_page not in _pages:
        videos = [{**video(number), "path": MARK.decode()} for number in range(per_page)]
        _pages[per_page] = orjson.dumps([{**item, "id": f"{item['id']}-{MARK.decode()}"} for item in videos])
    return _pages[per_page]


def _one(ready: bool) -> bytes:
    status = "success" if ready else "processing"
    return orjson.dumps({**video(0), "id": MARK.decode(), "status": status})


async def serve(objects: int, https: bool) -> None:
    """Answer until stdin ends, as it does with the program that started this one."""
    context = None
    if https:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
    looks = Counter[bytes]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Service(objects, looks), "127.0.0.1", 0, ssl=context, backlog=2048
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=0)
    parser.add_argument("--https", action="store_true")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.objects, chosen.https))
