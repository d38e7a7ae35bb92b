"""One upload by one client, measured: ``uploads.py`` runs this program once for each figure.

The job comes as JSON on stdin; what it took goes to stdout. Memory counts from the client's first call on.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import socket
import ssl
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Generator

    from anyio import CancelScope

PIECE = 256 * 1024
TICK = 0.005  # seconds
CANCEL_AFTER = 0.05  # seconds


@dataclass(frozen=True)
class Job:
    """What to upload, and how."""

    client: str
    host: str
    port: int
    path: str
    part_size: int
    threads: int
    certificate: str | None
    loop: str = "asyncio"
    tick: bool = False  # whether to see how long the event loop stands still

    @property
    def url(self) -> str:
        """Where parts go."""
        return f"{'https' if self.certificate else 'http'}://{self.host}:{self.port}/upload/session?id=u1"

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return Path(self.path).stat().st_size

    def parts(self) -> queue.SimpleQueue[tuple[int, int]]:
        """Return the parts, each an offset and a length."""
        made: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        for offset in range(0, self.size, self.part_size):
            made.put((offset, min(self.part_size, self.size - offset)))
        return made

    def opened(self) -> BinaryIO:
        """Open the file."""
        return Path(self.path).open("rb")

    def context(self) -> ssl.SSLContext | None:
        """Return what trusts the sink, None over plain HTTP."""
        return ssl.create_default_context(cafile=self.certificate) if self.certificate else None


def memory(name: str) -> int:
    """Return one line of the kernel's account of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


class Meter:
    """What is told of the upload in the end: bytes and seconds."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}

    @contextmanager
    def __call__(self) -> Generator[None]:
        """Measure what the block takes."""
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before, began, used = memory("VmRSS"), time.perf_counter(), time.process_time()
        yield
        self.told["cpu"] = time.process_time() - used
        self.told["wall"] = time.perf_counter() - began
        self.told["peak"] = memory("VmHWM") - before

    async def cancel(self, scope: CancelScope) -> None:
        """Cancel what is in the middle of its work, and take note of the time."""
        import anyio

        await anyio.sleep(CANCEL_AFTER)
        self.told["late"] = -time.perf_counter()
        scope.cancel()

    async def tick(self) -> None:
        """Take note of how much longer than wanted the event loop lets us sleep, until cancelled."""
        import anyio

        self.told["stall"] = 0.0
        while True:
            began = time.perf_counter()
            await anyio.sleep(TICK)
            self.told["stall"] = max(self.told["stall"], time.perf_counter() - began - TICK)


# -- ours ------------------------------------------------------------------------------------------------


async def ours(job: Job, measure: Meter, *, fast_path: bool = True, cancel: bool = False) -> None:
    """Upload by the package; with ``cancel``, tell how long it takes to give up parts under way."""
    import anyio

    from cloudreel.core.options import Limits
    from cloudreel.telestream import AsyncTelestream

    async with AsyncTelestream(
        "access",
        "secret",
        "f1",
        api_host=job.host,
        api_port=job.port,
        scheme="https" if job.certificate else "http",
        verify=job.context() or True,
        limits=Limits(in_flight=max(job.threads, 16)),
        fast_path=fast_path,
    ) as tc:
        factory = await tc.flip.factories.find("f1")
        session = await factory.upload_session(job.path, threads=job.threads, profiles="none")
        async with anyio.create_task_group() as tasks:
            if job.tick:
                tasks.start_soon(measure.tick)
            with measure(), anyio.CancelScope() as scope:
                if cancel:
                    tasks.start_soon(measure.cancel, scope)
                await session.start()
            tasks.cancel_scope.cancel()
        if cancel:
            assert scope.cancelled_caught, "the upload was over before it could be cancelled"
            measure.told["late"] += time.perf_counter()
        else:
            assert session.progress.bytes_confirmed == job.size


# -- other clients, in the way they are mostly used ------------------------------------------------------


async def httpx_bytes(job: Job, measure: Meter) -> None:
    import anyio
    import anyio.to_thread
    import httpx

    limits = httpx.Limits(max_connections=job.threads, max_keepalive_connections=job.threads)
    parts = job.parts()
    with job.opened() as file:
        async with httpx.AsyncClient(limits=limits, verify=job.context() or True) as client:
            (await client.get(job.url)).raise_for_status()

            async def work() -> None:
                while not parts.empty():
                    offset, length = parts.get()
                    data = await anyio.to_thread.run_sync(os.pread, file.fileno(), length, offset)
                    (await client.put(job.url, content=data)).raise_for_status()

            with measure():
                async with anyio.create_task_group() as tasks:
                    for _ in range(job.threads):
                        tasks.start_soon(work)


async def aiohttp_pieces(job: Job, measure: Meter) -> None:
    import aiohttp
    import anyio

    parts = job.parts()
    with job.opened() as file:

        async def pieces(offset: int, length: int) -> AsyncIterator[bytes]:
            for begin in range(offset, offset + length, PIECE):
                yield os.pread(file.fileno(), min(PIECE, offset + length - begin), begin)

        connector = aiohttp.TCPConnector(limit=job.threads, ssl=job.context() or True)
        async with aiohttp.ClientSession(connector=connector) as client:
            (await client.get(job.url)).release()

            async def work() -> None:
                while not parts.empty():
                    offset, length = parts.get()
                    headers = {"Content-Length": str(length)}
                    async with client.put(job.url, data=pieces(offset, length), headers=headers) as answer:
                        answer.raise_for_status()
                        await answer.read()

            with measure():
                async with anyio.create_task_group() as tasks:
                    for _ in range(job.threads):
                        tasks.start_soon(work)


def requests_bytes(job: Job, measure: Meter) -> None:
    """The way of telestream-cloud 1.1.2: read a part whole, send it over a connection of its own."""
    import requests

    verify = job.certificate or True
    requests.get(job.url, verify=verify, timeout=60).raise_for_status()
    parts = job.parts()

    def work() -> None:
        with job.opened() as file:
            while True:
                try:
                    offset, length = parts.get_nowait()
                except queue.Empty:
                    return
                file.seek(offset)
                sent = requests.put(job.url, data=file.read(length), verify=verify, timeout=60)
                sent.raise_for_status()

    with measure():
        in_threads(job.threads, work)


def pycurl_parts(job: Job, measure: Meter) -> None:
    """Threads with a handle each, which keeps its connection and reads from the file."""
    import pycurl

    parts = job.parts()

    def work() -> None:
        handle = pycurl.Curl()
        with job.opened() as file:
            while True:
                try:
                    offset, length = parts.get_nowait()
                except queue.Empty:
                    break
                file.seek(offset)
                handle.setopt(pycurl.URL, job.url)
                handle.setopt(pycurl.UPLOAD, 1)
                handle.setopt(pycurl.INFILESIZE_LARGE, length)
                handle.setopt(pycurl.READDATA, file)
                handle.setopt(pycurl.UPLOAD_BUFFERSIZE, PIECE)
                handle.setopt(pycurl.WRITEFUNCTION, len)
                if job.certificate:
                    handle.setopt(pycurl.CAINFO, job.certificate)
                handle.perform()
                assert handle.getinfo(pycurl.RESPONSE_CODE) == 200
        handle.close()

    with measure():
        in_threads(job.threads, work)


# -- the floor -------------------------------------------------------------------------------------------


def sockets(job: Job, measure: Meter) -> None:
    """The least there is: threads with sockets; sendfile, or over TLS one buffer for each thread."""
    context, parts = job.context(), job.parts()
    head = "PUT /upload/session?id=u1 HTTP/1.1\r\nHost: sink\r\nContent-Length: {}\r\n\r\n"

    def work() -> None:
        used = socket.create_connection((job.host, job.port))
        used.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            used = context.wrap_socket(used, server_hostname=job.host)
        buffer = memoryview(bytearray(PIECE if context else 0))
        with used, job.opened() as file:
            while True:
                try:
                    offset, length = parts.get_nowait()
                except queue.Empty:
                    return
                used.sendall(head.format(length).encode())
                end = offset + length
                while offset < end:
                    if context is None:
                        offset += os.sendfile(used.fileno(), file.fileno(), offset, end - offset)
                    else:
                        count = os.preadv(file.fileno(), [buffer[: min(PIECE, end - offset)]], offset)
                        used.sendall(buffer[:count])
                        offset += count
                assert used.recv(2**16).startswith(b"HTTP/1.1 200")

    with measure():
        in_threads(job.threads, work)


def in_threads(count: int, work: Callable[[], None]) -> None:
    """Do some work in several threads at once; what one raises is raised."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)
            raise

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


ASYNC: dict[str, Callable[[Job, Meter], Coroutine[object, object, None]]] = {
    "ours": ours,
    "ours-plain": partial(ours, fast_path=False),
    "ours-cancelled": partial(ours, cancel=True),
    "httpx-bytes": httpx_bytes,
    "aiohttp": aiohttp_pieces,
}
BLOCKING: dict[str, Callable[[Job, Meter], None]] = {
    "requests": requests_bytes,
    "pycurl": pycurl_parts,
    "sockets": sockets,
}


def main() -> None:
    """Do the job on stdin."""
    job = Job(**json.load(sys.stdin))
    measure = Meter()
    if job.client in BLOCKING:
        BLOCKING[job.client](job, measure)
    else:
        import anyio

        backend = "trio" if job.loop == "trio" else "asyncio"
        options = {"use_uvloop": True} if job.loop == "uvloop" else None
        anyio.run(ASYNC[job.client], job, measure, backend=backend, backend_options=options)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(measure.told | {"process": usage.ru_utime + usage.ru_stime}, sys.stdout)


if __name__ == "__main__":
    main()
