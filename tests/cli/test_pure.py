"""The pure parts of the command line, as tables and properties."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.cli.accounts import StoredFile
from cloudreel.cli.accounts.cloudkey import assets_of, file_name_of, status_of
from cloudreel.cli.accounts.family import folders_of, works_of
from cloudreel.cli.failures import exit_code, record, sentence, worst
from cloudreel.cli.get import chosen
from cloudreel.cli.output import cell, shortened
from cloudreel.cli.paths import LONGEST, safe_path
from cloudreel.cli.services import SERVICES, Unclear, service_of
from cloudreel.cli.times import read_time
from cloudreel.errors import (
    CloudReelError,
    DecodeError,
    JobFailed,
    RateLimitError,
    RequestTimedOut,
    TransportError,
)
from cloudreel.panda.models import EncodingFields, VideoFields
from cloudreel.panda.waiting import JobProgress
from cloudreel.telestream import RecordNotFound

NOW = 1_800_000_000.5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("never", 0),
        ("30s", 1_800_000_030),
        ("2h", 1_800_007_200),
        ("7d", 1_800_604_800),
        ("1900000000", 1_900_000_000),
        ("2030-01-31T12:00:00Z", 1_896_091_200),
        ("2030-01-31T13:00:00+01:00", 1_896_091_200),
        ("2030-01-31 12:00", 1_896_091_200),
    ],
)
def test_times(text: str, seconds: int) -> None:
    assert read_time(text, NOW) == seconds


@pytest.mark.parametrize("text", ["", "soon", "2 h", "-2h", "12", "1e9", "18000000000000"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        read_time(text, NOW)


KEYS = {"TELESTREAM_ACCESS_KEY": "a", "TELESTREAM_SECRET_KEY": "s"}
PANDA = {"PANDASTREAM_URL": "https://a:s@panda.example/cloud"}


@pytest.mark.parametrize(
    ("asked", "environment", "service"),
    [
        (None, KEYS, "telestream"),
        (None, PANDA, "panda"),
        ("panda", {**KEYS, **PANDA}, "panda"),
        (None, {"CLOUDKEY_REST_USERNAME": "u", "CLOUDKEY_REST_PASSWORD": "p"}, "cloudkey_rest"),
    ],
)
def test_the_service_that_is_meant(asked: str | None, environment: dict[str, str], service: str) -> None:
    assert service_of(asked, environment) == service


@pytest.mark.parametrize(
    ("asked", "environment", "complaint"),
    [
        (None, {}, "There are no credentials"),
        (None, {**KEYS, **PANDA}, "of telestream, panda: choose one"),
        ("cloudkey", KEYS, "set CLOUDKEY_USER_ID and CLOUDKEY_API_KEY"),
        ("panda", {"PANDA_ACCESS_KEY": "a", "PANDA_SECRET_KEY": ""}, "set PANDASTREAM_URL or PANDA_"),
    ],
)
def test_the_service_is_unclear(asked: str | None, environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(Unclear, match=complaint):
        service_of(asked, environment)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_credentials_that_are_enough(service: str) -> None:
    with pytest.raises(Unclear) as unclear:
        service_of(service, {})
    wanted = str(unclear.value).partition(": set ")[2].partition(" or ")[0].split(" and ")
    assert service_of(service, dict.fromkeys(wanted, "x")) == service


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("h264/a b.mp4", "h264/a b.mp4"),
        ("été.mp4", "été.mp4"),
        ("../../etc/passwd", "%2E./%2E./etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        (".bashrc", "%2Ebashrc"),
        ("a\\b:c\n.mp4", "a%5Cb%3Ac%0A.mp4"),
        ("nul.txt", "%6Eul.txt"),
        ("", "_"),
        ("//", "_"),
    ],
)
def test_names_of_services_as_paths(name: str, path: str) -> None:
    assert safe_path(name) == PurePosixPath(path)


@given(st.text())
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    path = safe_path(name)
    assert not path.is_absolute()
    assert path.parts
    for part in path.parts:
        assert part not in {".", ".."}
        assert 0 < len(part.encode()) <= LONGEST
        assert part.isprintable()
        assert not set(part) & set('\\/:*?"<>|')


@given(st.text(max_size=20).map(lambda text: text.replace("/", "")), st.text(max_size=20))
def test_different_short_names_are_different_paths(one: str, other: str) -> None:
    other = other.replace("/", "")
    if one and other:
        assert (safe_path(one) == safe_path(other)) == (one == other)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RecordNotFound("x"), 4),
        (FileNotFoundError(2, "No such file", "a.mp4"), 4),
        (PermissionError(13, "Permission denied", "a.mp4"), 1),
        (TransportError("x"), 5),
        (RequestTimedOut("x"), 5),
        (RateLimitError("x"), 5),
        (JobFailed("x"), 1),
        (DecodeError("x"), 1),
    ],
)
def test_exit_codes(error: Exception, code: int) -> None:
    assert exit_code(error) == code
    assert worst([error]) == worst([error, error]) == code
    assert worst([error, CloudReelError("x")]) == 1
    assert record(error, code)["exit_code"] == code


def test_no_error_is_success() -> None:
    assert worst([]) == 0


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.mp4"), "a.mp4: No such file or directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (CloudReelError("It failed"), "It failed"),
        (DecodeError(), "DecodeError"),
    ],
)
def test_errors_as_sentences(error: Exception, text: str) -> None:
    assert sentence(error) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (12, "12"),
        ("a\tb\x1b[31m", "a?b?[31m"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04:05"),
    ],
)
def test_cells(value: object, shown: str) -> None:
    assert cell(value) == shown


@given(st.text(), st.integers(3, 60))
def test_names_beside_bars_fit(name: str, width: int) -> None:
    short = shortened(name, width)
    assert len(short) == min(len(name), width)
    assert short[0:1] == name[0:1]


def test_encodings_of_one_profile_have_folders_of_their_own() -> None:
    encodings = [
        EncodingFields(id=str(n), profile_name=name) for n, name in enumerate(["h264", "webm", "h264"])
    ]
    assert folders_of(encodings) == ["h264-0", "webm", "h264-2"]


@pytest.mark.parametrize(
    ("video", "encodings", "told"),
    [
        ("processing", [], [("source", None, 0.0)]),
        ("success", [], [("source", True, 100.0)]),
        ("success", [("processing", 40), ("success", 99)], [("p0", None, 40.0), ("p1", True, 100.0)]),
        ("fail", [("fail", 3)], [("source", False, 0.0), ("p0", False, 3.0)]),
    ],
)
def test_what_is_watched_of_a_video(
    video: str, encodings: list[tuple[str, float]], told: list[tuple[str, bool | None, float]]
) -> None:
    made = [
        EncodingFields(id=f"e{n}", profile_name=f"p{n}", status=status, encoding_progress=progress)
        for n, (status, progress) in enumerate(encodings)
    ]
    works = works_of("v", JobProgress(VideoFields(id="v", status=video), tuple(made)))
    assert [(work.name, work.good, work.percent) for work in works] == told
    assert {work.item for work in works} == {"v"}


@pytest.mark.parametrize(
    ("assets", "status"),
    [
        ({}, "ready"),
        ({"source": {"status": "ready"}, "mp4": {"status": "pending"}}, "processing"),
        ({"source": {"status": "ready"}, "mp4": {"status": "error"}}, "error"),
        ([{"name": "source", "status": "ready"}], "ready"),
        ([{"name": "source", "status": "processing"}], "processing"),
        ({"source": {"status": "ready"}, "gone": None}, "ready"),
    ],
)
def test_what_becomes_of_a_medium(assets: object, status: str) -> None:
    assert status_of({"id": "m", "assets": assets}) == status
    assert "gone" not in assets_of({"assets": assets})


@pytest.mark.parametrize(
    ("name", "asset", "file"),
    [
        ("source", {}, "source"),
        ("source", {"file_extension": "mov"}, "source.mov"),
        ("mp4_h264_aac", {"container": "MPEG-4"}, "mp4_h264_aac.mp4"),
        ("jpeg_thumbnail_small", {"file_extension": ".jpg"}, "jpeg_thumbnail_small.jpg"),
    ],
)
def test_names_of_assets(name: str, asset: dict[str, object], file: str) -> None:
    assert file_name_of(name, asset) == file


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), ["h264/a.mp4", "h264/a_1.jpg", "webm/b.webm"]),
        (("h264",), ["h264/a.mp4", "h264/a_1.jpg"]),
        (("h264/",), ["h264/a.mp4", "h264/a_1.jpg"]),
        (("*.webm", "h264/*.jpg"), ["h264/a_1.jpg", "webm/b.webm"]),
        (("h26",), []),
    ],
)
def test_files_that_are_asked_for(names: tuple[str, ...], found: list[str]) -> None:
    files = [stored(name) for name in ("h264/a.mp4", "h264/a_1.jpg", "webm/b.webm")]
    assert [file.name for file in chosen(files, names)] == found


def stored(name: str) -> StoredFile:
    async def fetch(path: object, progress: object) -> int:
        raise AssertionError("nobody fetches it")

    return StoredFile(name, None, None, "1", fetch)
