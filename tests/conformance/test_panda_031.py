"""The original client, panda 0.3.1 from the package index, against a real socket.

It is Python 2. 2to3 translates it when the tests run, and `PATCHES` lists all else that changes: where text
turns into bytes, which are one type there. What it does wrong it does here as well, and the tests say so; the
items are those of panda.md section 10.
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests

from cloudreel.sandbox import Sandbox
from cloudreel.signing import signed_params

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

# The old client opens the file it sends in one request and never closes it.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <_io\.FileIO:pytest.PytestUnraisableExceptionWarning"
)

PATCHES = [
    (
        "hmac.new(secret_key, string_to_sign, hashlib.sha256)",
        "hmac.new(secret_key.encode(), string_to_sign.encode(), hashlib.sha256)",
    ),
    ("base64.b64encode(signature).strip()", "base64.b64encode(signature).decode()"),
    ("open(self.file_name)", "open(self.file_name, 'rb')"),
]

REMOTE = "http://www.example.com/remote.mp4"
CHUNK = 40_000


@pytest.fixture(scope="module")
def original(translate: Callable[[str, Sequence[tuple[str, str]]], ModuleType]) -> ModuleType:
    return translate("panda", PATCHES)


@pytest.fixture(scope="module")
def sandbox(clip: Path) -> Iterator[Sandbox]:
    with Sandbox(map={REMOTE: clip}) as running:
        yield running


@pytest.fixture
def panda(original: ModuleType, sandbox: Sandbox) -> Any:
    # All objects of the client share what was changed in any of them (item 8).
    original.models.UpdatablePandaModel.changed_values.clear()
    return original.Panda(**sandbox.config["panda"])


@pytest.fixture
def video(panda: Any, clip: Path) -> Any:
    members = {"preset_name": "h264", "width": 160, "height": 90}
    tiny = panda.profiles.create(name=f"tiny-{time.time_ns()}", **members)
    return panda.videos.create(file=str(clip), profiles=f"{tiny['name']},mp3")


@pytest.fixture
def chunked(original: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clip go in three chunks."""
    monkeypatch.setattr(original.upload_session, "CHUNK_SIZE", CHUNK)


def settled(item: Any) -> Any:
    deadline = time.monotonic() + 120
    while item["status"] == "processing":
        assert time.monotonic() < deadline, f"{item['id']} is processing for ever"
        time.sleep(0.1)
        item.reload()
    return item


def stored(sandbox: Sandbox, session: Any) -> dict[str, Any]:
    id = session.location.rpartition("=")[2]
    [upload] = [upload for upload in sandbox.world.snapshot()["uploads"] if upload["id"] == id]
    return upload


def test_clouds_are_listed_found_made_and_renamed(original: ModuleType, panda: Any, sandbox: Sandbox) -> None:
    keys = {name: text for name, text in sandbox.config["panda"].items() if name != "cloud_id"}
    stranger = original.Panda(**keys)
    assert stranger.signed_params("GET", "/clouds.json")["cloud_id"] is None  # sent as "None" (item 9)
    clouds = stranger.clouds.all()
    cloud = panda.clouds.find(panda.cloud_id)
    assert cloud in clouds
    assert cloud == panda.cloud_details()
    assert json.loads(cloud.to_json()) == cloud
    cloud["name"] = "renamed"
    assert cloud.save()["name"] == "renamed"
    cloud.reload()
    assert (cloud["name"], cloud["url"][-1]) == ("renamed", "/")
    made = panda.clouds.create(name="second", s3_videos_bucket="acme-video", aws_secret_key="invented")
    assert (made["name"], "aws_secret_key" in made) == ("second", False)
    with pytest.raises(original.PandaError, match="DELETE"):
        made.delete()
    assert panda.clouds.find(made["id"]) == made


def test_profiles_are_made_saved_found_and_deleted(original: ModuleType, panda: Any) -> None:
    members = {"width": 320, "height": 180, "video_bitrate": 300}
    profile = panda.profiles.create(name="own", preset_name="h264", **members)
    assert members.items() <= profile.items()
    profile["title"] = "My own & only ♥ ~/x"
    profile["width"] = 640
    assert profile.save()["width"] == 640
    assert panda.profiles.find("own")["title"] == "My own & only ♥ ~/x"
    assert profile.dup()["id"] == profile["id"]  # which it means to drop (item 7)
    assert profile.delete() == {"deleted": True}
    with pytest.raises(original.PandaError, match="Couldn't find Profile with ID="):
        panda.profiles.find(profile["id"])
    with pytest.raises(original.PandaError, match="There is no preset"):
        panda.profiles.create(preset_name="nonsense")


def test_what_was_changed_in_one_object_is_sent_for_another(panda: Any) -> None:
    first = panda.profiles.create(name="first", preset_name="mp3")
    second = panda.profiles.create(name="second", preset_name="mp3")
    first["title"] = "For the first only"
    second["audio_bitrate"] = 96
    assert second.save()["title"] == "For the first only"  # item 8
    for profile in (first, second):
        profile.delete()


def test_a_video_is_sent_encoded_and_leads_to_its_encodings(panda: Any, video: Any, clip: Path) -> None:
    assert (video["status"], video["original_filename"]) == ("processing", "clip.mp4")
    picture, sound = [settled(encoding) for encoding in video.encodings()]
    settled(video)
    assert (video["status"], video["width"], video["duration"]) == ("success", 320, 2000)
    assert video["file_size"] == clip.stat().st_size
    assert (picture["status"], picture["width"]) == ("success", 160)
    assert (sound["status"], sound["files"]) == ("success", [f"{sound['id']}.mp3"])
    output = f"{panda.cloud_details()['url']}{sound['path']}{sound['extname']}"
    assert httpx.get(output).status_code == 200
    assert picture.video() == video == panda.videos.find(video["id"])
    assert picture.profile()["id"] == picture["profile_id"]
    assert type(picture.profile()).__name__ == "Video"  # item 7
    assert video.metadata()["image_width"] == 320
    assert sound in panda.encodings.all(video_id=video["id"])


def test_a_video_is_fetched_listed_and_deleted(original: ModuleType, panda: Any) -> None:
    video = panda.videos.create(source_url=REMOTE, profiles="none", payload="a b&c=♥")
    settled(video)
    assert (video["status"], video["source_url"], video["payload"]) == ("success", REMOTE, "a b&c=♥")
    assert video in panda.videos.all(status="success")
    assert panda.videos.where(lambda each: each["payload"] == "a b&c=♥") == [video]
    assert len(panda.videos.all(per_page=1)) == 1
    assert video.delete() == {"deleted": True}
    with pytest.raises(original.PandaError, match="Couldn't find Video"):
        panda.videos.find(video["id"])


def test_encodings_are_added_cancelled_tried_again_and_deleted(
    original: ModuleType, panda: Any, video: Any
) -> None:
    settled(video)
    encoding = panda.encodings.create(video_id=video["id"], profile_name="webm.hi")
    assert (encoding["status"], encoding["encoding_progress"], encoding["files"]) == ("processing", 0, [])
    for misspelt in (encoding.cancel, encoding.retry):
        with pytest.raises(original.PandaError, match=r"\.json\.json"):  # item 7
            misspelt()
    assert json.loads(panda.post(f"/encodings/{encoding['id']}/cancel.json")) == {"canceled": True}
    encoding.reload()
    assert encoding["status"] == "fail"
    assert json.loads(panda.post(f"/encodings/{encoding['id']}/retry.json")) == {"retried": True}
    encoding.reload()
    assert encoding["status"] == "processing"
    assert encoding.delete() == {"deleted": True}
    assert len(video.encodings()) == 2


def test_notifications_are_read_changed_and_saved(original: ModuleType, panda: Any) -> None:
    settings = panda.notifications.get()
    assert settings.keys() == {"url", "delay", "events"}
    with pytest.raises(original.PandaError, match="None"):  # an unset url is sent as that text (section 4)
        settings.save()
    settings = panda.notifications.get()
    settings["url"] = "http://app.example/panda_notification"
    settings["delay"] = 7
    settings["events"]["video_encoded"] = True
    saved = settings.save()
    assert (saved["url"], saved["delay"]) == ("http://app.example/panda_notification", 7)
    assert saved["events"] == {
        "video_created": False,
        "video_encoded": True,
        "encoding_progress": False,
        "encoding_completed": False,
    }
    assert settings["events"]["video_encoded"] == "true"  # item 8
    settings.reload()
    assert settings == saved


def test_the_verbs_of_the_client_itself(panda: Any) -> None:
    created = json.loads(panda.post("/profiles.json", {"preset_name": "mp3", "name": "by verb"}))
    changed = json.loads(panda.put(f"/profiles/{created['id']}.json", {"audio_bitrate": 96}))
    assert changed["audio_bitrate"] == 96
    assert json.loads(panda.delete(f"/profiles/{created['id']}.json")) == {"deleted": True}
    rooted = json.loads(panda.get("/profiles.json", {"per_page": 1, "include_root": "true"}))
    assert rooted.keys() == {"profiles", "page", "per_page", "total"}


def test_a_wrong_secret_is_refused(original: ModuleType, sandbox: Sandbox) -> None:
    thief = original.Panda(**{**sandbox.config["panda"], "secret_key": "guess"})
    assert json.loads(thief.get("/videos.json"))["message"] == "Signatures do not match"
    with pytest.raises(original.PandaError, match="Signatures do not match"):
        thief.videos.all()


def test_signed_params_are_those_of_others_and_count(panda: Any, sandbox: Sandbox) -> None:
    config, timestamp = sandbox.config["panda"], datetime.now(UTC).isoformat()
    params = {"profiles": "none", "payload": "~ /+♥", "source_url": REMOTE}
    signed = panda.signed_params("POST", "/videos.json", timestamp, params)
    keys = {name: config[name] for name in ("access_key", "secret_key", "cloud_id")}
    others = signed_params(
        "POST", "/videos.json", params, host=config["api_host"], timestamp=timestamp, **keys
    )
    assert signed == others
    reply = httpx.post(f"{sandbox.base_url}/v2/videos.json", data=signed)
    assert (reply.status_code, reply.json()["payload"]) == (200, "~ /+♥")


@pytest.mark.usefixtures("chunked")
def test_a_file_is_uploaded_in_chunks(panda: Any, sandbox: Sandbox, clip: Path) -> None:
    session = panda.upload_session(str(clip), profiles="mp3", payload="sent")
    assert (session.status, session.video) == ("initialized", None)
    with pytest.raises(KeyError, match="range"):
        session.resume()  # nothing is stored yet (item 2)
    session.start()
    assert session.status == "uploaded"
    # The end of the last chunk was declared beyond the file (item 3).
    last = [request for request in sandbox.world.requests if request["path"] == "/upload/session"][-1]
    size = clip.stat().st_size
    assert last["range"] == f"bytes {2 * CHUNK}-{3 * CHUNK - 1}/{size}"
    assert 2 * CHUNK < size < 3 * CHUNK
    upload = stored(sandbox, session)
    assert upload["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert (upload["service"], upload["repeated"], upload["file_name"]) == ("panda", 0, "clip.mp4")
    video = panda.videos.find(session.video["json_attr"]["id"])  # item 12
    assert (video["original_filename"], video["payload"]) == ("clip.mp4", "sent")
    assert [encoding["profile_name"] for encoding in video.encodings()] == ["mp3"]
    with pytest.raises(KeyError, match="Already"):
        session.resume()


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("after", [1, 12_345, CHUNK])
def test_an_upload_goes_on_after_a_break(panda: Any, sandbox: Sandbox, after: int, tmp_path: Path) -> None:
    body = Random(after).randbytes(2 * CHUNK + 100)
    (tmp_path / "a.bin").write_bytes(body)
    session = panda.upload_session(str(tmp_path / "a.bin"), profiles="none")
    fault = {"action": "drop", "path": "/upload/session", "method": "POST", "after_bytes": after}
    httpx.post(f"{sandbox.base_url}/__sandbox__/faults", json=fault).raise_for_status()
    with pytest.raises(requests.ConnectionError):
        session.start()
    assert session.status == "error"
    session.resume()
    assert session.status == "uploaded"
    upload = stored(sandbox, session)
    assert upload["sha256"] == hashlib.sha256(body).hexdigest()
    # It goes on at the last byte it was told is held, and sends that one again (item 2).
    assert upload["repeated"] == 1


def test_an_upload_is_aborted(panda: Any, sandbox: Sandbox, clip: Path) -> None:
    session = panda.upload_session(str(clip))
    session.abort()
    assert session.status == "aborted"
    assert stored(sandbox, session)["status"] == "aborted"
    assert httpx.put(session.location, content=b"x").status_code == 404


def test_an_upload_that_is_refused_has_no_location(panda: Any, clip: Path) -> None:
    with pytest.raises(KeyError, match="location"):  # item 6
        panda.upload_session(str(clip), profiles="nonsense")
