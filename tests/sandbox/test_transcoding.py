"""Transcoding: recipes become real files that are what was asked for."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import attrs
import pytest

from cloudreel.sandbox.media import (
    EncodingFailed,
    MediaInfo,
    NotMedia,
    Recipe,
    Transcoder,
    recipe_from_profile,
)
from cloudreel.sandbox.media.ffmpeg import run

pytestmark = pytest.mark.anyio

ONE_LOOP = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # what ffmpeg makes is the same on any


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Kitchen:
    """A transcoder, where its results go, and the progress it told."""

    def __init__(self, folder: Path, clip: Path) -> None:
        self.clip = clip
        self.out = folder / "out"
        self.work = folder / "work"
        self.transcoder = Transcoder(self.work)
        self.progress: list[float] = []

    async def encode(
        self, preset: str, source: Path | None = None, **fields: object
    ) -> tuple[Recipe, MediaInfo]:
        recipe = recipe_from_profile({"preset_name": preset, "frame_count": 0, **fields})
        self.made = await self.transcoder.encode(
            source or self.clip, recipe, self.out / "result", progress=self.progress.append
        )
        assert sorted({*self.made.files, *self.made.screenshots}) == names(self.out)
        assert names(self.work) == []
        assert self.made.info is not None
        return recipe, self.made.info


@pytest.fixture
def kitchen(tmp_path: Path, clip: Path) -> Kitchen:
    return Kitchen(tmp_path, clip)


async def test_probe(kitchen: Kitchen) -> None:
    info = await kitchen.transcoder.probe(kitchen.clip)
    assert (info.width, info.height, info.fps, info.duration_ms) == (320, 180, 25.0, 2000)
    assert (info.video_codec, info.audio_codec, info.audio_channels) == ("h264", "aac", 2)
    assert (info.mime_type, info.extname, info.file_size) == (
        "video/mp4",
        ".mp4",
        kitchen.clip.stat().st_size,
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"This is no video.\n" * 100),
        ("empty.mp4", b""),
        ("noise.mp4", bytes(range(256)) * 64),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:2,\nclip.mp4\n#EXT-X-ENDLIST\n"),
        ("list.mp4", b"ffconcat version 1.0\nfile clip.mp4\n"),
        ("-v", b"dash"),
    ],
)
async def test_hostile_files_are_no_media(
    kitchen: Kitchen, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / "clip.mp4").write_bytes(kitchen.clip.read_bytes())
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(NotMedia) as caught:
        await kitchen.transcoder.probe(source)
    assert str(tmp_path) not in str(caught.value)


@ONE_LOOP
async def test_h264_is_what_was_asked_for(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode("h264", width=160, height=120, fps=10, video_bitrate=200, audio_channels=1)
    assert (info.width, info.height, info.fps, info.video_codec) == (160, 120, 10.0, "h264")
    assert (info.audio_codec, info.audio_channels, info.mime_type) == ("aac", 1, "video/mp4")
    assert info.video_bitrate is not None
    assert 20 < info.video_bitrate < 600
    assert kitchen.made.files == ["result.mp4"]


@ONE_LOOP
async def test_webm_is_vp8_and_vorbis(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode("webm", width=160, height=90, video_bitrate=100)
    assert (info.container, info.video_codec, info.audio_codec) == ("webm", "vp8", "vorbis")
    assert (info.width, info.height, info.fps) == (160, 90, 25.0)
    assert info.file_size * 8 / 2 < 600_000


@ONE_LOOP
async def test_ogg_is_theora_and_vorbis(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode("ogg", width=160, height=90)
    assert (info.container, info.video_codec, info.audio_codec) == ("ogg", "theora", "vorbis")
    assert (info.width, info.height, info.mime_type) == (160, 90, "video/ogg")


@ONE_LOOP
@pytest.mark.parametrize(
    ("preset", "codec", "mime_type"),
    [("mp3", "mp3", "audio/mpeg"), ("aac", "aac", "audio/aac"), ("vorbis", "vorbis", "audio/ogg")],
)
async def test_sound_alone(kitchen: Kitchen, preset: str, codec: str, mime_type: str) -> None:
    _, info = await kitchen.encode(preset, audio_bitrate=96, audio_sample_rate=48000)
    assert (info.audio_codec, info.video_codec, info.mime_type) == (codec, None, mime_type)
    assert info.audio_sample_rate == 48000
    assert info.audio_bitrate is not None
    assert 48 <= info.audio_bitrate <= 192


@ONE_LOOP
async def test_hls_has_a_playlist_and_segments(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode("hls.variant", width=160, height=90)
    assert kitchen.made.files == ["result.m3u8", "result_1.ts"]
    assert (info.container, info.duration_ms, info.extname) == ("hls", 2000, ".m3u8")
    assert "result_1.ts" in (kitchen.out / "result.m3u8").read_text().splitlines()

    recipe = recipe_from_profile({"preset_name": "hls.variant.playlist"})
    both = attrs.evolve(recipe, variants=("result.m3u8",))
    made = await kitchen.transcoder.encode(kitchen.clip, both, kitchen.out / "all", progress=lambda _: None)
    assert made.files == ["all.m3u8"]
    assert "RESOLUTION=160x90" in (kitchen.out / "all.m3u8").read_text()
    with pytest.raises(EncodingFailed, match="HLSVariantsNotFound"):
        await kitchen.transcoder.encode(kitchen.clip, recipe, kitchen.out / "none", progress=lambda _: None)


@ONE_LOOP
async def test_thumbnails_and_screenshots(kitchen: Kitchen) -> None:
    recipe = recipe_from_profile({"preset_name": "thumbnail", "width": 160, "height": 160, "frame_count": 3})
    made = await kitchen.transcoder.encode(kitchen.clip, recipe, kitchen.out / "a", progress=lambda _: None)
    assert made.files == made.screenshots == ["a_1.jpg", "a_2.jpg", "a_3.jpg"]
    assert made.info is None
    assert (kitchen.out / "a_2.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    assert (kitchen.out / "a_1.jpg").read_bytes() != (kitchen.out / "a_3.jpg").read_bytes()
    film = recipe_from_profile({"preset_name": "h264", "width": 160, "height": 90})
    made = await kitchen.transcoder.encode(kitchen.clip, film, kitchen.out / "50%d", progress=lambda _: None)
    assert made.files == ["50%d.mp4"]
    assert made.screenshots == [f"50%d_{number}.jpg" for number in range(1, 8)]


@ONE_LOOP
@pytest.mark.parametrize(
    ("mode", "size"),
    [("letterbox", (160, 160)), ("constrain", (160, 90)), ("crop", (160, 160)), ("preserve", (320, 180))],
)
async def test_aspect_modes_for_real(kitchen: Kitchen, mode: str, size: tuple[int, int]) -> None:
    _, info = await kitchen.encode("h264", width=160, height=160, aspect_mode=mode)
    assert (info.width, info.height, info.pixel_aspect) == (*size, 1.0)


@ONE_LOOP
async def test_a_piece_of_the_source(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode(
        "h264", width=160, height=90, clip_offset="00:00:01", clip_length="00:00:00.5"
    )
    assert info.duration_ms is not None
    assert 400 <= info.duration_ms <= 700


async def test_progress_rises_to_the_end(kitchen: Kitchen) -> None:
    await kitchen.encode("h264", width=640, height=360)
    assert kitchen.progress == sorted(set(kitchen.progress))
    assert kitchen.progress[-1] == 100.0
    assert len(kitchen.progress) >= 2


async def test_a_failure_brings_the_log_and_leaves_nothing(kitchen: Kitchen, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    finished = await run(["-v", "error", "-i", str(kitchen.clip), "-an", "-c", "copy", str(silent)])
    assert finished.code == 0
    with pytest.raises(EncodingFailed) as caught:
        await kitchen.encode("mp3", silent)
    assert "matches no streams" in caught.value.log
    assert names(kitchen.out) == []
    assert names(kitchen.work) == []
    notes = tmp_path / "notes.txt"
    notes.write_text("no video")
    with pytest.raises(EncodingFailed):
        await kitchen.encode("h264", notes)


async def test_a_cancelled_encoding_leaves_no_process_and_no_file(kitchen: Kitchen, tmp_path: Path) -> None:
    long = tmp_path / "long.mp4"
    loop = ["-v", "error", "-stream_loop", "300", "-i", str(kitchen.clip), "-c", "copy", str(long)]
    assert (await run(loop)).code == 0
    recipe = recipe_from_profile({"preset_name": "ogg.hi"})
    began = anyio.Event()

    def progress(_: float) -> None:
        began.set()

    async with anyio.create_task_group() as group:

        async def encode() -> None:
            await kitchen.transcoder.encode(long, recipe, kitchen.out / "result", progress=progress)

        group.start_soon(encode)
        with anyio.fail_after(60):
            await began.wait()
        assert ffmpeg_children()
        group.cancel_scope.cancel()
    assert ffmpeg_children() == []
    assert names(kitchen.out) == names(kitchen.work) == []


def ffmpeg_children() -> list[str]:
    """Return the processes that this one started and that still run."""
    children: list[str] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:  # the process ended in between
            continue
        if int(rest.split()[1]) == os.getpid() and "ffmpeg" in name:
            children.append(stat.parent.name)
    return children


async def test_no_more_processes_than_allowed(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    running = most = 0

    async def counted(*_: object, **__: object) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.sleep(0.01)
        running -= 1
        raise EncodingFailed("counted")

    monkeypatch.setattr("cloudreel.sandbox.media.transcoder.run", counted)
    transcoder = Transcoder(kitchen.work, limit=2)

    async def probe() -> None:
        with pytest.raises(EncodingFailed):
            await transcoder.probe(kitchen.clip)

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(probe)
    assert most == 2
