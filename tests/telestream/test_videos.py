"""Videos from every source, followed until they are encoded or have failed."""

from __future__ import annotations

import gzip
import hashlib
import io
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.errors import InvalidRequestError, JobFailed, NotFoundError, TimedOut, UploadError
from cloudreel.telestream import (
    AsyncEncoding,
    AsyncFactory,
    AsyncVideo,
    EncodingFailed,
    JobProgress,
    TelestreamCloudException,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cloudreel.uploads.sources import SourceLike
    from conftest import Control, Tap

pytestmark = pytest.mark.anyio

PATIENCE = 120.0
NO_VIDEO = b"This is no video at all.\n" * 100


class Reader:
    """An object with an async ``read``, as the uploads of web frameworks are."""

    filename = "form.mp4"

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    async def read(self, size: int = -1) -> bytes:
        await anyio.lowlevel.checkpoint()
        return self._file.read(size)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(data), 1000):
        await anyio.lowlevel.checkpoint()
        yield data[begin : begin + 1000]


KINDS = ["path", "text path", "bytes", "bytearray", "file", "BytesIO", "gzip", "generator", "reader"]


def source_of(kind: str, path: Path, tmp_path: Path) -> SourceLike:
    """Return the file at ``path`` as one kind of source."""
    data = path.read_bytes()
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(data))
    sources: dict[str, SourceLike] = {
        "path": path,
        "text path": str(path),
        "bytes": data,
        "bytearray": bytearray(data),
        "file": path.open("rb") if kind == "file" else data,
        "BytesIO": io.BytesIO(data),
        "gzip": gzip.GzipFile(packed),
        "generator": pieces(data),
        "reader": Reader(data),
    }
    return sources[kind]


# -- create ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_video_comes_from_any_source(
    factory: AsyncFactory, control: Control, clip: Path, tmp_path: Path, kind: str
) -> None:
    source = source_of(kind, clip, tmp_path)
    video = await factory.videos.create(file=source, profiles="none", payload="mine")
    stored = control.video(video.id)
    assert stored["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert stored["size"] == clip.stat().st_size
    names = {
        "reader": "form.mp4",
        "gzip": "packed.gz",
        "path": "clip.mp4",
        "text path": "clip.mp4",
        "file": "clip.mp4",
    }
    assert video.original_filename == names.get(kind, "upload.bin")
    assert video.payload == "mine"
    if isinstance(source, io.IOBase):
        assert not source.closed
        source.close()


async def test_a_video_comes_from_a_url_and_is_encoded(factory: AsyncFactory, clip: Path) -> None:
    video = await factory.videos.create(
        source_url="http://media.example/clip.mp4", profiles=["mp3", "thumbnail"]
    )
    assert (video.status, video.source_url) == ("processing", "http://media.example/clip.mp4")
    assert await video.wait(timeout=PATIENCE) is video
    assert (video.status, video.width, video.height, video.video_codec) == ("success", 320, 180, "h264")
    assert video.duration is not None
    assert 1900 < video.duration < 2200
    assert video.file_size == clip.stat().st_size
    encodings = {encoding.profile_name: encoding for encoding in await video.encodings.all()}
    assert set(encodings) == {"mp3", "thumbnail"}
    for encoding in encodings.values():
        assert (encoding.status, encoding.encoding_progress) == ("success", 100)
        assert encoding.files or encoding.screenshots
    metadata = await video.metadata()
    assert (metadata["image_width"], metadata["image_height"]) == (320, 180)
    assert '"image_width"' in metadata.to_json(indent=2)


@pytest.mark.parametrize("profiles", ["none", ["none"]])
async def test_no_profiles_means_no_encodings(
    factory: AsyncFactory, clip: Path, profiles: str | list[str]
) -> None:
    video = await factory.videos.create(file=clip, profiles=profiles)
    await video.wait(timeout=PATIENCE)
    assert await video.encodings.all() == []


async def test_profiles_left_open_are_all_of_the_factory(factory: AsyncFactory) -> None:
    video = await factory.videos.create(source_url="http://127.0.0.1:1/a.mp4")
    profiles = {profile.name for profile in await factory.profiles.all()}
    assert {encoding.profile_name for encoding in await video.encodings.all()} == profiles


@pytest.mark.parametrize("sources", [{}, {"source_url": "http://media.example/clip.mp4", "file": b"abc"}])
async def test_exactly_one_source_is_needed(
    factory: AsyncFactory, control: Control, sources: dict[str, str | bytes]
) -> None:
    before = len(control.requests())
    with pytest.raises(InvalidRequestError, match="exactly one") as caught:
        await factory.videos.create(**sources)
    assert isinstance(caught.value, TelestreamCloudException)
    assert len(control.requests()) == before


async def test_what_cannot_be_sent_is_refused_before_any_traffic(
    factory: AsyncFactory, control: Control, tmp_path: Path
) -> None:
    before = len(control.requests())
    (tmp_path / "text.txt").write_text("abc")
    with pytest.raises(FileNotFoundError):
        await factory.videos.create(file=tmp_path / "nothing.mp4")
    with pytest.raises(IsADirectoryError):
        await factory.videos.create(file=tmp_path)
    with pytest.raises(UploadError, match="empty"):
        await factory.videos.create(file=b"")
    with (tmp_path / "text.txt").open() as text, pytest.raises(TypeError, match="binary"):
        await factory.videos.create(file=text)
    assert len(control.requests()) == before


async def test_an_unknown_profile_is_refused(factory: AsyncFactory) -> None:
    with pytest.raises(NotFoundError):
        await factory.videos.create(file=NO_VIDEO, profiles="nonesuch")
    assert await factory.videos.all() == []


async def test_a_pipeline_goes_along_as_json(tapped: AsyncFactory, tap: Tap) -> None:
    pipeline = {"h264": {"next": ["mp3"]}}
    params = {"pipeline": pipeline, "path_format": ":video_id/:profile/:id"}
    video = await tapped.videos.create(source_url="http://127.0.0.1:1/a.mp4", profiles="none", **params)
    assert tap.params()["pipeline"] == '{"h264":{"next":["mp3"]}}'
    assert params == {"pipeline": {"h264": {"next": ["mp3"]}}, "path_format": ":video_id/:profile/:id"}
    assert params["pipeline"] is pipeline
    await video.delete()


# -- wait and watch --------------------------------------------------------------------------------------


async def test_a_text_fails_as_a_video(factory: AsyncFactory) -> None:
    video = await factory.videos.create(file=NO_VIDEO, profiles="h264")
    with pytest.raises(JobFailed) as caught:
        await video.wait(timeout=PATIENCE)
    error = caught.value
    assert isinstance(error, EncodingFailed)
    assert isinstance(error, TelestreamCloudException)
    assert error.job is video
    assert (video.status, video.error_class) == ("fail", "FormatNotRecognised")
    assert str(error).startswith(f"Video {video.id} failed: FormatNotRecognised")
    events = [event async for event in video.watch()]
    assert [event.video.status for event in events] == ["fail"]
    (encoding,) = await video.encodings.all()
    with pytest.raises(JobFailed) as caught:
        await encoding.wait(timeout=PATIENCE)
    assert caught.value.job is encoding
    assert encoding.error_class == "VideoStatusInvalid"


async def test_one_failed_encoding_fails_the_wait_for_the_video(factory: AsyncFactory, clip: Path) -> None:
    await factory.profiles.create(name="broken", command="no such thing", extname=".mp4")
    video = await factory.videos.create(file=clip, profiles="broken")
    with pytest.raises(EncodingFailed, match=r"\(broken\) failed") as caught:
        await video.wait(timeout=PATIENCE)
    assert isinstance(caught.value.job, AsyncEncoding)
    assert caught.value.job.profile_name == "broken"
    assert video.status == "success"


async def test_waiting_ends_in_time(factory: AsyncFactory, control: Control) -> None:
    video = await factory.videos.create(source_url="http://127.0.0.1:1/a.mp4", profiles="none")
    control.fault("delay", path=f"*/videos/{video.id}.json", seconds=30, times=10)
    with pytest.raises(TimedOut, match="not ready") as caught:
        await video.wait(timeout=0.3, poll=0.05)
    assert isinstance(caught.value, TelestreamCloudException)
    assert isinstance(caught.value, TimeoutError)
    assert not isinstance(caught.value, JobFailed)


async def test_watching_shows_progress_until_the_end(factory: AsyncFactory, clip: Path) -> None:
    video = await factory.videos.create(file=clip, profiles="mp3")
    events: list[JobProgress] = [event async for event in video.watch(poll=0.02)]
    assert events[-1].final
    assert events[-1].percent == 100
    assert events[-1].failed is None
    assert all(not event.final for event in events[:-1])
    assert [event.percent for event in events] == sorted(event.percent for event in events)
    (encoding,) = await video.encodings.all()
    assert await encoding.wait(timeout=PATIENCE) is encoding


async def test_a_watch_may_be_left(factory: AsyncFactory) -> None:
    video = await factory.videos.create(source_url="http://127.0.0.1:1/a.mp4", profiles="none")
    async for event in video.watch():
        assert event.video.id == video.id
        break
    await video.reload()


# -- what can be done to them ----------------------------------------------------------------------------


async def test_the_source_can_be_deleted(factory: AsyncFactory, clip: Path) -> None:
    video = await factory.videos.create(file=clip, profiles="none")
    await video.wait(timeout=PATIENCE)
    assert await video.delete_source_file() is True
    encoding = await video.encodings.create(profile_name="mp3")
    with pytest.raises(JobFailed, match="FileNotFound"):
        await encoding.wait(timeout=PATIENCE)
    assert isinstance(await factory.videos.find(str(video.id)), AsyncVideo)


async def test_an_encoding_is_cancelled_and_tried_again(
    factory: AsyncFactory, control: Control, clip: Path
) -> None:
    video = await factory.videos.create(file=clip, profiles="none")
    await video.wait(timeout=PATIENCE)
    encoding = await video.encodings.create(profile_name="webm")
    assert await encoding.cancel() is True
    with pytest.raises(JobFailed, match="cancel") as caught:
        await encoding.wait(timeout=PATIENCE)
    assert caught.value.job is encoding
    with pytest.raises(InvalidRequestError):
        await encoding.cancel()
    profile = await encoding.profile()
    profile.width, profile.height, profile.video_bitrate = 64, 36, 50
    await profile.save()
    assert await encoding.retry() is True
    await encoding.wait(timeout=PATIENCE)
    assert encoding.status == "success"
    with pytest.raises(InvalidRequestError):
        await encoding.retry()
