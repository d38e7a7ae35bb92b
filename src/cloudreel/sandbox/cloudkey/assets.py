"""The assets of a media: their names, what each is made into, how one is shown (cloudkey-rpc.md 7.3, 7.4).

What is shown depends on the status. Sizes are pixels and bytes, bit rates bit/s, durations seconds.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from cloudreel.sandbox.media.presets import AspectMode, Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudreel.sandbox.media import MediaInfo
    from cloudreel.sandbox.store import Document

__all__ = [
    "MEMBERS",
    "NAME",
    "RECIPES",
    "asset_id",
    "details",
    "is_known",
    "is_thumbnail",
    "jpeg_size",
    "new_asset",
    "picture_details",
    "shown",
    "still",
]

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def _video(extname: str, width: int, height: int, video: int, audio: int) -> Recipe:
    return Recipe(
        "flv" if extname == ".flv" else "h264",
        extname,
        width=width,
        height=height,
        aspect_mode="constrain",
        upscale=False,
        video_bitrate=video,
        audio_bitrate=audio,
        audio_sample_rate=44100,
        keyframe_interval=250,
    )


def _picture(width: int | None = None, height: int | None = None) -> Recipe:
    mode: AspectMode = "letterbox" if height else "constrain"
    return Recipe(
        "thumbnail", ".jpg", width=width, height=height, aspect_mode=mode, upscale=bool(height), frame_count=1
    )


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "flv_h263_mp3": _video(".flv", 320, 240, 380, 96),
        "flv_h263_mp3_ld": _video(".flv", 320, 240, 180, 64),
        "mp4_h264_aac_ld": _video(".mp4", 320, 240, 180, 64),
        "mp4_h264_aac": _video(".mp4", 512, 384, 360, 96),
        "mp4_h264_aac_hq": _video(".mp4", 848, 480, 800, 128),
        "mp4_h264_aac_hd": _video(".mp4", 1280, 720, 1500, 128),
        "mp4_h264_aac_fhd": _video(".mp4", 1920, 1080, 6000, 128),
        "webm_vp8_vorbis": Recipe(
            "webm", ".webm", width=512, height=384, aspect_mode="constrain", upscale=False, video_bitrate=500
        ),
        "abs": attrs.evolve(_video(".m3u8", 848, 480, 800, 96), preset="hls.variant"),
        "jpeg_thumbnail_small": _picture(80, 60),
        "jpeg_thumbnail_medium": _picture(160, 120),
        "jpeg_thumbnail_large": _picture(320, 240),
        "jpeg_thumbnail_source": _picture(848),
        "jpeg_thumbnail_auto": _picture(848),
    }
)
"""What can be made of a source; the sizes of videos are limits, those of the smaller pictures exact.

``webm_vp8_vorbis`` is the sandbox's own, for browsers that come without H.264.
"""

_NOT_MADE_HERE = re.compile(r"source|live|abs_fa|abs_pr|f4f_[a-z0-9_]+", re.ASCII)

_PICTURE = ("container", "created", "file_size", "video_codec", "video_width", "video_height")
_VIDEO = (
    *(*_PICTURE, "duration", "global_bitrate", "video_bitrate", "audio_codec", "audio_bitrate"),
    "file_extension",
)
_ON_REQUEST = (
    *("video_fps", "video_fps_mode", "video_rotation", "video_aspect", "video_interlaced"),
    *("audio_nbr_channel", "audio_samplerate", "checksum", "progress", "streams"),
)
MEMBERS = frozenset({"status", "file_extension", *_VIDEO, *_ON_REQUEST})
"""What may be asked of an asset by name, beside its URLs."""

_CONTAINERS = {
    "mov": "MPEG-4",
    "flv": "Flash Video",
    "matroska": "Matroska",
    "webm": "WebM",
    "hls": "HLS",
    "avi": "AVI",
    "ogg": "Ogg",
    "mpeg": "MPEG-PS",
    "mpegts": "MPEG-TS",
}
_CODECS = {
    "h264": "AVC",
    "flv1": "Sorenson Spark",
    "aac": "AAC LC",
    "mp3": "MPEG Audio",
    "vp8": "VP8",
    "vp9": "VP9",
    "vorbis": "Vorbis",
    "theora": "Theora",
}


def is_known(name: str) -> bool:
    """Say whether the service knows an asset of this name; not all of them can be made here."""
    return name in RECIPES or _NOT_MADE_HERE.fullmatch(name) is not None


def is_thumbnail(name: str) -> bool:
    """Say whether an asset is a picture, which is served without a signature."""
    return name.startswith("jpeg_thumbnail_")


def asset_id(media_id: str, name: str) -> str:
    """Return the id an asset is stored under."""
    return f"{media_id}/{name}"


def new_asset(
    media_id: str, user_id: str, name: str, *, url: str | None, source: str, timecode: float | None
) -> Document:
    """Return an asset that is still to be made.

    Args:
        url: where its file is fetched; None to make it of another asset.
        source: the name of that other asset.
        timecode: the second of it that a picture shows.
    """
    return {
        "id": asset_id(media_id, name),
        "media_id": media_id,
        "name": name,
        "status": "pending",
        "progress": 0,
        "error_message": None,
        "_user": user_id,
        "_url": url,
        "_source": source,
        "_timecode": timecode,
        "_files": [],
        "_details": {},
    }


def shown(asset: Document) -> Document:
    """Return an asset as it is told when nobody asks for certain members."""
    if asset["status"] == "processing":
        return {"status": "processing", "progress": asset["progress"]}
    if asset["status"] != "ready":
        return {"status": asset["status"]}
    members = (*_PICTURE, "file_extension") if is_thumbnail(asset["name"]) else _VIDEO
    return {"status": "ready", **{name: asset["_details"].get(name) for name in members}}


def still(asset: Document) -> Recipe:
    """Return the recipe of a picture, taken at the second that was chosen for it."""
    return attrs.evolve(RECIPES[asset["name"]], clip_offset=asset["_timecode"])


def details(info: MediaInfo) -> Document:
    """Return what an analysed file tells about itself in the service's words."""
    seconds = (info.duration_ms or 0) / 1000
    total = round(info.file_size * 8 / seconds) if seconds else 0
    audio = (info.audio_bitrate or 0) * 1000
    wide, high = info.shown_size or (0.0, 0.0)
    return {
        "container": _CONTAINERS.get(info.container, info.container.upper()),
        "duration": round(seconds),
        "file_size": info.file_size,
        "file_extension": info.extname.lstrip("."),
        "global_bitrate": total,
        "video_codec": _codec(info.video_codec),
        "video_width": info.width,
        "video_height": info.height,
        "video_bitrate": None if info.width is None else (info.video_bitrate or 0) * 1000 or total - audio,
        "video_rotation": float(info.rotation),
        "video_fps": info.fps,
        "video_fps_mode": None if info.fps is None else "CFR",
        "video_aspect": round(wide / high, 3) if high else None,
        "video_interlaced": None if info.width is None else False,
        "audio_codec": _codec(info.audio_codec),
        "audio_bitrate": audio or None,
        "audio_nbr_channel": info.audio_channels,
        "audio_samplerate": info.audio_sample_rate,
    }


def picture_details(data: bytes) -> Document:
    """Return what is told about a JPEG file."""
    size = jpeg_size(data)
    return {
        "container": "JPEG" if size else None,
        "file_size": len(data),
        "file_extension": "jpeg",
        "video_codec": "JPEG" if size else None,
        "video_width": size[0] if size else None,
        "video_height": size[1] if size else None,
    }


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height from a JPEG's frame header; None if there is none."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= kind <= 0xCF and kind not in {0xC4, 0xC8, 0xCC}:
            height, width = data[at + 5 : at + 7], data[at + 7 : at + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        at += 2 + length
    return None


def _codec(name: str | None) -> str | None:
    return None if name is None else _CODECS.get(name, name)
