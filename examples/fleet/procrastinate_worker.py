"""The same on procrastinate, whose queue is in Postgres: no Redis at all.

    procrastinate --app procrastinate_worker.app schema --apply     # once
    procrastinate --app procrastinate_worker.app worker             # in this folder, on any number of hosts
    python procrastinate_worker.py /shared/film.mp4                 # sends a film to them

DATABASE_URL says where Postgres is. The tickets lie beside the films, in a folder that every host has. A lock
named after the film has procrastinate run one task for it at a time; the task of a dead worker is handed to
another by `retry_stalled`, every minute.
"""

import os
import sys
from pathlib import Path

import anyio
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy

from cloudreel import AsyncTelestream, TransportError
from cloudreel.uploads import FileTicketStore, Leased, open_source

app = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))

RETRY = RetryStrategy(max_attempts=10, wait=30, retry_exceptions=[Leased, TransportError])


@app.task(name="upload", retry=RETRY)
async def upload(path: str) -> None:
    """Upload a film, or what is missing of it."""
    store = FileTicketStore(Path(path).parent / "tickets")
    async with AsyncTelestream.from_env() as client, await open_source(path) as source:
        factory = await client.flip.factories.find(str(client.factory_id))
        begun = await store.find("telestream", factory.id, source.fingerprint)
        if begun:
            session = await factory.resume_upload(begun[0], path, store=store)
            print(await session.resume())
        else:
            session = await factory.upload_session(path, profiles="h264", store=store)
            print(await session.start())


@app.periodic(cron="* * * * *")
@app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Hand the tasks of dead workers to others."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)


async def main(path: str) -> None:
    async with app.open_async():
        print(await upload.configure(lock=path).defer_async(path=path))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
