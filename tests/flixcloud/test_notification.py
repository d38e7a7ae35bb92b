"""What the service posts when a job has ended: every documented shape, and what is none."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from cloudreel.errors import DecodeError
from cloudreel.flixcloud import JobNotification, MediaFile, Thumbnails

SUCCESSFUL = b"""<?xml version="1.0" encoding="UTF-8"?>
<job>
  <id type="integer">5012</id>
  <initialized-job-at type="datetime">2009-08-03T10:00:00Z</initialized-job-at>
  <pass-through> order-77\n</pass-through>
  <recipe-name>web-sd</recipe-name>
  <recipe-id type="integer">17</recipe-id>
  <state>successful_job</state>
  <error-message></error-message>
  <finished-job-at type="datetime">2009-08-03T12:06:31+02:00</finished-job-at>
  <input-media-file>
    <url>ftp://bob:s3cret@files.example/in.mpg</url><width>1280</width><height>720</height>
    <size>5000000000</size><duration>61000</duration><cost>0</cost>
  </input-media-file>
  <output-media-file>
    <url>s3://bucket/out.mov</url><width>320</width><height>176</height>
    <size>812345</size><duration>61000</duration><cost>123</cost>
  </output-media-file>
  <watermark-file>
    <url>http://media.example/logo.png</url><size>5321</size><cost>321</cost>
  </watermark-file>
  <thumbnail-media-file>
    <url>s3://bucket/thumbs/</url><total-size>123</total-size><cost>32</cost>
    <number_of_thumbnails>3</number_of_thumbnails>
  </thumbnail-media-file>
</job>
"""

FAILED = """
<?xml version="1.0" encoding="UTF-8"?>
<job>
  <finished-job-at type="datetime">2009-08-03T10:06:31Z</finished-job-at>
  <output-media-file>
    <url>ftp://files.example/out.mov</url>
    <width></width><height></height><size></size><duration></duration><cost>0</cost>
  </output-media-file>
  <input-media-file>
    <url>ftp://files.example/in.mpg</url>
    <width/><height/><size/><duration/><cost>0</cost>
  </input-media-file>
  <pass-through nil="true"></pass-through>
  <state> failed_job </state>
  <error-message>The input is no video.</error-message>
  <id type="integer">5013</id>
</job>
"""


def test_a_job_that_ended_well() -> None:
    job = JobNotification(SUCCESSFUL)
    assert (job.id, job.state, job.recipe_id, job.recipe_name) == (5012, "successful_job", 17, "web-sd")
    assert job.initialized_job_at == datetime(2009, 8, 3, 10, 0, 0, tzinfo=UTC)
    assert job.finished_job_at == datetime(2009, 8, 3, 10, 6, 31, tzinfo=UTC)
    assert job.finished_job_at.tzinfo is UTC
    assert (job.pass_through, job.error_message) == (" order-77\n", None)
    assert job.input_media_file == MediaFile(
        "ftp://bob:s3cret@files.example/in.mpg", 1280, 720, 5_000_000_000, 61000, 0
    )
    assert job.output_media_file == MediaFile("s3://bucket/out.mov", 320, 176, 812345, 61000, 123)
    assert job.watermark_file == MediaFile("http://media.example/logo.png", size=5321, cost=321)
    assert job.watermark is job.watermark_file
    assert job.thumbnail_media_file == Thumbnails("s3://bucket/thumbs/", 123, 3, 32)


def test_a_job_that_failed() -> None:
    job = JobNotification(FAILED)
    assert (job.id, job.state, job.error_message) == (5013, "failed_job", "The input is no video.")
    assert (job.pass_through, job.recipe_id, job.recipe_name, job.initialized_job_at) == (None,) * 4
    assert job.input_media_file == MediaFile("ftp://files.example/in.mpg", cost=0)
    assert job.output_media_file == MediaFile("ftp://files.example/out.mov", cost=0)
    assert (job.watermark, job.thumbnail_media_file) == (None, None)
    assert JobNotification(FAILED.encode()) == job


@pytest.mark.parametrize("state", ["cancelled_job", "a_state_of_tomorrow"])
def test_other_states_are_kept(state: str) -> None:
    job = JobNotification(f"<job><id>1</id><state>{state}</state><input-media-file/></job>")
    assert (job.state, job.input_media_file, job.output_media_file) == (state, MediaFile(), None)


def test_only_the_right_parent_s_children_count() -> None:
    job = JobNotification(
        "<job><input-media-file><file><url>x</url></file><id>2</id><state>a</state></input-media-file>"
        "<other><output-media-file/></other><state>failed_job</state><id>1</id></job>"
    )
    assert (job.id, job.state, job.input_media_file, job.output_media_file) == (
        1,
        "failed_job",
        MediaFile(),
        None,
    )


def test_a_notification_is_a_value() -> None:
    job = JobNotification(SUCCESSFUL)
    assert job == JobNotification(SUCCESSFUL.decode())
    assert job != JobNotification(FAILED)
    assert len({job, JobNotification(b"\n " + SUCCESSFUL)}) == 1
    assert pickle.loads(pickle.dumps(job)) == copy.deepcopy(job) == job
    assert repr(job).startswith("JobNotification(id=5012, state='successful_job', recipe_id=17, ")
    assert "url='ftp://***@files.example/in.mpg'" in repr(job)
    anything: Any = job
    with pytest.raises(FrozenInstanceError):
        anything.state = "failed_job"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "no well-formed XML"),
        ("hello", "no well-formed XML"),
        ("<html/>", "it is a <html>, not a <job>"),
        (f"<{'a' * 9999}/>", "it is a <aaaa"),
        ("<job/>", "<job> has no <id>"),
        ("<job><id>1</id></job>", "<job> has no <state>"),
        ("<job><id>1</id><state> </state></job>", "<job> has no <state>"),
        ("<job><id>1</id><task-state>successful_job</task-state></job>", "<job> has no <state>"),
        ("<job><state>failed_job</state></job>", "<job> has no <id>"),
        ("<job><id>one</id><state>failed_job</state></job>", "<id> of the <job> is no whole number"),
        (f"<job><id>{'9' * 9999}</id><state>failed_job</state></job>", "is no whole number"),
        (
            "<job><id>1</id><state>a</state><input-media-file><width>wide</width></input-media-file></job>",
            "<width> of the <input-media-file> is no whole number",
        ),
        (
            "<job><id>1</id><state>a</state><thumbnail-media-file><cost>nan</cost></thumbnail-media-file></job>",
            "<cost> of the <thumbnail-media-file> is no ",
        ),
        ("<job><id>1</id><state>a</state><finished-job-at>2009</finished-job-at></job>", "is no "),
        ("<!DOCTYPE job><job><id>1</id><state>a</state></job>", "DOCTYPE"),
        (f"<job><id>1</id><state>a</state><pass-through>{'x' * 2**20}</pass-through></job>", "larger"),
    ],
    ids=range(16),
)
def test_what_is_no_notification_is_refused(body: str, why: str) -> None:
    for form in (body, body.encode()):
        with pytest.raises(DecodeError) as caught:
            JobNotification(form)
        assert why in str(caught.value)
        assert len(str(caught.value)) < 200
