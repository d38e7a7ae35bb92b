"""Names, sizes and addresses of what encodings made."""

from __future__ import annotations

from typing import Any

import pytest

from cloudreel.panda.models import EncodingFields
from cloudreel.panda.outputs import output_name, output_size, output_url


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"path": "a1", "extname": ".mp4", "files": ["a1.mp4"]}, "a1.mp4"),
        ({"path": "a1", "extname": ".m3u8", "files": ["a1_0.ts", "a1.m3u8"]}, "a1.m3u8"),
        ({"path": "a1", "extname": ".jpg", "files": ["a1_1.jpg", "a1_2.jpg"]}, "a1_1.jpg"),
        ({"path": "a1", "extname": ".mp4"}, "a1.mp4"),
        ({"path": "a1"}, "a1"),
        ({"files": ["films/a1.mp4"]}, "films/a1.mp4"),
        ({"extname": ".mp4"}, None),
        ({}, None),
    ],
)
def test_the_file_is_named_by_path_and_extension_unless_the_files_say_otherwise(
    fields: dict[str, Any], name: str | None
) -> None:
    assert output_name(EncodingFields(**fields)) == name


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"status": "success", "files": ["a.mp4"], "file_size": 7}, 7),
        ({"status": "success", "files": ["a.mp4"]}, None),
        ({"status": "success", "files": ["a.m3u8", "a_0.ts"], "file_size": 7}, None),
        ({"status": "success", "files": ["b.mp4"], "file_size": 7}, None),
        ({"status": "processing", "files": ["a.mp4"], "file_size": 7}, None),
    ],
)
def test_a_size_holds_for_one_file_that_is_done(fields: dict[str, Any], size: int | None) -> None:
    assert output_size(EncodingFields(**fields), "a.mp4") == size


@pytest.mark.parametrize(
    ("folder", "name", "url"),
    [
        ("http://s3.test/out/", "a1.mp4", "http://s3.test/out/a1.mp4"),
        ("http://s3.test/out", "films/a1.mp4", "http://s3.test/out/films/a1.mp4"),
        ("http://s3.test/out/", "Été #1?.mp4", "http://s3.test/out/%C3%89t%C3%A9%20%231%3F.mp4"),
    ],
)
def test_the_file_is_below_the_url_of_its_cloud(folder: str, name: str, url: str) -> None:
    assert output_url(folder, name) == url
