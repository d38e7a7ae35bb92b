"""Every example of the README of panda 0.3.1, on the clients of today, with and without async.

They changed in nothing but ``await``, addresses, credentials, ids and the time they sleep.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel import panda as module
from cloudreel.panda import AsyncPanda, Panda, PandaError
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

SOURCES = {
    "http://s3.amazonaws.com/marcins-bucket/t.mp4",
    "http://example.com/path/to/video.mp4",
}
COMMAND = "ffmpeg -i $input_file$ -f mp4 -b 128k $resolution_and_padding$ -y $output_file"


@pytest.fixture(scope="module")
def sandbox(clip: Path) -> Iterator[Sandbox]:
    with Sandbox(map=dict.fromkeys(SOURCES, clip)) as running:
        yield running


@pytest.fixture(scope="module")
def video_id(sandbox: Sandbox, clip: Path) -> str:
    """A video with one encoding that succeeded and one that failed."""
    with sandbox.sync.panda() as panda:
        broken = panda.profiles.create(
            name="broken", extname=".mp4", command="ffmpeg -nonsense $output_file$"
        )
        video = panda.videos.create(file=clip, profiles=f"h264,{broken.id}")
        with pytest.raises(PandaError):
            video.wait(timeout=120)
        for encoding in video.encodings():
            if encoding.profile_name == "h264":
                encoding.wait(timeout=120)
        broken.delete()
        return str(video.id)


@pytest.fixture
def file_mp4(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the examples upload, in the folder where they run."""
    shutil.copy(clip, tmp_path / "file.mp4")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def credentials(sandbox: Sandbox) -> dict[str, Any]:
    """What the examples write out: host, port, cloud and keys, each by its name."""
    found: dict[str, Any] = dict(sandbox.config["panda"])
    return {**found, "api_port": str(found["api_port"])}


@pytest.fixture
async def panda(credentials: dict[str, Any], anyio_backend: str) -> AsyncIterator[AsyncPanda]:
    async with AsyncPanda(**credentials) as client:
        yield client


@pytest.fixture
def blocking(credentials: dict[str, Any]) -> Iterator[Panda]:
    with Panda(**credentials) as client:
        yield client


@pytest.fixture
def fault(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Has something go wrong, until the end of the test."""
    url = f"{sandbox.base_url}/__sandbox__/faults"
    yield lambda **fault: httpx.post(url, json=fault).raise_for_status()
    httpx.delete(url).raise_for_status()


METHODS = {
    "Cloud": {"to_json", "dup", "create", "delete", "save", "reload"},
    "Profile": {"to_json", "dup", "create", "delete", "save", "reload"},
    "Video": {"to_json", "dup", "create", "delete", "reload", "encodings", "metadata"},
    "Encoding": {"to_json", "dup", "create", "delete", "reload", "video"},
    "Notifications": {"to_json", "dup", "save", "reload"},
}
RETRIEVERS = {
    **{
        name: {"all", "find", "where", "new", "create"}
        for name in ("clouds", "videos", "encodings", "profiles")
    },
    "notifications": {"get"},
}


@pytest.mark.parametrize("prefix", ["Async", ""])
@pytest.mark.parametrize(("kind", "methods"), METHODS.items())
def test_objects_have_the_methods_of_the_table(prefix: str, kind: str, methods: set[str]) -> None:
    assert methods <= set(dir(getattr(module, f"{prefix}{kind}")))
    assert hasattr(module.Metadata, "to_json")


@pytest.mark.parametrize("kind", ["Video", "Encoding"])
def test_what_cannot_be_saved_has_no_save(kind: str) -> None:
    assert not hasattr(getattr(module, kind), "save")
    assert not hasattr(getattr(module, f"Async{kind}"), "save")


@pytest.mark.parametrize("facade", [AsyncPanda, Panda])
@pytest.mark.parametrize(("retriever", "methods"), RETRIEVERS.items())
def test_retrievers_have_the_methods_of_the_table(
    facade: type[AsyncPanda | Panda], retriever: str, methods: set[str]
) -> None:
    panda = facade(
        api_host="api.pandastream.com",
        access_key="your-access-key",
        secret_key="your-secret-key",
        api_port=443,  ## enables https
    )
    panda.cloud_id = "your-cloud-id"
    assert methods <= set(dir(getattr(panda, retriever)))


# -- with async ------------------------------------------------------------------------------------------


async def test_one_cloud(panda: AsyncPanda) -> None:
    cloud_id = str(panda.cloud_id)
    try:
        cloud = await panda.clouds.find(cloud_id)
        print(cloud["id"])
        print()
        print(cloud.to_json(indent=2))
    except PandaError as e:
        pytest.fail(str(e))
    same = json.loads(await panda.get(f"/clouds/{cloud_id}.json"))
    assert same["id"] == cloud["id"] == cloud_id
    assert json.loads(cloud.to_json(indent=2)) == same
    panda.cloud_id = cloud_id
    details = await panda.cloud_details()
    assert details.to_json(indent=2) == cloud.to_json(indent=2)


async def test_an_unknown_cloud(panda: AsyncPanda) -> None:
    with pytest.raises(PandaError, match="Couldn't find Cloud"):
        await panda.clouds.find("1297b11ca25dd3ce3ea64513eda642be")


async def test_all_videos_of_all_clouds(credentials: dict[str, Any], video_id: str) -> None:
    del credentials["cloud_id"]
    async with AsyncPanda(**credentials) as panda:
        found = []
        for cloud in await panda.clouds.all():
            panda.cloud_id = cloud["id"]  # use that cloud
            for video in await panda.videos.all():  # get all videos of selected cloud
                found.append(video.to_json(indent=2))
        raw = []
        for cloud in json.loads(await panda.get("/clouds.json")):
            panda.cloud_id = cloud["id"]
            raw += json.loads(await panda.get("/videos.json"))
    assert [json.loads(text) for text in found] == raw
    assert video_id in [video["id"] for video in raw]


async def test_objects_are_retrieved_and_counted(panda: AsyncPanda, video_id: str) -> None:
    for retriever in (panda.videos, panda.clouds, panda.encodings, panda.profiles):
        items = await retriever.all()
        for item in items:
            assert json.loads(item.to_json(indent=2))["id"] == item["id"]
        assert len(await retriever.all()) == len(items) > 0


async def test_a_subset_and_what_belongs_to_a_video(panda: AsyncPanda, video_id: str) -> None:
    encodings = await panda.encodings.where(lambda e: (e["fps"] or 0) < 30)
    assert {encoding["video_id"] for encoding in encodings} >= {video_id}
    video = await panda.videos.find(video_id)
    everyone = await video.encodings()
    failed = await video.encodings(status="fail")  # could be also "success" or "processing"
    assert [encoding["profile_name"] for encoding in failed] == ["broken"]
    assert len(everyone) == 2
    assert (await everyone[0].video())["id"] == video_id
    metadata = await video.metadata()
    assert json.loads(metadata.to_json(indent=2))["image_width"] == 320


async def test_the_name_of_a_profile_changes(panda: AsyncPanda) -> None:
    prf = await panda.profiles.create(preset_name="h264", name="small")
    prf = await panda.profiles.find(prf["id"])
    prf["name"] = "{0}0".format(prf["name"])  # noqa: UP030
    await prf.save()
    prf = await panda.profiles.find(prf["id"])
    assert prf["name"] == "small0"
    await prf.delete()


async def test_notification_details_change(panda: AsyncPanda) -> None:
    notif = await panda.notifications.get()
    before = notif["events"]["encoding_progress"]
    notif["events"] = {
        "video_created": False,
        "video_encoded": False,
        "encoding_progress": not notif["events"]["encoding_progress"],
        "encoding_completed": True,
    }
    await notif.save()
    notif = await panda.notifications.get()
    print(notif.to_json(indent=2))
    assert notif["events"] == {
        "video_created": False,
        "video_encoded": False,
        "encoding_progress": not before,
        "encoding_completed": True,
    }


async def test_a_profile_is_created_and_deleted(panda: AsyncPanda) -> None:
    await panda.profiles.create(preset_name="h264", name="MyProfile")
    prof = await panda.profiles.find("MyProfile")
    print(prof.to_json(indent=2))
    await prof.delete()
    with pytest.raises(PandaError):
        await panda.profiles.find("MyProfile")  # it should fail with PandaError now


async def test_videos_are_created(panda: AsyncPanda, file_mp4: None) -> None:
    before = len(await panda.videos.all())
    await panda.videos.create(source_url="http://s3.amazonaws.com/marcins-bucket/t.mp4")
    assert len(await panda.videos.all()) == before + 1
    await panda.videos.create(file="file.mp4")
    assert len(await panda.videos.all()) == before + 2


async def test_the_rest_api(panda: AsyncPanda) -> None:
    videos = json.loads(await panda.get("/videos.json"))
    assert json.loads(await panda.get("/profiles.json"))
    profile = json.loads(
        await panda.post(
            "/profiles.json",
            {
                "title": "My custom profile",
                "category": "desktop",
                "extname": "mp4",
                "width": 320,
                "height": 240,
                "command": COMMAND,
            },
        )
    )
    posted = await panda.post("/videos.json", {"source_url": "http://example.com/path/to/video.mp4"})
    video = json.loads(posted)
    assert len(json.loads(await panda.get("/videos.json"))) == len(videos) + 1
    assert json.loads(await panda.get(f"/videos/{video['id']}/encodings.json"))
    await panda.delete(f"/videos/{video['id']}.json")
    await panda.delete(f"/profiles/{profile['id']}.json")
    assert len(json.loads(await panda.get("/videos.json"))) == len(videos)


async def test_a_resumable_upload(
    credentials: dict[str, Any], file_mp4: None, fault: Callable[..., None]
) -> None:
    async with AsyncPanda(**credentials, retries=0) as panda:
        us = await panda.upload_session("file.mp4")
        assert us.status == "initialized"
        fault(action="drop", method="PUT", path="/upload/*", after_bytes=1000, times=3)
        retry_count = 0
        try:
            await us.start()
        except Exception:  # noqa: BLE001
            assert us.status == "error"
            assert us.error_message
            while retry_count < 5 and us.status != "success":  # which it never is: the word is "uploaded"
                try:
                    await us.resume()
                except Exception:  # noqa: BLE001
                    retry_count += 1
        assert us.status == "uploaded"
        assert us.video is not None


async def test_signatures(panda: AsyncPanda) -> None:
    posted = panda.signed_params("POST", "/videos.json")
    assert set(posted) == {"access_key", "cloud_id", "signature", "timestamp"}
    listed = panda.signed_params("GET", "/videos.json", {"some_params": "some_value"})
    assert listed["some_params"] == "some_value"
    assert posted["signature"] != listed["signature"]


# -- without async ---------------------------------------------------------------------------------------


def test_clouds_and_videos_without_async(blocking: Panda, video_id: str) -> None:
    panda = blocking
    cloud = panda.clouds.find(str(panda.cloud_id))
    assert json.loads(cloud.to_json(indent=2)) == json.loads(panda.get(f"/clouds/{cloud['id']}.json"))
    assert panda.cloud_details() == cloud
    for each in panda.clouds.all():
        panda.cloud_id = each["id"]
        for video in panda.videos.all():
            assert json.loads(video.to_json(indent=2)) == video
    panda.cloud_id = cloud["id"]
    video = panda.videos.find(video_id)
    assert [encoding["status"] for encoding in video.encodings(status="fail")] == ["fail"]
    assert [encoding["id"] for encoding in panda.encodings.where(lambda e: e["status"] == "fail")] == [
        encoding["id"] for encoding in panda.encodings.all(status="fail")
    ]
    assert json.loads(video.metadata().to_json(indent=2))["image_width"] == 320
    assert [encoding.video()["id"] for encoding in video.encodings()] == [video_id] * 2


def test_changes_without_async(blocking: Panda, file_mp4: None) -> None:
    panda = blocking
    panda.profiles.create(preset_name="h264", name="MyOwn")
    prf = panda.profiles.find("MyOwn")
    prf["name"] = f"{prf['name']}0"
    prf.save()
    assert panda.profiles.find(prf["id"])["name"] == "MyOwn0"
    prf.delete()
    with pytest.raises(PandaError):
        panda.profiles.find("MyOwn0")
    notif = panda.notifications.get()
    wanted = {**notif["events"], "encoding_progress": not notif["events"]["encoding_progress"]}
    notif["events"] = wanted
    notif.save()
    assert panda.notifications.get()["events"] == wanted
    before = len(panda.videos.all())
    panda.videos.create(source_url="http://s3.amazonaws.com/marcins-bucket/t.mp4")
    panda.videos.create(file="file.mp4")
    assert len(panda.videos.all()) == before + 2


def test_the_rest_api_and_signatures_without_async(blocking: Panda) -> None:
    panda = blocking
    profile = json.loads(panda.post("/profiles.json", {"title": "x", "extname": "mp4", "command": COMMAND}))
    assert profile["id"] in [each["id"] for each in json.loads(panda.get("/profiles.json"))]
    assert json.loads(panda.put(f"/profiles/{profile['id']}.json", {"title": "y"}))["title"] == "y"
    panda.delete(f"/profiles/{profile['id']}.json")
    assert len(panda.signed_params("POST", "/videos.json")["signature"]) == 44


def test_a_resumable_upload_without_async(
    credentials: dict[str, Any], file_mp4: None, fault: Callable[..., None]
) -> None:
    with Panda(**credentials, retries=0) as panda:
        us = panda.upload_session("file.mp4")
        fault(action="drop", method="PUT", path="/upload/*", after_bytes=1000, times=3)
        retry_count = 0
        try:
            us.start()
        except Exception:  # noqa: BLE001
            while retry_count < 5 and us.status != "success":
                try:
                    us.resume()
                except Exception:  # noqa: BLE001
                    retry_count += 1
        assert us.status == "uploaded"
