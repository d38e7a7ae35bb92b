"""The facade: clouds to choose from, raw calls, signatures, the environment, errors, the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import cloudreel
from cloudreel.errors import CloudReelError, NotFoundError, TransportError
from cloudreel.panda import (
    AsyncPanda,
    BadRequest,
    ConnectionFailed,
    NotAuthorized,
    Panda,
    PandaApiError,
    PandaError,
    RecordNotFound,
    UnreadableAnswer,
)
from cloudreel.signing import verify_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudreel.sandbox import Sandbox
    from conftest import Tap

pytestmark = pytest.mark.anyio


def mocked(*answers: httpx.Response, **options: Any) -> tuple[AsyncPanda, list[httpx.Request]]:
    """Return a client whose requests are answered in order, and the list of them."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answers[len(seen) - 1]

    client = AsyncPanda("4b1e", "9ac2", transport=httpx.MockTransport(answer), **options)
    return client, seen


# -- the facade ------------------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_old_client() -> None:
    assert repr(AsyncPanda("access", "secret")) == "<Panda at https://api.pandastream.com:443/v2>"
    readme = AsyncPanda(
        api_host="api-eu.pandastream.com",
        cloud_id="1297",
        access_key="a",
        secret_key="s3cret",
        api_port="443",
    )
    assert repr(readme) == "<Panda at https://api-eu.pandastream.com:443/v2, cloud 1297>"
    assert repr(AsyncPanda("a", "s", None, "myapihost", 85)) == "<Panda at http://myapihost:85/v2>"
    assert repr(Panda("a", "s", api_port=80, scheme="https")) == "<Panda at https://api.pandastream.com/v2>"


def test_the_facades_are_at_the_top() -> None:
    assert (cloudreel.AsyncPanda, cloudreel.Panda) == (AsyncPanda, Panda)


async def test_a_client_closes_itself_and_may_never_have_been_used(sandbox: Sandbox) -> None:
    async with sandbox.panda() as panda:
        assert await panda.clouds.all()
    with pytest.raises(CloudReelError, match="closed"):
        await panda.clouds.all()
    await sandbox.panda().close()


# -- clouds ----------------------------------------------------------------------------------------------


async def test_without_a_cloud_none_is_named() -> None:
    panda, seen = mocked(httpx.Response(200, json=[]), httpx.Response(200, json=[]))
    assert panda.cloud_id is None
    await panda.clouds.all()
    assert "cloud_id" not in seen[0].url.params
    assert "cloud_id" not in panda.signed_params("GET", "/videos.json")
    with pytest.raises(BadRequest, match="cloud_id"):
        await panda.cloud_details()
    panda.cloud_id = "0f3c"
    await panda.videos.all()
    assert seen[1].url.params["cloud_id"] == "0f3c"


async def test_objects_stay_with_the_cloud_they_came_from(panda: AsyncPanda) -> None:
    first = str(panda.cloud_id)
    second = await panda.clouds.create(name="second", s3_videos_bucket="acme-two")
    mine = await panda.profiles.create(preset_name="h264", name="mine")
    panda.cloud_id = second.id
    assert (await panda.cloud_details()).name == "second"
    with pytest.raises(RecordNotFound):
        await panda.profiles.find("mine")
    mine.width = 320
    await mine.save()
    assert mine["width"] == 320
    copy = panda.for_cloud(first)
    assert (copy.cloud_id, panda.cloud_id) == (first, second.id)
    assert (await copy.profiles.find("mine"))["width"] == 320
    await copy.close()
    assert await panda.profiles.all() is not None
    assert await mine.delete() is True


@pytest.mark.parametrize("how", ["with_options", "for_cloud"])
async def test_a_copy_shares_connections_and_has_a_cloud_of_its_own(panda: AsyncPanda, how: str) -> None:
    first = panda.cloud_id
    copy = panda.with_options(timeout=5.0) if how == "with_options" else panda.for_cloud("0f3c")
    copy.cloud_id = "0f3c"
    assert (panda.cloud_id, copy.cloud_id) == (first, "0f3c")
    assert panda.signed_params("GET", "/x.json")["cloud_id"] == first
    assert copy.signed_params("GET", "/x.json")["cloud_id"] == "0f3c"


async def test_clouds_are_found_changed_and_never_deleted(panda: AsyncPanda) -> None:
    made = panda.clouds.new(name="third", s3_videos_bucket="acme-three", aws_secret_key="wJalr")
    assert await made.create() is made
    assert (made.name, "aws_secret_key" in made) == ("third", False)
    assert made.url is not None
    made["name"] = "renamed"
    await made.save()
    found = await panda.clouds.find(str(made.id))
    assert found == made
    assert found.id in {cloud["id"] for cloud in await panda.clouds.where(lambda c: c.name == "renamed")}
    assert [cloud.id async for cloud in panda.clouds.iterate()] == [c.id for c in await panda.clouds.all()]
    assert len(await panda.clouds.all(per_page=1)) == 1
    with pytest.raises(RecordNotFound) as caught:
        await found.delete()
    assert isinstance(caught.value, NotFoundError)


# -- raw calls -------------------------------------------------------------------------------------------


async def test_raw_calls_return_json_text(panda: AsyncPanda) -> None:
    params = {"preset_name": "h264", "name": "raw", "upscale": False, "title": None}
    made = json.loads(await panda.post("/profiles.json", params))
    assert params == {"preset_name": "h264", "name": "raw", "upscale": False, "title": None}
    assert made["upscale"] is False
    path = f"/profiles/{made['id']}.json"
    assert json.loads(await panda.put(path, {"title": "Raw"}))["title"] == "Raw"
    assert json.loads(await panda.get(path))["id"] == made["id"]
    assert json.loads(await panda.get("profiles.json", {"per_page": 1}))
    assert json.loads(await panda.delete(path)) == {"deleted": True}
    with pytest.raises(RecordNotFound, match="Couldn't find Profile"):
        await panda.get(path)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(404, json={"error": "RecordNotFound", "message": "no"}), RecordNotFound),
        (httpx.Response(401, json={"error": "NotAuthorized", "message": "no"}), NotAuthorized),
        (httpx.Response(400, json={"error": "BadRequest"}), BadRequest),
        (httpx.Response(413, json={"error": "FileSizeLimitExceeded"}), PandaApiError | BadRequest),
        (httpx.Response(400), PandaError),
        (httpx.Response(200, json={"error": "BadRequest", "message": "no"}), BadRequest),
    ],
)
async def test_refusals_are_raised(answer: httpx.Response, kind: type[PandaError]) -> None:
    panda, _ = mocked(answer)
    with pytest.raises(PandaError) as caught:
        await panda.get("/videos.json")
    assert isinstance(caught.value, kind)
    assert caught.value.response is not None
    assert caught.value.response.status_code == answer.status_code


async def test_what_cannot_be_read_is_told() -> None:
    panda, _ = mocked(httpx.Response(200, text="<html>"), httpx.Response(200, text="<html>"))
    assert await panda.get("/videos.json") == "<html>"
    with pytest.raises(UnreadableAnswer):
        await panda.videos.all()


async def test_a_lost_connection_is_pandas_own_error(sandbox: Sandbox) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    panda = AsyncPanda("4b1e", "9ac2", transport=httpx.MockTransport(refuse), retries=0)
    with pytest.raises(ConnectionFailed) as caught:
        await panda.videos.all()
    assert isinstance(caught.value, PandaError)
    assert isinstance(caught.value, TransportError)
    assert "9ac2" not in str(caught.value)


# -- signatures, and what goes on the wire ---------------------------------------------------------------


@pytest.mark.parametrize("path", ["/videos.json", "videos.json", " /videos.json/"])
async def test_the_url_of_a_path_is_where_signed_params_go(panda: AsyncPanda, path: str) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(panda.url(path), params=panda.signed_params("GET", path))
    assert answer.status_code == 200
    assert panda.url(path).endswith("/v2/videos.json")


async def test_signed_params_serve_any_client(panda: AsyncPanda, sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/v2"
    params = panda.signed_params("GET", "/videos.json", {"some_params": "some_value"})
    assert set(params) == {"access_key", "cloud_id", "signature", "timestamp", "some_params"}
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{url}/videos.json", params=params)).status_code == 200
        assert (await http.get(f"{url}/videos.json", params={**params, "x": "y"})).status_code == 401
        form = panda.signed_params("post", "videos.json", {"profiles": "none"})
        posted = await http.post(f"{url}/videos.json", data=form, files={"file": ("a.mp4", b"no video")})
        assert posted.json()["original_filename"] == "a.mp4"


Act = "Callable[[AsyncPanda], Any]"


@pytest.mark.parametrize(
    ("act", "verb", "path", "sent"),
    [
        (lambda p: p.videos.find("a b/c"), "GET", "/videos/a%20b%2Fc.json", {}),
        (
            lambda p: p.videos.all(status="fail", page=2),
            "GET",
            "/videos.json",
            {"status": "fail", "page": "2"},
        ),
        (
            lambda p: p.profiles.create(upscale=False, title=None),
            "POST",
            "/profiles.json",
            {"upscale": "false"},
        ),
        (
            lambda p: p.videos.create(source_url="http://a/b", profiles=["h264", "mp3"], pipeline={"a": [1]}),
            "POST",
            "/videos.json",
            {"source_url": "http://a/b", "profiles": "h264,mp3", "pipeline": '{"a":[1]}'},
        ),
        (
            lambda p: p.put("/notifications.json", {"events": {"video_encoded": True}}),
            "PUT",
            "/notifications.json",
            {"events[video_encoded]": "true"},
        ),
    ],
)
async def test_what_is_sent_is_signed_as_it_is_sent(act: Any, verb: str, path: str, sent: Any) -> None:
    panda, seen = mocked(httpx.Response(200, json={}), cloud_id="0f3c")
    if path == "/videos.json" and verb == "GET":
        panda, seen = mocked(httpx.Response(200, json=[]), cloud_id="0f3c")
    await act(panda)
    (request,) = seen
    params = dict(request.url.params)
    usual = {"access_key", "cloud_id", "signature", "timestamp"}
    assert (request.method, request.url.raw_path.partition(b"?")[0].decode()) == (verb, f"/v2{path}")
    assert {name: text for name, text in params.items() if name not in usual} == sent
    assert request.read() == b""
    assert verify_request(
        params,
        secret_key="9ac2",
        verb=verb,
        host="api.pandastream.com",
        path=path,
        now=panda._transport.now(),
    )


async def test_lists_follow_pages_and_a_page_is_a_page(tapped: AsyncPanda, tap: Tap) -> None:
    everything = await tapped.profiles.all()
    assert tap.params() == {"page": "1", "per_page": "100"}
    assert len(everything) > 3
    assert [p.id for p in await tapped.profiles.all(page=2, per_page=2)] == [p.id for p in everything[2:4]]
    assert tap.params() == {"page": "2", "per_page": "2"}
    assert [p.id async for p in tapped.profiles.iterate(per_page=2)] == [p.id for p in everything]


# -- the environment -------------------------------------------------------------------------------------


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    for name in (
        "PANDASTREAM_URL",
        "PANDA_ACCESS_KEY",
        "PANDA_SECRET_KEY",
        "PANDA_CLOUD_ID",
        "PANDA_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)

    def set_all(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_all


KEYS = {"PANDA_ACCESS_KEY": "4b1e", "PANDA_SECRET_KEY": "9ac2"}


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (KEYS, "https://api.pandastream.com:443/v2"),
        ({**KEYS, "PANDA_CLOUD_ID": "0f3c"}, "https://api.pandastream.com:443/v2, cloud 0f3c"),
        ({**KEYS, "PANDA_API_HOST": "a.example", "PANDA_API_PORT": "81"}, "http://a.example:81/v2"),
        ({**KEYS, "PANDA_BASE_URL": "https://a.example:8443"}, "https://a.example:8443/v2"),
        (
            {"PANDASTREAM_URL": "http://4b1e:9ac2@api-eu.pandastream.com:443/0f3c"},
            "https://api-eu.pandastream.com:443/v2, cloud 0f3c",
        ),
        ({"PANDASTREAM_URL": "https://4b1e:9ac2@a.example:85/0f3c"}, "http://a.example:85/v2, cloud 0f3c"),
    ],
)
@pytest.mark.parametrize("kind", [AsyncPanda, Panda])
def test_the_environment_configures(
    environment: Callable[..., None], kind: type[AsyncPanda | Panda], values: dict[str, str], shown: str
) -> None:
    environment(**values)
    panda = kind.from_env()
    assert repr(panda) == f"<Panda at {shown}>"
    assert panda.signed_params("GET", "/x.json")["access_key"] == "4b1e"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "PANDA_ACCESS_KEY is not set"),
        ({"PANDA_ACCESS_KEY": "4b1e"}, "PANDA_SECRET_KEY is not set"),
        ({"PANDASTREAM_URL": "a.example"}, "PANDASTREAM_URL must read"),
    ],
)
def test_what_the_environment_lacks_is_named(
    environment: Callable[..., None], values: dict[str, str], text: str
) -> None:
    environment(**values)
    with pytest.raises(CloudReelError, match=text):
        AsyncPanda.from_env()
