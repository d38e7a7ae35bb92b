"""Uploads by a page: what may begin, what is sent where, and what counts as done."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount

from cloudreel import panda, telestream, web
from cloudreel.errors import CloudReelError

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from conftest import Running

pytestmark = pytest.mark.anyio

SECRET = "only-for-tests-0123"
LARGEST = 2**20

Video = telestream.AsyncVideo | panda.AsyncVideo


class Desk:
    """What the application is told, and whom it lets in."""

    def __init__(self) -> None:
        self.told: list[Video] = []
        self.failures: list[Exception] = []

    async def uploaded(self, request: Request, video: Video) -> None:
        assert request.url.path.endswith("/done")
        if self.failures:
            raise self.failures.pop()
        self.told.append(video)

    async def telestream(self, request: Request) -> telestream.AsyncTelestream:
        if request.headers.get("authorization") == "nobody":
            raise HTTPException(401, "Who are you?")
        return await web.telestream(request)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def app(
    sandbox: Sandbox, desk: Desk, anyio_backend: str, running: Running
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with uploads to both services."""
    common: dict[str, Any] = {"secret": SECRET, "largest": LARGEST, "profiles": "none"}
    routes = [
        Mount("/telestream", web.browser_uploads(desk.uploaded, to=desk.telestream, **common)),
        Mount("/panda", web.browser_uploads(desk.uploaded, to=web.panda, types=["*"], **common)),
    ]
    made = Starlette(routes=routes, lifespan=web.lifespan(sandbox.telestream, sandbox.panda))
    async with running(made) as (client, _):
        yield client


def described(clip: Path, **changes: object) -> dict[str, Any]:
    return {"name": clip.name, "size": clip.stat().st_size, "type": "video/mp4", **changes}


def check_stored(sandbox: Sandbox, video_id: str, clip: Path) -> None:
    [stored] = [each for each in sandbox.world.snapshot()["videos"] if each["id"] == video_id]
    assert stored["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()


async def send_parts(begun: dict[str, Any], data: bytes) -> str:
    """Send a file as a page would, and return the id of the video."""
    size = begun["part_size"]
    async with httpx.AsyncClient() as page:
        for part in reversed(range(begun["parts"])):
            content = data[part * size : (part + 1) * size]
            answer = await page.put(begun["location"], content=content, headers={"X-Part": str(part)})
            assert answer.status_code == 200
    video_id: str = answer.json()["id"]
    return video_id


async def send_chunks(begun: dict[str, Any], data: bytes) -> str:
    """Send a file in one chunk after the other, and return the id of the video."""
    async with httpx.AsyncClient() as page:
        for first, end in ((0, 1000), (1000, len(data))):
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"bytes {first}-{end - 1}/{len(data)}",
            }
            answer = await page.put(begun["location"], content=data[first:end], headers=headers)
    video_id: str = answer.json()["id"]
    return video_id


SENDERS = {"telestream": send_parts, "panda": send_chunks}


@pytest.mark.parametrize("service", ["telestream", "panda"])
async def test_a_file_goes_to_the_cloud_and_the_application_is_told_once(
    app: httpx.AsyncClient, sandbox: Sandbox, desk: Desk, clip: Path, service: str
) -> None:
    answer = await app.post(f"/{service}/", json=described(clip, name="C:\\films\\clip.mp4"))
    assert answer.status_code == 201
    begun = answer.json()
    assert begun["dialect"] == {"telestream": "parts", "panda": "ranges"}[service]
    assert "secret" not in answer.text
    video_id = await SENDERS[service](begun, clip.read_bytes())
    done = {"upload": begun["upload"], "video": video_id}
    for _ in range(2):
        answer = await app.post(f"/{service}/done", json=done)
        assert (answer.status_code, answer.json()) == (200, {"video": video_id})
    (video,) = desk.told
    assert (video.id, video.original_filename) == (video_id, "clip.mp4")
    check_stored(sandbox, video_id, clip)


@pytest.mark.parametrize("service", ["telestream", "panda"])
async def test_a_form_sends_a_file(
    app: httpx.AsyncClient, sandbox: Sandbox, desk: Desk, clip: Path, service: str
) -> None:
    begun = (await app.post(f"/{service}/form", json=described(clip))).json()
    async with httpx.AsyncClient() as page:
        sent = await page.post(
            begun["url"], data=begun["fields"], files={"file": (clip.name, clip.read_bytes())}
        )
    assert sent.status_code == 200
    done = {"upload": begun["upload"], "video": sent.json()["id"]}
    assert (await app.post(f"/{service}/done", json=done)).status_code == 200
    assert [video.id for video in desk.told] == [sent.json()["id"]]
    check_stored(sandbox, sent.json()["id"], clip)


async def test_a_form_that_sends_another_file_is_not_accepted(
    app: httpx.AsyncClient, sandbox: Sandbox, desk: Desk, clip: Path
) -> None:
    begun = (await app.post("/telestream/form", json=described(clip, size=1000))).json()
    async with httpx.AsyncClient() as page:
        sent = await page.post(
            begun["url"], data=begun["fields"], files={"file": (clip.name, clip.read_bytes())}
        )
    done = {"upload": begun["upload"], "video": sent.json()["id"]}
    answer = await app.post("/telestream/done", json=done)
    assert answer.status_code == 409
    assert "not 1000; it was deleted" in answer.text
    assert sent.json()["id"] not in [video["id"] for video in sandbox.world.snapshot()["videos"]]
    assert desk.told == []


async def test_one_permission_takes_one_file_of_its_size(app: httpx.AsyncClient, clip: Path) -> None:
    begun = (await app.post("/telestream/", json=described(clip))).json()
    async with httpx.AsyncClient() as page:
        longer = clip.read_bytes()[: begun["part_size"]] + b"x"
        answer = await page.put(begun["location"], content=longer, headers={"X-Part": "0"})
        assert answer.status_code == 400
        answer = await page.put(begun["location"], content=b"x", headers={"X-Part": str(begun["parts"])})
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"size": LARGEST + 1}, 413),
        ({"size": 0}, 400),
        ({"size": -1}, 400),
        ({"size": "12"}, 400),
        ({"size": True}, 400),
        ({"size": 1.5}, 400),
        ({"size": None}, 400),
        ({"name": ""}, 400),
        ({"name": "films/"}, 400),
        ({"name": "a\nb"}, 400),
        ({"name": "a" * 256}, 400),
        ({"name": 7}, 400),
        ({"type": "application/pdf"}, 415),
        ({"type": ""}, 415),
        ({"type": None}, 400),
    ],
)
@pytest.mark.parametrize("way", ["", "form"])
async def test_what_is_not_allowed_is_not_begun(
    app: httpx.AsyncClient, sandbox: Sandbox, clip: Path, changes: dict[str, Any], status: int, way: str
) -> None:
    before = len(sandbox.world.requests)
    answer = await app.post(f"/telestream/{way}", json=described(clip, **changes))
    assert answer.status_code == status
    assert len(sandbox.world.requests) == before


async def test_who_may_not_upload_learns_nothing(app: httpx.AsyncClient, clip: Path) -> None:
    for path in ("", "form", "done"):
        headers = {"authorization": "nobody"}
        answer = await app.post(f"/telestream/{path}", json=described(clip), headers=headers)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"", "application/json", 400),
        (b"[]", "application/json; charset=utf-8", 400),
        (b'"' + b"a" * 70_000 + b'"', "application/json", 413),
    ],
)
async def test_a_question_is_a_small_json_object(
    app: httpx.AsyncClient, body: bytes, kind: str, status: int
) -> None:
    for path in ("/telestream/", "/panda/done"):
        answer = await app.post(path, content=body, headers={"content-type": kind})
        assert answer.status_code == status


async def test_only_the_video_of_the_upload_is_accepted(
    app: httpx.AsyncClient, desk: Desk, clip: Path
) -> None:
    begun, other = [(await app.post("/telestream/", json=described(clip))).json() for _ in range(2)]
    video_id = await send_parts(begun, clip.read_bytes())
    for upload, video, status in (
        (other["upload"], video_id, 404),
        (begun["upload"], "nonesuch", 404),
        (begun["upload"] + "x", video_id, 403),
        ("", video_id, 403),
    ):
        answer = await app.post("/telestream/done", json={"upload": upload, "video": video})
        assert answer.status_code == status
    assert desk.told == []


async def test_an_application_that_fails_is_told_again(
    app: httpx.AsyncClient, desk: Desk, clip: Path
) -> None:
    begun = (await app.post("/telestream/", json=described(clip))).json()
    done = {"upload": begun["upload"], "video": await send_parts(begun, clip.read_bytes())}
    desk.failures = [HTTPException(503, "not now")]
    assert (await app.post("/telestream/done", json=done)).status_code == 503
    assert (await app.post("/telestream/done", json=done)).status_code == 200
    assert len(desk.told) == 1


async def test_a_cloud_that_fails_is_a_bad_gateway(desk: Desk, clip: Path, running: Running) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500 if request.method == "POST" else 502)

    def make() -> panda.AsyncPanda:
        return panda.AsyncPanda("k", "s", "c", transport=httpx.MockTransport(refuse), retries=0)

    uploads = web.browser_uploads(desk.uploaded, secret=SECRET, largest=LARGEST, to=web.panda)
    async with running(Starlette(routes=[Mount("/", uploads)], lifespan=web.lifespan(make))) as (app, _):
        answer = await app.post("/", json=described(clip))
        assert (answer.status_code, "try again" in answer.text) == (502, True)
        begun = (await app.post("/form", json=described(clip))).json()
        done = {"upload": begun["upload"], "video": "1f"}
        assert (await app.post("/done", json=done)).status_code == 502


async def test_what_cannot_work_is_told_at_once(desk: Desk, running: Running, clip: Path) -> None:
    with pytest.raises(ValueError, match="payload"):
        web.browser_uploads(desk.uploaded, secret=SECRET, largest=LARGEST, payload="mine")
    with pytest.raises(ValueError, match="token_urlsafe"):
        web.browser_uploads(desk.uploaded, secret="", largest=LARGEST)
    uploads = web.browser_uploads(desk.uploaded, secret=SECRET, largest=LARGEST)

    def make() -> telestream.AsyncTelestream:
        return telestream.AsyncTelestream("access", "secret")

    app = Starlette(routes=[Mount("/", uploads)], lifespan=web.lifespan(make))
    async with running(app) as (client, _):
        with pytest.raises(CloudReelError, match="factory_id"):
            await client.post("/", json=described(clip))
