"""Following jobs: what counts as final, failed, how far, and as news."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.panda.models import EncodingFields, VideoFields
from cloudreel.panda.waiting import JobProgress, failure_text, percent_of, watch

T = TypeVar("T")


def job(video: str | None, *encodings: str | None) -> JobProgress:
    parts = (EncodingFields(id=str(number), status=status) for number, status in enumerate(encodings))
    return JobProgress(VideoFields(id="1f", status=video), tuple(parts))


@pytest.mark.parametrize(
    ("progress", "final", "failed"),
    [
        (job("processing"), False, None),
        (job("success"), True, None),
        (job("fail"), True, "1f"),
        (job("fail", "processing"), True, "1f"),
        (job("processing", "processing"), False, None),
        (job("success", "processing", "success"), False, None),
        (job("success", "success", "success"), True, None),
        (job("success", "success", "fail"), True, "1"),
        (job("success", "fail", "processing"), False, "0"),
        (job(None, None), False, None),
        (job("a later word", "success"), False, None),
    ],
)
def test_final_and_failed(progress: JobProgress, final: bool, failed: str | None) -> None:
    assert progress.final is final
    assert (progress.failed.id if progress.failed else None) == failed


@pytest.mark.parametrize(
    ("status", "progress", "percent"),
    [
        ("processing", None, 0),
        ("processing", 37.5, 37.5),
        ("processing", 130, 100),
        ("success", 99, 100),
        ("success", None, 100),
        ("fail", 40, 40),
        ("fail", None, 0),
    ],
)
def test_percent_of_an_encoding(status: str, progress: float | None, percent: float) -> None:
    assert percent_of(EncodingFields(status=status, encoding_progress=progress)) == percent


@pytest.mark.parametrize(
    ("progress", "percent"),
    [
        (job("processing"), 0),
        (job("success"), 100),
        (job("success", "success", "processing"), 50),
        (job("success", "success", "success"), 100),
    ],
)
def test_percent_of_a_job_is_the_mean(progress: JobProgress, percent: float) -> None:
    assert progress.percent == percent


def test_a_job_goes_by_the_ids_of_the_video_and_its_encodings() -> None:
    assert job("success", "fail", "processing").ids == {"1f", "0", "1"}
    assert JobProgress(VideoFields(), (EncodingFields(),)).ids == frozenset()


@given(st.lists(st.tuples(st.sampled_from(["processing", "success", "fail"]), st.floats(0, 200) | st.none())))
def test_percent_stays_within_bounds(encodings: list[tuple[str, float | None]]) -> None:
    made = tuple(EncodingFields(status=status, encoding_progress=done) for status, done in encodings)
    assert 0 <= JobProgress(VideoFields(status="success"), made).percent <= 100


@pytest.mark.parametrize(
    ("failed", "text"),
    [
        (
            VideoFields(id="1f", error_class="FormatNotRecognised", error_message="no video"),
            "Video 1f failed: FormatNotRecognised: no video",
        ),
        (VideoFields(id="1f"), "Video 1f failed: no reason given"),
        (
            EncodingFields(id="2e", profile_name="h264", error_class="EncodingError"),
            "Encoding 2e (h264) failed: EncodingError",
        ),
    ],
)
def test_a_failure_says_who_and_why(failed: VideoFields | EncodingFields, text: str) -> None:
    assert failure_text(failed) == text


# -- looking ---------------------------------------------------------------------------------------------


def looks(states: Sequence[T]) -> tuple[Callable[[], Awaitable[T]], list[T]]:
    """Return a look that sees one state after the other, the last one forever, and what it has seen."""
    seen: list[T] = []

    async def look() -> T:
        await anyio.lowlevel.checkpoint()
        seen.append(states[min(len(seen), len(states) - 1)])
        return seen[-1]

    return look, seen


@pytest.mark.anyio
async def test_watch_tells_each_change_once_and_ends_with_the_last(pauses: list[float]) -> None:
    half = job("success", "processing")
    more = JobProgress(half.video, (evolve(half.encodings[0], encoding_progress=50.0),))
    states = [job("processing", "processing"), half, half, more, more, job("success", "success")]
    look, seen = looks(states)
    events = [event async for event in watch(look, 0)]
    assert events == [states[0], half, more, states[-1]]
    assert seen == states
    assert len(pauses) == len(states) - 1


@pytest.mark.anyio
async def test_watch_goes_on_after_one_encoding_has_failed(pauses: list[float]) -> None:
    states = [job("success", "fail", "processing"), job("success", "fail", "success")]
    look, _ = looks(states)
    assert [event async for event in watch(look, None)] == states
