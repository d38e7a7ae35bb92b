"""Videos and encodings from a user's side: made, listed, followed, encoded again, given up."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.errors import JobFailed, TimedOut
from cloudreel.panda import (
    AsyncEncoding,
    AsyncPanda,
    AsyncProfile,
    AsyncVideo,
    BadRequest,
    EncodingFailed,
    JobProgress,
    Metadata,
    PandaError,
    RecordNotFound,
    WaitTimedOut,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.sandbox import Sandbox

pytestmark = pytest.mark.anyio

PATIENCE = 120.0
NO_VIDEO = b"This is no video at all.\n" * 100


@pytest.fixture(scope="module")
def film(sandbox: Sandbox, clip: Path) -> dict[str, Any]:
    """A video with one good encoding, for all who only look."""
    with sandbox.sync.panda() as panda:
        video = panda.videos.create(file=clip, profiles="mp3", payload="mine")
        return dict(video.wait(timeout=PATIENCE))


async def test_a_film_is_followed_to_its_encodings(panda: AsyncPanda, clip: Path) -> None:
    video = await panda.videos.create(file=clip, profiles=["mp3"])
    assert isinstance(video, AsyncVideo)
    assert (video["original_filename"], video.status) == ("clip.mp4", "processing")
    seen = [progress async for progress in video.watch()]
    assert all(isinstance(progress, JobProgress) for progress in seen)
    assert (seen[-1].final, seen[-1].percent) == (True, 100.0)
    assert video.status == "processing"  # watching changes nothing
    assert await video.wait(timeout=PATIENCE) is video
    assert (video.status, video.width, video["height"]) == ("success", 320, 180)
    (encoding,) = await video.encodings(status="success")
    assert isinstance(encoding, AsyncEncoding)
    assert await encoding.wait(timeout=PATIENCE) is encoding
    assert encoding["files"] == encoding.files == [f"{encoding.path}{encoding.extname}"]
    assert await video.encodings(status="fail") == []


async def test_relatives_are_of_the_right_type(panda: AsyncPanda, film: dict[str, Any]) -> None:
    video = await panda.videos.find(film["id"])
    assert (video.payload, video == film) == ("mine", True)
    (encoding,) = await video.encodings()
    parent, profile, metadata = await encoding.video(), await encoding.profile(), await video.metadata()
    assert (type(parent), parent.id) == (AsyncVideo, video.id)
    assert (type(profile), profile.name) == (AsyncProfile, "mp3")
    assert type(metadata) is Metadata
    assert metadata["image_width"] == 320
    assert '"image_width":' in metadata.to_json(indent=2)
    found = await panda.encodings.find(str(encoding.id))
    assert found == encoding
    assert encoding.id in [e.id for e in await panda.encodings.all(video_id=film["id"])]
    assert encoding.id in [e.id async for e in panda.encodings.iterate(per_page=1)]
    assert encoding.id in [e["id"] for e in await panda.encodings.where(lambda e: e.status == "success")]
    assert video.id in [v.id for v in await panda.videos.where(lambda v: v["payload"] == "mine")]
    await encoding.reload()
    assert encoding == found


async def test_a_video_comes_from_a_url_or_any_file(panda: AsyncPanda) -> None:
    fetched = await panda.videos.create(source_url="http://media.example/clip.mp4", profiles="none")
    await fetched.wait(timeout=PATIENCE)
    assert (fetched.width, await fetched.encodings()) == (320, [])
    again = await fetched.dup().create()
    assert (again.source_url, again.id != fetched.id) == ("http://media.example/clip.mp4", True)
    streamed = await panda.videos.create(file=io.BytesIO(NO_VIDEO), profiles="none")
    assert streamed.original_filename == "upload.bin"
    assert await again.delete() is True
    with pytest.raises(RecordNotFound, match="Couldn't find Video"):
        await again.reload()


async def test_new_takes_a_path_and_create_sends_the_file(panda: AsyncPanda, clip: Path) -> None:
    video = panda.videos.new(file=str(clip), profiles="none", payload="p")
    assert dict(video) == {"file": str(clip), "profiles": "none", "payload": "p"}
    assert await video.create() is video
    assert (video.original_filename, video.payload, "file" in video) == ("clip.mp4", "p", False)
    missing = panda.videos.new(file=str(clip.with_name("nothing.mp4")))
    with pytest.raises(FileNotFoundError):
        await missing.create()


async def test_one_more_encoding(panda: AsyncPanda, film: dict[str, Any]) -> None:
    encoding = await panda.encodings.create(video_id=film["id"], profile_name="aac")
    assert (encoding.status, encoding.encoding_progress) == ("processing", 0)
    await encoding.wait(timeout=PATIENCE)
    again = await encoding.dup().create()
    assert (again.profile_name, again.id != encoding.id) == ("aac", True)
    await again.wait(timeout=PATIENCE)
    with pytest.raises(BadRequest):
        await again.retry()
    assert await again.delete() is True
    assert await encoding.delete() is True


async def test_a_source_that_is_no_video_fails_with_its_reason(panda: AsyncPanda) -> None:
    video = await panda.videos.create(file=NO_VIDEO, profiles="mp3")
    with pytest.raises(EncodingFailed, match=f"Video {video.id} failed: FormatNotRecognised") as caught:
        await video.wait(timeout=PATIENCE)
    assert isinstance(caught.value, PandaError)
    assert isinstance(caught.value, JobFailed)
    assert caught.value.job is video
    assert video["status"] == "fail"


async def test_a_failed_encoding_is_the_job_and_can_be_retried(
    panda: AsyncPanda, film: dict[str, Any]
) -> None:
    profile = await panda.profiles.create(
        name=f"broken-{film['id']}", extname=".mp4", command="ffmpeg -i $input_file$ -nonsense $output_file$"
    )
    try:
        encoding = await panda.encodings.create(video_id=film["id"], profile_id=profile.id)
        with pytest.raises(EncodingFailed, match=r"Encoding \w+ \(broken-") as caught:
            await encoding.wait(timeout=PATIENCE)
        assert caught.value.job is encoding
        video = await panda.videos.find(film["id"])
        with pytest.raises(EncodingFailed) as caught:
            await video.wait(timeout=PATIENCE)
        assert isinstance(caught.value.job, AsyncEncoding)
        assert caught.value.job.id == encoding.id
        assert await encoding.retry() is True
        with pytest.raises(EncodingFailed):
            await encoding.wait(timeout=PATIENCE)
        assert await encoding.delete() is True
    finally:
        await profile.delete()


async def test_out_of_time(panda: AsyncPanda, clip: Path) -> None:
    video = await panda.videos.create(file=clip, profiles="h264")
    with pytest.raises(WaitTimedOut, match=f"Video {video.id} was not ready after 0 s") as caught:
        await video.wait(timeout=0)
    assert isinstance(caught.value, TimedOut)
    (encoding,) = await video.encodings()
    if (await panda.encodings.find(str(encoding.id))).status == "processing":
        assert await encoding.cancel() is True
    await video.delete()


async def test_an_encoding_without_parents_says_so(panda: AsyncPanda) -> None:
    encoding = panda.encodings.new(status="fail")
    with pytest.raises(BadRequest, match="has no video_id"):
        await encoding.video()
    with pytest.raises(BadRequest, match="has no profile_id and no profile_name"):
        await encoding.profile()
    with pytest.raises(BadRequest, match="has no id yet"):
        await encoding.reload()


async def test_notifications_change_only_what_is_given(panda: AsyncPanda) -> None:
    settings = await panda.notifications.get()
    settings["url"] = "http://hook.example/panda"
    settings["events"] = {"video_encoded": True, "video_created": False}
    await settings.save()
    settings["events"] = {"encoding_completed": True}
    await settings.save()
    fresh = await panda.notifications.get()
    assert fresh == settings
    assert fresh.events == {
        "video_created": False,
        "video_encoded": True,
        "encoding_progress": False,
        "encoding_completed": True,
    }
    settings.url = None
    settings["events"] = dict.fromkeys(fresh.events, False)
    await settings.save()
    assert ((await panda.notifications.get()).url or None) is None


async def test_a_video_that_fails_while_it_is_looked_at_is_what_failed() -> None:
    broken = {"error_class": "FormatNotRecognised", "error_message": "no video"}
    states = iter([{"status": "processing"}, {"status": "fail", **broken}])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/encodings.json"):
            first = request.url.params.get("page") in (None, "1")
            return httpx.Response(200, json=[{"id": "e1", "status": "fail"}] if first else [])
        return httpx.Response(200, json={"id": "v1", **next(states)})

    async with AsyncPanda("access", "secret", "cloud", transport=httpx.MockTransport(answer)) as panda:
        with pytest.raises(EncodingFailed, match="Video v1 failed: FormatNotRecognised"):
            await panda.videos.new(id="v1").wait()
