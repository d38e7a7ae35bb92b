"""The original client, telestream-cloud 1.1.2 from the package index, unchanged, against a real socket.

Its upload session cannot be driven on any Python 3: it pops from a ``range`` and calls ``dict.has_key``
(telestream.md section 10, items 1 and 2). What it does before that, creating the session, is tested here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from telestream_cloud import TelestreamCloud, TelestreamCloudException

from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The old client opens the file it uploads and never closes it.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <_io\.FileIO:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Any:
    config = sandbox.config["telestream"]
    names = ("access_key", "secret_key", "factory_id", "api_host", "api_port", "api_version")
    return TelestreamCloud(*(config[name] for name in names))


@pytest.fixture
def factory(client: Any) -> Any:
    return client.get_resource("flip").factories.find(client.factory_id)


@pytest.fixture
def video(factory: Any, clip: Path) -> Any:
    tiny = factory.profiles.create(name=f"tiny-{time.time_ns()}", preset_name="h264", width=160, height=90)
    return factory.videos.create(file=str(clip), profiles=f"{tiny.name},mp3")


def encoded(video: Any) -> list[Any]:
    deadline = time.monotonic() + 120
    while any(encoding.status == "processing" for encoding in video.encodings.all()):
        assert time.monotonic() < deadline, "the encodings do not end"
        time.sleep(0.1)
    return list(video.encodings.all())


def test_factories_are_listed_and_found(client: Any, factory: Any) -> None:
    keys = (client.access_key, client.secret_key, None)
    without_factory = TelestreamCloud(*keys, client.api_host, client.api_port)
    [listed] = without_factory.get_resource("flip").factories.all()
    assert listed.details == factory.details
    assert str(factory) == f"Factory {client.factory_id}"


def test_a_factory_is_renamed(factory: Any) -> None:
    factory.name = "renamed"
    assert factory.save()["name"] == "renamed"
    factory.reload()
    assert factory.name == "renamed"


def test_profiles_are_created_saved_and_deleted(factory: Any) -> None:
    members = {"width": 320, "height": 180, "video_bitrate": 300}
    profile = factory.profiles.create(name="own", preset_name="h264", **members)
    assert (profile.width, profile.video_bitrate, profile.extname) == (320, 300, ".mp4")
    profile.title = "My own & only ♥"
    profile.width = 640
    assert profile.save()["width"] == 640
    assert factory.profiles.find("own").title == "My own & only ♥"
    assert profile.delete() == {"deleted": True}
    with pytest.raises(TelestreamCloudException, match=r"Error 404, Not Found .*RecordNotFound"):
        profile.reload()


def test_a_video_is_encoded_and_leads_to_its_encodings(video: Any, clip: Path) -> None:
    assert (video.status, video.original_filename) == ("processing", "clip.mp4")
    picture, sound = encoded(video)
    video.reload()
    assert (video.status, video.width, video.height, video.duration) == ("success", 320, 180, 2000)
    assert video.file_size == clip.stat().st_size
    assert (picture.status, picture.width, picture.height) == ("success", 160, 90)
    assert (sound.status, sound.files) == ("success", [f"{sound.id}.mp3"])
    assert picture.video().id == video.id
    assert picture.profile().id == picture.profile_id
    assert video.metadata()["image_width"] == 320


def test_encodings_are_added_cancelled_tried_again_and_deleted(factory: Any, video: Any) -> None:
    encoded(video)
    encoding = factory.encodings.create(video_id=video.id, profile_name="webm.hi")
    assert (encoding.status, encoding.encoding_progress, encoding.files) == ("processing", 0, [])
    assert encoding.cancel() == {"canceled": True}
    encoding.reload()
    assert encoding.status == "fail"
    assert encoding.retry() == {"retried": True}
    encoding.reload()
    assert encoding.status == "processing"
    assert encoding.delete() == {"deleted": True}
    assert len(video.encodings.all()) == 2


def test_a_source_and_a_video_are_deleted(factory: Any, video: Any) -> None:
    encoded(video)
    assert video.delete_source_file() == {"deleted": True}
    assert video.delete() == {"deleted": True}
    with pytest.raises(TelestreamCloudException) as caught:
        factory.videos.find(video.id)
    assert caught.value.response.status_code == 404


def test_notifications_are_read_and_changed(factory: Any) -> None:
    changes = {"url": "http://127.0.0.1:9/hook", "delay": 3, "send_video_payload": True}
    events = {"video_encoded": True, "encoding_progress": False}
    changed = factory.update_notifications({**changes, "events": events})
    assert changed == {**changed, **changes}
    assert changed["events"] == {
        "video_created": False,
        "video_encoded": True,
        "encoding_progress": False,
        "encoding_completed": False,
    }
    assert factory.get_notifications() == changed
    factory.update_notifications({"url": ""})
    assert factory.get_notifications()["url"] is None


def test_a_wrong_secret_is_refused(client: Any) -> None:
    thief = TelestreamCloud(client.access_key, "guess", client.factory_id, client.api_host, client.api_port)
    with pytest.raises(TelestreamCloudException, match=r"Error 401, Unauthorized .*Signatures do not match"):
        thief.get("/videos.json")


def test_the_verbs_of_the_client_itself(client: Any) -> None:
    created = client.post("/profiles.json", {"preset_name": "mp3", "name": "by verb"}).json()
    changed = client.put(f"/profiles/{created['id']}.json", {"audio_bitrate": 96}).json()
    assert changed["audio_bitrate"] == 96
    assert client.delete(f"/profiles/{created['id']}.json").json() == {"deleted": True}
    assert client.get("/profiles.json", {"per_page": 1, "include_root": "true"}).json()["per_page"] == 1


def test_an_upload_session_is_created_and_aborted(factory: Any, clip: Path) -> None:
    session = factory.upload_session(str(clip), profiles="mp3")
    assert (session.status, session.parts, session.part_size) == ("initialized", 1, 5 * 2**20)
    session.abort()
    assert session.status == "aborted"
