"""The facade: what goes over the wire, what comes of it, and waiting."""

from __future__ import annotations

import pickle
from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import respx

from cloudreel import (
    AuthenticationError,
    CloudReelError,
    DecodeError,
    InvalidRequestError,
    JobFailed,
    NotFoundError,
    RateLimitError,
    ServiceError,
    TimedOut,
    TransportError,
)
from cloudreel.flixcloud import (
    AccessDenied,
    AsyncFlixCloud,
    ConnectionFailed,
    FlixCloud,
    FlixCloudError,
    Inbox,
    InternalError,
    JobInfo,
    JobNotFound,
    JobNotification,
    JobParams,
    JobRefused,
    JobStatus,
    RateLimited,
    Recipe,
    TranscodingFailed,
    UnknownParameter,
    UnreadableAnswer,
    WaitTimedOut,
)

if TYPE_CHECKING:
    from conftest import Wire

pytestmark = pytest.mark.anyio

KEY = "2j1l:kd3add:0:ivzf:2e1y"
PARAMS: JobParams = {
    "recipe_id": 3,
    "input_url": "http://media.example/in.avi",
    "output_url": "ftp://files.example/out.avi",
    "output_user": "bob",
    "output_password": "s3cret & more",
}
DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f"<api-request><api-key>{KEY}</api-key><recipe-id>3</recipe-id><file-locations>"
    "<input><url>http://media.example/in.avi</url></input>"
    "<output><url>ftp://files.example/out.avi</url>"
    "<parameters><user>bob</user><password>s3cret &amp; more</password></parameters></output>"
    "</file-locations></api-request>"
)
ACCEPTED = JobInfo(3254, datetime(2009, 4, 7, 21, 15, 33, tzinfo=UTC))


async def test_a_job_is_created(fc: AsyncFlixCloud, wire: Wire) -> None:
    assert await fc.create_job(**PARAMS) == ACCEPTED
    (request,) = wire.requests
    assert (request.method, str(request.url)) == ("POST", "https://www.flixcloud.com/jobs")
    assert request.headers["content-type"] == "application/xml"
    assert request.headers["accept"] == "text/xml"
    assert "authorization" not in request.headers
    assert wire.bodies == [DOCUMENT]


async def test_its_status_and_the_recipes_are_asked_for(fc: AsyncFlixCloud, wire: Wire) -> None:
    wire.answers(
        wire.status("transcoding"), wire.xml(200, "<recipes><recipe><name>mpg2avi</name></recipe></recipes>")
    )
    assert await fc.job_status(1) == JobStatus(1, "transcoding")
    assert await fc.recipes() == [Recipe("mpg2avi")]
    status, recipes = wire.requests
    assert (status.method, str(status.url)) == ("GET", "https://www.flixcloud.com/jobs/1/status")
    assert b64decode(status.headers["authorization"].split()[1]).decode() == f"cloudreel:{KEY}"
    assert (recipes.url.path, dict(recipes.url.params)) == ("/recipes", {"api_key": KEY})
    assert "authorization" not in recipes.headers


async def test_nothing_wrong_is_sent(fc: AsyncFlixCloud, wire: Wire) -> None:
    with pytest.raises(JobRefused) as caught:
        await fc.create_job(recipe_name="mpg2avi", recipe_id=3, input_url="in.avi")
    assert caught.value.errors == (
        "recipe_id and recipe_name cannot both be used.",
        "Input and output files are required.",
        "Input: Url must begin with http://, https://, ftp://, sftp:// or s3://",
    )
    assert str(caught.value) == f"The job was not sent. {' '.join(caught.value.errors)}"
    unknown: Any = {"inptu_url": "x"}
    with pytest.raises(UnknownParameter, match="inptu_url"):
        await fc.create_job(**unknown)
    assert wire.requests == []


REFUSALS: list[tuple[str, type[FlixCloudError], type[CloudReelError], tuple[str, ...]]] = [
    ("200", JobRefused, InvalidRequestError, ("Bad url", "No recipe")),
    ("400", JobRefused, InvalidRequestError, ("Malformed XML",)),
    ("401", AccessDenied, AuthenticationError, ()),
    ("denied", AccessDenied, AuthenticationError, ("Access denied.",)),
    ("302", JobRefused, InvalidRequestError, ()),
    ("404", JobNotFound, NotFoundError, ()),
    ("429", RateLimited, RateLimitError, ()),
    ("500", InternalError, ServiceError, ()),
    ("no id", UnreadableAnswer, DecodeError, ()),
    ("no job", UnreadableAnswer, DecodeError, ()),
    ("lost", ConnectionFailed, TransportError, ()),
]


def answer_of(wire: Wire, name: str) -> httpx.Response | Exception:
    by_name: dict[str, httpx.Response | Exception] = {
        "200": wire.refused("Bad url", "No recipe"),
        "400": wire.refused("Malformed XML", status=400),
        "denied": httpx.Response(401, text="Access denied."),
        "302": httpx.Response(302, headers={"Location": "https://elsewhere.example/jobs"}),
        "404": httpx.Response(404, text="<html>"),
        "no id": wire.xml(201, "<job/>"),
        "no job": httpx.Response(201),
        "lost": httpx.ReadError("gone"),
    }
    return by_name.get(name) or httpx.Response(int(name))


@pytest.mark.parametrize(("name", "leaf", "category", "reasons"), REFUSALS, ids=[r[0] for r in REFUSALS])
async def test_refusals_are_errors(
    wire: Wire,
    fc: AsyncFlixCloud,
    name: str,
    leaf: type[FlixCloudError],
    category: type[CloudReelError],
    reasons: tuple[str, ...],
) -> None:
    wire.answers(answer_of(wire, name))
    with pytest.raises(leaf) as caught:
        await fc.create_job(**PARAMS)
    assert isinstance(caught.value, category)
    assert caught.value.errors == reasons
    assert all(reason in str(caught.value) for reason in reasons)
    assert (caught.value.method, caught.value.url) == ("POST", "https://www.flixcloud.com/jobs")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.errors) == (leaf, str(caught.value), reasons)


async def test_a_job_that_may_have_arrived_is_not_sent_twice(wire: Wire) -> None:
    async with wire.client(retries=2) as fc:
        for answer in (httpx.ReadError("gone"), httpx.Response(500)):
            wire.answers(answer)
            with pytest.raises(FlixCloudError):
                await fc.create_job(**PARAMS)
    assert len(wire.requests) == 2


async def test_a_status_may_be_asked_for_twice(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudreel.core.retry.FIRST_DELAY", 0.001)
    wire.answers(httpx.ReadError("gone"), httpx.Response(500), wire.status("notifying"))
    async with wire.client(retries=2) as fc:
        assert (await fc.job_status(1)).task_state == "notifying"
    assert len({request.headers["authorization"] for request in wire.requests}) == 1
    assert len(wire.requests) == 3


async def test_a_key_may_change(wire: Wire) -> None:
    keys = iter(["first:key", "second:key"])
    async with wire.client(lambda: next(keys)) as fc:
        await fc.create_job(**PARAMS)
        await fc.create_job(**PARAMS)
    assert ["first:key" in wire.bodies[0], "second:key" in wire.bodies[1]] == [True, True]


async def test_waiting_ends_with_the_job(fc: AsyncFlixCloud, wire: Wire) -> None:
    wire.answers(*map(wire.status, ["initialized_job", "transcoding", "notifying", "successful_job"]))
    assert (await fc.wait(1, poll=0.001)).task_state == "successful_job"
    assert len(wire.requests) == 4
    for state in ("failed_job", "cancelled_job"):
        wire.answers(wire.status("transcoding"), wire.status(state))
        with pytest.raises(TranscodingFailed, match=f"Job 1 ended as {state}") as caught:
            await fc.wait(1, poll=0.001)
        assert isinstance(caught.value, JobFailed)
        assert caught.value.job == JobStatus(1, state)
    wire.answers(wire.status("transcoding"))
    with pytest.raises(WaitTimedOut, match=r"Job 1 had not ended after 0.05 s") as late:
        await fc.wait(1, timeout=0.05, poll=0.001)
    assert isinstance(late.value, TimedOut)
    wire.answers(httpx.Response(404))
    with pytest.raises(JobNotFound):
        await fc.wait(1)


async def test_a_notification_ends_a_pause(fc: AsyncFlixCloud, wire: Wire) -> None:
    wire.answers(*map(wire.status, ["transcoding", "successful_job"]))
    inbox = Inbox()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:

            async def tell() -> None:
                while not wire.requests:
                    await anyio.wait_all_tasks_blocked()
                await anyio.wait_all_tasks_blocked()
                inbox.put(JobNotification("<job><id>1</id><state>successful_job</state></job>"))

            group.start_soon(tell)
            status = await fc.wait(1, poll=3600, notified=inbox)
    assert (status.task_state, len(wire.requests)) == ("successful_job", 2)


async def test_options_make_a_copy(fc: AsyncFlixCloud, wire: Wire) -> None:
    other = fc.with_options(user_agent="film/1.0")
    await other.create_job(**PARAMS)
    await other.close()
    await fc.create_job(**PARAMS)
    assert [request.headers["user-agent"] == "film/1.0" for request in wire.requests] == [True, False]
    assert repr(other) == repr(fc) == "<FlixCloud at https://www.flixcloud.com>"


async def test_a_client_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLIXCLOUD_API_KEY", raising=False)
    monkeypatch.delenv("FLIXCLOUD_BASE_URL", raising=False)
    with pytest.raises(CloudReelError, match="FLIXCLOUD_API_KEY"):
        AsyncFlixCloud.from_env()
    monkeypatch.setenv("FLIXCLOUD_API_KEY", KEY)
    assert repr(AsyncFlixCloud.from_env()) == "<FlixCloud at https://www.flixcloud.com>"
    monkeypatch.setenv("FLIXCLOUD_BASE_URL", "http://127.0.0.1:8080/flix/")
    assert repr(AsyncFlixCloud.from_env()) == "<FlixCloud at http://127.0.0.1:8080/flix>"


def test_all_of_it_without_async(wire: Wire) -> None:
    wire.answers(
        wire.accepted(), wire.status("successful_job"), wire.status("successful_job"), wire.refused("No")
    )
    with FlixCloud(KEY, transport=httpx.MockTransport(wire.handle), retries=0) as fc:
        info = fc.create_job(**PARAMS)
        assert info == ACCEPTED
        assert fc.job_status(info.id).final
        assert fc.wait(info.id, timeout=60).task_state == "successful_job"
        with pytest.raises(JobRefused, match="No"):
            fc.recipes()
    assert wire.bodies[0] == DOCUMENT


def test_under_respx(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post("https://www.flixcloud.com/jobs", content=DOCUMENT.encode()).respond(
        201, text="<job><id>7</id></job>"
    )
    with FlixCloud(KEY) as fc:
        assert fc.create_job(**PARAMS) == JobInfo(7)
    (call,) = route.calls
    sent = {name: call.request.headers[name] for name in ("accept", "content-type", "host")}
    assert sent == {"accept": "text/xml", "content-type": "application/xml", "host": "www.flixcloud.com"}
    login = {"Authorization": "Basic Y2xvdWRyZWVsOjJqMWw6a2QzYWRkOjA6aXZ6ZjoyZTF5"}
    respx_mock.get("https://www.flixcloud.com/jobs/7/status", headers=login).respond(
        401, text="Access denied."
    )
    with FlixCloud(KEY) as fc, pytest.raises(AccessDenied, match=r"401 Unauthorized: Access denied\."):
        fc.job_status(7)
