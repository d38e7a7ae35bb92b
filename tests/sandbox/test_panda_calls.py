"""Panda v2: calls, signed by hand.

Items 1 to 12 and 38 of the observable behaviour (panda.md section 11) are here; 13 to 17, 19 to 23 and 35 to
37 in test_panda_objects.py, 18 and 24 to 32 in test_panda_uploads.py, 33 and 34 in test_notify.py. The number
stands in the test's name. Signing by a token, which came in the service's last year, is not played.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import httpx
import pytest

from cloudreel.sandbox.scopes import furnish
from cloudreel.signing import sign_request, signed_params

if TYPE_CHECKING:
    from cloudreel.sandbox import Sandbox
    from conftest import Caller

pytestmark = pytest.mark.anyio

DOCUMENTED = {
    "access_key": "abcdefgh",
    "cloud_id": "123456789",
    "timestamp": "2011-03-01T15:39:10.260762Z",
    "signature": "kVnZs/NX13ldKPdhFYoVnoclr8075DwiZF0TGgIbMsc=",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_01_the_documented_request_gets_an_empty_list(panda: Caller) -> None:
    panda.world.credentials["panda"] = {"access_key": "abcdefgh", "secret_key": "ijklmnop"}
    furnish(panda.world, "cloud", DOCUMENTED["cloud_id"], {})
    panda.world.clock.set(datetime(2011, 3, 1, 15, 40, tzinfo=UTC).timestamp())
    asked: dict[str, Any] = {"params": DOCUMENTED, "headers": {"Host": "api.pandastream.com"}}
    reply = await panda.http.get("/v2/videos.json", **asked)
    assert (reply.status_code, reply.text) == (200, "[]")
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "host",
    [
        "api.pandastream.com",
        "api-eu.pandastream.com",
        "api-gce.pandastream.com",
        "API.PandaStream.com:443",
        "sandbox.local:8080",
    ],
)
async def test_02_the_host_counts_in_lower_case_and_without_port(panda: Caller, host: str) -> None:
    signed = panda.sign("GET", "/videos.json", host=host.lower().partition(":")[0])
    reply = await panda.http.get("/v2/videos.json", params=signed, headers={"Host": host})
    assert reply.status_code == 200, reply.text


async def test_02_what_was_signed_for_one_region_counts_there_only(panda: Caller) -> None:
    signed = panda.sign("GET", "/videos.json", host="api-eu.pandastream.com")
    reply = await panda.http.get("/v2/videos.json", params=signed, headers={"Host": "api.pandastream.com"})
    assert reply.status_code == 401


def test_02_requests_for_the_real_host_come_through_a_proxy(sandbox: Sandbox) -> None:
    keys = {name: sandbox.config["panda"][name] for name in ("access_key", "secret_key", "cloud_id")}
    signing = {"host": "api.pandastream.com", "timestamp": datetime.now(UTC).isoformat(), **keys}
    with httpx.Client(proxy=sandbox.base_url) as http:
        params = signed_params("GET", "/videos.json", None, **signing)
        reply = http.get("http://api.pandastream.com/v2/videos.json", params=params)
    assert (reply.status_code, reply.json()) == (200, [])


@pytest.mark.parametrize("path", ["/v2/videos.json", "/videos", "/videos.xml"])
async def test_03_the_signed_path_has_no_version_and_a_suffix(panda: Caller, path: str) -> None:
    reply = await panda.http.get("/v2/videos.json", params=panda.sign("GET", path))
    assert (reply.status_code, reply.json()["message"]) == (401, "Signatures do not match")


@pytest.mark.parametrize("carrier", ["query", "form", "multipart", "query and form", "all three"])
async def test_04_parameters_count_wherever_they_travel(panda: Caller, carrier: str) -> None:
    given = {"preset_name": "h264", "name": f"{carrier} ♥ +&=~[]"}
    signed = panda.sign("POST", "/profiles.json", given)
    auth = {name: signed[name] for name in ("access_key", "timestamp", "signature", "cloud_id")}
    rest = {name: text for name, text in signed.items() if name not in auth}
    file = {"file": ("a", b"never signed")}
    sent: dict[str, Any] = {
        "query": {"params": signed},
        "form": {"data": signed},
        "multipart": {"data": signed, "files": file},
        "query and form": {"params": auth, "data": rest},
        "all three": {"params": auth, "data": rest, "files": file},
    }[carrier]
    reply = await panda.http.post("/v2/profiles.json", **sent)
    assert (reply.status_code, reply.json()["name"]) == (200, given["name"])


@pytest.mark.parametrize("carrier", ["query", "form"])
async def test_05_order_and_escaping_on_the_wire_do_not_matter(panda: Caller, carrier: str) -> None:
    changes = {"events": {"video_encoded": "true"}, "url": "http://app.example/a b"}
    signed = panda.sign("PUT", "/notifications.json", changes)
    pairs = sorted(signed.items(), reverse=True)
    wire = "&".join(f"{quote_plus(name)}={quote_plus(text, safe='/:~')}" for name, text in pairs)
    assert "%5B" in wire
    assert "a+b" in wire
    if carrier == "query":
        reply = await panda.http.put(f"/v2/notifications.json?{wire}")
    else:
        reply = await panda.http.put("/v2/notifications.json", content=wire, headers=FORM)
    assert (reply.status_code, reply.json()["events"]["video_encoded"]) == (200, True)


@pytest.mark.parametrize("place", ["params", "data"])
async def test_06_file_is_never_signed(panda: Caller, place: str) -> None:
    signed = panda.sign("POST", "/profiles.json", {"preset_name": "mp3"})
    sent: dict[str, Any] = {place: {**signed, "file": "clip.mp4"}}
    assert (await panda.http.post("/v2/profiles.json", **sent)).status_code == 200


@pytest.mark.parametrize(
    "changes", [{"secret_key": "guess"}, {"access_key": "another"}, {"host": "elsewhere.example"}]
)
async def test_07_wrong_signatures_do_not_match(panda: Caller, changes: dict[str, str]) -> None:
    reply = await panda("GET", "/videos.json", **changes)
    assert reply.status_code == 401
    assert {"error": "NotAuthorized", "message": "Signatures do not match"}.items() <= reply.json().items()
    assert panda.credentials["secret_key"] not in reply.text


async def test_07_every_parameter_is_covered(panda: Caller) -> None:
    signed = panda.sign("GET", "/videos.json", {"page": 1})
    for altered in ({**signed, "page": "2"}, {**signed, "status": "fail"}, {**signed, "cloud_id": "f" * 32}):
        assert (await panda.http.get("/v2/videos.json", params=altered)).status_code == 401


UPLOAD = {"file_size": 1, "file_name": "a", "source_url": "http://127.0.0.1:9/a.mp4", "profiles": "none"}


@pytest.mark.parametrize(
    ("verb", "path", "minutes"),
    [
        ("GET", "/videos.json", 5),
        ("PUT", "/notifications.json", 5),
        ("POST", "/profiles.json", 5),
        ("POST", "/videos.json", 30),
        ("POST", "/videos/upload.json", 30),
    ],
)
@pytest.mark.parametrize("early", [False, True], ids=["behind", "ahead"])
async def test_08_signatures_expire(panda: Caller, verb: str, path: str, minutes: int, early: bool) -> None:
    params = {"preset_name": "mp3"} if path == "/profiles.json" else UPLOAD if verb == "POST" else {}

    async def status_at_age(seconds: float) -> int:
        signed = panda.sign(verb, path, params)
        panda.world.clock.advance(-seconds if early else seconds)
        reply = await panda.http.request(verb, f"/v2{path}", params=signed)
        if reply.status_code == 401:
            assert (reply.json()["error"], reply.json()["message"]) == ("NotAuthorized", "Signatures expired")
        return reply.status_code

    assert await status_at_age(minutes * 60 - 30) in {200, 201}
    assert await status_at_age(minutes * 60 + 30) == 401


@pytest.mark.parametrize(
    ("shape", "status"),
    [
        ("{:%Y-%m-%dT%H:%M:%S}.123456789Z", 200),
        ("{:%Y-%m-%dT%H:%M:%S}.5Z", 200),
        ("{:%Y-%m-%dT%H:%M:%S}+0000", 200),
        ("{:%Y-%m-%dT%H:%M:%S}+00:00", 200),
        ("{:%Y-%m-%dT%H:%M:%S}", 200),
        ("{:%d %b %Y %H:%M}", 401),
    ],
)
async def test_08_timestamps_come_in_many_shapes(panda: Caller, shape: str, status: int) -> None:
    moment = datetime.fromtimestamp(panda.world.clock.now(), UTC)
    reply = await panda("GET", "/videos.json", timestamp=shape.format(moment))
    assert (reply.status_code, reply.json() == []) == (status, status == 200)


async def test_09_a_post_counts_once_and_a_get_again(panda: Caller) -> None:
    get = panda.sign("GET", "/videos.json")
    assert [(await panda.http.get("/v2/videos.json", params=get)).status_code for _ in "ab"] == [200, 200]
    post = panda.sign("POST", "/profiles.json", {"preset_name": "mp3"})
    replies = [await panda.http.post("/v2/profiles.json", params=post) for _ in "ab"]
    assert [reply.status_code for reply in replies] == [200, 401]
    assert replies[1].json()["error"] == "NotAuthorized"


@pytest.mark.parametrize("missing", ["access_key", "signature", "timestamp"])
async def test_10_missing_authentication_is_listed(panda: Caller, missing: str) -> None:
    signed = panda.sign("GET", "/videos.json")
    del signed[missing]
    reply = await panda.http.get("/v2/videos.json", params=signed)
    message = "All required parameters were not supplied: access_key, signature, timestamp"
    assert (reply.status_code, reply.json()) == (400, {"error": "BadRequest", "message": message})


async def test_10_a_cloud_is_required_except_about_clouds(panda: Caller) -> None:
    reply = await panda("GET", "/videos.json", cloud_id=None)
    assert (reply.status_code, reply.json()["message"]) == (
        400,
        "All required parameters were not supplied: cloud_id",
    )
    for cloud_id in (None, "None", panda.credentials["cloud_id"]):
        assert (await panda("GET", "/clouds.json", cloud_id=cloud_id)).status_code == 200


@pytest.mark.parametrize("path", ["/videos", "/videos.xml", "/videos/abc", "/nothing"])
async def test_11_only_json_is_supported(panda: Caller, path: str) -> None:
    reply = await panda("GET", path)
    message = "Currently only .json is supported as a format"
    assert (reply.status_code, reply.json()) == (400, {"error": "BadRequest", "message": message})


@pytest.mark.parametrize(
    ("verb", "path", "model"),
    [
        ("GET", "/videos/{}.json", "Video"),
        ("DELETE", "/videos/{}.json", "Video"),
        ("GET", "/videos/{}/metadata.json", "Video"),
        ("GET", "/encodings/{}.json", "Encoding"),
        ("POST", "/encodings/{}/retry.json", "Encoding"),
        ("PUT", "/profiles/{}.json", "Profile"),
        ("GET", "/clouds/{}.json", "Cloud"),
    ],
)
async def test_12_an_unknown_id_is_not_found(panda: Caller, verb: str, path: str, model: str) -> None:
    id = "0" * 32
    reply = await panda(verb, path.format(id))
    expected = {"error": "RecordNotFound", "message": f"Couldn't find {model} with ID={id}"}
    assert (reply.status_code, reply.json()) == (404, expected)


async def test_12_an_unknown_cloud_is_not_found(panda: Caller) -> None:
    reply = await panda("GET", "/videos.json", cloud_id="0" * 32)
    assert reply.status_code == 404
    assert reply.json()["message"] == f"Couldn't find Cloud with ID={'0' * 32}"


async def test_38_large_files_are_refused(panda: Caller) -> None:
    panda.world.file_size_limit = 10485760
    reply = await panda("POST", "/videos/upload.json", {"file_size": 10485761, "file_name": "a.mp4"})
    message = "File size limit for this account is set to 10485760 bytes"
    assert (reply.status_code, reply.json()) == (413, {"error": "FileSizeLimitExceeded", "message": message})
    panda.world.file_size_limit = 4
    query = panda.sign("POST", "/videos.json")
    reply = await panda.http.post("/v2/videos.json", params=query, files={"file": ("a.mp4", b"12345")})
    assert (reply.status_code, reply.json()["error"]) == (413, "FileSizeLimitExceeded")
    assert await panda.json("GET", "/videos.json") == []
    assert list(panda.world.store.folder("incoming").iterdir()) == []


async def test_who_expects_100_continue_is_turned_away_as_by_the_proxy(panda: Caller) -> None:
    signed = panda.sign("POST", "/profiles.json", {"preset_name": "mp3"})
    reply = await panda.http.post("/v2/profiles.json", params=signed, headers={"Expect": "100-continue"})
    assert (reply.status_code, reply.headers["content-type"]) == (417, "text/plain; charset=utf-8")


async def test_an_empty_post_needs_no_body(panda: Caller) -> None:
    signed = panda.sign("POST", "/profiles.json", {"preset_name": "mp3"})
    reply = await panda.http.post("/v2/profiles.json", params=signed, headers={"Content-Length": "0"})
    assert reply.status_code == 200


async def test_the_two_services_know_nothing_of_each_other(panda: Caller, call: Caller) -> None:
    assert (await panda("GET", "/factories.json")).status_code == 404
    assert (await call("GET", "/clouds.json")).status_code == 404
    signature = sign_request(call.credentials["secret_key"], "GET", panda.host, "/clouds.json", {})
    strange = {**panda.sign("GET", "/clouds.json"), "signature": signature}
    assert (await panda.http.get("/v2/clouds.json", params=strange)).status_code == 401


async def test_pages_of_other_origins_may_call(panda: Caller) -> None:
    origin = {"Origin": "http://app.example"}
    asked = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-own"}
    allowed = await panda.http.options("/v2/videos.json", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "x-own" in allowed.headers["access-control-allow-headers"]
    refused = await panda.http.get("/v2/videos.json", headers=origin)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, "*")
