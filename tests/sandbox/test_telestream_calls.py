"""Telestream v3.0: calls and objects.

Items 1 to 13 and 28 of the observable behaviour (telestream.md section 11) are here, 14 to 27 in
test_telestream_uploads.py, 29 and 30 in test_notify.py. The number stands in the test's name.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from conftest import Caller

pytestmark = pytest.mark.anyio

EVENTS = dict.fromkeys(("video_created", "video_encoded", "encoding_progress", "encoding_completed"), False)
FORM = "application/x-www-form-urlencoded"


async def test_01_factories_are_listed_without_a_factory_id(call: Caller) -> None:
    reply = await call("GET", "/factories.json", factory_id=None)
    assert reply.status_code == 200
    [factory] = reply.json()
    assert factory["id"] == call.credentials["factory_id"]
    assert factory["url"] == f"http://sandbox.local/outputs/{factory['id']}/"


async def test_02_unknown_factory_is_not_found(call: Caller) -> None:
    reply = await call("GET", "/videos.json", factory_id="0" * 32)
    assert reply.status_code == 404
    assert reply.json() == {"error": "RecordNotFound", "message": f"Couldn't find Factory with ID={'0' * 32}"}


async def test_02_calls_see_their_own_factory_only(call: Caller, tmp_path: Path) -> None:
    other = await call.json("POST", "/factories.json", {"name": "other"})
    (tmp_path / "x.txt").write_bytes(b"x")
    video = await call.upload(tmp_path / "x.txt")
    assert (await call("GET", "/videos.json", factory_id=other["id"])).json() == []
    assert (await call("GET", f"/videos/{video['id']}.json", factory_id=other["id"])).status_code == 404


async def test_02_a_factory_is_required_elsewhere(call: Caller) -> None:
    reply = await call("GET", "/videos.json", factory_id=None)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")


async def test_03_cloud_id_is_an_alias_for_factory_id(call: Caller) -> None:
    factory_id = call.credentials["factory_id"]
    asked = {"file_size": 5, "file_name": "a.mp4", "multi_chunk": "1"}
    reply = await call("POST", "/videos/upload.json", asked, factory_id=None, cloud_id=factory_id)
    assert reply.status_code == 201
    reply = await call("GET", "/videos.json", cloud_id="f" * 32)
    assert reply.status_code == 400


@pytest.mark.parametrize("carrier", ["query", "form", "multipart", "mixed"])
async def test_04_parameters_count_wherever_they_travel(call: Caller, carrier: str) -> None:
    signed = call.sign("POST", "/profiles.json", {"preset_name": "h264", "name": f"{carrier} ♥ +&=~[]"})
    auth = {name: signed.pop(name) for name in ("access_key", "timestamp", "signature")}
    sent: dict[str, Any] = {
        "query": {"params": signed | auth},
        "form": {"data": signed | auth},
        "multipart": {"data": signed | auth, "files": {"file": ("a", b"never signed")}},
        "mixed": {"data": signed, "params": auth},
    }[carrier]
    reply = await call.http.post("/v3.0/profiles.json", **sent)
    assert (reply.status_code, reply.json()["name"]) == (200, f"{carrier} ♥ +&=~[]")


async def test_04_wire_escaping_and_order_do_not_matter(call: Caller) -> None:
    changes = {"events": {"video_encoded": "true"}, "url": "http://a/b c"}
    signed = call.sign("PUT", "/notifications.json", changes)
    body = urlencode(sorted(signed.items(), reverse=True))
    reply = await call.http.put("/v3.0/notifications.json", content=body, headers={"Content-Type": FORM})
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize(
    "changes",
    [{"secret_key": "another"}, {"host": "elsewhere.example"}, {"access_key": "unknown"}],
    ids=["secret", "host", "key"],
)
async def test_04_wrong_signatures_are_refused(call: Caller, changes: dict[str, str]) -> None:
    reply = await call("GET", "/videos.json", **changes)
    assert reply.status_code == 401
    body = reply.json()
    assert (body["error"], body["message"]) == ("NotAuthorized", "Signatures do not match")
    assert body["explain"]
    assert call.credentials["secret_key"] not in reply.text


async def test_04_an_altered_parameter_is_noticed(call: Caller) -> None:
    signed = call.sign("GET", "/videos.json", {"page": 1})
    reply = await call.http.get("/v3.0/videos.json", params={**signed, "page": "2"})
    assert reply.status_code == 401


@pytest.mark.parametrize(
    ("verb", "path", "age", "status"),
    [
        ("GET", "/videos.json", 290, 200),
        ("GET", "/videos.json", 310, 401),
        ("GET", "/videos.json", -310, 401),
        ("POST", "/videos/upload.json", 1700, 201),
        ("POST", "/videos/upload.json", 1900, 401),
    ],
)
async def test_04_timestamps_expire(call: Caller, verb: str, path: str, age: float, status: int) -> None:
    signed = call.sign(verb, path, {"file_size": 1, "file_name": "a"})
    call.world.clock.advance(age)
    reply = await call.http.request(verb, f"/v3.0{path}", params=signed)
    assert reply.status_code == status
    if status == 401:
        assert reply.json()["message"] == "Signatures expired"


async def test_04_a_post_signature_counts_once_and_a_get_signature_again(call: Caller) -> None:
    get = call.sign("GET", "/videos.json")
    assert [(await call.http.get("/v3.0/videos.json", params=get)).status_code for _ in "ab"] == [200, 200]
    post = call.sign("POST", "/profiles.json", {"preset_name": "mp3"})
    replies = [await call.http.post("/v3.0/profiles.json", params=post) for _ in "ab"]
    assert [reply.status_code for reply in replies] == [200, 401]
    assert replies[1].json()["error"] == "NotAuthorized"


async def test_04_missing_authentication_is_listed(call: Caller) -> None:
    reply = await call.http.get("/v3.0/videos.json", params={"access_key": "x"})
    assert (reply.status_code, reply.json()) == (
        400,
        {
            "error": "BadRequest",
            "message": "All required parameters were not supplied: access_key, signature, timestamp",
        },
    )


async def test_04_a_loose_sandbox_believes_any_signature(call: Caller) -> None:
    call.world.strict = False
    assert (await call("POST", "/profiles.json", {"preset_name": "aac"}, secret_key="x")).status_code == 200


async def test_05_events_are_signed_in_brackets(call: Caller) -> None:
    signed = call.sign("PUT", "/notifications.json", {"events": {"encoding_progress": "true"}})
    assert "events[encoding_progress]" in signed
    reply = await call.http.put("/v3.0/notifications.json", params=signed)
    assert reply.json()["events"]["encoding_progress"] is True


async def test_06_pipeline_is_json_in_one_parameter(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"no video")
    video = await call.upload(tmp_path / "x.bin", pipeline=json.dumps({"h264": {}}))
    assert video["status"] == "processing"
    asked = {"source_url": "http://127.0.0.1:9/a.mp4", "pipeline": "{"}
    assert (await call("POST", "/videos.json", asked)).status_code == 400


async def test_07_lists_are_bare_paged_and_rooted_on_request(call: Caller) -> None:
    profiles = await call.json("GET", "/profiles.json")
    assert isinstance(profiles, list)
    first = await call.json("GET", "/profiles.json", {"page": 1, "per_page": 5})
    second = await call.json("GET", "/profiles.json", {"page": 2, "per_page": 5})
    assert [*first, *second] == profiles[:10]
    rooted = await call.json("GET", "/profiles.json", {"page": 3, "per_page": 5, "include_root": "true"})
    assert rooted == {"profiles": profiles[10:15], "page": 3, "per_page": 5, "total": len(profiles)}


@pytest.mark.parametrize("paging", [{"page": 0}, {"page": "x"}, {"per_page": "9" * 5000}])
async def test_07_pages_are_numbers(call: Caller, paging: dict[str, Any]) -> None:
    assert (await call("GET", "/videos.json", paging)).status_code == 400


@pytest.mark.parametrize(
    ("verb", "path", "status", "error"),
    [
        ("GET", "/videos/x.json", 404, "RecordNotFound"),
        ("GET", "/videos.xml", 400, "BadRequest"),
        ("GET", "/nothing.json", 404, "RecordNotFound"),
        ("POST", "/profiles.json", 400, "BadRequest"),
        ("DELETE", "/factories/x.json", 404, "RecordNotFound"),
    ],
)
async def test_08_errors_have_name_and_message(
    call: Caller, verb: str, path: str, status: int, error: str
) -> None:
    reply = await call(verb, path)
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.json()["message"]
    assert reply.headers["content-type"] == "application/json"


async def test_09_deletion_cancel_and_retry_answer_with_an_object(call: Caller, clip: Path) -> None:
    video = await call.upload(clip, profiles="webm.hi")
    [encoding] = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    path = f"/encodings/{encoding['id']}"
    assert await call.json("POST", f"{path}/cancel.json") == {"canceled": True}
    cancelled = await call.json("GET", f"{path}.json")
    assert (cancelled["status"], cancelled["error_class"]) == ("fail", "EncodingError")
    assert "cancelled" in cancelled["error_message"]
    assert (await call("POST", f"{path}/cancel.json")).status_code == 400
    assert await call.json("POST", f"{path}/retry.json") == {"retried": True}
    again = await call.json("GET", f"{path}.json")
    assert (again["status"], again["error_class"]) == ("processing", None)
    assert (await call("POST", f"{path}/retry.json")).status_code == 400
    assert await call.json("DELETE", f"{path}.json") == {"deleted": True}
    assert await call.json("DELETE", f"/videos/{video['id']}/source.json") == {"deleted": True}
    assert await call.json("DELETE", f"/videos/{video['id']}.json") == {"deleted": True}
    assert (await call("GET", f"/videos/{video['id']}.json")).status_code == 404


async def test_10_put_answers_the_whole_object_and_keeps_what_is_read_only(call: Caller) -> None:
    profile = await call.json("GET", "/profiles/h264.json")
    read_only = {"id": "x", "created_at": "x", "foo": "bar"}
    changes = {**read_only, "title": "Changed", "width": "320", "upscale": "false"}
    changed = await call.json("PUT", f"/profiles/{profile['id']}.json", changes)
    assert changed == {
        **profile,
        "title": "Changed",
        "width": 320,
        "upscale": False,
        "updated_at": changed["updated_at"],
    }
    factory = (await call.json("GET", "/factories.json"))[0]
    renamed = await call.json(
        "PUT", f"/factories/{factory['id']}.json", {"name": "n", "url": "http://x/", "id": "y"}
    )
    assert renamed == {**factory, "name": "n", "updated_at": renamed["updated_at"]}


async def test_11_notifications_change_by_what_is_sent(call: Caller) -> None:
    await call.json("PUT", "/notifications.json", {"url": "http://app.example/hook", "delay": 10})
    changes = {"send_video_payload": "true", "events": {"video_encoded": "true"}}
    settings = await call.json("PUT", "/notifications.json", changes)
    expected = {**EVENTS, "video_encoded": True}
    assert settings["events"] == expected
    assert (settings["url"], settings["delay"]) == ("http://app.example/hook", 10)
    as_text = await call.json("PUT", "/notifications.json", {"events": '{"video_created": "true"}'})
    assert as_text["events"] == {**expected, "video_created": True}


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "nonsense"},
        {"delay": "soon"},
        {"events": {"nothing": "true"}},
        {"send_video_payload": "so"},
    ],
)
async def test_11_nonsense_changes_nothing(call: Caller, changes: dict[str, Any]) -> None:
    before = await call.json("GET", "/notifications.json")
    assert (await call("PUT", "/notifications.json", changes)).status_code == 400
    assert await call.json("GET", "/notifications.json") == before


async def test_12_notification_settings_hold_real_booleans(call: Caller) -> None:
    expected = {"delay": 0, "url": None, "send_video_payload": False, "events": EVENTS}
    assert await call.json("GET", "/notifications.json") == expected


async def test_13_a_profile_is_found_by_id_and_by_name(call: Caller) -> None:
    by_name = await call.json("GET", "/profiles/h264.hi.json")
    assert by_name == await call.json("GET", f"/profiles/{by_name['id']}.json")
    spaced = await call.json("POST", "/profiles.json", {"preset_name": "h264", "name": "my own"})
    assert await call.json("GET", "/profiles/my%20own.json") == spaced
    assert await call.json("DELETE", f"/profiles/{spaced['id']}.json") == {"deleted": True}


@pytest.mark.parametrize(
    "profile",
    [
        {"preset_name": "nonsense"},
        {"preset_name": "hss"},
        {"command": "ffmpeg"},
        {"preset_name": "h264", "name": "webm"},
        {"preset_name": "h264", "name": "a,b"},
        {"preset_name": "h264", "width": "wide"},
        {"preset_name": "h264", "fps": "nan"},
        {"preset_name": "h264", "upscale": "perhaps"},
        {"preset_name": "h264", "path_format": "no-id"},
    ],
)
async def test_13_impossible_profiles_are_refused(call: Caller, profile: dict[str, str]) -> None:
    reply = await call("POST", "/profiles.json", profile)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")


async def test_28_a_json_body_is_covered_by_its_checksum(call: Caller) -> None:
    body = json.dumps({"file_size": 5, "file_name": "a.mp4", "profiles": ["h264", "mp3"]}).encode()
    query = {"signature_version": "2", "checksum": hashlib.sha256(body).hexdigest(), "multi_chunk": "true"}
    signed = call.sign("POST", "/videos/upload.json", query)

    async def post(params: dict[str, str], content: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        path = "/v3.0/videos/upload.json"
        return await call.http.post(path, params=params, content=content, headers=headers)

    altered = await post(signed, body.replace(b"5", b"6"))
    assert (altered.status_code, altered.json()["error"]) == (401, "NotAuthorized")
    accepted = await post(signed, body)
    assert (accepted.status_code, accepted.json()["parts"]) == (201, "1")
    assert (await post(call.sign("POST", "/videos/upload.json"), body)).status_code == 400


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 400),
        ({"source_url": "http://127.0.0.1:9/a.mp4", "payload": "x" * 257}, 400),
        ({"source_url": "http://127.0.0.1:9/a.mp4", "path_format": "none"}, 400),
        ({"source_url": "http://127.0.0.1:9/a.mp4", "path_format": "../:id"}, 400),
        ({"source_url": "http://127.0.0.1:9/a.mp4", "profiles": "h264,nonsense"}, 404),
        ({"source_url": "http://[127/a.mp4"}, 400),
    ],
)
async def test_videos_that_cannot_be_made(call: Caller, params: dict[str, str], status: int) -> None:
    assert (await call("POST", "/videos.json", params)).status_code == status
    assert await call.json("GET", "/videos.json") == []


async def test_a_file_and_a_source_url_exclude_each_other(call: Caller) -> None:
    query = call.sign("POST", "/videos.json", {"source_url": "http://127.0.0.1:9/a.mp4"})
    reply = await call.http.post("/v3.0/videos.json", params=query, files={"file": ("a.mp4", b"x")})
    assert reply.status_code == 400
    assert list((call.world.store.data / "incoming").iterdir()) == []


async def test_a_source_beyond_the_limit_is_refused(call: Caller, tmp_path: Path) -> None:
    call.world.file_size_limit = 10
    reply = await call("POST", "/videos/upload.json", {"file_size": 11, "file_name": "a.mp4"})
    assert (reply.status_code, reply.json()["error"]) == (413, "FileSizeLimitExceeded")
    query = call.sign("POST", "/videos.json")
    reply = await call.http.post("/v3.0/videos.json", params=query, files={"file": ("a.mp4", b"x" * 11)})
    assert reply.status_code == 413


async def test_without_profiles_all_are_used(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"no video")
    query = call.sign("POST", "/videos.json")
    video = (await call.http.post("/v3.0/videos.json", params=query, files={"file": ("x.bin", b"no")})).json()
    encodings = await call.json("GET", f"/videos/{video['id']}/encodings.json")
    profiles = await call.json("GET", "/profiles.json")
    assert [encoding["profile_id"] for encoding in encodings] == [profile["id"] for profile in profiles]


async def test_filters_choose_encodings(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"no video")
    video = await call.upload(tmp_path / "x.bin", profiles="h264,mp3")
    await call.settled(f"/videos/{video['id']}.json")
    for filters, count in [
        ({"status": "fail"}, 2),
        ({"status": "success"}, 0),
        ({"profile_name": "mp3"}, 1),
        ({"video_id": video["id"]}, 2),
        ({"video_id": "x"}, 0),
    ]:
        assert len(await call.json("GET", "/encodings.json", filters)) == count
    assert len(await call.json("GET", "/videos.json", {"status": "fail"})) == 1
    assert len(await call.json("GET", "/profiles/mp3/encodings.json")) == 1
