"""Hold the lease of an upload as a program of its own; tell each step as a line of JSON.

The job on the first line names the store, the upload and what to do: ``hold`` the lease until killed, as
soon as it can be taken, ``count`` up a number in a file, each time with the lease, or ``churn`` without end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import anyio

from cloudreel.uploads import FileTicketStore, Lease, Leased, RedisTicketStore, Ticket


def tell(step: str, **values: object) -> None:
    print(json.dumps({"step": step, **values}), flush=True)


async def take(lease: Lease, on_refusal: str | None = None) -> None:
    """Take a lease as soon as possible."""
    while True:
        try:
            return await lease.take()
        except Leased as error:
            if on_refusal is not None:
                tell(on_refusal, holder=error.holder, until=error.until)
                on_refusal = None
            await anyio.sleep(0.005)


async def count(lease: Lease, path: Path, times: int) -> None:
    for _ in range(times):
        await take(lease)
        number = int(path.read_text())
        await anyio.sleep(0.002)
        path.write_text(str(number + 1))
        await lease.release()


async def main(job: dict[str, str | float]) -> None:
    kind, where = str(job["store"]).split("=", 1)
    store = FileTicketStore(where) if kind == "file" else RedisTicketStore(where)
    ticket = Ticket.from_json(str(job["ticket"]))
    lease = Lease(store, ticket, seconds=float(job["seconds"]))
    if job["do"] == "count":
        await count(lease, Path(str(job["path"])), int(job["times"]))
        tell("counted")
        return
    begun = time.time()
    if job["do"] == "churn":
        tell("churning")
        while True:
            await lease.store.save(ticket)
            await take(lease)
            await lease.release()
    await take(lease, on_refusal="refused")
    tell("taken", begun=begun, at=time.time(), holder=lease.holder)
    await lease.keep()


tell("ready")
given = json.loads(sys.stdin.readline())
anyio.run(main, given, backend=given["backend"])
