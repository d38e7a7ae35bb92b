"""Watermarks and thumbnails, by their pixels: flixcloud.md sections 3.1, 3.2 and 6."""

from __future__ import annotations

import struct
import subprocess
import zlib
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from cloudreel.sandbox.flixcloud.recipes import RECIPES
from cloudreel.sandbox.media import NotMedia, Transcoder, find_ffmpeg
from cloudreel.sandbox.media.command import MARGIN

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Flix, Outside

pytestmark = pytest.mark.anyio

ONE_LOOP = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # what ffmpeg makes is the same on any
RED, CLEAR = b"\xff\x00\x00\xff", b"\x00\x00\x00\x00"
SIDE = 40


def png() -> bytes:
    """A red square whose left half lets everything through."""
    row = b"\x00" + CLEAR * (SIDE // 2) + RED * (SIDE // 2)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(row * SIDE))
        + chunk(b"IEND", b"")
    )


def frame(film: Path, number: int, width: int) -> list[bytes]:
    """Return the rows of one frame of a film or of a picture, three bytes a pixel."""
    command = [find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(film), "-vf", f"select=eq(n\\,{number})"]
    raw = [*command, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run(raw, check=True, capture_output=True, timeout=60).stdout
    return [pixels[start : start + 3 * width] for start in range(0, len(pixels), 3 * width)]


def is_red(pixel: bytes) -> bool:
    red, green, blue = pixel
    return red > 180 and green < 80 and blue < 80


def corner(rows: list[bytes], width: int) -> tuple[bytes, bytes]:
    """Return a pixel in the clear and one in the red half of a watermark in the lower right corner."""
    row = rows[-MARGIN - SIDE // 2]
    clear, red = width - MARGIN - SIDE * 3 // 4, width - MARGIN - SIDE // 4
    return row[3 * clear : 3 * clear + 3], row[3 * red : 3 * red + 3]


@pytest.fixture
def dark(tmp_path: Path) -> Path:
    """Two seconds of blue, without sound."""
    path = tmp_path / "dark.mp4"
    inputs = ["-f", "lavfi", "-i", "color=c=blue:size=320x180:rate=10", "-t", "2", "-pix_fmt", "yuv420p"]
    command = [find_ffmpeg(), "-v", "error", "-nostdin", *inputs, "-c:v", "libx264", str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


@ONE_LOOP
@pytest.mark.parametrize("recipe", [3, 17, 21, 22])
async def test_a_watermark_lies_over_every_frame(tmp_path: Path, dark: Path, recipe: int) -> None:
    logo = tmp_path / "logo"
    logo.write_bytes(png())
    transcoder = Transcoder(tmp_path / "work")
    stem = tmp_path / "out" / "film"
    _, wanted = RECIPES[recipe]
    made = await transcoder.encode(dark, wanted, stem, progress=lambda _: None, watermark=logo)
    assert made.info is not None
    assert (made.info.width, made.info.height) == (320, 180)
    assert made.info.duration_ms is not None
    assert abs(made.info.duration_ms - 2000) <= 200
    for number in (0, 15):
        rows = frame(stem.with_name(made.files[0]), number, 320)
        clear, red = corner(rows, 320)
        assert is_red(red)
        assert clear[2] > 180 > 80 > clear[0]
        assert rows[20][60] < 80  # the rest of the picture is as blue as before


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"#EXTM3U\nclip.mp4\n", b"<svg/>"])
async def test_what_is_no_picture_is_no_watermark(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logo").write_bytes(content)
    with pytest.raises(NotMedia):
        await Transcoder(tmp_path / "work").probe_picture(tmp_path / "logo")


async def test_a_film_is_no_watermark(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "logo").write_bytes(clip.read_bytes())
    with pytest.raises(NotMedia):
        await Transcoder(tmp_path / "work").probe_picture(tmp_path / "logo")


async def test_21_a_job_has_watermark_and_thumbnails(flix: Flix, outside: Outside, dark: Path) -> None:
    outside.files |= {"/in.mp4": dark.read_bytes(), "/logo.png": png()}
    files = (
        f"<watermark><url>{outside.url}/logo.png</url></watermark>"
        "<thumbnails><url>s3://bucket/thumbs</url><prefix>thumb_</prefix></thumbnails>"
    )
    hook = f"<notification-url>{outside.url}/hook</notification-url>"
    id = await flix.create(input=f"{outside.url}/in.mp4", files=files, more=hook)
    job = await flix.settled(id)
    assert job["error_message"] is None
    stored = flix.world.store.data / "storage"
    _, red = corner(frame(stored / "ftp/files.example/out.avi", 10, 320), 320)
    assert is_red(red)

    pictures = sorted((stored / "s3/bucket/thumbs").iterdir())
    assert [picture.name for picture in pictures] == [f"thumb_000{number}.png" for number in range(3)]
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG\r\n")
        rows = frame(picture, 0, 320)
        assert len(rows) == 180
        assert not is_red(corner(rows, 320)[1])  # the watermark is for the film
    served = [await flix.http.get(url) for url in job["thumbnails"]["served_at"]]
    assert [answer.content for answer in served] == [picture.read_bytes() for picture in pictures]
    assert {answer.headers["content-type"] for answer in served} == {"image/png"}

    ((_, _, body),) = outside.told
    told = ElementTree.fromstring(body)
    watermark, thumbnails = told.find("watermark-file"), told.find("thumbnail-media-file")
    assert watermark is not None
    assert {child.tag: child.text for child in watermark} == {
        "url": f"{outside.url}/logo.png",
        "size": str(len(png())),
        "cost": "10",
    }
    assert thumbnails is not None
    assert {child.tag: child.text for child in thumbnails} == {
        "url": "s3://bucket/thumbs",
        "total-size": str(sum(picture.stat().st_size for picture in pictures)),
        "cost": "10",
        "number_of_thumbnails": "3",
    }


@ONE_LOOP
async def test_settings_say_how_many_thumbnails_and_how_large(flix: Flix) -> None:
    files = "<thumbnails><url>ftp://h/</url><prefix>t</prefix></thumbnails>"
    settings = "<pngex_auto_count>5</pngex_auto_count><pngex_width>64</pngex_width>"
    more = f"<recipe-settings>{settings}<pngex_height></pngex_height></recipe-settings>"
    job = await flix.settled(await flix.create(files=files, more=more))
    assert job["thumbnails"]["number_of_thumbnails"] == 5
    pictures = sorted((flix.world.store.data / "storage/ftp/h").iterdir())
    assert [picture.name for picture in pictures] == [f"t000{number}.png" for number in range(5)]
    assert [len(frame(picture, 0, 64)) for picture in pictures] == [36] * 5
