"""What Flix Cloud posts, or puts, when a job has ended (flixcloud.md 6). PURE.

Nothing in a notification is signed: ask for the job's status before believing it.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from cloudreel.errors import DecodeError
from cloudreel.flixcloud.models import MediaFile, Thumbnails
from cloudreel.flixcloud.values import integer, moment, raw_text, required, text
from cloudreel.flixcloud.xml import Element, read_xml


@frozen
class JobReport:
    """How a job has ended; None is what the service did not say.

    Args:
        id: of the job.
        state: ``successful_job``, ``failed_job`` or ``cancelled_job``; a later word of the service is kept
            as it is.
        recipe_id: what was made.
        recipe_name: its name.
        initialized_job_at: when the job was accepted, in UTC.
        finished_job_at: when it ended, in UTC.
        pass_through: the text given with the job, unchanged.
        error_message: why it failed.
        input_media_file: what it was made of; of a failed job only the URL is known.
        output_media_file: what was made.
        watermark_file: the watermark, where one was asked for.
        thumbnail_media_file: the thumbnails, where they were asked for.
    """

    id: int
    state: str
    recipe_id: int | None = None
    recipe_name: str | None = None
    initialized_job_at: datetime | None = None
    finished_job_at: datetime | None = None
    pass_through: str | None = None
    error_message: str | None = None
    input_media_file: MediaFile | None = None
    output_media_file: MediaFile | None = None
    watermark_file: MediaFile | None = None
    thumbnail_media_file: Thumbnails | None = None

    @property
    def about(self) -> frozenset[str]:
        """The id of the job, as text."""
        return frozenset([str(self.id)])

    @property
    def watermark(self) -> MediaFile | None:
        """The watermark, by the other name that the old client had for it."""
        return self.watermark_file


class JobNotification(JobReport):
    """A notification: how a job has ended.

    Args:
        xml: the body of the request as it came; no more than 1 MiB.

    Raises:
        DecodeError: it is no notification of a job, or XML that nobody should read.
    """

    def __init__(self, xml: bytes | str) -> None:
        job = read_xml(xml)
        if job.name != "job":
            raise DecodeError(f"This is no notification: it is a <{job.name[:40]}>, not a <job>")
        super().__init__(
            id=required(integer(job, "id"), job, "id"),
            state=required(text(job, "state"), job, "state"),
            recipe_id=integer(job, "recipe-id"),
            recipe_name=text(job, "recipe-name"),
            initialized_job_at=moment(job, "initialized-job-at"),
            finished_job_at=moment(job, "finished-job-at"),
            pass_through=raw_text(job, "pass-through"),
            error_message=text(job, "error-message"),
            input_media_file=_media_file(job.child("input-media-file")),
            output_media_file=_media_file(job.child("output-media-file")),
            watermark_file=_media_file(job.child("watermark-file")),
            thumbnail_media_file=_thumbnails(job.child("thumbnail-media-file")),
        )


def _media_file(file: Element | None) -> MediaFile | None:
    if file is None:
        return None
    return MediaFile(
        url=text(file, "url"),
        width=integer(file, "width"),
        height=integer(file, "height"),
        size=integer(file, "size"),
        duration=integer(file, "duration"),
        cost=integer(file, "cost"),
    )


def _thumbnails(folder: Element | None) -> Thumbnails | None:
    if folder is None:
        return None
    return Thumbnails(
        url=text(folder, "url"),
        total_size=integer(folder, "total-size"),
        number_of_thumbnails=integer(folder, "number_of_thumbnails"),
        cost=integer(folder, "cost"),
    )
