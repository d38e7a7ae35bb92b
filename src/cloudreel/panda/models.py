"""What the services of the Panda family return: typed views of their JSON objects (panda.md 5)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import Factory, define, field

from cloudreel.core.call import JSON
from cloudreel.core.codec import Details, Fields, to_json_text

PROCESSING: Final = "processing"
SUCCESS: Final = "success"
FAIL: Final = "fail"


@define(slots=False, eq=False)
class VideoFields(Fields):
    """A source video: pixels, ``duration`` in milliseconds, bitrates in kbit/s, ``file_size`` in bytes."""

    id: str | None = None
    status: str | None = None
    original_filename: str | None = None
    extname: str | None = None
    path: str | None = None
    mime_type: str | None = None
    source_url: str | None = None
    width: int | None = None
    height: int | None = None
    file_size: int | None = None
    duration: int | None = None
    fps: float | None = None
    video_codec: str | None = None
    video_bitrate: int | None = None
    audio_codec: str | None = None
    audio_bitrate: int | None = None
    audio_channels: int | None = None
    audio_sample_rate: int | None = None
    payload: str | None = None
    error_class: str | None = None
    error_message: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@define(slots=False, eq=False)
class EncodingFields(Fields):
    """One output of a video: ``encoding_progress`` in percent, ``encoding_time`` in seconds."""

    id: str | None = None
    video_id: str | None = None
    profile_id: str | None = None
    profile_name: str | None = None
    status: str | None = None
    encoding_progress: float | None = None
    started_encoding_at: datetime | None = None
    encoding_time: float | None = None
    extname: str | None = None
    path: str | None = None
    mime_type: str | None = None
    files: list[str] = Factory(list[str])
    screenshots: list[str] = Factory(list[str])
    width: int | None = None
    height: int | None = None
    file_size: int | None = None
    duration: int | None = None
    fps: float | None = None
    video_codec: str | None = None
    video_bitrate: int | None = None
    audio_codec: str | None = None
    audio_bitrate: int | None = None
    audio_channels: int | None = None
    audio_sample_rate: int | None = None
    external_id: str | None = None
    logfile_url: str | None = None
    parent_encoding_id: str | None = None
    error_class: str | None = None
    error_message: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@define(slots=False, eq=False)
class ProfileFields(Fields):
    """How to encode; ``name`` is unique in its cloud or factory and serves instead of the id."""

    id: str | None = None
    title: str | None = None
    name: str | None = None
    preset_name: str | None = None
    extname: str | None = None
    width: int | None = None
    height: int | None = None
    upscale: bool | None = None
    aspect_mode: str | None = None
    two_pass: bool | None = None
    fps: float | str | None = None
    video_bitrate: int | None = None
    keyframe_interval: int | None = None
    keyframe_rate: float | None = None
    audio_bitrate: int | None = None
    audio_sample_rate: int | None = None
    audio_channels: int | None = None
    clip_length: str | None = None
    clip_offset: str | None = None
    watermark_url: str | None = None
    frame_count: int | None = None
    frame_offsets: str | None = None
    frame_interval: str | None = None
    h264_crf: int | None = None
    h264_profile: str | None = None
    h264_level: str | None = None
    h264_tune: str | None = None
    variants: str | None = None
    closed_captions: str | None = None
    path_format: str | None = None
    command: str | None = None
    stack: str | None = None
    priority: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@define(slots=False, eq=False)
class CloudFields(Fields):
    """A cloud: where outputs go (``url`` ends in a slash) and what belongs together."""

    id: str | None = None
    name: str | None = None
    s3_videos_bucket: str | None = None
    s3_private_access: bool | None = None
    url: str | None = None
    priority: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


def _set_url(text: str | None) -> str | None:
    return None if text == "null" else text  # as the service may write that there is none (panda.md 5.5)


@define(slots=False, eq=False)
class NotificationsFields(Fields):
    """Where and of what a cloud tells: ``delay`` in seconds, ``events`` by name whether they are told."""

    url: str | None = field(default=None, converter=_set_url)
    delay: int | None = None
    events: dict[str, JSON] = Factory(dict[str, JSON])


class Metadata(dict[str, JSON]):
    """What the service's analyser found in a source: free-form, numbers and formatted text (panda.md 5.6)."""

    def to_json(self, indent: int | None = None) -> str:
        """Return the mapping as JSON text, on several lines where ``indent`` is given."""
        return to_json_text(dict[str, JSON](self), indent)


def is_final(record: VideoFields | EncodingFields) -> bool:
    """Return whether nothing more will happen to a video or encoding by itself."""
    return record.status in (SUCCESS, FAIL)


def metadata_of(details: Details) -> Metadata:
    """Return a JSON object as metadata."""
    return Metadata(details)
