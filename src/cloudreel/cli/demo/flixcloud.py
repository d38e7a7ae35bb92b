"""Flix Cloud: a job gets a watermark and thumbnails, and its notification is read; another job is refused."""

from __future__ import annotations

import queue
import secrets
from typing import Final
from urllib.parse import quote

from cloudreel.cli.demo.listener import listener, next_of
from cloudreel.cli.demo.stage import FILMS, WATERMARK, Stage
from cloudreel.flixcloud import AsyncFlixCloud, JobNotification, JobRefused

PATIENCE = 60.0  # seconds for the job
ORDER = "order-77 & more"
OUTPUT: Final = "ftp://files.example/flix/film.mp4"


async def act(stage: Stage) -> None:
    """Play the act and report."""
    with listener() as (hook, inbox):
        async with stage.sandbox.flixcloud() as client:
            job = await client.create_job(
                recipe_name="web-hd",
                input_url=f"{FILMS}{quote(stage.clip.path.name)}",
                output_url=OUTPUT,
                output_user="bob",
                output_password=secrets.token_hex(8),
                watermark_url=f"{FILMS}{WATERMARK}",
                thumbnails_url="ftp://files.example/flix/thumbs/",
                thumbnails_prefix="film_",
                notification_url=hook,
                pass_through=ORDER,
            )
            status = await client.wait(job.id, timeout=PATIENCE, poll=0.3)
            stage.report.add(f"job {job.id}", f"{status.task_state}, {len(status.tasks)} tasks")
            await _hear(stage, inbox, job.id)
            await _refused(stage, client)
    stored = OUTPUT.replace("://", "/")
    await stage.play("output with watermark", f"{stage.sandbox.config['base_url']}/storage/{stored}")


async def _hear(stage: Stage, inbox: queue.Queue[bytes], job_id: int) -> None:
    heard = JobNotification(await next_of(inbox))
    made, thumbnails = heard.output_media_file, heard.thumbnail_media_file
    good = (heard.id, heard.state, heard.pass_through) == (job_id, "successful_job", ORDER)
    stage.report.add("notification", f"{heard.state} of job {heard.id}, {heard.pass_through!r}", good)
    if made is None or thumbnails is None or heard.watermark_file is None:
        stage.report.add("files told of", "not all of them", False)
        return
    shape = f"{made.width}x{made.height}, {made.size or 0:,} bytes"
    count = thumbnails.number_of_thumbnails
    stage.report.add("files told of", f"{shape}; {count} thumbnails; a watermark", bool(count))


async def _refused(stage: Stage, client: AsyncFlixCloud) -> None:
    try:
        await client.create_job(recipe_id=3, recipe_name="mpg2avi", input_url="gopher://films.example/x")
    except JobRefused as error:
        stage.report.add("job with mistakes", "; ".join(error.errors), len(error.errors) > 1)
    else:
        stage.report.add("job with mistakes", "accepted", False)
