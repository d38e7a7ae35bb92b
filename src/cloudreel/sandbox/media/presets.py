"""PURE. Profiles and recipes: which presets exist, what each asks for, what a profile changes."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

import attrs

from cloudreel.errors import CloudReelError

if TYPE_CHECKING:
    from collections.abc import Mapping

AspectMode = Literal["letterbox", "preserve", "constrain", "pad", "crop", "fill", "stretch", "center"]
ASPECT_MODES: tuple[AspectMode, ...] = get_args(AspectMode)


class BadProfile(CloudReelError, ValueError):
    """A profile asks for something that no encoder can do."""


def _video(title: str, extname: str, width: int, height: int, rate: int) -> Mapping[str, object]:
    return MappingProxyType(
        {
            "title": title,
            "extname": extname,
            "width": width,
            "height": height,
            "video_bitrate": rate,
            "audio_bitrate": 128,
            "audio_sample_rate": 44100,
            "aspect_mode": "letterbox",
            "upscale": True,
            "keyframe_interval": 250,
            "frame_count": 7,
        }
    )


def _audio(title: str, extname: str, rate: int = 128) -> Mapping[str, object]:
    return MappingProxyType(
        {"title": title, "extname": extname, "audio_bitrate": rate, "audio_sample_rate": 44100}
    )


PRESETS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "h264": _video("MP4 (H.264)", ".mp4", 640, 480, 500),
        "h264.hi": _video("MP4 (H.264) Hi", ".mp4", 1280, 720, 2000),
        "webm": _video("WebM (VP8)", ".webm", 640, 480, 500),
        "webm.hi": _video("WebM (VP8) Hi", ".webm", 1280, 720, 2000),
        "ogg": _video("OGG (Theora)", ".ogg", 640, 480, 500),
        "ogg.hi": _video("OGG (Theora) Hi", ".ogg", 1280, 720, 2000),
        "mp3": _audio("MP3", ".mp3", 192),
        "aac": _audio("AAC", ".aac"),
        "vorbis": _audio("Vorbis", ".ogg"),
        "hls.variant": _video("HLS variant", ".m3u8", 640, 480, 600),
        "hls.variant.audio": _audio("HLS variant, audio only", ".m3u8", 64),
        "hls.variant.playlist": MappingProxyType(
            {"title": "HLS playlist", "extname": ".m3u8", "variants": "hls.*"}
        ),
        "thumbnail": MappingProxyType(
            {
                "title": "Thumbnails",
                "extname": ".jpg",
                "width": 640,
                "height": 480,
                "aspect_mode": "constrain",
                "upscale": True,
                "frame_count": 7,
            }
        ),
    }
)
"""The default profile of every preset the sandbox encodes (protocol page of Panda, section 5.4).

Bit rates are in kbit/s, sizes in pixels, sample rates in Hz.
"""


@attrs.frozen
class Recipe:
    """What one encoding shall become. Bit rates in kbit/s, sizes in pixels, times in seconds.

    ``variants`` are the playlists an ``hls.variant.playlist`` refers to: file names beside its own.
    """

    preset: str
    extname: str
    width: int | None = None
    height: int | None = None
    aspect_mode: AspectMode = "letterbox"
    upscale: bool = True
    fps: float | None = None
    video_bitrate: int | None = None
    audio_bitrate: int | None = None
    audio_sample_rate: int | None = None
    audio_channels: int | None = None
    keyframe_interval: int | None = None
    clip_offset: float | None = None
    clip_length: float | None = None
    frame_count: int = 0
    h264_crf: int | None = None
    variants: tuple[str, ...] = ()


def recipe_from_profile(profile: Mapping[str, object]) -> Recipe:
    """Read a profile's fields, the preset's own values standing in for what it leaves out.

    Numbers may be numbers or text; ``fps`` may be ``same_as_source``; clip times are ``HH:MM:SS``.

    Raises:
        BadProfile: for an unknown preset or a value that cannot be used.
    """
    preset = profile.get("preset_name")
    if preset == "hss":
        raise BadProfile("The preset 'hss' (Smooth Streaming) cannot be encoded here; use 'hls.variant'.")
    if not isinstance(preset, str) or preset not in PRESETS:
        raise BadProfile(f"There is no preset {preset!r}; the presets are {', '.join(PRESETS)}.")
    given = {name: value for name, value in profile.items() if value is not None and value != ""}
    fields: Mapping[str, object] = {**PRESETS[preset], **given}
    return Recipe(
        preset=preset,
        extname=_extname(fields["extname"]),
        width=_whole(fields, "width", low=16, high=8192),
        height=_whole(fields, "height", low=16, high=8192),
        aspect_mode=_aspect_mode(fields.get("aspect_mode", "letterbox")),
        upscale=_flag(fields, "upscale"),
        fps=_fps(fields),
        video_bitrate=_whole(fields, "video_bitrate", low=1, high=200_000),
        audio_bitrate=_whole(fields, "audio_bitrate", low=1, high=1000),
        audio_sample_rate=_whole(fields, "audio_sample_rate", low=4000, high=192_000),
        audio_channels=_whole(fields, "audio_channels", low=1, high=8),
        keyframe_interval=_whole(fields, "keyframe_interval", low=1, high=10_000),
        clip_offset=_seconds(fields, "clip_offset"),
        clip_length=_seconds(fields, "clip_length"),
        frame_count=_whole(fields, "frame_count", low=0, high=100) or 0,
        h264_crf=_whole(fields, "h264_crf", low=0, high=51),
    )


def _extname(value: object) -> str:
    text = str(value)
    if not re.fullmatch(r"\.[A-Za-z0-9]{1,8}", text):
        raise BadProfile(f"extname must be a dot and up to eight letters or digits, not {value!r}.")
    return text


def _aspect_mode(value: object) -> AspectMode:
    for mode in ASPECT_MODES:
        if value == mode:
            return mode
    raise BadProfile(f"aspect_mode must be one of {', '.join(ASPECT_MODES)}, not {value!r}.")


def _flag(fields: Mapping[str, object], name: str) -> bool:
    value = fields.get(name, True)
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in {"true", "false", "1", "0"}:
        raise BadProfile(f"{name} must be true or false, not {value!r}.")
    return text in {"true", "1"}


def _number(fields: Mapping[str, object], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        return float(str(value))
    except ValueError:
        raise BadProfile(f"{name} must be a number, not {value!r}.") from None


def _whole(fields: Mapping[str, object], name: str, *, low: int, high: int) -> int | None:
    number = _number(fields, name)
    if number is None:
        return None
    if not low <= number <= high or number != int(number):
        raise BadProfile(f"{name} must be a whole number from {low} to {high}, not {fields[name]!r}.")
    return int(number)


def _fps(fields: Mapping[str, object]) -> float | None:
    if fields.get("fps") == "same_as_source":
        return None
    number = _number(fields, "fps")
    if number is not None and not 0 < number <= 240:
        raise BadProfile(f"fps must be above 0 and at most 240, not {fields['fps']!r}.")
    return number


def _seconds(fields: Mapping[str, object], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)", str(value))
    if match is None:
        raise BadProfile(f"{name} must be HH:MM:SS, not {value!r}.")
    hours, minutes, seconds = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
