"""PURE. What ``ffmpeg -i`` says about a file, as values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINERS = (
    "aac,ac3,aiff,amr,asf,au,avi,caf,dv,eac3,flac,flv,gif,ivf,live_flv,m4v,matroska,mov,mp3,mpeg,mpegts,"
    "mpegvideo,mxf,nut,ogg,rm,w64,wav,wv,yuv4mpegpipe"
)
"""The containers ffmpeg may open. Playlists, text screens and picture lists can name other files: never."""

PICTURES = "bmp_pipe,gif,gif_pipe,jpeg_pipe,png_pipe,tiff_pipe,webp_pipe"
"""The pictures ffmpeg may open, by their content."""

MIME_TYPES = {
    ".3gp": "video/3gpp",
    ".aac": "audio/aac",
    ".avi": "video/x-msvideo",
    ".flac": "audio/flac",
    ".flv": "video/x-flv",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4a": "audio/mp4",
    ".m4v": "video/x-m4v",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".mpg": "video/mpeg",
    ".ogg": "video/ogg",
    ".ts": "video/mp2t",
    ".wav": "audio/x-wav",
    ".webm": "video/webm",
    ".wmv": "video/x-ms-wmv",
}

EXTNAMES = {"mov": ".mp4", "matroska": ".mkv", "mpeg": ".mpg", "mpegts": ".ts", "asf": ".wmv"}

CHANNELS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8}


class NotMedia(Exception):
    """A file holds no picture or sound that could be encoded; the text is what ffmpeg said."""


@attrs.frozen
class MediaInfo:
    """What a file is. Bit rates in kbit/s, sample rate in Hz; None where the file does not say.

    ``width`` and ``height`` are the stored ones; ``rotation`` (degrees) and ``pixel_aspect`` tell how they
    are shown. ``metadata`` is what the metadata call answers (protocol page of Panda, section 5.6).
    """

    container: str
    duration_ms: int | None
    width: int | None
    height: int | None
    fps: float | None
    video_codec: str | None
    video_bitrate: int | None
    audio_codec: str | None
    audio_bitrate: int | None
    audio_channels: int | None
    audio_sample_rate: int | None
    file_size: int
    mime_type: str
    extname: str
    rotation: int = 0
    pixel_aspect: float = 1.0
    metadata: Mapping[str, str | int | float] = attrs.field(
        factory=dict[str, str | int | float], eq=False, repr=False
    )

    @property
    def shown_size(self) -> tuple[float, float] | None:
        """Width and height in square pixels, turned upright; None without a picture."""
        if self.width is None or self.height is None:
            return None
        wide = self.width * self.pixel_aspect
        return (self.height, wide) if self.rotation % 180 else (wide, self.height)


def parse_info(text: str, *, file_size: int, suffix: str) -> MediaInfo:
    """Read ffmpeg's description of its input.

    Args:
        text: what ``ffmpeg -i FILE`` wrote to stderr.
        file_size: size of the file in bytes.
        suffix: the file's own extension (``.mp4``) or an empty text.

    Raises:
        NotMedia: if ffmpeg found neither picture nor sound of any length.
    """
    head = re.search(r"^Input #0, (.+?), from '", text, re.MULTILINE)
    streams = re.findall(r"^ *Stream #0:\d+.*?: (Video|Audio): (.+)$", text, re.MULTILINE)
    video = next((line for kind, line in streams if kind == "Video" and "(attached pic)" not in line), None)
    audio = next((line for kind, line in streams if kind == "Audio"), None)
    if head is None or (video is None and audio is None):
        raise NotMedia(last_lines(text))
    names = head[1].split(",")
    container = "webm" if "webm" in names and suffix == ".webm" else names[0]
    extname = suffix or EXTNAMES.get(container, f".{container}")
    total = _int(r"bitrate: (\d+) kb/s", text)
    audio_bitrate = _int(r"(\d+) kb/s", audio) if audio else None
    width, height = _size(video)
    info = MediaInfo(
        container=container,
        duration_ms=_duration(text),
        width=width,
        height=height,
        fps=_fps(video),
        video_codec=_codec(video),
        video_bitrate=_video_bitrate(video, total, audio, audio_bitrate),
        audio_codec=_codec(audio),
        audio_bitrate=audio_bitrate if video or audio_bitrate else total,
        audio_channels=_channels(audio),
        audio_sample_rate=_int(r"(\d+) Hz", audio) if audio else None,
        file_size=file_size,
        mime_type=_mime_type(extname, has_video=video is not None),
        extname=extname,
        rotation=-(_int(r"rotation of (-?\d+)", text) or 0) % 360,
        pixel_aspect=_pixel_aspect(video),
    )
    return attrs.evolve(info, metadata=_metadata(info, text))


def last_lines(text: str, count: int = 3) -> str:
    """Return the last lines of a log that say something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if "output file must be specified" not in line]
    return "\n".join(said[-count:])


def _int(pattern: str, text: str) -> int | None:
    match = re.search(pattern, text)
    return int(match[1]) if match else None


def _duration(text: str) -> int | None:
    match = re.search(r"Duration: (\d+):(\d\d):(\d\d)\.(\d\d)", text)
    if match is None:
        return None
    hours, minutes, seconds, hundredths = (int(part) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + hundredths * 10


def _codec(line: str | None) -> str | None:
    match = re.match(r"\w+", line) if line else None
    return match[0] if match else None


def _size(line: str | None) -> tuple[int | None, int | None]:
    match = re.search(r", (\d{1,5})x(\d{1,5})\b", line) if line else None
    return (int(match[1]), int(match[2])) if match else (None, None)


def _pixel_aspect(line: str | None) -> float:
    match = re.search(r"SAR (\d+):(\d+)", line) if line else None
    if match is None or not int(match[1]) or not int(match[2]):
        return 1.0
    return int(match[1]) / int(match[2])


def _fps(line: str | None) -> float | None:
    if not line:
        return None
    match = re.search(r"([\d.]+)(k?) fps", line) or re.search(r"([\d.]+)(k?) tbr", line)
    if match is None:
        return None
    return float(match[1]) * (1000 if match[2] else 1)


def _video_bitrate(
    video: str | None, total: int | None, audio: str | None, audio_rate: int | None
) -> int | None:
    if video is None:
        return None
    own = _int(r"(\d+) kb/s", video)
    if own is not None or total is None:
        return own
    if audio is None:
        return total
    return max(total - audio_rate, 0) if audio_rate is not None else None


def _channels(line: str | None) -> int | None:
    match = re.search(r"\d+ Hz, ([^,]+)", line) if line else None
    if match is None:
        return None
    layout = match[1].strip()
    if layout in CHANNELS:
        return CHANNELS[layout]
    counted = re.match(r"(\d+) channels", layout)
    if counted:
        return int(counted[1])
    points = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", layout)
    return sum(int(part) for part in points.groups(default="0")) if points else None


def _mime_type(extname: str, *, has_video: bool) -> str:
    known = MIME_TYPES.get(extname.lower(), "application/octet-stream")
    return known if has_video else known.replace("video/", "audio/", 1)


def _metadata(info: MediaInfo, text: str) -> dict[str, str | int | float]:
    tags = re.search(r"^  Metadata:\n((?:    .*\n)+)", text, re.MULTILINE)
    found: dict[str, str | int | float | None] = {}
    for line in tags[1].splitlines() if tags else ():
        name, colon, value = line.partition(":")
        if colon and name.strip():
            found[re.sub(r"\W+", "_", name.strip().lower())] = value.strip()
    found |= {
        "file_type": info.extname.lstrip(".").upper(),
        "file_size": f"{max(round(info.file_size / 1000), 1)} kB",
        "mime_type": info.mime_type,
        "duration": None if info.duration_ms is None else f"{info.duration_ms / 1000:.2f} s",
        "image_width": info.width,
        "image_height": info.height,
        "video_frame_rate": info.fps,
        "compressor_id": info.video_codec,
        "rotation": info.rotation if info.width else None,
        "audio_format": info.audio_codec,
        "audio_channels": info.audio_channels,
        "audio_sample_rate": info.audio_sample_rate,
    }
    return {name: value for name, value in found.items() if value is not None}
