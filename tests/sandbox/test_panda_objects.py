"""Panda v2: lists and objects. Items 13 to 17, 19 to 23 and 35 to 37 of panda.md section 11, by name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Caller

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9/a.mp4"
EVENTS = dict.fromkeys(("video_created", "video_encoded", "encoding_progress", "encoding_completed"), False)


async def test_13_lists_are_bare_and_have_a_hundred_items_to_a_page(panda: Caller) -> None:
    first = await panda.json("GET", "/profiles.json")
    for number in range(150):
        id = f"{number:032x}"
        panda.world.store.put("profile", id, first[0] | {"id": id}, scope=panda.credentials["cloud_id"])
    everything = 150 + len(first)
    pages = [await panda.json("GET", "/profiles.json", {"page": page}) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, everything - 100, 0]
    assert await panda.json("GET", "/profiles.json") == pages[0]
    assert len({profile["id"] for page in pages for profile in page}) == everything
    assert await panda.json("GET", "/profiles.json", {"per_page": 1000}) == pages[0]
    assert await panda.json("GET", "/profiles.json", {"page": 4, "per_page": 10}) == pages[0][30:40]


async def test_14_lists_have_a_root_on_request(panda: Caller) -> None:
    asked = {"source_url": NOWHERE, "profiles": "h264,mp3"}
    video = await panda.json("POST", "/videos.json", asked)
    paths = {
        "/clouds.json": "clouds",
        "/videos.json": "videos",
        "/encodings.json": "encodings",
        "/profiles.json": "profiles",
        f"/videos/{video['id']}/encodings.json": "encodings",
        "/profiles/mp3/encodings.json": "encodings",
    }
    await panda.settled(f"/videos/{video['id']}.json")
    for path, root in paths.items():
        everything = await panda.json("GET", path)
        rooted = await panda.json("GET", path, {"include_root": "true", "page": 1, "per_page": 1})
        expected = {root: everything[:1], "page": 1, "per_page": 1, "total": len(everything)}
        assert rooted == expected, path
        assert everything


async def test_15_lists_are_filtered(panda: Caller, tmp_path: Path, clip: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"no video")
    profile = await panda.json("GET", "/profiles/mp3.json")
    good = await panda.upload(clip, profiles="mp3")
    bad = await panda.upload(tmp_path / "a.txt", profiles="h264,mp3")
    waiting = await panda.upload(clip)
    for video in (good, bad, waiting):
        await panda.settled(f"/videos/{video['id']}.json")
    panda.world.store.update("video", waiting["id"], {"status": "processing"})

    async def listed(path: str, **wanted: str) -> list[str]:
        return [each["id"] for each in await panda.json("GET", path, wanted)]

    for status, video in (("success", good), ("fail", bad), ("processing", waiting)):
        assert await listed("/videos.json", status=status) == [video["id"]]
    [encoding] = await panda.json("GET", f"/videos/{good['id']}/encodings.json")
    assert (await panda.settled(f"/encodings/{encoding['id']}.json"))["status"] == "success"
    assert await listed("/encodings.json", status="success") == [encoding["id"]]
    assert len(await listed("/encodings.json", status="fail")) == 2
    assert len(await listed("/encodings.json", profile_name="mp3")) == 2
    assert len(await listed("/encodings.json", profile_id=profile["id"], video_id=bad["id"])) == 1
    assert await listed("/profiles/mp3/encodings.json", status="success") == [encoding["id"]]
    assert await listed(f"/videos/{bad['id']}/encodings.json", status="success") == []
    [failed] = await panda.json("GET", f"/videos/{bad['id']}/encodings.json", {"profile_name": "mp3"})
    assert (failed["status"], failed["error_class"]) == ("fail", "VideoStatusInvalid")


async def test_16_a_profile_has_an_id_and_a_name(panda: Caller) -> None:
    for preset in ("h264", "h264.hi", "webm", "ogg", "hls.variant.playlist", "mp3", "vorbis", "thumbnail"):
        profile = await panda.json("GET", f"/profiles/{preset}.json")
        assert profile == await panda.json("GET", f"/profiles/{profile['id']}.json")
        assert (profile["name"], profile["preset_name"]) == (preset, preset)
    spaced = await panda.json("POST", "/profiles.json", {"preset_name": "h264", "name": "my own"})
    assert await panda.json("GET", "/profiles/my%20own.json") == spaced


@pytest.mark.parametrize("given", ["neither", "both"])
async def test_17_a_video_needs_exactly_one_source(panda: Caller, given: str) -> None:
    params, files = ({}, None) if given == "neither" else ({"source_url": NOWHERE}, {"file": ("a.mp4", b"x")})
    query = panda.sign("POST", "/videos.json", params)
    reply = await panda.http.post("/v2/videos.json", params=query, files=files)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")
    assert reply.json()["message"].startswith("All required parameters were not supplied: ")


async def test_17_a_new_video_is_processing(panda: Caller, clip: Path) -> None:
    fetched = await panda.json("POST", "/videos.json", {"source_url": NOWHERE, "profiles": "none"})
    sent = await panda.upload(clip, payload="my clip")
    assert (fetched["source_url"], fetched["original_filename"]) == (NOWHERE, "a.mp4")
    assert (sent["source_url"], sent["original_filename"]) == (None, "clip.mp4")
    assert (sent["payload"], sent["extname"], sent["path"]) == ("my clip", ".mp4", sent["id"])
    for video in (fetched, sent):
        assert (video["status"], video["duration"], video["width"]) == ("processing", None, None)
    failed = await panda.settled(f"/videos/{fetched['id']}.json")
    assert (failed["status"], failed["error_class"]) == ("fail", "DownloadFailed")
    stored = await panda.settled(f"/videos/{sent['id']}.json")
    assert (stored["status"], stored["duration"], stored["width"]) == ("success", 2000, 320)
    assert (await panda.json("GET", f"/videos/{sent['id']}/metadata.json"))["image_width"] == 320


async def test_17_a_video_is_encoded_to_all_profiles_unless_some_are_named(panda: Caller) -> None:
    async def names(**chosen: str) -> list[str]:
        video = await panda.json("POST", "/videos.json", {"source_url": NOWHERE, **chosen})
        encodings = await panda.json("GET", f"/videos/{video['id']}/encodings.json")
        return [encoding["profile_name"] for encoding in encodings]

    profiles = await panda.json("GET", "/profiles.json")
    assert await names() == [profile["name"] for profile in profiles]
    assert await names(profiles="none") == []
    assert await names(profiles=f"mp3,{profiles[0]['id']}") == ["mp3", profiles[0]["name"]]
    missing = await panda("POST", "/videos.json", {"source_url": NOWHERE, "profiles": "mp3,nonsense"})
    assert (missing.status_code, missing.json()["error"]) == (404, "RecordNotFound")


async def test_19_a_new_encoding_is_at_its_beginning(panda: Caller, clip: Path) -> None:
    video = await panda.upload(clip)
    asked = {"video_id": video["id"], "profile_name": "mp3"}
    encoding = await panda.json("POST", "/encodings.json", asked)
    assert (encoding["status"], encoding["encoding_progress"], encoding["files"]) == ("processing", 0, [])
    assert (encoding["video_id"], encoding["profile_name"]) == (video["id"], "mp3")
    by_id = {"video_id": video["id"], "profile_id": encoding["profile_id"]}
    assert (await panda.json("POST", "/encodings.json", by_id))["profile_name"] == "mp3"
    assert (await panda("POST", "/encodings.json", {"video_id": video["id"]})).status_code == 400
    done = await panda.settled(f"/encodings/{encoding['id']}.json")
    assert (done["status"], done["encoding_progress"]) == ("success", 100)
    assert done["files"] == [f"{done['path']}.mp3"]


async def test_20_deletion_cancel_and_retry_answer_with_an_object(panda: Caller, clip: Path) -> None:
    video = await panda.upload(clip, profiles="webm.hi")
    [encoding] = await panda.json("GET", f"/videos/{video['id']}/encodings.json")
    path = f"/encodings/{encoding['id']}"
    assert await panda.json("POST", f"{path}/cancel.json") == {"canceled": True}
    cancelled = await panda.json("GET", f"{path}.json")
    assert (cancelled["status"], cancelled["error_class"]) == ("fail", "EncodingError")
    assert await panda.json("POST", f"{path}/retry.json") == {"retried": True}
    again = await panda.json("GET", f"{path}.json")
    assert (again["status"], again["error_class"], again["error_message"]) == ("processing", None, None)
    assert (await panda("POST", f"{path}/retry.json")).status_code == 400
    assert await panda.json("DELETE", f"{path}.json") == {"deleted": True}
    profile = await panda.json("POST", "/profiles.json", {"preset_name": "mp3", "name": "short-lived"})
    assert await panda.json("DELETE", f"/profiles/{profile['id']}.json") == {"deleted": True}
    assert await panda.json("DELETE", f"/videos/{video['id']}/source.json") == {"deleted": True}
    assert await panda.json("DELETE", f"/videos/{video['id']}.json") == {"deleted": True}
    for gone in (f"{path}.json", f"/profiles/{profile['id']}.json", f"/videos/{video['id']}.json"):
        assert (await panda("GET", gone)).status_code == 404


async def test_21_put_answers_with_the_whole_object(panda: Caller) -> None:
    profile = await panda.json("GET", "/profiles/h264.json")
    changes = {"id": "x", "title": "Changed", "width": "320", "upscale": "false"}
    changed = await panda.json("PUT", f"/profiles/{profile['id']}.json", changes)
    expected = {"title": "Changed", "width": 320, "upscale": False, "updated_at": changed["updated_at"]}
    assert changed == profile | expected
    assert changed == await panda.json("GET", f"/profiles/{profile['id']}.json")


async def test_21_clouds_are_made_and_changed_but_not_deleted(panda: Caller) -> None:
    secret = {"aws_access_key": "AKIDINVENTED", "aws_secret_key": "invented-secret"}
    asked = {"name": "staging", "s3_videos_bucket": "acme-video", "priority": "7", **secret}
    cloud = (
        await panda("POST", "/clouds.json", {**asked, "user_aws_key": "AKIDINVENTED"}, cloud_id=None)
    ).json()
    assert {"name": "staging", "s3_videos_bucket": "acme-video", "priority": 7}.items() <= cloud.items()
    assert cloud["url"].endswith("/")
    assert cloud.keys() >= {"id", "s3_private_access", "created_at", "updated_at"}
    assert "upload_original_video" not in cloud
    path = f"/clouds/{cloud['id']}.json"
    renamed = await panda.json("PUT", path, {"name": "live", "upload_original_video": "true", **secret})
    assert renamed == cloud | {"name": "live", "updated_at": renamed["updated_at"]}
    for nonsense in ("1", "201", "soon"):
        assert (await panda("PUT", path, {"priority": nonsense})).status_code == 400
    for reply in (cloud, renamed, await panda.json("GET", "/clouds.json"), panda.world.snapshot()):
        assert "nvented-secret" not in json.dumps(reply)
        assert "AKID" not in json.dumps(reply)
    assert (await panda("DELETE", path)).status_code == 404
    assert await panda.json("GET", path) == renamed
    assert len((await panda("GET", "/profiles.json", cloud_id=cloud["id"])).json()) > 10


async def test_22_only_the_events_given_change(panda: Caller) -> None:
    first = {"delay": 0, "url": None, "events": EVENTS}
    assert await panda.json("GET", "/notifications.json") == first
    changes = {"url": "http://app.example/hook", "delay": 10, "events": {"video_encoded": "true"}}
    changed = await panda.json("PUT", "/notifications.json", changes)
    assert changed == {**changes, "events": {**EVENTS, "video_encoded": True}}
    more = await panda.json("PUT", "/notifications.json", {"events": {"encoding_completed": "true"}})
    assert more == changed | {"events": {**EVENTS, "video_encoded": True, "encoding_completed": True}}
    ignored = await panda.json("PUT", "/notifications.json", {"send_video_payload": "true"})
    assert ignored == more == await panda.json("GET", "/notifications.json")
    assert (await panda.json("PUT", "/notifications.json", {"url": "null"}))["url"] is None


async def test_23_events_come_in_brackets_or_as_one_json_text(panda: Caller) -> None:
    as_text = {"events": json.dumps({"video_created": "true", "video_encoded": True})}
    changed = await panda.json("PUT", "/notifications.json", as_text)
    assert changed["events"] == {**EVENTS, "video_created": True, "video_encoded": True}
    off = await panda.json("PUT", "/notifications.json", {"events": {"video_created": "false"}})
    assert off["events"] == {**EVENTS, "video_encoded": True}
    for nonsense in ("[]", "{", '{"nothing": "true"}', '{"video_created": "so"}'):
        assert (await panda("PUT", "/notifications.json", {"events": nonsense})).status_code == 400
    assert await panda.json("GET", "/notifications.json") == off


@pytest.mark.parametrize(("length", "status"), [(256, 200), (257, 400)])
async def test_35_a_payload_has_256_characters_at_most(panda: Caller, length: int, status: int) -> None:
    asked = {"source_url": NOWHERE, "profiles": "none", "payload": "é" * length}
    assert (await panda("POST", "/videos.json", asked)).status_code == status
    session = {"file_size": 1, "file_name": "a", "payload": "é" * length}
    reply = await panda("POST", "/videos/upload.json", session)
    assert reply.status_code == (201 if status == 200 else 400)


@pytest.mark.parametrize("path_format", ["x", ":video_id", ":date/:original", "../:id", "/:id", "a//:id"])
async def test_36_a_path_format_needs_an_id(panda: Caller, path_format: str) -> None:
    asked = {"source_url": NOWHERE, "profiles": "none", "path_format": path_format}
    reply = await panda("POST", "/videos.json", asked)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")


async def test_36_outputs_lie_where_the_path_format_says(panda: Caller, clip: Path) -> None:
    tiny = {"preset_name": "h264", "name": "tiny", "width": 160, "height": 90}
    await panda.json("POST", "/profiles.json", tiny)
    [cloud] = await panda.json("GET", "/clouds.json")
    path_format = ":date/:type/:profile/:resolution/:original/:video_id/:id"
    video = await panda.upload(clip, profiles="tiny,mp3", path_format=path_format)
    id, date = video["id"], video["created_at"][:10].replace("/", "-")
    assert video["path"] == f"{date}/original/original/original/clip/{id}/{id}"
    made = await panda.json("GET", f"/videos/{id}/encodings.json")
    picture, sound = [await panda.settled(f"/encodings/{encoding['id']}.json") for encoding in made]
    assert picture["path"] == f"{date}/encodings/tiny/160x90/clip/{id}/{picture['id']}"
    assert sound["path"] == f"{date}/encodings/mp3/original/clip/{id}/{sound['id']}"
    assert picture["files"] == [f"{picture['path']}.mp4"]
    screenshots = [f"{picture['path']}_{number}.jpg" for number in range(1, 8)]
    assert picture["screenshots"] == screenshots
    for stored in (video, picture, sound):
        found = await panda.http.get(f"{cloud['url']}{stored['path']}{stored['extname']}")
        assert (found.status_code, len(found.content)) == (200, stored["file_size"]), stored["path"]
        if stored is video:
            assert found.content == clip.read_bytes()
    for screenshot in screenshots:
        assert (await panda.http.get(cloud["url"] + screenshot)).content[:2] == b"\xff\xd8"


async def test_36_originals_are_shown_while_they_are_kept(panda: Caller, call: Caller, clip: Path) -> None:
    async def shown(caller: Caller, scopes: str, video: dict[str, Any]) -> int:
        await caller.settled(f"/videos/{video['id']}.json")
        [scope] = await caller.json("GET", f"/{scopes}.json")
        return (await caller.http.get(f"{scope['url']}{video['path']}{video['extname']}")).status_code

    ours, theirs = await panda.upload(clip, profiles="none"), await call.upload(clip)
    assert [await shown(panda, "clouds", ours), await shown(call, "factories", theirs)] == [200, 404]
    factory = f"/factories/{call.credentials['factory_id']}.json"
    await call.json("PUT", factory, {"upload_original_video": "true"})
    await panda.json("DELETE", f"/videos/{ours['id']}/source.json")
    assert [await shown(panda, "clouds", ours), await shown(call, "factories", theirs)] == [404, 200]


async def test_36_the_log_of_a_failed_encoding_lies_beside_it(panda: Caller, clip: Path) -> None:
    [cloud] = await panda.json("GET", "/clouds.json")
    beyond = {"preset_name": "mp3", "name": "beyond", "clip_offset": "01:00:00"}
    await panda.json("POST", "/profiles.json", beyond)
    video = await panda.upload(clip, profiles="beyond")
    [encoding] = await panda.json("GET", f"/videos/{video['id']}/encodings.json")
    failed = await panda.settled(f"/encodings/{encoding['id']}.json")
    assert (failed["status"], failed["error_class"]) == ("fail", "EncodingError")
    log = await panda.http.get(f"{cloud['url']}{failed['path']}.log")
    assert (log.status_code, bool(log.text)) == (200, True)


async def test_37_ids_are_hexadecimal_and_dates_have_slashes(panda: Caller) -> None:
    asked = {"source_url": NOWHERE, "profiles": "mp3"}
    video = await panda.json("POST", "/videos.json", asked)
    [encoding] = await panda.json("GET", f"/videos/{video['id']}/encodings.json")
    [cloud] = await panda.json("GET", "/clouds.json")
    profile: dict[str, Any] = await panda.json("GET", "/profiles/mp3.json")
    for each in (video, encoding, cloud, profile):
        assert re.fullmatch(r"[0-9a-f]{32}", each["id"])
        for date in (each["created_at"], each["updated_at"]):
            assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d [+]0000", date)
