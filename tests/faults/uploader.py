"""Upload one file as a program of its own; tell on stdout, line by line as JSON, what comes of it.

The job comes as one JSON object on stdin:

``service``   ``telestream``, ``panda`` or ``cloudkey``
``config``    addresses and credentials of that service
``path``      the file
``source``    how it is given: ``path`` (so it is without a word), ``reader`` (with a position) or ``pieces``
``store``     folder of a store of tickets: a ticket lies there before the first byte goes out, until the end;
              a job that finds one goes on with it
``ticket``    instead of a store: go on with this one
``options``   of the client
``begin``     arguments of an upload that begins
``tell``      whether to tell how many bytes were sent after each step
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from cloudreel.errors import CloudReelError
from cloudreel.uploads import FileTicketStore, Ticket, events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cloudreel.uploads import Progress


def tell(**values: object) -> None:
    print(json.dumps(values), flush=True)


def tell_progress(progress: Progress) -> None:
    tell(sent=progress.bytes_sent)


def memory(name: str) -> int:
    """Return one line of the kernel's account of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


class Reader:
    """A file that shows no more than its position."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("rb")  # noqa: SIM115 - as long as the process
        self.read = self._file.read
        self.seek = self._file.seek
        self.tell = self._file.tell


async def pieces(path: str) -> AsyncIterator[bytes]:
    """Give a file piece by piece."""
    with Path(path).open("rb") as file:
        while piece := file.read(2**20):
            yield piece


SOURCES: dict[str, Callable[[str], Any]] = {"path": str, "reader": Reader, "pieces": pieces}


async def upload_in_session(uploads: Any, job: dict[str, Any], progress: Any) -> dict[str, object]:
    """Upload with whatever has ``upload_session`` and ``resume_upload``."""
    store = FileTicketStore(job["store"]) if job.get("store") else None
    stored = await store.tickets() if store else []
    ticket = stored[0] if stored else Ticket.from_json(job["ticket"]) if job.get("ticket") else None
    source = SOURCES[job.get("source", "path")](job["path"])
    if ticket is None:
        begin = job.get("begin", {})
        session = await uploads.upload_session(source, profiles="none", progress=progress, **begin)
    else:
        session = await uploads.resume_upload(ticket, source, progress=progress)
    if store:
        await store.save(session.ticket())
    video = await (session.resume() if ticket else session.start())
    if store:
        await store.remove(session.ticket().key)
    return {"id": session.ticket().session_id, "video_id": video.id, "status": session.status}


async def upload(job: dict[str, Any]) -> dict[str, object]:
    """Do the job and return what to tell of it."""
    config, options = job["config"], job.get("options", {})
    progress = tell_progress if job.get("tell") else None
    events.INTERVAL = 0.0
    match job["service"]:
        case "telestream":
            from cloudreel.telestream import AsyncTelestream

            async with AsyncTelestream(**config, **options) as tc:
                factory = await tc.flip.factories.find(str(tc.factory_id))
                return await with_memory(upload_in_session(factory, job, progress))
        case "panda":
            from cloudreel.panda import AsyncPanda

            async with AsyncPanda(**config, **options) as panda:
                return await with_memory(upload_in_session(panda, job, progress))
        case _:
            from cloudreel.cloudkey import AsyncCloudKey

            async with AsyncCloudKey(**config, **options) as ck:
                await ck.media.list(fields=["id"])  # connected, as the others are
                return await with_memory(upload_to_node(ck, job["path"], progress))


async def upload_to_node(ck: Any, path: str, progress: Any) -> dict[str, object]:
    """Upload in one request, as CloudKey does."""
    return {"url": (await ck.file.upload_file(path, progress=progress))["url"], "status": "uploaded"}


async def with_memory(uploading: Any) -> dict[str, object]:
    """Tell also what memory was taken before, and at most."""
    before = memory("VmRSS")
    done = await uploading
    return {**done, "rss": before, "peak": memory("VmHWM")}


async def main() -> None:
    job = json.loads(sys.stdin.readline())
    try:
        tell(done=await upload(job))
    except CloudReelError as error:
        tell(failed=str(error))


anyio.run(main)
