"""A fleet of workers on taskiq: any of them uploads, any other goes on where one died.

    taskiq worker taskiq_worker:broker --workers 4     # in this folder, on any number of hosts
    python taskiq_worker.py /shared/film.mp4           # sends a film to the fleet

REDIS_URL says where Redis is; the credentials are those of the other examples. The path has to lead to the
same file on every host.
"""

import os
import sys

import anyio

from cloudreel.fleet import Fleet
from cloudreel.notifications import Notification

fleet = Fleet(os.environ["REDIS_URL"], parts_in_flight=32, per_second=20)
broker = fleet.broker


@fleet.on_notification
async def heard(notification: Notification) -> None:
    """Take note, in one of the workers, of what the service has posted."""
    print(notification)


async def main(path: str) -> None:
    async with fleet:
        # A task of the same id is never uploaded twice, whoever sends it again.
        sending = await fleet.upload.kicker().with_task_id(f"upload {path}").kiq(path, profiles="h264")
        video = (await sending.wait_result(timeout=100)).raise_for_error().return_value
        print(video)
        # Where the service's notifications arrive, the web application passes their bodies on.
        await fleet.notify.kiq(f"event=video-created&video_id={video.video_id}")
        waiting = await fleet.wait.kiq(video.video_id, timeout=100)
        print((await waiting.wait_result(timeout=100)).raise_for_error().return_value)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
