"""The typed views of the family's objects: what they make of the documented examples, and of odd ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.codec import Fields, structure
from cloudreel.errors import DecodeError
from cloudreel.panda.models import EncodingFields, Metadata, ProfileFields, VideoFields, is_final, metadata_of
from cloudreel.telestream.models import FactoryFields

VIDEO = json.loads("""
{"id": "7d8e4f1c2b3a49586776859a4b3c2d1e", "original_filename": "panda.mp4", "source_url": null,
 "extname": ".mp4", "path": "7d8e4f1c2b3a49586776859a4b3c2d1e", "mime_type": "video/mp4",
 "status": "success", "video_codec": "h264", "audio_codec": "aac", "width": 300, "height": 240,
 "fps": 29.97, "duration": 14014, "file_size": 805301, "video_bitrate": 344, "audio_bitrate": 112,
 "audio_channels": 2, "audio_sample_rate": 44100, "payload": null, "error_class": null,
 "error_message": null, "created_at": "2015/12/14 14:21:54 +0000", "updated_at": "2015/12/14 14:22:04 +0000"}
""")
ENCODING = json.loads("""
{"id": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "video_id": "7d8e4f1c2b3a49586776859a4b3c2d1e",
 "profile_id": "40d9f8711d64aaa74f88462e9274f39b", "profile_name": "h264", "extname": ".mp4",
 "path": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "status": "success", "encoding_progress": 100,
 "started_encoding_at": "2015/12/14 14:22:09 +0000", "encoding_time": 9, "width": 640, "height": 480,
 "file_size": 612345, "files": ["a1b2c3d4e5f60718293a4b5c6d7e8f90.mp4"],
 "created_at": "2015/12/14 14:22:04 +0000", "updated_at": "2015/12/14 14:22:18 +0000"}
""")
PROFILE = json.loads("""
{"id": "40d9f8711d64aaa74f88462e9274f39b", "title": "MP4 (H.264)", "name": "h264", "preset_name": "h264",
 "extname": ".mp4", "width": 640, "height": 480, "audio_bitrate": 128, "video_bitrate": 500,
 "aspect_mode": "letterbox", "upscale": true,
 "created_at": "2014/11/05 13:45:14 +0000", "updated_at": "2014/11/05 13:45:14 +0000"}
""")
FACTORY = json.loads("""
{"id": "5c1d7e90b2a34f6688d0e1f203142536", "name": "main", "s3_videos_bucket": "acme-out",
 "s3_private_access": false, "url": "http://s3.amazonaws.com/acme-out/", "upload_original_video": false,
 "created_at": "2014/12/28 18:17:11 +0000", "updated_at": "2016/01/04 11:10:51 +0000"}
""")
DATES = {"created_at", "updated_at", "started_encoding_at"}


@pytest.mark.parametrize(
    ("kind", "details"),
    [(VideoFields, VIDEO), (EncodingFields, ENCODING), (ProfileFields, PROFILE), (FactoryFields, FACTORY)],
)
def test_the_documented_objects_are_read(kind: type[Fields], details: dict[str, object]) -> None:
    record = structure(details, kind)
    assert record.details == details
    for name, value in details.items():
        seen = getattr(record, name)
        if name in DATES:
            assert seen == datetime.strptime(str(value), "%Y/%m/%d %H:%M:%S %z")
            assert seen.tzinfo is not None
        else:
            assert seen == value


@pytest.mark.parametrize("kind", [VideoFields, EncodingFields, ProfileFields, FactoryFields])
def test_any_field_may_be_missing_or_null(kind: type[Fields]) -> None:
    empty = structure({}, kind)
    nulls = structure({name: None for name in vars(empty) if name != "details"}, kind)
    for record in (empty, nulls):
        assert not any(value for name, value in vars(record).items() if name != "details")


@pytest.mark.parametrize(
    ("details", "name", "value"),
    [
        ({"width": "640"}, "width", 640),
        ({"width": 640.0}, "width", 640),
        ({"width": ""}, "width", None),
        ({"file_size": "805301"}, "file_size", 805301),
        ({"file_size": 2**53 + 1}, "file_size", 2**53 + 1),
        ({"file_size": str(2**53 + 1)}, "file_size", 2**53 + 1),
        ({"fps": "29.97"}, "fps", 29.97),
        ({"fps": 29}, "fps", 29.0),
        ({"id": 111}, "id", "111"),
        ({"created_at": ""}, "created_at", None),
        (
            {"created_at": "2014/11/05 13:45:14 +0000"},
            "created_at",
            datetime(2014, 11, 5, 13, 45, 14, tzinfo=UTC),
        ),
        (
            {"created_at": "2014/11/05 13:45:14 +0100"},
            "created_at",
            datetime(2014, 11, 5, 13, 45, 14, tzinfo=timezone(timedelta(hours=1))),
        ),
        ({"created_at": "2014-11-05T13:45:14Z"}, "created_at", datetime(2014, 11, 5, 13, 45, 14, tzinfo=UTC)),
    ],
)
def test_values_are_read_tolerantly(details: dict[str, object], name: str, value: object) -> None:
    record = structure(details, VideoFields)
    assert getattr(record, name) == value
    assert record.details == details


def test_frames_per_second_may_be_a_word() -> None:
    assert structure({"fps": "same_as_source"}, ProfileFields).fps == "same_as_source"
    assert structure({"fps": 25}, ProfileFields).fps == 25
    assert structure({"fps": None}, ProfileFields).fps is None


def test_lists_of_an_encoding_are_never_none() -> None:
    assert structure({"files": None}, EncodingFields).files == []
    assert structure({}, EncodingFields).screenshots == []
    assert structure({"files": ["a.mp4", 7]}, EncodingFields).files == ["a.mp4", "7"]


def test_unknown_fields_are_kept() -> None:
    record = structure({"id": "1", "state_update_url": "http://a.example/"}, VideoFields)
    assert record.details["state_update_url"] == "http://a.example/"


@pytest.mark.parametrize(
    "details",
    [
        {"width": "wide"},
        {"width": [640]},
        {"width": True},
        {"fps": "nan"},
        {"created_at": "yesterday"},
        {"created_at": "2014/11/05 13:45:14"},
        {"created_at": 1415195114},
        {"id": {"a": 1}},
    ],
)
def test_nonsense_in_a_known_field_is_named(details: dict[str, object]) -> None:
    with pytest.raises(DecodeError, match=next(iter(details))):
        structure({"id": "1f", **details}, VideoFields)


TEXT = st.text("0123456789 +-/:.eZnaif\x00\u0663\u2603", max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([VideoFields, EncodingFields, ProfileFields, FactoryFields]), st.data())
def test_any_json_is_read_or_refused(kind: type[Fields], data: st.DataObject) -> None:
    names = st.sampled_from([name for name in vars(structure({}, kind)) if name != "details"])
    details = data.draw(st.dictionaries(names, VALUES, max_size=4))
    try:
        record = structure(details, kind)
    except DecodeError:
        return
    assert record.details is details


@pytest.mark.parametrize(
    ("status", "final"),
    [("processing", False), ("success", True), ("fail", True), ("queued", False), (None, False)],
)
def test_success_and_fail_are_final(status: str | None, final: bool) -> None:
    assert is_final(VideoFields(status=status)) is final
    assert is_final(EncodingFields(status=status)) is final


def test_metadata_is_a_mapping_with_a_text_form() -> None:
    metadata = metadata_of({"image_width": 300, "duration": "19.35 s"})
    assert isinstance(metadata, Metadata)
    assert metadata == {"image_width": 300, "duration": "19.35 s"}
    assert json.loads(metadata.to_json()) == metadata
    assert metadata.to_json(indent=2) == '{\n  "image_width": 300,\n  "duration": "19.35 s"\n}'
