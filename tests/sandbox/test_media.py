"""What is known before ffmpeg runs: recipes, what files are, how pictures are cut to size."""

from __future__ import annotations

from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.sandbox.media import (
    PRESETS,
    BadProfile,
    FfmpegMissing,
    MediaInfo,
    NotMedia,
    find_ffmpeg,
    recipe_from_profile,
)
from cloudreel.sandbox.media.command import picture_filters
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
