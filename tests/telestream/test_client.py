"""The facade: raw calls, signatures for others, options, the environment, errors, the clock, event loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

import cloudreel
from cloudreel.errors import (
    CloudReelError,
    JobFailed,
    RequestTimedOut,
    WrongEventLoopError,
)
from cloudreel.sandbox import Sandbox
from cloudreel.telestream import (
    AsyncTelestream,
    ConnectionFailed,
    NoAnswer,
    NotAuthorized,
    RecordNotFound,
    TelestreamCloudException,
)

if TYPE_CHECKING:
    from conftest import Control, Tap

pytestmark = pytest.mark.anyio


# -- the facade ------------------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_old_client() -> None:
    tc = AsyncTelestream("access", "secret")
    assert tc.factory_id is None
    assert repr(tc) == "<Telestream at https://api-gce.pandastream.com:443/v3.0>"
    assert "factory 5c1d" in repr(AsyncTelestream("access", "secret", "5c1d", "myapihost", 85, "3.0"))


def test_the_facade_is_at_the_top() -> None:
    assert cloudreel.AsyncTelestream is AsyncTelestream


def test_there_is_one_resource() -> None:
    tc = AsyncTelestream("access", "secret")
    assert type(tc.get_resource("flip")) is type(tc.flip)
    with pytest.raises(TelestreamCloudException, match="'flop'"):
        tc.get_resource("flop")


async def test_a_client_closes_itself_and_may_never_have_been_used(sandbox: Sandbox) -> None:
    async with sandbox.telestream() as tc:
        assert await tc.flip.factories.all()
    with pytest.raises(CloudReelError, match="closed"):
        await tc.flip.factories.all()
    unused = sandbox.telestream()
    await unused.close()
    await unused.close()


# -- raw calls and signatures ----------------------------------------------------------------------------


async def test_raw_calls_return_httpx_responses(tc: AsyncTelestream) -> None:
    params = {"preset_name": "h264", "name": "raw", "width": 64}
    made = await tc.post("/profiles.json", params)
    assert type(made) is httpx.Response
    assert params == {"preset_name": "h264", "name": "raw", "width": 64}
    path = f"/profiles/{made.json()['id']}.json"
    assert (await tc.put(path, {"title": "Raw"})).json()["title"] == "Raw"
    found = await tc.get(path)
    assert (found.status_code, found.json()["width"]) == (200, 64)
    assert found.headers["content-type"].startswith("application/json")
    assert (await tc.delete(path)).json() == {"deleted": True}
    with pytest.raises(RecordNotFound):
        await tc.get(path)


@pytest.mark.parametrize("path", ["factories.json", "/factories.json", "//factories.json/ \n"])
async def test_a_raw_path_is_the_same_on_the_wire_and_in_the_signature(
    tc: AsyncTelestream, path: str
) -> None:
    assert (await tc.get(path)).json()[0]["id"]


async def test_raw_answers_are_decompressed_and_show_no_signature(tc: AsyncTelestream) -> None:
    answer = await tc.get("/factories.json")
    assert "signature" not in repr(vars(answer)).replace("_signature", "")
    with pytest.raises(RuntimeError):
        _ = answer.request  # its URL carries the signature


async def test_signed_params_serve_any_client(tc: AsyncTelestream, sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/v3.0"
    params = tc.signed_params("GET", "/videos.json", {"per_page": 5})
    assert all(type(text) is str for pair in params.items() for text in pair)
    assert {"access_key", "factory_id", "per_page", "signature", "timestamp"} == set(params)
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{url}/videos.json", params=params)).status_code == 200
        tampered = {**params, "per_page": "6"}
        assert (await http.get(f"{url}/videos.json", params=tampered)).status_code == 401
        assert (await http.post(f"{url}/videos.json", data=params)).status_code == 401
        events = tc.signed_params("put", "notifications.json", {"events": {"video_encoded": False}})
        assert events["events[video_encoded]"] == "false"
        assert (await http.put(f"{url}/notifications.json", data=events)).status_code == 200
        form = tc.signed_params("POST", "/videos.json", {"profiles": "none"})
        files = {"file": ("a.mp4", b"no video")}
        posted = await http.post(f"{url}/videos.json", data=form, files=files)
        assert posted.json()["original_filename"] == "a.mp4"
        assert (await http.post(f"{url}/videos.json", data=form, files=files)).status_code == 401


# -- options ---------------------------------------------------------------------------------------------


async def test_a_copy_has_other_options_and_the_same_connections(
    tc: AsyncTelestream, control: Control
) -> None:
    hasty = tc.with_options(timeout=0.2, retries=0)
    control.fault("delay", path="*/factories.json", seconds=5)
    with pytest.raises(NoAnswer) as caught:
        await hasty.flip.factories.all()
    assert isinstance(caught.value, RequestTimedOut)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.attempts == 1
    await hasty.close()
    assert await tc.flip.factories.all()
    await tc.close()
    with pytest.raises(CloudReelError, match="closed"):
        await hasty.flip.factories.all()


async def test_a_deadline_spans_all_attempts(tc: AsyncTelestream, control: Control) -> None:
    control.fault("status", status=503, path="*/factories.json", times=50)
    with pytest.raises(NoAnswer, match="deadline"):
        await tc.with_options(deadline=0.3, retries=1000).flip.factories.all()


async def test_a_repeatable_call_is_repeated_with_a_new_signature(
    sandbox: Sandbox, control: Control, tap: Tap
) -> None:
    async with sandbox.telestream(transport=tap) as tc:
        control.fault("status", status=500, path="*/factories.json")
        control.fault("drop", path="*/factories.json")
        assert await tc.flip.factories.all()
    signatures = {request.url.params["signature"] for request in tap.seen}
    assert len(tap.seen) == len(signatures) == 3


LIBRARIES = [("httpx", "asyncio"), ("httpx", "trio"), ("aiohttp", "asyncio")]


@pytest.mark.parametrize(("http", "anyio_backend"), LIBRARIES)
@pytest.mark.parametrize("action", ["truncate", "drop"])
async def test_a_creation_is_not_repeated_when_it_may_have_happened(
    sandbox: Sandbox, control: Control, http: Any, anyio_backend: str, action: str
) -> None:
    async with sandbox.telestream(http=http) as tc:
        factory = await tc.flip.factories.create(name=f"careful with {http}")
        before = len(control.requests())
        control.fault(
            action, method="POST", path="*/profiles.json", after_bytes=0 if action == "truncate" else 1
        )
        with pytest.raises(ConnectionFailed, match="may have been acted on"):
            await factory.profiles.create(preset_name="h264", name="once")
        assert (await factory.profiles.find("once")).name == "once"
    posts = [
        r for r in control.requests()[before:] if (r["method"], r["path"]) == ("POST", "/v3.0/profiles.json")
    ]
    assert len(posts) == 1


@pytest.mark.parametrize(("http", "anyio_backend"), LIBRARIES)
async def test_no_library_repeats_a_request_behind_our_back(
    sandbox: Sandbox, control: Control, http: Any, anyio_backend: str
) -> None:
    async with sandbox.telestream(http=http, retries=0) as tc:
        await tc.get("/notifications.json")
        before = len(control.requests())
        control.fault("truncate", method="PUT", path="*/notifications.json")
        with pytest.raises(ConnectionFailed, match="may have been acted on"):
            await tc.put("/notifications.json", {"delay": 0})
    assert [r["method"] for r in control.requests()[before:]] == ["PUT"]


async def test_keys_may_come_from_functions(credentials: dict[str, Any]) -> None:
    asked: list[str] = []

    def access() -> str:
        asked.append("access")
        return str(credentials["access_key"])

    secret = "wrong"
    keys = {"access_key": access, "secret_key": lambda: secret}
    async with AsyncTelestream(**{**credentials, **keys}) as tc:
        with pytest.raises(NotAuthorized):
            await tc.flip.factories.all()
        secret = credentials["secret_key"]
        assert await tc.flip.factories.all()
    assert len(asked) == 2


async def test_the_callers_own_client_is_used_and_left_open(credentials: dict[str, Any]) -> None:
    async with httpx.AsyncClient(headers={"X-Mine": "1"}) as http:
        async with AsyncTelestream(**credentials, http_client=http) as tc:
            assert await tc.flip.factories.all()
        assert not http.is_closed


async def test_the_user_agent_is_ours_or_the_callers(sandbox: Sandbox, tap: Tap) -> None:
    async with sandbox.telestream(transport=tap) as tc:
        await tc.flip.factories.all()
        await tc.with_options(user_agent="acme/1").flip.factories.all()
    assert tap.seen[0].headers["user-agent"].startswith("cloudreel/")
    assert tap.seen[1].headers["user-agent"] == "acme/1"


# -- the environment -------------------------------------------------------------------------------------

VARIABLES = ("ACCESS_KEY", "SECRET_KEY", "FACTORY_ID", "BASE_URL", "API_HOST", "API_PORT")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, credentials: dict[str, Any]) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(f"TELESTREAM_{name}", raising=False)
    for name in ("access_key", "secret_key", "factory_id"):
        monkeypatch.setenv(f"TELESTREAM_{name.upper()}", credentials[name])
    return monkeypatch


async def test_a_client_comes_from_the_environment(
    environment: pytest.MonkeyPatch, sandbox: Sandbox, credentials: dict[str, Any]
) -> None:
    environment.setenv("TELESTREAM_BASE_URL", sandbox.base_url)
    async with AsyncTelestream.from_env() as tc:
        assert tc.factory_id == credentials["factory_id"]
        assert (await tc.get("/videos.json")).status_code == 200
    environment.delenv("TELESTREAM_BASE_URL")
    environment.setenv("TELESTREAM_API_HOST", credentials["api_host"])
    environment.setenv("TELESTREAM_API_PORT", str(credentials["api_port"]))
    async with AsyncTelestream.from_env() as tc:
        assert await tc.flip.factories.all()


def test_the_environment_may_say_little_or_nonsense(environment: pytest.MonkeyPatch) -> None:
    assert "api-gce.pandastream.com:443" in repr(AsyncTelestream.from_env())
    environment.setenv("TELESTREAM_BASE_URL", "telestream.example")
    with pytest.raises(CloudReelError, match="TELESTREAM_BASE_URL"):
        AsyncTelestream.from_env()
    environment.delenv("TELESTREAM_BASE_URL")
    environment.setenv("TELESTREAM_SECRET_KEY", "")
    with pytest.raises(CloudReelError, match="TELESTREAM_SECRET_KEY is not set"):
        AsyncTelestream.from_env()


# -- event loops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_client_belongs_to_one_event_loop(credentials: dict[str, Any], backend: str) -> None:
    empty = httpx.MockTransport(lambda request: httpx.Response(200, json=[]))
    tc = AsyncTelestream(**credentials, transport=empty)
    assert anyio.run(tc.flip.factories.all, backend=backend) == []
    with pytest.raises(WrongEventLoopError, match="another event loop"):
        anyio.run(tc.flip.factories.all, backend=backend)
    with pytest.raises(WrongEventLoopError, match="Close"):
        anyio.run(tc.close, backend=backend)


# -- another library underneath --------------------------------------------------------------------------


@pytest.mark.parametrize(("http", "anyio_backend"), LIBRARIES)
async def test_the_whole_flow_over_either_library(
    sandbox: Sandbox, control: Control, http: Any, anyio_backend: str
) -> None:
    async with sandbox.telestream(http=http) as tc:
        factory = await tc.flip.factories.create(name=f"over {http} on {anyio_backend}")
        profile = await factory.profiles.create(preset_name="mp3", name="sound")
        profile.audio_bitrate = 96
        await profile.save()
        bitrates = {each.name: each.audio_bitrate async for each in factory.profiles.iterate(per_page=5)}
        assert bitrates["sound"] == 96
        single = await factory.videos.create(file=bytes(range(256)) * 1000, profiles="none")
        assert control.video(single.id)["size"] == 256_000
        session = await factory.upload_session(bytes(range(256)) * 2000, threads=4, profiles="none")
        control.fault("drop", method="PUT", path="/upload/*", after_bytes=5000, times=2)
        control.fault("status", method="PUT", path="/upload/*", status=503, times=2)
        video = await session.start()
        assert control.upload_of(video.id)["sha256"] == control.video(video.id)["sha256"]
        assert control.upload_of(video.id)["size"] == 512_000
        assert await video.delete() is True
        with pytest.raises(RecordNotFound):
            await video.reload()
        control.fault("drop", path="*/factories.json", times=9)
        with pytest.raises(ConnectionFailed):
            await tc.with_options(retries=0).flip.factories.all()


async def test_a_sandbox_may_be_entered_on_any_loop() -> None:
    with Sandbox() as sandbox:
        async with sandbox.telestream() as tc:
            factory = await tc.flip.factories.find(str(tc.factory_id))
            video = await factory.videos.create(file=b"no video", profiles="none")
            with pytest.raises(JobFailed):
                await video.wait(timeout=60)
