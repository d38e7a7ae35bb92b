"""The life of a video in the sandbox (panda.md 7.3): real encodings, fetched sources, served outputs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.sandbox.state import World

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from conftest import Caller

pytestmark = pytest.mark.anyio


async def test_a_video_is_analysed_encoded_and_played(call: Caller, clip: Path) -> None:
    video = await call.upload(clip, profiles="h264", path_format=":date/:original/:id")
    done = await call.settled(f"/videos/{video['id']}.json")
    known = {"status": "success", "width": 320, "height": 180, "duration": 2000, "fps": 25.0}
    assert done == {**done, **known, "video_codec": "h264", "audio_codec": "aac", "mime_type": "video/mp4"}
    [encoding] = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    encoding = await call.settled(f"/encodings/{encoding['id']}.json")
    assert (encoding["status"], encoding["encoding_progress"]) == ("success", 100)
    assert encoding["files"] == [f"{encoding['path']}.mp4"]
    assert len(encoding["screenshots"]) == 7
    [factory] = await call.json("GET", "/factories.json")
    url = factory["url"] + encoding["files"][0]
    whole = await call.http.get(url)
    assert (whole.status_code, len(whole.content)) == (200, encoding["file_size"])
    some = await call.http.get(url, headers={"Range": "bytes=4-7"})
    assert (some.status_code, some.content) == (206, b"ftyp")
    assert (await call.http.get(factory["url"] + encoding["screenshots"][0])).content[:2] == b"\xff\xd8"
    assert await call.json("DELETE", f"/encodings/{encoding['id']}.json") == {"deleted": True}
    assert (await call.http.get(url)).status_code == 404


@pytest.mark.parametrize("path", ["../sandbox.sqlite3", "%2e%2e/sandbox.sqlite3", "..%2fsandbox.sqlite3", ""])
async def test_outputs_show_no_other_files(call: Caller, path: str) -> None:
    assert (await call.http.get(f"/outputs/{path}")).status_code in {404, 400}


async def test_a_file_that_is_no_video_fails_and_so_do_its_encodings(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video at all" * 100)
    video = await call.upload(tmp_path / "a.mp4", profiles="h264,mp3")
    video = await call.settled(f"/videos/{video['id']}.json")
    assert (video["status"], video["error_class"]) == ("fail", "FormatNotRecognised")
    for encoding in await call.json("GET", f"/videos/{video['id']}/encodings.json"):
        assert (encoding["status"], encoding["error_class"]) == ("fail", "VideoStatusInvalid")
    added = await call.json("POST", "/encodings.json", {"video_id": video["id"], "profile_name": "aac"})
    assert (added["status"], added["encoding_progress"], added["files"]) == ("processing", 0, [])
    assert (await call.settled(f"/encodings/{added['id']}.json"))["error_class"] == "VideoStatusInvalid"


async def test_a_command_is_kept_but_not_run(call: Caller, clip: Path) -> None:
    members = {"name": "mine", "command": "ffmpeg -i $input_file$ $output_file$", "extname": ".avi"}
    profile = await call.json("POST", "/profiles.json", members)
    assert profile == {**profile, **members}
    video = await call.upload(clip, profiles="mine")
    [encoding] = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    encoding = await call.settled(f"/encodings/{encoding['id']}.json")
    assert (encoding["status"], encoding["error_class"]) == ("fail", "CommandInvalid")


async def test_a_failed_encoding_leaves_a_log(call: Caller, clip: Path) -> None:
    profile = {"name": "late", "preset_name": "h264", "clip_offset": "01:00:00", "frame_count": 0}
    await call.json("POST", "/profiles.json", profile)
    video = await call.upload(clip, profiles="late")
    [encoding] = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    encoding = await call.settled(f"/encodings/{encoding['id']}.json")
    assert (encoding["status"], encoding["error_class"], encoding["files"]) == ("fail", "EncodingError", [])
    assert encoding["error_message"]
    assert (await call.http.get(encoding["logfile_url"])).text


async def test_an_encoding_without_a_result_has_failed(call: Caller, clip: Path) -> None:
    still = {"name": "no stills", "preset_name": "thumbnail", "frame_count": 0}
    await call.json("POST", "/profiles.json", still)
    video = await call.upload(clip, profiles="no stills")
    [encoding] = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    assert (await call.settled(f"/encodings/{encoding['id']}.json"))["error_class"] == "EncodingError"


async def test_without_its_source_a_video_cannot_be_encoded_again(call: Caller, clip: Path) -> None:
    video = await call.upload(clip)
    await call.settled(f"/videos/{video['id']}.json")
    assert await call.json("DELETE", f"/videos/{video['id']}/source.json") == {"deleted": True}
    assert list((call.world.store.data / "sources").iterdir()) == []
    encoding = await call.json("POST", "/encodings.json", {"video_id": video["id"], "profile_name": "mp3"})
    assert (await call.settled(f"/encodings/{encoding['id']}.json"))["error_class"] == "FileNotFound"
    assert (await call.json("GET", f"/videos/{video['id']}/metadata.json"))["image_width"] == 320


async def test_a_playlist_waits_for_its_variants(call: Caller, clip: Path) -> None:
    video = await call.upload(clip, profiles="hls.variant.playlist,hls.variant.audio")
    found = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    playlist, variant = [await call.settled(f"/encodings/{encoding['id']}.json") for encoding in found]
    assert (playlist["status"], variant["status"]) == ("success", "success")
    [factory] = await call.json("GET", "/factories.json")
    text = (await call.http.get(factory["url"] + playlist["files"][0])).text
    assert variant["files"][0] in text


async def test_a_playlist_without_variants_fails(call: Caller, clip: Path) -> None:
    video = await call.upload(clip, profiles="hls.variant.playlist")
    [encoding] = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    assert (await call.settled(f"/encodings/{encoding['id']}.json"))["error_class"] == "HLSVariantsNotFound"


async def test_a_source_is_fetched_from_this_machine(call: Caller, sandbox: Sandbox, clip: Path) -> None:
    outputs = sandbox.world.store.folder("outputs")
    (outputs / "my clip.mp4").write_bytes(clip.read_bytes())
    url = f"{sandbox.base_url}/outputs/my%20clip.mp4"
    video = await call.json("POST", "/videos.json", {"source_url": url, "profiles": "none"})
    assert (video["source_url"], video["original_filename"], video["extname"]) == (url, "my clip.mp4", ".mp4")
    done = await call.settled(f"/videos/{video['id']}.json")
    assert (done["status"], done["file_size"]) == ("success", clip.stat().st_size)
    [entry] = call.world.snapshot()["videos"]
    assert entry["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "url",
    [
        "http://encoder.example/a.mp4",
        "http://127.0.0.1:9/a.mp4",
        "ftp://127.0.0.1/a.mp4",
        "file:///etc/hosts",
    ],
)
async def test_what_cannot_be_fetched_fails(call: Caller, url: str) -> None:
    video = await call.json("POST", "/videos.json", {"source_url": url, "profiles": "mp3"})
    done = await call.settled(f"/videos/{video['id']}.json")
    assert (done["status"], done["error_class"]) == ("fail", "DownloadFailed")
    assert done["error_message"]


async def test_urls_are_mapped_to_files(tmp_path: Path, clip: Path) -> None:
    world = World.open(tmp_path / "data", map={"ftp://media.example/in": clip.parent})
    async with world.running():
        await world.net.fetch(f"ftp://media.example/in/{clip.name}", tmp_path / "copy")
    world.close()
    assert (tmp_path / "copy").read_bytes() == clip.read_bytes()


async def test_an_encoding_goes_on_after_a_restart(tmp_path: Path, clip: Path) -> None:
    from cloudreel.sandbox.videos import start_video

    world = World.open(tmp_path / "data")
    scope = world.credentials["telestream"]["factory_id"]
    source = world.store.folder("incoming") / "a"
    source.write_bytes(clip.read_bytes())
    profiles = world.store.list("profile", scope=scope, name="mp3")
    start_video(world, scope, file_name="a.mp4", params={}, profiles=profiles, file=source)
    world.close()
    again = World.open(tmp_path / "data")
    async with again.running():
        with anyio.fail_after(60):
            while again.store.list("encoding")[0]["status"] == "processing":
                await anyio.sleep(0.05)
    assert again.store.list("encoding")[0]["status"] == "success"
    again.close()
