"""PURE. A recipe and what is known about the source become ffmpeg's arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox.media.probe import CONTAINERS, PICTURES

if TYPE_CHECKING:
    from pathlib import PurePath

    from cloudreel.sandbox.media.presets import Recipe
    from cloudreel.sandbox.media.probe import MediaInfo

# As quick as can be: nobody keeps what a sandbox makes.
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16", "-pix_fmt", "yuv420p")
THEORA = ("-c:v", "libtheora", "-pix_fmt", "yuv420p")
HLS_SECONDS = 6

FLV = ("-c:v", "flv")
MPEG4 = ("-c:v", "mpeg4", "-pix_fmt", "yuv420p")
VIDEO_CODECS = {"h264": H264, "flv": FLV, "avi": MPEG4, "webm": VP8, "ogg": THEORA, "hls": H264}
AUDIO_CODECS = {
    "h264": "aac",
    "flv": "libmp3lame",
    "avi": "libmp3lame",
    "webm": "libvorbis",
    "ogg": "libvorbis",
    "hls": "aac",
    "mp3": "libmp3lame",
    "aac": "aac",
    "vorbis": "libvorbis",
}
FORMATS = {
    "h264": "mp4",
    "flv": "flv",
    "avi": "avi",
    "webm": "webm",
    "ogg": "ogg",
    "mp3": "mp3",
    "aac": "adts",
    "vorbis": "ogg",
}
AUDIO_ONLY = frozenset({"mp3", "aac", "vorbis", "hls.variant.audio"})
MARGIN = 10  # pixels between a watermark and the picture's right and lower edge


def read(source: PurePath) -> list[str]:
    """Return the arguments that open a file and nothing but that file."""
    return ["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS, "-i", f"file:{source}"]


def read_picture(source: PurePath) -> list[str]:
    """Return the arguments that open a picture; without an extension its content alone tells its kind."""
    return ["-protocol_whitelist", "file", "-format_whitelist", PICTURES, "-i", f"file:{source}"]


def encode(
    source: PurePath, info: MediaInfo, recipe: Recipe, stem: PurePath, watermark: PurePath | None = None
) -> list[str]:
    """Return the arguments that make ``stem + extname`` from the source as the recipe says.

    Args:
        watermark: a picture to lay over the lower right corner, in its own size.
    """
    family = recipe.preset.partition(".")[0]
    arguments = ["-y", "-nostats", "-progress", "pipe:1", *_clip(recipe), *read(source)]
    if watermark is not None and recipe.preset not in AUDIO_ONLY:
        arguments += read_picture(watermark)
    arguments += [*_length(recipe), "-map_metadata", "-1", "-sn", "-dn", "-threads", _threads(family)]
    if recipe.preset in AUDIO_ONLY:
        arguments += ["-vn", "-map", "0:a:0", *_audio(family, recipe)]
    else:
        picture = _filtered(info, recipe) if watermark is None else _marked(info, recipe)
        arguments += [*picture, "-map", "0:a:0?", *_video(family, recipe), *_audio(family, recipe)]
    return [*arguments, *_container(family, recipe, stem)]


def stills(source: PurePath, info: MediaInfo, recipe: Recipe, stem: PurePath) -> list[str]:
    """Return the arguments that make ``stem_1.jpg`` and so on, spread evenly over the source."""
    extname = still_extname(recipe)
    every = seconds_to_encode(info, recipe) / max(recipe.frame_count, 1)
    filters = [rf"select=gte(t\,selected_n*{every:.4f})", *picture_filters(info, recipe)]
    arguments = ["-y", "-nostats", "-progress", "pipe:1", *_clip(recipe), *read(source), *_length(recipe)]
    arguments += ["-map", "0:V:0", "-vf", ",".join(filters), "-fps_mode", "vfr", "-q:v", "3"]
    arguments += ["-frames:v", str(recipe.frame_count), "-f", "image2", f"{_pattern(stem)}_%d{extname}"]
    return arguments


def still_extname(recipe: Recipe) -> str:
    """Return the extension of a recipe's stills: they are PNG where it says so, else JPEG."""
    return ".png" if recipe.extname == ".png" else ".jpg"


def seconds_to_encode(info: MediaInfo, recipe: Recipe) -> float:
    """Return how many seconds of the source the recipe takes; 0 if the source's length is unknown."""
    left = max((info.duration_ms or 0) / 1000 - (recipe.clip_offset or 0.0), 0.0)
    return left if recipe.clip_length is None else min(left, recipe.clip_length)


def picture_filters(info: MediaInfo, recipe: Recipe) -> list[str]:
    """Return the filters that bring the picture to the recipe's size by its aspect mode.

    ``letterbox`` and ``pad`` keep the whole picture and fill up with black, ``constrain`` keeps it and fills
    nothing, ``crop`` and ``fill`` cover the size and cut what stands out, ``stretch`` ignores the ratio,
    ``center`` does not scale, ``preserve`` keeps the source's own size. Without ``upscale`` no picture grows:
    the size shrinks instead, except that ``pad`` keeps it and adds more black.
    """
    shown = info.shown_size
    if shown is None:
        return []
    wide, high = shown
    box_wide, box_high = _box(recipe, wide, high)
    mode = recipe.aspect_mode
    if mode == "center":
        cut = f"crop={min(_even(wide), box_wide)}:{min(_even(high), box_high)}"
        return [f"scale={_even(wide)}:{_even(high)}", cut, *_frame(box_wide, box_high)]
    if mode == "preserve":
        return [f"scale={_even(wide)}:{_even(high)}", "setsar=1"]
    if mode == "stretch":
        if not recipe.upscale:
            box_wide, box_high = min(box_wide, _even(wide)), min(box_high, _even(high))
        return [f"scale={box_wide}:{box_high}", "setsar=1"]
    factors = (box_wide / wide, box_high / high)
    factor = max(factors) if mode in {"crop", "fill"} else min(factors)
    if factor > 1 and not recipe.upscale:
        if mode != "pad":
            box_wide, box_high = _even(box_wide / factor), _even(box_high / factor)
        factor = 1.0
    scaled_wide, scaled_high = _even(wide * factor), _even(high * factor)
    if mode == "constrain":
        return [f"scale={scaled_wide}:{scaled_high}", "setsar=1"]
    if mode in {"crop", "fill"}:
        over = f"scale={max(scaled_wide, box_wide)}:{max(scaled_high, box_high)}"
        return [over, f"crop={box_wide}:{box_high}", "setsar=1"]
    within = f"scale={min(scaled_wide, box_wide)}:{min(scaled_high, box_high)}"
    return [within, *_frame(box_wide, box_high)]


def _box(recipe: Recipe, wide: float, high: float) -> tuple[int, int]:
    if recipe.width and recipe.height:
        return _even(recipe.width), _even(recipe.height)
    if recipe.width:
        return _even(recipe.width), _even(recipe.width * high / wide)
    if recipe.height:
        return _even(recipe.height * wide / high), _even(recipe.height)
    return _even(wide), _even(high)


def _frame(wide: int, high: int) -> list[str]:
    return [f"pad={wide}:{high}:(ow-iw)/2:(oh-ih)/2", "setsar=1"]


def _even(size: float) -> int:
    # The encoders store colour at half the size, so both sides must be even.
    return max(2, round(size / 2) * 2)


def _threads(family: str) -> str:
    # Those of libvpx wait for each other by spinning: on a busy machine two cost ten times as much as one.
    return "1" if VIDEO_CODECS.get(family) is VP8 else "2"


def _clip(recipe: Recipe) -> list[str]:
    return [] if recipe.clip_offset is None else ["-ss", f"{recipe.clip_offset:.3f}"]


def _length(recipe: Recipe) -> list[str]:
    return [] if recipe.clip_length is None else ["-t", f"{recipe.clip_length:.3f}"]


def _filters(info: MediaInfo, recipe: Recipe) -> str:
    rate = [] if recipe.fps is None else [f"fps={recipe.fps:g}"]
    return ",".join([*picture_filters(info, recipe), *rate])


def _filtered(info: MediaInfo, recipe: Recipe) -> list[str]:
    return ["-map", "0:V:0", "-vf", _filters(info, recipe)]


def _marked(info: MediaInfo, recipe: Recipe) -> list[str]:
    corner = f"overlay=main_w-overlay_w-{MARGIN}:main_h-overlay_h-{MARGIN}"
    graph = f"[0:V:0]{_filters(info, recipe)}[picture];[picture][1:v:0]{corner}[marked]"
    return ["-filter_complex", graph, "-map", "[marked]"]


def _video(family: str, recipe: Recipe) -> list[str]:
    arguments = [*VIDEO_CODECS[family]]
    if recipe.h264_crf is not None and VIDEO_CODECS[family] is H264:
        arguments += ["-crf", str(recipe.h264_crf)]
    elif recipe.video_bitrate is not None:
        arguments += ["-b:v", f"{recipe.video_bitrate}k"]
    if recipe.keyframe_interval is not None:
        arguments += ["-g", str(recipe.keyframe_interval)]
    return arguments


def _audio(family: str, recipe: Recipe) -> list[str]:
    arguments = ["-c:a", AUDIO_CODECS[family]]
    if recipe.audio_bitrate is not None:
        arguments += ["-b:a", f"{recipe.audio_bitrate}k"]
    if recipe.audio_sample_rate is not None:
        arguments += ["-ar", str(recipe.audio_sample_rate)]
    if recipe.audio_channels is not None:
        arguments += ["-ac", str(recipe.audio_channels)]
    return arguments


def _container(family: str, recipe: Recipe, stem: PurePath) -> list[str]:
    target = f"{stem}{recipe.extname}"
    if family == "hls":
        segments = f"{_pattern(stem)}_%d.ts"
        hls = ["-hls_time", str(HLS_SECONDS), "-hls_list_size", "0", "-hls_playlist_type", "vod"]
        return [*hls, "-start_number", "1", "-hls_segment_filename", segments, "-f", "hls", target]
    faststart = ["-movflags", "+faststart"] if family == "h264" else []
    return [*faststart, "-f", FORMATS[family], target]


def _pattern(stem: PurePath) -> str:
    return str(stem).replace("%", "%%")
