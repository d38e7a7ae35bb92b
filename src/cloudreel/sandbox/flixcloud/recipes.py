"""PURE. The account's recipes: what a job's output becomes, and what its settings change about it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from cloudreel.sandbox.media.presets import BadProfile, Recipe, recipe_from_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RECIPES", "SETTINGS", "adjusted", "find_recipe", "thumbnail_recipe"]


def _video(preset: str, extname: str, width: int, height: int, rate: int) -> Recipe:
    return Recipe(
        preset,
        extname,
        width=width,
        height=height,
        aspect_mode="constrain",
        upscale=False,
        video_bitrate=rate,
        audio_bitrate=128,
        audio_sample_rate=44100,
    )


RECIPES: Mapping[int, tuple[str, Recipe]] = MappingProxyType(
    {
        3: ("mpg2avi", _video("avi", ".avi", 640, 480, 1000)),
        12: ("web-hd", _video("h264", ".mp4", 1280, 720, 2000)),
        17: ("web-sd", _video("h264", ".mp4", 640, 480, 500)),
        21: ("webm", _video("webm", ".webm", 640, 480, 500)),
        22: ("flash", _video("flv", ".flv", 640, 480, 500)),
        23: ("mp3", Recipe("mp3", ".mp3", audio_bitrate=128, audio_sample_rate=44100)),
    }
)
"""Names and recipes by id; the ids and names that the documentation's examples use are among them."""

_NAMES = (
    "audio_bit_rate audio_channels audio_sample_rate blur_mask_size blur_type brightness contrast crf "
    "crop_bottom crop_left crop_right crop_top custom_fps cut_end cut_start decimation_rate deinterlace "
    "denoise fps height hue keyframe_frequency keyframe_interval_type mirror pngex_auto_count "
    "pngex_auto_end_time pngex_auto_random_period pngex_auto_start_time pngex_compression_level "
    "pngex_enable_alpha pngex_export_cue_points pngex_export_first_frame pngex_export_interval "
    "pngex_export_time_string pngex_filename_prefix pngex_filename_suffix pngex_height pngex_width "
    "rate_control resolution rotate saturation sharpen video_bit_rate video_compression_mode video_profile "
    "video_rate_control_mode watermark_usage watermark_x_position watermark_y_position width"
)

SETTINGS = frozenset(_NAMES.split())
"""All settings there were (flixcloud.md 3.4). Those below are honoured, the others are passed over."""

_OF_THE_VIDEO = {
    "width": "width",
    "height": "height",
    "fps": "fps",
    "crf": "h264_crf",
    "video_bit_rate": "video_bitrate",
    "audio_bit_rate": "audio_bitrate",
    "audio_channels": "audio_channels",
    "audio_sample_rate": "audio_sample_rate",
    "keyframe_frequency": "keyframe_interval",
}
_OF_THE_THUMBNAILS = {"pngex_width": "width", "pngex_height": "height", "pngex_auto_count": "frame_count"}
_THUMBNAILS = 3


def find_recipe(id: int | None, name: str | None) -> int | None:
    """Return the id of the recipe with this id or name, None where there is none."""
    if id is not None:
        return id if id in RECIPES else None
    return next((number for number, (known, _) in RECIPES.items() if known == name), None)


def adjusted(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """Return a recipe with the settings of a job: pixels, frames a second, kbit/s, Hz, frames.

    Raises:
        BadProfile: a setting has a value that no encoder can use.
    """
    return _changed(recipe, _OF_THE_VIDEO, settings)


def thumbnail_recipe(settings: Mapping[str, str]) -> Recipe:
    """Return the recipe of a job's thumbnails: three, at most 640x480, unless its settings say otherwise.

    Raises:
        BadProfile: a setting has a value that no encoder can use.
    """
    usual = Recipe(
        "thumbnail",
        ".png",
        width=640,
        height=480,
        aspect_mode="constrain",
        upscale=False,
        frame_count=_THUMBNAILS,
    )
    return _changed(usual, _OF_THE_THUMBNAILS, settings)


def _changed(recipe: Recipe, names: Mapping[str, str], settings: Mapping[str, str]) -> Recipe:
    given = {names[name]: value for name, value in settings.items() if name in names and value}
    try:
        read = recipe_from_profile({"preset_name": "h264", **given})
    except BadProfile as error:
        theirs = next((name for name, ours in names.items() if str(error).startswith(ours)), "")
        raise BadProfile(f"{theirs} {str(error).partition(' ')[2]}") from None
    return attrs.evolve(recipe, **{field: getattr(read, field) for field in given})
