"""The same on Celery: a task goes on with the upload that a dead worker has begun.

    celery -A celery_worker worker                     # in this folder, on any number of hosts
    python celery_worker.py /shared/film.mp4           # sends a film to them

Celery reads CELERY_BROKER_URL and CELERY_RESULT_BACKEND; REDIS_URL says where the tickets are.

``acks_late`` has Celery hand the task of a dead worker to another, after ``visibility_timeout`` seconds. The
ticket of an upload lies in Redis from before the first byte until its end, and its lease keeps two workers
from one upload. What this leaves open, and ``cloudreel.fleet`` does not: a worker that dies after the end of
the upload and before Celery knows of it has the film uploaded once more.
"""

# pyright: basic
# (Celery has no types)

import os
import sys

import anyio
from celery import Celery

from cloudreel import AsyncTelestream, TransportError
from cloudreel.uploads import Leased, RedisTicketStore, open_source

app = Celery("celery_worker")
app.conf.broker_transport_options = {"visibility_timeout": 300}
store = RedisTicketStore(os.environ["REDIS_URL"])


async def carry(path: str) -> str:
    """Upload a film, or what is missing of it, and return the id of the video."""
    async with AsyncTelestream.from_env() as client, await open_source(path) as source:
        factory = await client.flip.factories.find(str(client.factory_id))
        begun = await store.find("telestream", factory.id, source.fingerprint)
        if begun:
            session = await factory.resume_upload(begun[0], path, store=store)
            video = await session.resume()
        else:
            session = await factory.upload_session(path, profiles="h264", store=store)
            video = await session.start()
        return str(video.id)


@app.task(
    acks_late=True,
    reject_on_worker_lost=True,
    autoretry_for=(Leased, TransportError),
    retry_backoff=True,
    max_retries=10,
)
def upload(path: str) -> str:
    """Upload a film."""
    return anyio.run(carry, path)


if __name__ == "__main__":
    print(upload.delay(sys.argv[1]).get(timeout=100))
