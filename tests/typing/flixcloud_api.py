"""The types that callers of Flix Cloud see, with and without async: checked, never run."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from cloudreel import AsyncFlixCloud, CloudReelError, FlixCloud
from cloudreel.flixcloud import (
    AsyncJob,
    CuePoint,
    CuePoints,
    FlixCloudError,
    Job,
    JobInfo,
    JobNotification,
    JobParams,
    JobStatus,
    MediaFile,
    Recipe,
    SentParams,
    Task,
    Thumbnails,
    wait_all,
    wait_all_sync,
)
from cloudreel.notifications import Notification, VideoNotification, parse

CUE_POINTS: CuePoints = {"event": [CuePoint("intro", 1.4, {"key": "value"})]}
PARAMS: JobParams = {"recipe_id": 3, "input_url": "s3://bucket/in", "cue_points": CUE_POINTS}
SENT: SentParams = {**PARAMS, "send": True}


async def facade_async(fc: AsyncFlixCloud) -> None:
    async with fc as same:
        assert_type(same, AsyncFlixCloud)
    assert_type(AsyncFlixCloud.from_env(), AsyncFlixCloud)
    assert_type(AsyncFlixCloud(lambda: "key", base_url="http://localhost/"), AsyncFlixCloud)
    assert_type(fc.with_options(timeout=5.0), AsyncFlixCloud)
    assert_type(await fc.create_job(recipe_name="mpg2avi", input_url="a", output_user=None), JobInfo)
    assert_type(await fc.create_job(**PARAMS), JobInfo)
    assert_type(await fc.job_status(1), JobStatus)
    assert_type(await fc.wait(1, timeout=5.0, poll=0.5), JobStatus)
    assert_type(await wait_all(fc, [1, "2"], timeout=5.0), list[JobStatus])
    assert_type(await wait_all(fc, [1], collect=True), list[JobStatus | CloudReelError])
    assert_type(await fc.recipes(), list[Recipe])
    job = fc.job(PARAMS)
    assert_type(job, AsyncJob)
    assert_type(await job.send(), bool)
    assert_type(job.validate(), bool)
    assert_type(AsyncJob("key"), AsyncJob)
    assert_type(await AsyncJob.create("key", SENT, base_url="http://localhost/"), AsyncJob)


def facade_sync(fc: FlixCloud) -> None:
    with fc as same:
        assert_type(same, FlixCloud)
    assert_type(FlixCloud.from_env(), FlixCloud)
    assert_type(FlixCloud(lambda: "key", base_url="http://localhost/"), FlixCloud)
    assert_type(fc.with_options(timeout=5.0), FlixCloud)
    assert_type(fc.create_job(recipe_name="mpg2avi", input_url="a", output_user=None), JobInfo)
    assert_type(fc.create_job(**PARAMS), JobInfo)
    assert_type(fc.job_status(1), JobStatus)
    assert_type(fc.wait(1, timeout=5.0, poll=0.5), JobStatus)
    assert_type(wait_all_sync(fc, [1, "2"], timeout=5.0), list[JobStatus])
    assert_type(wait_all_sync(fc, [1], collect=True), list[JobStatus | CloudReelError])
    assert_type(fc.recipes(), list[Recipe])
    job = fc.job(PARAMS)
    assert_type(job, Job)
    assert_type(job.send(), bool)
    assert_type(job.validate(), bool)
    assert_type(job.success, bool)
    assert_type(job.errors, list[str])
    job.recipe_id = 3
    assert_type(job.id, int | None)
    assert_type(Job("key"), Job)
    assert_type(Job("key", {"recipe_name": "mpg2avi", "send": True}), Job)
    assert_type(Job("key", SENT, base_url="http://localhost/"), Job)


def values(
    info: JobInfo, status: JobStatus, job: JobNotification, error: FlixCloudError, body: bytes
) -> None:
    assert_type(info.id, int)
    assert_type(info.initialized_job_at, datetime | None)
    assert_type(status.task_state, str)
    assert_type(status.tasks["transcoding"], Task)
    assert_type(status.tasks["transcoding"].percent, float | None)
    assert_type(error.errors, tuple[str, ...])
    assert_type(JobNotification(body), JobNotification)
    assert_type(JobNotification("<job/>"), JobNotification)
    assert_type(job.id, int)
    assert_type(job.state, str)
    assert_type(job.output_media_file, MediaFile | None)
    assert_type(job.watermark, MediaFile | None)
    assert_type(job.thumbnail_media_file, Thumbnails | None)
    found = parse(body, "text/xml")
    assert_type(found, Notification)
    assert_type(found, VideoNotification | JobNotification)
