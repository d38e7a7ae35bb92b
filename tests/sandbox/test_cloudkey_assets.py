"""CloudKey: what becomes of assets, really fetched and transcoded (cloudkey-rpc.md section 17, 26 to 35).

The number stands in the test's name.
"""

from __future__ import annotations

import hashlib
import socket
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from cloudreel.sandbox.cloudkey import library
from cloudreel.sandbox.cloudkey.assets import jpeg_size
from cloudreel.sandbox.cloudkey.methods import Caller
from cloudreel.sandbox.media import Encoded, NotMedia, Recipe
from cloudreel.sandbox.state import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Rpc

pytestmark = pytest.mark.anyio

ONE_LOOP = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # what ffmpeg makes is the same on any
VIDEO = {
    *("status", "container", "video_bitrate", "video_height", "audio_bitrate", "audio_codec", "file_size"),
    *("duration", "video_codec", "video_width", "global_bitrate", "created", "file_extension"),
}
PICTURE = {
    *("status", "container", "video_height", "file_size", "video_codec", "video_width", "created"),
    "file_extension",
}
EVERY = [
    "flv_h263_mp3",
    "mp4_h264_aac",
    "webm_vp8_vorbis",
    "abs",
    "jpeg_thumbnail_medium",
    "jpeg_thumbnail_auto",
]


def stored(world: World, media: str, name: str) -> list[Path]:
    """Return the files of an asset."""
    asset = world.store.get("asset", f"{media}/{name}")
    assert asset is not None
    return [world.store.data / file for file in asset["_files"]]


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a.mp4"


@ONE_LOOP
async def test_26_27_31_32_assets_are_pending_then_ready(rpc: Rpc, world: World, clip: Path) -> None:
    url = await rpc.upload("a clip.mp4", clip.read_bytes())
    media = (await rpc("media.create", url=url, assets_names=[*EVERY, "abs"]))["id"]
    assert await rpc("media.get_assets", id=media, assets_names=EVERY) == {
        name: {"status": "pending"} for name in EVERY
    }
    assets = await rpc.settled(media)
    assert list(assets) == ["source", *EVERY]
    assert {name: asset["status"] for name, asset in assets.items()} == dict.fromkeys(assets, "ready")
    for name, asset in assets.items():
        assert asset.keys() == (PICTURE if name.startswith("jpeg") else VIDEO), name
    assert {name: asset["video_codec"] for name, asset in assets.items()} == {
        "source": "AVC",
        "flv_h263_mp3": "Sorenson Spark",
        "mp4_h264_aac": "AVC",
        "webm_vp8_vorbis": "VP8",
        "abs": "AVC",
        "jpeg_thumbnail_medium": "JPEG",
        "jpeg_thumbnail_auto": "JPEG",
    }
    assert (assets["mp4_h264_aac"]["audio_codec"], assets["mp4_h264_aac"]["duration"]) == ("AAC LC", 2)
    [picture] = stored(world, media, "jpeg_thumbnail_medium")
    assert jpeg_size(picture.read_bytes()) == (160, 120)
    [source] = stored(world, media, "source")
    assert source.read_bytes() == clip.read_bytes()
    assert await rpc("media.get_asset", id=media, asset_name="abs") == assets["abs"]
    checksum = await rpc("media.info", id=media, fields=["assets.source.checksum", "frame_ratio"])
    digest = hashlib.md5(clip.read_bytes()).hexdigest()
    assert checksum == {"assets": {"source": {"checksum": digest}}, "frame_ratio": 1.778}
    [shown] = world.snapshot()["media"]
    assert (shown["sha256"], shown["size"]) == (
        hashlib.sha256(clip.read_bytes()).hexdigest(),
        clip.stat().st_size,
    )


async def test_28_a_url_that_cannot_be_fetched(rpc: Rpc) -> None:
    media = (await rpc("media.create", url="http://localhost/", assets_names=EVERY))["id"]
    with anyio.fail_after(60):
        assets = await rpc.settled(media)
    assert {name: assets[name] for name in EVERY} == {name: {"status": "error"} for name in EVERY}


async def test_29_a_file_that_cannot_be_decoded(rpc: Rpc, world: World) -> None:
    url = await rpc.upload("a.mp4", b"this is no film" * 100)
    media = (await rpc("media.create", url=url, assets_names=["mp4_h264_aac", "abs_pr"]))["id"]
    assets = await rpc.settled(media)
    assert assets["source"]["status"] == "ready"
    assert assets["mp4_h264_aac"] == assets["abs_pr"] == {"status": "error"}
    assert await rpc("media.info", id=media, fields=["assets.mp4_h264_aac.duration"]) == {
        "assets": {"mp4_h264_aac": {"duration": None}}
    }
    [shown] = world.snapshot()["media"]
    assert all(shown["assets"][name]["error_message"] for name in ("mp4_h264_aac", "abs_pr"))


@ONE_LOOP
async def test_what_is_made_but_cannot_be_read_fails_alone(
    rpc: Rpc, world: World, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = world.transcoder.encode

    async def spoiled(source: Path, recipe: Recipe, stem: Path, **options: Any) -> Encoded:
        if stem.name == "mp4_h264_aac":
            raise NotMedia("ffmpeg found nothing in it")
        return await encode(source, recipe, stem, **options)

    monkeypatch.setattr(world.transcoder, "encode", spoiled)
    url = await rpc.upload("a.mp4", clip.read_bytes())
    media = (await rpc("media.create", url=url, assets_names=["mp4_h264_aac"]))["id"]
    assert (await rpc.settled(media))["mp4_h264_aac"] == {"status": "error"}
    [shown] = world.snapshot()["media"]
    assert shown["assets"]["mp4_h264_aac"]["error_message"] == "ffmpeg found nothing in it"
    await rpc("media.set_assets", id=media, assets=[{"name": "jpeg_thumbnail_small"}])
    assert (await rpc.settled(media))["jpeg_thumbnail_small"]["status"] == "ready"


async def test_30_removed_assets_are_gone_with_their_files(rpc: Rpc, world: World, clip: Path) -> None:
    url = await rpc.upload("a.mp4", clip.read_bytes())
    media = (await rpc("media.create", url=url, assets_names=["jpeg_thumbnail_small"]))["id"]
    await rpc.settled(media)
    [picture] = stored(world, media, "jpeg_thumbnail_small")
    assert await rpc("media.remove_assets", id=media, assets_names=["jpeg_thumbnail_small", "absent"]) is None
    assert (await rpc("media.get_assets", id=media)).keys() == {"source"}
    assert await rpc.code("media.get_asset", id=media, asset_name="jpeg_thumbnail_small") == 1010
    assert not picture.exists()
    folder = picture.parent
    await rpc("media.delete", id=media)
    assert not folder.exists()


async def test_33_34_source_and_transcodes_in_one_call(rpc: Rpc, clip: Path) -> None:
    url = await rpc.upload("a.mp4", clip.read_bytes())
    media = (await rpc("media.create"))["id"]
    names = ["jpeg_thumbnail_small", "jpeg_thumbnail_large"]
    source = {"name": "source", "url": url}
    wanted: list[dict[str, Any]] = [{"name": names[0], "action": "transcode"}, {"name": names[1]}, source]
    assert await rpc("media.set_assets", id=media, assets=wanted) is None
    asked = await rpc("media.get_assets", id=media)
    assert {asset["status"] for asset in asked.values()} <= {"pending", "processing"}
    assets = await rpc.settled(media)
    assert {asset["status"] for asset in assets.values()} == {"ready"}


async def test_a_transcode_that_failed_is_tried_again_and_one_that_is_ready_is_not(
    rpc: Rpc, clip: Path
) -> None:
    media = (await rpc("media.create"))["id"]
    again = {"id": media, "assets": [{"name": "jpeg_thumbnail_small"}]}
    await rpc("media.set_assets", **again)
    assert (await rpc.settled(media))["jpeg_thumbnail_small"] == {"status": "error"}
    url = await rpc.upload("a.mp4", clip.read_bytes())
    await rpc("media.set_assets", id=media, assets=[{"name": "source", "url": url}])
    await rpc("media.set_assets", **again)
    ready = await rpc.settled(media)
    assert ready["jpeg_thumbnail_small"]["status"] == "ready"
    await rpc("media.set_assets", **again)
    assert await rpc("media.get_assets", id=media) == ready


async def test_what_waits_for_an_asset_that_is_removed_fails(rpc: Rpc, silent: str) -> None:
    media = (await rpc("media.create", url=silent, assets_names=["mp4_h264_aac"]))["id"]
    await anyio.sleep(0.1)
    assert (await rpc("media.get_assets", id=media))["mp4_h264_aac"] == {"status": "pending"}
    await rpc("media.remove_assets", id=media, assets_names=["source"])
    with anyio.fail_after(60):
        assert await rpc.settled(media) == {"mp4_h264_aac": {"status": "error"}}


async def test_35_an_asset_may_be_brought_along(rpc: Rpc, world: World, clip: Path) -> None:
    url = await rpc.upload("a.mp4", clip.read_bytes())
    media = (await rpc("media.create"))["id"]
    await rpc("media.set_assets", id=media, assets=[{"name": "mp4_h264_aac", "url": url}])
    assert (await rpc.settled(media)).keys() == {"mp4_h264_aac"}
    [file] = stored(world, media, "mp4_h264_aac")
    assert file.read_bytes() == clip.read_bytes()


@ONE_LOOP
async def test_thumbnails_are_taken_at_a_time_or_brought(rpc: Rpc, world: World, clip: Path) -> None:
    url = await rpc.upload("a.mp4", clip.read_bytes())
    names = ["jpeg_thumbnail_small", "jpeg_thumbnail_large"]
    media = (await rpc("media.create", url=url, assets_names=names))["id"]
    await rpc.settled(media)
    before = [stored(world, media, name)[0].read_bytes() for name in names]
    assert await rpc("media.set_thumbnail", id=media, timecode="00:00:01.50") is None
    assert (await rpc.settled(media))["jpeg_thumbnail_large"]["video_width"] == 320
    later = [stored(world, media, name)[0].read_bytes() for name in names]
    assert all(old != new for old, new in zip(before, later, strict=True))
    picture = await rpc.upload("picture.jpeg", later[1])
    await rpc("media.set_thumbnail", id=media, url=picture, force=True)
    assert (await rpc.settled(media))["jpeg_thumbnail_small"]["video_width"] == 320
    await rpc("media.set_thumbnail", id=media, timecode="01:00:00")
    assert (await rpc.settled(media))["jpeg_thumbnail_small"] == {"status": "error"}


async def test_unfinished_assets_are_taken_up_by_the_next_run(tmp_path: Path, clip: Path) -> None:
    mapped = {"ftp://files.example/": clip.parent}
    world = World.open(tmp_path / "data", map=mapped)
    account = world.store.get("account", world.credentials["cloudkey"]["user_id"])
    assert account is not None
    media = library.create_media(Caller(world, account, is_root=False), {})
    library.add_asset(world, media, "source", url=f"ftp://files.example/{clip.name}")
    library.transcode(world, media, "jpeg_thumbnail_small")
    world.close()

    world = World.open(tmp_path / "data", map=mapped)
    async with world.running():
        with anyio.fail_after(60):
            while {asset["status"] for asset in library.assets_of(world, media["id"])} != {"ready"}:
                await anyio.sleep(0.05)
    world.close()


def test_sizes_are_read_from_jpeg_headers() -> None:
    assert jpeg_size(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc2\x00\x0b\x08\x00\x3c\x00\x50") == (80, 60)
    assert jpeg_size(b"") is None
    assert jpeg_size(b"\xff\xd8\xff\xda\x00\x04ab") is None
    assert jpeg_size(b"GIF89a" + bytes(20)) is None
