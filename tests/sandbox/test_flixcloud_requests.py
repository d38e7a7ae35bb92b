"""What Flix Cloud makes of a request before there is a job: complaints, and the places it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudreel.flixcloud.xml import Element, read_xml
from cloudreel.sandbox.flixcloud import storage
from cloudreel.sandbox.flixcloud.request import BadSchema, JobRequest, Remote, check_shape, read_request

if TYPE_CHECKING:
    from conftest import Flix


# -- what speaks against a request -----------------------------------------------------------------------

REMOTE = "<url>http://a.example/a.mpg</url>"


def asked(
    *, recipe: str = "<recipe-id>3</recipe-id>", input: str = REMOTE, files: str = "", more: str = ""
) -> JobRequest | list[str]:
    output = "<output><url>ftp://b.example/b.avi</url></output>"
    locations = f"<file-locations><input>{input}</input>{output}{files}</file-locations>"
    root = read_xml(f"<api-request>{recipe}{locations}{more}</api-request>".encode())
    check_shape(root)
    return read_request(root, storage.place, storage.folder_place)


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"recipe": ""}, "recipe_id or recipe_name is required"),
        ({"recipe": "<recipe-id/>"}, "recipe_id or recipe_name is required"),
        (
            {"recipe": "<recipe-id>3</recipe-id><recipe-name>mpg2avi</recipe-name>"},
            "recipe_id and recipe_name cannot both be used",
        ),
        ({"recipe": "<recipe-id>three</recipe-id>"}, "recipe_id must be an integer"),
        ({"recipe": "<recipe-id>-3</recipe-id>"}, "recipe_id must be an integer"),
        ({"recipe": "<recipe-id>4</recipe-id>"}, "recipe_id is not one of the account's recipes"),
        ({"recipe": "<recipe-name>x</recipe-name>"}, "recipe_name is not one of the account's recipes"),
        ({"input": ""}, "input: url is required"),
        ({"input": "<url> </url>"}, "input: url is required"),
        (
            {"input": "<url>file:///etc/hosts</url>"},
            "input: url must begin with one of http://, https://, ftp://, sftp://, s3://",
        ),
        ({"input": "<url>http://[::1</url>"}, "input: Invalid IPv6 URL"),
        ({"input": f"{REMOTE}<parameters/>"}, "input: user is required"),
        ({"input": f"{REMOTE}<parameters><user>u</user></parameters>"}, "input: password is required"),
        ({"files": "<watermark/>"}, "watermark: url is required"),
        (
            {"files": "<thumbnails><url>http://a.example/</url><prefix>p</prefix></thumbnails>"},
            "thumbnails: url must begin with one of ftp://, sftp://, s3://",
        ),
        ({"files": "<thumbnails><url>s3://a/</url></thumbnails>"}, "thumbnails: prefix is required"),
        (
            {"files": "<thumbnails><url>s3://a/</url><prefix>../p</prefix></thumbnails>"},
            "thumbnails: prefix must be the beginning of a file name",
        ),
        (
            {"more": "<notification-url>app.example</notification-url>"},
            "notification_url must begin with http:// or https://",
        ),
        (
            {"more": "<recipe-settings><width>wide</width></recipe-settings>"},
            "recipe_settings: width must be a number, not 'wide'.",
        ),
        (
            {"more": "<recipe-settings><pngex_auto_count>-1</pngex_auto_count></recipe-settings>"},
            "recipe_settings: pngex_auto_count must be a whole number from 0 to 100, not '-1'.",
        ),
        (
            {"more": "<cue-points><event><cue-point><time>1,4</time></cue-point></event></cue-points>"},
            "event cue point: time must be decimal seconds",
        ),
        (
            {"more": "<cue-points><event><cue-point><time>1.4</time></cue-point></event></cue-points>"},
            "event cue point: name is required",
        ),
    ],
)
def test_2_the_errors_say_what_is_wrong(parts: dict[str, str], error: str) -> None:
    found = asked(**parts)
    assert isinstance(found, list)
    assert error in found


def test_2_input_and_output_are_required() -> None:
    root = read_xml(b"<api-request><recipe-id>3</recipe-id><file-locations/></api-request>")
    found = read_request(root, storage.place, storage.folder_place)
    assert found == ["input is required", "output is required"]


@pytest.mark.parametrize(
    ("input", "remote"),
    [
        ("<url>s3://bucket/a</url>", Remote("s3://bucket/a")),
        ("<url>http:///no-host.mpg</url>", Remote("http:///no-host.mpg")),
        ("<url>ftp://u%40:p@h/a</url>", Remote("ftp://h/a", ("u@", "p"))),
        (
            "<url>ftp://u:p@h/a</url><parameters><user>v</user><password/></parameters>",
            Remote("ftp://h/a", ("v", "")),
        ),
        (
            "<url>ftp://h/a</url><parameters><user></user><password></password></parameters>",
            Remote("ftp://h/a"),
        ),
    ],
)
def test_credentials_stand_beside_a_url_or_in_it(input: str, remote: Remote) -> None:
    found = asked(input=input)
    assert isinstance(found, JobRequest)
    assert found.input == remote
    assert "'p'" not in repr(found)


@given(
    st.recursive(
        st.builds(
            Element, st.sampled_from(["api-key", "url", "input", "event", "time", "x"]), st.text(max_size=3)
        ),
        lambda inner: st.builds(
            Element,
            st.sampled_from(
                ["api-request", "file-locations", "input", "thumbnails", "cue-points", "recipe-settings"]
            ),
            st.just(""),
            st.lists(inner, max_size=4).map(tuple),
        ),
    )
)
@example(Element("api-request"))
def test_any_document_is_read_or_refused(root: Element) -> None:
    try:
        check_shape(root)
    except BadSchema:
        return
    found = read_request(root, storage.place, storage.folder_place)
    assert isinstance(found, list)
    assert found


# -- places ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("ftp://Files.example/a/b.avi", "ftp/files.example/a/b.avi"),
        ("SFTP://bob:pw@files.example:2222//abs/b%20c.avi", "sftp/files.example/abs/b c.avi"),
        ("s3://bucket/key?#!.avi", "s3/bucket/key?#!.avi"),
    ],
)
def test_a_place_has_no_user_and_no_port(url: str, place: str) -> None:
    assert storage.place(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "http://h/a",
        "ftp:///a",
        "ftp://h",
        "ftp://h/a/",
        "ftp://../a",
        "ftp://[::1]/a",
        "ftp://h/../a",
        "ftp://h/a/%2e%2e/b",
        "ftp://h/a%2F..%2Fb",
        "ftp://h/a%5C..",
        "ftp://h/a%00",
        "ftp://h/" + "a" * 201,
        "file",
    ],
)
def test_no_place_is_outside_the_storage(url: str) -> None:
    with pytest.raises(storage.BadAddress):
        storage.place(url)


@given(st.text(alphabet="./%2eFfah\\:@?#\0", max_size=20))
def test_no_path_leaves_the_storage(path: str) -> None:
    try:
        found = storage.place(f"ftp://h/{path}")
    except storage.BadAddress:
        return
    names = found.split("/")
    assert names[:2] == ["ftp", "h"]
    assert not {"", ".", ".."} & set(names)


@pytest.mark.parametrize(
    ("url", "place"), [("s3://b/t/", "s3/b/t/"), ("s3://b/t", "s3/b/t/"), ("ftp://b", "ftp/b/")]
)
def test_a_folder_ends_with_a_slash(url: str, place: str) -> None:
    assert storage.folder_place(url) == place


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path", ["/storage/ftp/h/a", "/storage/..%2Fsandbox.sqlite3", "/storage/%00", "/storage/"]
)
async def test_nothing_but_what_is_stored_is_served(flix: Flix, path: str) -> None:
    assert (await flix.http.get(path)).status_code == 404
