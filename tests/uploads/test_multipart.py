"""The form with one file, byte for byte."""

from __future__ import annotations

from email.parser import BytesParser

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.errors import UploadError
from cloudreel.uploads import open_source
from cloudreel.uploads.multipart import MultipartBody, quote

pytestmark = pytest.mark.anyio


async def all_of(body):
    return [piece async for piece in body]


async def test_the_bytes_of_a_form(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"movie")
    async with await open_source(path) as source:
        body = MultipartBody(source, boundary="b0undary")
        sent = b"".join(await all_of(body))
    assert body.content_type == 'multipart/form-data; boundary="b0undary"'
    assert sent == (
        b"--b0undary\r\n"
        b'Content-Disposition: form-data; name="file"; filename="clip.mp4"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n"
        b"movie\r\n"
        b"--b0undary--\r\n"
    )
    assert body.length == len(sent)


async def test_each_pass_is_the_same_and_progress_counts_the_file_alone():
    counts = []
    source = await open_source(bytes(700_000))
    body = MultipartBody(source, boundary="x", sent=counts.append)
    first = await all_of(body)
    assert b"".join(first) == b"".join(await all_of(body))
    assert counts == [262_144, 524_288, 700_000] * 2
    assert max(len(piece) for piece in first) == 262_144


async def test_a_short_source_is_told(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"movie" * 10)
    async with await open_source(path) as source:
        path.write_bytes(b"movie")
        with pytest.raises(UploadError, match=r"clip\.mp4"):
            await all_of(MultipartBody(source, boundary="x"))


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("clip.mp4", "clip.mp4"),
        ('a"b.mp4', "a%22b.mp4"),
        ("a\r\nX-Evil: 1.mp4", "a%0D%0AX-Evil: 1.mp4"),
        ("a\x00\x7fb", "a%00%7Fb"),
        ("Käse 映画.mp4", "Käse 映画.mp4"),
        ("100%.mp4", "100%.mp4"),
        ("a\\b", "a\\b"),
        ("", ""),
    ],
)
def test_names(name, quoted):
    assert quote(name) == quoted


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.binary(min_size=1, max_size=50))
def test_no_name_breaks_the_form(name, content):
    async def build():
        source = await open_source(content)
        source.name = name
        body = MultipartBody(source, boundary="f7a9c1d3e5b24680")
        return body, b"".join(await all_of(body))

    body, sent = anyio.run(build)
    assert body.length == len(sent)
    head, _, rest = sent.partition(b"\r\n\r\n")
    assert head.count(b"\r\n") == 2
    assert rest == content + b"\r\n--f7a9c1d3e5b24680--\r\n"
    assert head.count(b'"') == 4


async def test_a_parser_reads_it():
    source = await open_source(b"movie\r\n--x\r\n")
    source.name = "a b;c.mp4"
    body = MultipartBody(source, field="upload", boundary="separator")
    sent = b"".join(await all_of(body))
    message = BytesParser().parsebytes(f"Content-Type: {body.content_type}\r\n\r\n".encode() + sent)
    (part,) = message.get_payload()
    assert part.get_param("name", header="content-disposition") == "upload"
    assert part.get_filename() == "a b;c.mp4"
    assert part.get_payload(decode=True) == b"movie\r\n--x\r\n"


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a b", 'a"', "a\r\nb", "ä"])
async def test_a_boundary_is_checked(boundary):
    with pytest.raises(ValueError, match="boundary"):
        MultipartBody(await open_source(b"x"), boundary=boundary)
