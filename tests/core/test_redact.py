"""Every place where the services put secrets, and texts that hold none and stay as they are."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core import redact

SECRET = "s3cr3t-V4lue"
ESCAPED = quote(f"https://bucket.example/a.mp4?X-Amz-Signature={SECRET}&part=1", safe="")

SHOWN = {
    # the query: Panda and Telestream
    f"/v2/videos.json?access_key={SECRET}&page=2": "/v2/videos.json?access_key=***&page=2",
    f"/v2/videos.json?timestamp=2014&signature={SECRET}": "/v2/videos.json?timestamp=2014&signature=***",
    f"/v2/videos.json?SIGNATURE={SECRET}": "/v2/videos.json?SIGNATURE=***",
    f"/v2/videos.json?token={SECRET}": "/v2/videos.json?token=***",
    f"/clouds.json?aws_secret_key={SECRET}&name=a": "/clouds.json?aws_secret_key=***&name=a",
    f"/clouds.json?cloud[aws_access_key]={SECRET}&n=1": "/clouds.json?cloud[aws_access_key]=***&n=1",
    f"/clouds.json?cloud%5Baws_access_key%5D={SECRET}": "/clouds.json?cloud%5Baws_access_key%5D=***",
    f"/x?password={SECRET}%26{SECRET}&page=1": "/x?password=***&page=1",
    # the query: signed CloudKey URLs, upload nodes, Flix recipes
    f"/player/1/2.mp4?auth=1700000000-0-abcd1234-{SECRET}": "/player/1/2.mp4?auth=***",
    f"/player/1/2?drm_token={SECRET}": "/player/1/2?drm_token=***",
    f"/u?uuid=1&seal={SECRET}": "/u?uuid=1&seal=***",
    f"/recipes?api_key={SECRET}": "/recipes?api_key=***",
    # a URL with a user, plain or escaped, and one that is signed by somebody else
    f"ftp://bob:{SECRET}@media.example/a.mp4": "ftp://***@media.example/a.mp4",
    f"ftp://bob:{SECRET}@{SECRET}@media.example/a.mp4": "ftp://***@media.example/a.mp4",
    f"/v2/videos.json?source_url=ftp%3A%2F%2Fbob%3A{SECRET}%40media.example%2Fa.mp4&page=1": (
        "/v2/videos.json?source_url=ftp%3A%2F%2F***%40media.example%2Fa.mp4&page=1"
    ),
    f"https://bucket.example/a?X-Amz-Signature={SECRET}&part=1": (
        "https://bucket.example/a?X-Amz-Signature=***&part=1"
    ),
    f"/v2/videos.json?source_url={ESCAPED}&page=1": (
        "/v2/videos.json?source_url=https%3A%2F%2Fbucket.example%2Fa.mp4%3FX-Amz-Signature%3D***%26part%3D1&page=1"
    ),
}

SHOWN_TEXT = {
    # JSON: CloudKey RPC, session replies
    f'{{"call": "media.list", "auth": "1:{SECRET}"}}': '{"call": "media.list", "auth":"***"}',
    f'{{"api_key":"{SECRET}","id":1}}': '{"api_key":"***","id":1}',
    f'{{"password": "a\\"{SECRET}", "id": 1}}': '{"password":"***", "id": 1}',
    '{"password": 123456789, "id": 1}': '{"password":"***", "id": 1}',
    f'{{"Secret_Key" : "{SECRET}"}}': '{"Secret_Key":"***"}',
    f'{{"access_key": "{SECRET}': '{"access_key":"***"',  # cut short
    f'{{"access_key": "{SECRET}\\': '{"access_key":"***"',
    f'{{"location": "http://vm.example/upload/session?id={SECRET}"}}': '{"location":"***"}',
    # XML: Flix Cloud
    f"<api-request><api-key>{SECRET}</api-key><recipe-id>3</recipe-id>": (
        "<api-request><api-key>***</api-key><recipe-id>3</recipe-id>"
    ),
    f"<user>bob</user><password>{SECRET} &amp; more</password>": "<user>bob</user><password>***</password>",
    f"<password><![CDATA[{SECRET}<]]></password>": "<password>***</password>",
    f"<password>{SECRET}": "<password>***",
    f'<password type="x">{SECRET}</password>': '<password type="x">***</password>',
    # upload locations, as they are or with the slashes of old JSON writers
    f"gone: http://vm.example/upload/session?id={SECRET}": "gone: http://vm.example/***",
    f'{{"url":"http:\\/\\/vm.example\\/upload\\/session?id={SECRET}"}}': (
        '{"url":"http:\\/\\/vm.example\\/***"}'
    ),
    f"see http://node.example/status?uuid={SECRET} please": "see http://node.example/*** please",
    f"from ftp:\\/\\/bob:{SECRET}@media.example\\/a": "from ftp:\\/\\/***@media.example\\/a",
}

HARMLESS = [
    "",
    "Signatures do not match",
    "All required parameters were not supplied: access_key, signature, timestamp",
    "author=Bob&tokens=3&my_signature=no",
    "/v3.0/videos.json?factory_id=abc&page=2&per_page=100",
    "http://host.example:8080/v3.0/videos/1.json",
    "http://host.example/a/b@c.mp4",
    "write to bob@example.com at 2014/11/05 13:45:14 +0000",
    '{"id": "1", "status": "fail", "error_class": "FormatNotRecognised"}',
    '{"error": "NotAuthorized", "message": "the password is wrong"}',
    "<errors><error>Password is required.</error></errors>",
    "<password/><recipe-id>3</recipe-id>",
    "http://host.example/uploads/1.mp4",
    "/v2/videos.json?source_url=http%3A%2F%2Fhost.example%2Fa.mp4&title=a%40b",
]


@pytest.mark.parametrize(("value", "shown"), SHOWN.items())
def test_url_masks_what_is_secret_and_nothing_else(value: str, shown: str) -> None:
    assert redact.url(value) == shown


@pytest.mark.parametrize(("value", "shown"), (SHOWN | SHOWN_TEXT).items())
def test_text_masks_what_is_secret_and_nothing_else(value: str, shown: str) -> None:
    assert redact.text(value) == shown


@pytest.mark.parametrize("value", HARMLESS)
def test_harmless_text_stays(value: str) -> None:
    assert redact.text(value) == value


@pytest.mark.parametrize("value", [*SHOWN, *SHOWN_TEXT])
def test_masking_twice_changes_nothing(value: str) -> None:
    once = redact.text(value)
    assert redact.text(once) == once


@given(st.text(max_size=60))
def test_any_text_can_be_masked_and_masking_it_twice_changes_nothing(value: str) -> None:
    once = redact.text(value)
    assert redact.text(once) == once


@given(
    st.text("abc:/?&%=@.\"'<>\\ ", max_size=20), st.sampled_from(["/p?{}&", "{}&", "http://h.example/?{}&"])
)
def test_a_signature_never_shows_whatever_surrounds_it(around: str, frame: str) -> None:
    assert SECRET not in redact.url(frame.format(f"signature={SECRET}") + around)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"http://vm.example/upload/session?id={SECRET}", "http://vm.example/***"),
        (f"http://vm.example:8080/{SECRET}", "http://vm.example:8080/***"),
        (f"https://bob:{SECRET}@vm.example/x#{SECRET}", "https://vm.example/***"),
        (f"/upload/session?id={SECRET}", "***"),
        (f"http://[{SECRET}", "***"),
        ("", "***"),
    ],
)
def test_of_a_location_only_scheme_and_host_show(value: str, shown: str) -> None:
    assert redact.location(value) == shown


def test_headers_that_carry_credentials_are_masked_and_names_are_kept() -> None:
    values = {
        "Authorization": SECRET,
        "proxy-authorization": SECRET,
        "Cookie": SECRET,
        "set-cookie": SECRET,
        "Location": f"http://vm.example/{SECRET}",
        "X-Api-Key": SECRET,
        "link": f"<http://h.example/a?token={SECRET}>; rel=next",
        "content-type": "application/json",
    }
    shown = redact.headers(values)
    assert list(shown) == list(values)
    assert SECRET not in str(shown)
    assert shown["link"] == "<http://h.example/a?token=***>; rel=next"
    assert shown["content-type"] == "application/json"


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "<password ",
        "<password>",
        '"auth":"',
        '"auth" ',
        "signature=",
        "://",
        "%3A%2F%2F",
        "http://h/",
        "%",
    ],
)
def test_large_hostile_bodies_are_masked_in_linear_time(piece: str) -> None:
    # Were one of the patterns quadratic, this would run into the suite's time limit.
    assert SECRET not in redact.text(piece * (2**18 // len(piece)) + f" signature={SECRET}")


def test_a_line_is_masked_and_has_no_line_breaks() -> None:
    assert redact.line(f"wrong\r\n  key:\tauth={SECRET}\n") == "wrong key: auth=***"


def test_an_error_and_its_causes_are_masked_in_place() -> None:
    error = ValueError(f"http://h.example/?auth={SECRET}", 7)
    error.__cause__ = OSError(5, "unreachable")
    error.__cause__.__cause__ = KeyError(f"signature={SECRET}")
    assert redact.error(error) is error
    assert error.args == ("http://h.example/?auth=***", 7)
    assert str(error.__cause__) == "[Errno 5] unreachable"
    assert error.__cause__.__cause__.args == ("signature=***",)
