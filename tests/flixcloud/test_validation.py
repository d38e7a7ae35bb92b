"""What is wrong with a job, all at once, before anything is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.flixcloud import CuePoint, JobParams, UnknownParameter
from cloudreel.flixcloud.documents import seconds
from cloudreel.flixcloud.models import JobSpec, Location
from cloudreel.flixcloud.params import spec_of
from cloudreel.flixcloud.validation import validate

GOOD = JobSpec(
    recipe_id=3, input=Location("http://media.example/in.avi"), output=Location("ftp://files.example/out.avi")
)
LOGIN = "Both user & password are required."
READ = "Url must begin with http://, https://, ftp://, sftp:// or s3://"
WRITTEN = "Url must begin with ftp://, sftp:// or s3://"


def problems(**changes: Any) -> list[str]:
    return validate(evolve(GOOD, **changes), "a:key")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"recipe_id": "3"},
        {"recipe_id": 0},
        {"recipe_id": None, "recipe_name": "mpg2avi"},
        {"recipe_id": "", "recipe_name": "mpg2avi"},
        {"recipe_id": 3, "recipe_name": ""},
        {"input": Location("s3://bucket/in.avi", "", "")},
        {"input": Location("SFTP://files.example/in.avi", "bob", "s3cret")},
        {"input": Location("http://bob:s3cret@media.example/in.avi")},
        {"watermark": Location("http:///watermark.png")},  # as the old README has it
        {"thumbnails": Location("s3://bucket/thumbs/", prefix="thumb_")},
        {"notification_url": "https://app.example/done"},
        {"notification_url": ""},
        {"pass_through": "any <text> & more\n"},
        {"cue_points": {}},
        {"cue_points": {"event": []}},
        {"cue_points": {"navigation": [CuePoint("ch1", Decimal("3.4"), {"First": ""})]}},
    ],
    ids=range(17),
)
def test_a_good_job_has_no_problem(changes: dict[str, Any]) -> None:
    assert problems(**changes) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"recipe_id": None}, ["Either recipe_id or recipe_name is required."]),
        ({"recipe_name": "mpg2avi"}, ["recipe_id and recipe_name cannot both be used."]),
        ({"recipe_id": "mpg2avi"}, ["recipe_id must be an integer."]),
        ({"recipe_id": True}, ["recipe_id must be an integer."]),
        ({"recipe_id": -3}, ["recipe_id must be an integer."]),
        ({"recipe_id": "٣"}, ["recipe_id must be an integer."]),
        ({"input": None}, ["Input and output files are required."]),
        ({"output": None}, ["Input and output files are required."]),
        ({"input": Location("")}, ["Input: Url is required."]),
        ({"output": Location("")}, ["Output: Url is required."]),
        ({"watermark": Location("")}, ["Watermark: Url is required."]),
        ({"input": Location("in.avi")}, [f"Input: {READ}"]),
        ({"input": Location("file:///in.avi")}, [f"Input: {READ}"]),
        ({"watermark": Location("gopher://media.example/logo.png")}, [f"Watermark: {READ}"]),
        ({"output": Location("http://files.example/out.avi")}, [f"Output: {WRITTEN}"]),
        (
            {"thumbnails": Location("https://files.example/thumbs/", prefix="thumb_")},
            [f"Thumbnails: {WRITTEN}"],
        ),
        ({"thumbnails": Location("ftp://files.example/thumbs/")}, ["Thumbnails: Prefix is required."]),
        ({"input": Location("ftp://files.example/in.avi", "bob")}, [f"Input: {LOGIN}"]),
        ({"output": Location("ftp://files.example/out.avi", None, "s3cret")}, [f"Output: {LOGIN}"]),
        ({"output": Location("ftp://files.example/out.avi", "bob", "")}, [f"Output: {LOGIN}"]),
        (
            {"notification_url": "ftp://app.example/"},
            ["Notification: Url must begin with http:// or https://"],
        ),
        ({"pass_through": "\x00"}, ["pass_through has U+0000, a character that XML cannot hold."]),
        ({"pass_through": 5}, ["pass_through must be text, not int."]),
        ({"recipe_id": None, "recipe_name": b"a"}, ["recipe_name must be text, not bytes."]),
        ({"input": Location(5)}, ["Input: Url must be text, not int."]),
        (
            {"output": Location("ftp://files.example/\x0b", "b\x0bb", "s\x0b")},
            [
                "Output: Url has U+000B, a character that XML cannot hold.",
                "Output: User has U+000B, a character that XML cannot hold.",
                "Output: Password has U+000B, a character that XML cannot hold.",
            ],
        ),
        (
            {"cue_points": {"events": [], "event": [CuePoint("", -1)], "navigation": ["ch1"]}},
            [
                "Cue points: There is no kind 'events'; there are event and navigation.",
                "Cue points: Event 1: Name is required.",
                "Cue points: Event 1: Time must be a number of seconds, 0 or more.",
                "Cue points: Navigation 1: It must be a CuePoint, not str.",
            ],
        ),
        (
            {"cue_points": {"event": [CuePoint("a", 1, {"key": "\x00", "\x0b": "value"})]}},
            [
                "Cue points: Event 1: Parameter 'key' has U+0000, a character that XML cannot hold.",
                "Cue points: Event 1: The key of a parameter has U+000B, a character that XML cannot hold.",
            ],
        ),
    ],
    ids=range(28),
)
def test_a_problem_is_told(changes: dict[str, Any], expected: list[str]) -> None:
    assert problems(**changes) == expected


def test_all_problems_are_told_at_once_in_the_old_client_s_order() -> None:
    job = JobSpec(watermark=Location("", "bob"), input=Location("", None, "s3cret"))
    assert validate(job, "") == [
        "Either recipe_id or recipe_name is required.",
        "API key is required.",
        "Input and output files are required.",
        "Input: Url is required.",
        f"Input: {LOGIN}",
        "Watermark: Url is required.",
        f"Watermark: {LOGIN}",
    ]


def test_a_key_that_is_asked_for_later_is_a_key() -> None:
    assert validate(GOOD, lambda: "") == []


def test_problems_quote_no_password() -> None:
    secret = Location("gopher://bob:s3cret@media.example/", "s3cret")
    assert "s3cret" not in " ".join(problems(input=secret, output=secret, watermark=secret))


# -- parameters ------------------------------------------------------------------------------------------

PARAMS: JobParams = {
    "recipe_name": "mpg2avi",
    "input_url": "http://media.example/in.avi",
    "output_url": "ftp://files.example/out.avi",
    "output_user": "bob",
    "output_password": "s3cret",
    "watermark_url": None,
    "thumbnails_url": "s3://bucket/thumbs/",
    "thumbnails_prefix": "thumb_",
    "notification_url": "https://app.example/done",
    "pass_through": "order-77",
    "cue_points": {"event": [CuePoint("intro", 1.4)]},
}


def test_parameters_describe_a_job() -> None:
    assert spec_of(PARAMS) == JobSpec(
        recipe_name="mpg2avi",
        input=Location("http://media.example/in.avi"),
        output=Location("ftp://files.example/out.avi", "bob", "s3cret"),
        thumbnails=Location("s3://bucket/thumbs/", prefix="thumb_"),
        notification_url="https://app.example/done",
        pass_through="order-77",
        cue_points={"event": [CuePoint("intro", 1.4)]},
    )
    assert spec_of({}) == JobSpec()


def test_a_login_without_a_url_is_a_file_without_a_url() -> None:
    spec = spec_of({"recipe_id": 3, "input_user": "bob", "output_url": ""})
    assert validate(spec, "a:key") == [
        "Input: Url is required.",
        f"Input: {LOGIN}",
        "Output: Url is required.",
    ]


def test_unknown_parameters_are_named() -> None:
    params: Any = {"recipe_id": 3, "input": "x", "ouput_url": "y"}
    with pytest.raises(
        UnknownParameter, match="no parameter 'input', 'ouput_url'; there are recipe_id, "
    ) as caught:
        spec_of(params)
    assert isinstance(caught.value, TypeError)
    params = {"recipe_id": 3, "send": True}
    with pytest.raises(UnknownParameter, match=r"send is for Job and for AsyncJob\.create"):
        spec_of(params)


def test_values_show_no_password() -> None:
    shown = repr(Location("ftp://bob:pa55word@files.example/out.avi", "bob", "s3cret"))
    assert shown == "Location(url='ftp://***@files.example/out.avi', user='bob', prefix=None)"


# -- times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "0"),
        (1.4, "1.4"),
        (3, "3"),
        (1e-7, "0.0000001"),
        (1e16, "10000000000000000"),
        (Decimal("2.50"), "2.50"),
        (-0.5, None),
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("NaN"), None),
        (True, None),
        ("1.4", None),
        (None, None),
    ],
)
def test_times_are_decimal_seconds(time: object, text: str | None) -> None:
    assert seconds(time) == text


@given(st.floats(0, 1e9) | st.integers(0, 10**9) | st.decimals(0, 10**9))
def test_times_keep_their_value(time: float | Decimal) -> None:
    text = seconds(time)
    assert text is not None
    assert set(text) <= set("0123456789.")
    assert type(time)(text) == time
