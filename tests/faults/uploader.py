"""Upload a file, or go on with a ticket, as a program of its own; tell what came of it as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio

from cloudreel.telestream import AsyncTelestream
from cloudreel.uploads.ticket import Ticket


def memory(name: str) -> int:
    """Return one line of the kernel's account of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


async def main() -> None:
    job = json.load(sys.stdin)
    path, threads = job["path"], job.get("threads", 8)
    async with AsyncTelestream(**job["credentials"]) as tc:
        factory = await tc.flip.factories.find(tc.factory_id)
        before = memory("VmRSS")
        if job.get("ticket"):
            session = await factory.resume_upload(Ticket.from_json(job["ticket"]), path, threads=threads)
            video = await session.resume()
        else:
            session = await factory.upload_session(
                job["path"], threads=job.get("threads", 8), profiles="none"
            )
            video = await session.start()
        assert video is not None
        told = {
            "video_id": video.id,
            "session_id": session.ticket().session_id,
            "status": session.status,
            "rss": before,
            "peak": memory("VmHWM"),
        }
    json.dump(told, sys.stdout)


anyio.run(main)
