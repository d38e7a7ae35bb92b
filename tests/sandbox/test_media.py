"""Transcoding: profiles become recipes, recipes become real files that are what was asked for."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import anyio
import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.sandbox.media import (
    PRESETS,
    BadProfile,
    EncodingFailed,
    FfmpegMissing,
    MediaInfo,
    NotMedia,
    Recipe,
    Transcoder,
    find_ffmpeg,
    recipe_from_profile,
)
from cloudreel.sandbox.media.command import picture_filters
from cloudreel.sandbox.media.ffmpeg import run
from cloudreel.sandbox.media.hls import Variant, master_playlist
from cloudreel.sandbox.media.probe import parse_info

SAID = """Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'clip.mp4':
  Metadata:
    major_brand     : isom
    com.example.Tag : a: b
  Duration: 01:02:03.04, start: 0.000000, bitrate: 309 kb/s
  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709, progressive), 720x576 [SAR 16:15 DAR 4:3], 226 kb/s, 29.97 fps, 29.97 tbr, 12800 tbn (default)
    Metadata:
      handler_name    : VideoHandler
    Side data:
      displaymatrix: rotation of -90.00 degrees
  Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, 5.1(side), fltp, 69 kb/s (default)
"""  # noqa: E501


# Recipes


def test_a_profile_changes_what_it_names() -> None:
    profile = {
        "preset_name": "h264",
        "width": "320",
        "fps": "29.97",
        "upscale": "false",
        "clip_length": "00:01:02.5",
    }
    recipe = recipe_from_profile({**profile, "height": None, "id": "x", "name": "mine", "audio_channels": 1})
    assert (recipe.width, recipe.height, recipe.fps, recipe.upscale) == (320, 480, 29.97, False)
    assert (recipe.clip_length, recipe.audio_channels, recipe.video_bitrate) == (62.5, 1, 500)


def test_the_source_keeps_its_rate() -> None:
    assert recipe_from_profile({"preset_name": "webm", "fps": "same_as_source"}).fps is None


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_makes_a_recipe(preset: str) -> None:
    recipe = recipe_from_profile({"preset_name": preset})
    assert recipe.extname == PRESETS[preset]["extname"]


@pytest.mark.parametrize(
    ("profile", "complaint"),
    [
        ({}, "no preset None"),
        ({"preset_name": "divx"}, "no preset 'divx'"),
        ({"preset_name": "hss"}, "Smooth Streaming"),
        ({"preset_name": "h264", "width": "wide"}, "width must be a number"),
        ({"preset_name": "h264", "width": 7}, "width must be a whole number from 16"),
        ({"preset_name": "h264", "width": "nan"}, "width must be a whole number"),
        ({"preset_name": "h264", "height": 480.5}, "height must be a whole number"),
        ({"preset_name": "h264", "fps": "inf"}, "fps must be"),
        ({"preset_name": "h264", "aspect_mode": "wild"}, "aspect_mode must be one of"),
        ({"preset_name": "h264", "upscale": "maybe"}, "upscale must be true or false"),
        ({"preset_name": "h264", "clip_length": "90"}, "clip_length must be HH:MM:SS"),
        ({"preset_name": "h264", "extname": "/../x"}, "extname must be a dot"),
    ],
)
def test_a_bad_profile_is_refused(profile: dict[str, object], complaint: str) -> None:
    with pytest.raises(BadProfile, match=complaint):
        recipe_from_profile(profile)


# What ffmpeg says


def test_a_description_is_read() -> None:
    info = parse_info(SAID, file_size=2_000_000, suffix=".mp4")
    assert info == MediaInfo(
        container="mov",
        duration_ms=3_723_040,
        width=720,
        height=576,
        fps=29.97,
        video_codec="h264",
        video_bitrate=226,
        audio_codec="aac",
        audio_bitrate=69,
        audio_channels=6,
        audio_sample_rate=44100,
        file_size=2_000_000,
        mime_type="video/mp4",
        extname=".mp4",
        rotation=90,
        pixel_aspect=16 / 15,
    )
    assert info.shown_size == (576, 768)
    assert info.metadata["duration"] == "3723.04 s"
    assert info.metadata["major_brand"] == "isom"
    assert info.metadata["image_width"] == 720


def test_a_cover_picture_is_no_video() -> None:
    said = (
        "Input #0, mp3, from 'song.mp3':\n  Duration: 00:00:03.00, start: 0.0, bitrate: 128 kb/s\n"
        "  Stream #0:0: Audio: mp3 (mp3float), 44100 Hz, stereo, fltp, 128 kb/s\n"
        "  Stream #0:1: Video: mjpeg (Baseline), yuvj420p(pc), 300x300, 90k tbr, 90k tbn (attached pic)\n"
    )
    info = parse_info(said, file_size=1, suffix=".mp3")
    assert (info.video_codec, info.width, info.mime_type, info.audio_channels) == (
        None,
        None,
        "audio/mpeg",
        2,
    )


@pytest.mark.parametrize(
    "text", ["", "Invalid data found", SAID.replace("Video:", "Data:").replace("Audio:", "X:")]
)
def test_what_has_no_streams_is_no_media(text: str) -> None:
    with pytest.raises(NotMedia):
        parse_info(text, file_size=1, suffix="")


# Sizes


def shape(width: int | None, height: int | None, mode: str, *, upscale: bool = True) -> list[str]:
    info = attrs.evolve(
        parse_info(SAID, file_size=1, suffix=""), width=320, height=180, rotation=0, pixel_aspect=1.0
    )
    profile = {"preset_name": "h264", "aspect_mode": mode, "upscale": upscale}
    recipe = attrs.evolve(recipe_from_profile(profile), width=width, height=height)
    return picture_filters(info, recipe)


@pytest.mark.parametrize(
    ("asked", "filters"),
    [
        (shape(640, 480, "letterbox"), ["scale=640:360", "pad=640:480:(ow-iw)/2:(oh-ih)/2", "setsar=1"]),
        (shape(640, 480, "pad"), ["scale=640:360", "pad=640:480:(ow-iw)/2:(oh-ih)/2", "setsar=1"]),
        (shape(640, 480, "constrain"), ["scale=640:360", "setsar=1"]),
        (shape(640, 480, "preserve"), ["scale=320:180", "setsar=1"]),
        (shape(640, 480, "crop"), ["scale=854:480", "crop=640:480", "setsar=1"]),
        (shape(640, 480, "fill"), ["scale=854:480", "crop=640:480", "setsar=1"]),
        (shape(640, 480, "stretch"), ["scale=640:480", "setsar=1"]),
        (
            shape(100, 480, "center"),
            ["scale=320:180", "crop=100:180", "pad=100:480:(ow-iw)/2:(oh-ih)/2", "setsar=1"],
        ),
        (shape(640, None, "letterbox"), ["scale=640:360", "pad=640:360:(ow-iw)/2:(oh-ih)/2", "setsar=1"]),
        (shape(None, 90, "constrain"), ["scale=160:90", "setsar=1"]),
        (
            shape(640, 480, "letterbox", upscale=False),
            ["scale=320:180", "pad=320:240:(ow-iw)/2:(oh-ih)/2", "setsar=1"],
        ),
        (
            shape(640, 480, "pad", upscale=False),
            ["scale=320:180", "pad=640:480:(ow-iw)/2:(oh-ih)/2", "setsar=1"],
        ),
        (shape(640, 480, "constrain", upscale=False), ["scale=320:180", "setsar=1"]),
        (shape(640, 480, "stretch", upscale=False), ["scale=320:180", "setsar=1"]),
    ],
)
def test_aspect_modes(asked: list[str], filters: list[str]) -> None:
    assert asked == filters


@given(
    wide=st.integers(2, 4096),
    high=st.integers(2, 4096),
    box=st.tuples(st.none() | st.integers(16, 4096), st.none() | st.integers(16, 4096)),
    mode=st.sampled_from(["letterbox", "preserve", "constrain", "pad", "crop", "fill", "stretch", "center"]),
    upscale=st.booleans(),
)
def test_every_size_can_be_encoded(
    wide: int, high: int, box: tuple[int | None, int | None], mode: str, upscale: bool
) -> None:
    info = attrs.evolve(parse_info(SAID, file_size=1, suffix=""), width=wide, height=high, rotation=0)
    profile = {"preset_name": "h264", "aspect_mode": mode, "upscale": upscale}
    recipe = attrs.evolve(recipe_from_profile(profile), width=box[0], height=box[1])
    sizes = [
        step.split("=")[1].split(":")[:2] for step in picture_filters(info, recipe) if "setsar" not in step
    ]
    steps = [(int(one), int(two)) for one, two in sizes]
    assert all(one >= 2 and two >= 2 and one % 2 == 0 and two % 2 == 0 for one, two in steps)
    kinds = [step.split("=")[0] for step in picture_filters(info, recipe)]
    for (before, after), kind in zip(pairwise(steps), kinds[1:], strict=False):
        if kind == "pad":
            assert before[0] <= after[0]
            assert before[1] <= after[1]
        if kind == "crop":
            assert before[0] >= after[0]
            assert before[1] >= after[1]


def test_the_master_playlist_lists_the_variants() -> None:
    text = master_playlist([Variant("b.m3u8", 700, 640, 480), Variant("a.m3u8", 64, None, None)])
    assert text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-STREAM-INF:BANDWIDTH=64000",
        "a.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=700000,RESOLUTION=640x480",
        "b.m3u8",
    ]


# Real files


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


@pytest.mark.anyio
async def test_probe(kitchen: Kitchen) -> None:
    info = await kitchen.transcoder.probe(kitchen.clip)
    assert (info.width, info.height, info.fps, info.duration_ms) == (320, 180, 25.0, 2000)
    assert (info.video_codec, info.audio_codec, info.audio_channels) == ("h264", "aac", 2)
    assert (info.mime_type, info.extname, info.file_size) == (
        "video/mp4",
        ".mp4",
        kitchen.clip.stat().st_size,
    )


@pytest.mark.anyio
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


@pytest.mark.anyio
async def test_h264_is_what_was_asked_for(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode("h264", width=160, height=120, fps=10, video_bitrate=200, audio_channels=1)
    assert (info.width, info.height, info.fps, info.video_codec) == (160, 120, 10.0, "h264")
    assert (info.audio_codec, info.audio_channels, info.mime_type) == ("aac", 1, "video/mp4")
    assert info.video_bitrate is not None
    assert 20 < info.video_bitrate < 600
    assert kitchen.made.files == ["result.mp4"]


@pytest.mark.anyio
async def test_webm_is_vp8_and_vorbis(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode("webm", width=160, height=90, video_bitrate=100)
    assert (info.container, info.video_codec, info.audio_codec) == ("webm", "vp8", "vorbis")
    assert (info.width, info.height, info.fps) == (160, 90, 25.0)
    assert info.file_size * 8 / 2 < 600_000


@pytest.mark.anyio
async def test_ogg_is_theora_and_vorbis(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode("ogg", width=160, height=90)
    assert (info.container, info.video_codec, info.audio_codec) == ("ogg", "theora", "vorbis")
    assert (info.width, info.height, info.mime_type) == (160, 90, "video/ogg")


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("mode", "size"),
    [("letterbox", (160, 160)), ("constrain", (160, 90)), ("crop", (160, 160)), ("preserve", (320, 180))],
)
async def test_aspect_modes_for_real(kitchen: Kitchen, mode: str, size: tuple[int, int]) -> None:
    _, info = await kitchen.encode("h264", width=160, height=160, aspect_mode=mode)
    assert (info.width, info.height, info.pixel_aspect) == (*size, 1.0)


@pytest.mark.anyio
async def test_a_piece_of_the_source(kitchen: Kitchen) -> None:
    _, info = await kitchen.encode(
        "h264", width=160, height=90, clip_offset="00:00:01", clip_length="00:00:00.5"
    )
    assert info.duration_ms is not None
    assert 400 <= info.duration_ms <= 700


@pytest.mark.anyio
async def test_progress_rises_to_the_end(kitchen: Kitchen) -> None:
    await kitchen.encode("h264", width=640, height=360)
    assert kitchen.progress == sorted(set(kitchen.progress))
    assert kitchen.progress[-1] == 100.0
    assert len(kitchen.progress) >= 2


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


def test_a_missing_ffmpeg_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.delenv("CLOUDREEL_FFMPEG", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("cloudreel.sandbox.media.ffmpeg.import_module", missing)
    with pytest.raises(FfmpegMissing, match=r"cloudreel\[sandbox\]"):
        find_ffmpeg()
    monkeypatch.setenv("CLOUDREEL_FFMPEG", "/opt/mine/ffmpeg")
    assert find_ffmpeg() == "/opt/mine/ffmpeg"
