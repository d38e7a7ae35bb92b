"""The 21 defects of the reference client (telestream.md 10), and where each is shown to be absent.

==  =============================================  ==========================================================
 1  the stack of parts cannot be popped            uploads/test_defects.py, test_uploads.py
 2  ``dict.has_key``                               uploads/test_defects.py, test_uploads.py
 3  missing parts replaced by their key            uploads/test_defects.py, faults/test_schedules.py
 4  ``resume()`` never works                       uploads/test_defects.py, test_uploads.py, faults/
 5  races and deadlocks around the shared stack    uploads/test_defects.py, faults/test_cancellation.py
 6  refused parts count as sent                    uploads/test_defects.py, test_uploads.py, faults/
 7  a status word decides, as a substring          uploads/test_defects.py
 8  no limit of threads, one shared open file      uploads/test_defects.py, test_uploads.py, faults/
 9  ``Content-Length`` set by hand                 uploads/test_defects.py, faults/test_schedules.py
10  a debugging ``print``                          uploads/test_defects.py
11  ``abort()`` believes in itself                 uploads/test_defects.py, test_uploads.py
12  status words disagree                          uploads/test_defects.py, test_uploads.py
13  mutable defaults, changed arguments            here, test_videos.py, test_notifications.py
14  the fallback of ``Encoding.profile()``         here, test_objects.py
15  fields hide methods; no id, no ``str()``       here, panda/test_objects.py
16  ``save()`` neither updates nor forgets         here, test_objects.py, panda/test_objects.py
17  ``delete()`` without id, no pages, ``find``    here, test_objects.py, panda/test_listing.py
18  values and versions compared as text           here, panda/test_protocol.py, signing/
19  the signature is bytes                         here, test_client.py
20  raw paths, no timeouts, redirects followed     here, test_client.py, uploads/test_defects.py
21  errors at the wrong time, endless recursion    here, uploads/test_defects.py
==  =============================================  ==========================================================
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.errors import SigningError
from cloudreel.telestream import (
    AsyncEncoding,
    AsyncFactory,
    AsyncTelestream,
    AsyncVideo,
    BadRequest,
    NoAnswer,
    NotAuthorized,
    RecordNotFound,
    TelestreamCloudException,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Control, Tap

pytestmark = pytest.mark.anyio

ANSWERS: dict[str, object] = {
    "/videos/1f.json": {
        "id": "1f",
        **dict.fromkeys(("encodings", "delete", "reload", "metadata", "wait", "details"), "a field"),
    },
    "/videos/2f.json": {"status": "success"},
    "/videos/1f/encodings.json": [{"id": "2e", "video_id": "1f", "profile_id": "3d", "profile": "a field"}],
    "/profiles/3d.json": {"id": "3d", "name": "h264"},
    "/factories/5c.json": {"id": "5c"},
}


def answer(request: httpx.Request) -> httpx.Response:
    """Answer as a service with strange objects."""
    path = request.url.path.removeprefix("/v3.0")
    if request.method == "PUT":
        return httpx.Response(200, json={"id": "3d", "name": "answered", "priority": 7})
    return httpx.Response(200, json=ANSWERS[path])


@pytest.fixture
async def strange(credentials: dict[str, Any], anyio_backend: str) -> AsyncIterator[AsyncFactory]:
    """A factory of a service with strange objects."""
    async with AsyncTelestream(**credentials, transport=httpx.MockTransport(answer)) as tc:
        yield await tc.flip.factories.find("5c")


async def test_defect_13_no_argument_is_changed_and_none_is_shared(tapped: AsyncFactory, tap: Tap) -> None:
    pipeline = {"h264": {"next": ["mp3"]}}
    events = {"video_encoded": True, "video_created": False}
    conf: dict[str, Any] = {"send_video_payload": True, "events": events}
    before = json.dumps([pipeline, conf])
    await tapped.videos.create(source_url="http://127.0.0.1:1/a.mp4", profiles="none", pipeline=pipeline)
    await tapped.update_notifications(conf)
    await tapped.update_notifications({"send_video_payload": False, "events": dict.fromkeys(events, False)})
    assert json.dumps([pipeline, conf]) == before
    one, other = await tapped.profiles.find("h264"), await tapped.profiles.find("mp3")
    one.title = "changed"
    sent = len(tap.seen)
    await other.save()
    assert len(tap.seen) == sent


async def test_defect_14_a_profile_is_found_without_its_name(strange: AsyncFactory) -> None:
    video = await strange.videos.find("1f")
    (encoding,) = await video.encodings.all()
    assert encoding.profile_name is None
    assert (await encoding.profile()).id == "3d"


async def test_defect_15_fields_hide_no_methods(strange: AsyncFactory) -> None:
    video = await strange.videos.find("1f")
    (encoding,) = await video.encodings.all()
    assert isinstance(encoding, AsyncEncoding)
    assert (await encoding.profile()).name == "h264"
    await video.reload()
    assert video.details["encodings"] == "a field"


async def test_defect_15_an_object_without_id_has_a_text(strange: AsyncFactory) -> None:
    video = await strange.videos.find("2f")
    assert (str(video), video.status) == ("Video (without id)", "success")
    with pytest.raises(BadRequest, match="no id"):
        await video.reload()


async def test_defect_16_saving_refreshes_and_forgets(strange: AsyncFactory) -> None:
    profile = await strange.profiles.find("3d")
    profile.name = "asked"
    await profile.save()
    assert (profile.name, profile.priority) == ("answered", 7)
    assert profile._changed() == {}


async def test_defect_17_deleting_needs_an_id(factory: AsyncFactory) -> None:
    for collection in (factory.videos, factory.encodings, factory.profiles):
        with pytest.raises(TypeError):
            await collection.delete()
        with pytest.raises(RecordNotFound):
            await collection.delete("1f")


async def test_defect_17_an_encoding_of_another_video_is_not_found(factory: AsyncFactory) -> None:
    url = "http://127.0.0.1:1/a.mp4"
    one, other = [await factory.videos.create(source_url=url, profiles="none") for _ in range(2)]
    encoding = await one.encodings.create(profile_name="mp3")
    with pytest.raises(RecordNotFound):
        await other.encodings.find(str(encoding.id))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (29.97, "29.97"),
        (True, "true"),
        (b"bytes", "bytes"),
        ("~ /+\u2665", "~ /+\u2665"),
        ("", ""),
        (["h264", "mp3"], "h264,mp3"),
        (None, None),
    ],
)
async def test_defect_18_every_value_is_sent_as_it_is_signed(
    tapped: AsyncFactory, tap: Tap, value: Any, text: str | None
) -> None:
    assert await tapped.videos.all(per_page=1, novelty=value) is not None
    assert tap.params().get("novelty") == text


def test_defect_18_what_has_no_text_is_refused() -> None:
    with pytest.raises(SigningError):
        AsyncTelestream("access", "secret").signed_params("GET", "/videos.json", {"fps": float("nan")})


def test_defect_19_a_signature_is_text() -> None:
    params = AsyncTelestream("access", "secret").signed_params("GET", "/videos.json")
    assert type(params["signature"]) is str
    assert len(params["signature"]) == 44


async def test_defect_20_a_raw_path_reaches_its_place(tc: AsyncTelestream, control: Control) -> None:
    assert (await tc.get("factories.json")).status_code == 200
    assert control.requests()[-1]["path"] == "/v3.0/factories.json"


async def test_defect_20_no_call_waits_forever(tc: AsyncTelestream, control: Control) -> None:
    control.fault("stall", path="*/factories.json", times=3)
    with pytest.raises(NoAnswer):
        await tc.with_options(timeout=0.1, retries=2).flip.factories.all()


async def test_defect_20_a_signature_goes_to_no_other_host(credentials: dict[str, Any]) -> None:
    hosts: list[str] = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"location": "http://elsewhere.example/"})

    async with AsyncTelestream(**credentials, transport=httpx.MockTransport(elsewhere)) as tc:
        with pytest.raises(TelestreamCloudException):
            await tc.flip.factories.all()
    assert set(hosts) == {credentials["api_host"]}


async def test_defect_21_a_refused_session_is_an_error(credentials: dict[str, Any]) -> None:
    refusals = {
        "/v3.0/factories/5c.json": httpx.Response(200, json={"id": "5c"}),
        "/v3.0/videos/upload.json": httpx.Response(
            200, json={"error": "NotAuthorized", "message": "Message"}
        ),
    }
    refusing = httpx.MockTransport(lambda request: refusals[request.url.path])
    async with AsyncTelestream(**credentials, transport=refusing) as tc:
        factory = await tc.flip.factories.find("5c")
        with pytest.raises(NotAuthorized, match="Message"):
            await factory.upload_session(b"abc")


async def test_defect_21_classes_may_be_derived_from(credentials: dict[str, Any]) -> None:
    class MyTelestream(AsyncTelestream):
        pass

    class MyVideo(AsyncVideo):
        pass

    async with MyTelestream(**credentials, transport=httpx.MockTransport(answer)) as tc:
        assert type(tc.with_options(timeout=1)) is MyTelestream
        factory = await tc.flip.factories.find("5c")
        video = await factory.videos.find("1f")
        mine = MyVideo(video._transport, video._record)
        assert (str(mine), mine.id) == ("Video 1f", "1f")
        await mine.reload()
        with pytest.raises(TelestreamCloudException, match="immutable"):
            mine.status = "success"
