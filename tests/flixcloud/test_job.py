"""The job in the shape of the old client: set up, validated, sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from cloudreel.flixcloud import (
    AsyncFlixCloud,
    AsyncJob,
    ConnectionFailed,
    CuePoint,
    FlixCloud,
    Job,
    JobInfo,
    SentParams,
    UnknownParameter,
    UnreadableAnswer,
)

if TYPE_CHECKING:
    from conftest import Wire

pytestmark = pytest.mark.anyio

KEY = "2j1l:kd3add:0:ivzf:2e1y"
JOBS = "https://www.flixcloud.com/jobs"
PARAMS: SentParams = {
    "recipe_name": "mpg2avi",
    "input_url": "http://media.example/in.avi",
    "output_url": "ftp://files.example/out.avi",
    "output_user": "bob",
    "output_password": "s3cret",
}
AT = "<initialized-job-at>2009-04-07T23:15:33+02:00</initialized-job-at>"
ACCEPTED = f"<job><id type='integer'>3254</id>{AT}</job>"


def filled(job: Any) -> Any:
    job.recipe_id = 3
    job.set_input("http://media.example/in.avi")
    job.set_output("ftp://files.example/out.avi", "bob", "s3cret")
    return job


async def test_a_job_is_set_up_and_sent(fc: AsyncFlixCloud, wire: Wire) -> None:
    job = filled(fc.job())
    job.set_watermark("http://media.example/logo.png")
    job.set_thumbnails("s3://bucket/thumbs/", "thumb_", "key", "secret")
    job.set_notification_url("https://app.example/done")
    job.pass_through = "order-77"
    job.cue_points = {"event": [CuePoint("intro", 1.4)]}
    assert (job.success, job.id, job.initialized_job_at, job.errors) == (False, None, None, [])
    assert repr(job) == "<Job, not accepted yet>"
    assert await job.send() is True
    assert (job.success, job.id, job.errors) == (True, 3254, [])
    assert job.initialized_job_at == "2009-04-07T21:15:33Z"
    assert repr(job) == "<Job 3254>"
    (body,) = wire.bodies
    assert body.partition("\n")[2] == (
        f"<api-request><api-key>{KEY}</api-key><recipe-id>3</recipe-id>"
        "<notification-url>https://app.example/done</notification-url><pass-through>order-77</pass-through>"
        "<cue-points><event><cue-point><name>intro</name><time>1.4</time></cue-point></event></cue-points>"
        "<file-locations><input><url>http://media.example/in.avi</url></input>"
        "<output><url>ftp://files.example/out.avi</url>"
        "<parameters><user>bob</user><password>s3cret</password></parameters></output>"
        "<watermark><url>http://media.example/logo.png</url></watermark>"
        "<thumbnails><url>s3://bucket/thumbs/</url><prefix>thumb_</prefix>"
        "<parameters><user>key</user><password>secret</password></parameters></thumbnails>"
        "</file-locations></api-request>"
    )


async def test_validating_again_tells_nothing_twice(fc: AsyncFlixCloud, wire: Wire) -> None:
    job = fc.job()
    wrong = ["Either recipe_id or recipe_name is required.", "Input and output files are required."]
    for _ in range(2):
        assert not job.validate()
        assert job.errors == wrong
        assert await job.send() is False
        assert job.errors == wrong
    assert wire.requests == []
    assert filled(job).validate()
    assert job.errors == []


async def test_the_client_s_key_is_needed() -> None:
    job = filled(AsyncJob(""))
    assert not job.validate()
    assert job.errors == ["API key is required."]


@pytest.mark.parametrize(
    ("status", "body", "errors"),
    [
        (
            200,
            "<errors><error>Bad url</error><error>No recipe</error></errors>",
            ["Send error: 200, OK", "Bad url", "No recipe"],
        ),
        (
            400,
            "<errors><error>Malformed XML</error></errors>",
            ["Send error: 400, Bad Request", "Malformed XML"],
        ),
        (401, "", ["Send error: 401, Unauthorized"]),
        (404, "<html>", ["Send error: 404, Not Found"]),
        (302, "", ["Send error: 302, Found"]),
        (500, "It broke", ["Send error: 500, Internal Server Error", "It broke"]),
        (599, "", ["Send error: 599, "]),
    ],
)
async def test_a_refused_job_says_why(
    fc: AsyncFlixCloud, wire: Wire, status: int, body: str, errors: list[str]
) -> None:
    job = filled(fc.job())
    assert await job.send()
    wire.answers(httpx.Response(status, text=body))
    for _ in range(2):
        assert await job.send() is False
        assert (job.success, job.id, job.initialized_job_at, job.errors) == (False, None, None, errors)
    wire.answers(wire.accepted(7))
    assert await job.send()
    assert (job.success, job.id, job.errors) == (True, 7, [])


async def test_what_is_no_refusal_is_an_error(fc: AsyncFlixCloud, wire: Wire) -> None:
    job = filled(fc.job())
    for answer, error in (
        (httpx.ConnectError("no"), ConnectionFailed),
        (httpx.Response(201), UnreadableAnswer),
    ):
        wire.answers(answer)
        with pytest.raises(error):
            await job.send()
        assert (job.success, job.errors) == (False, [])


async def test_a_job_that_stands_alone_opens_and_closes_its_connections(
    respx_mock: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    closed: list[httpx.AsyncClient] = []
    close = httpx.AsyncClient.aclose

    async def note(client: httpx.AsyncClient) -> None:
        closed.append(client)
        await close(client)

    monkeypatch.setattr(httpx.AsyncClient, "aclose", note)
    route = respx_mock.post(JOBS).respond(201, text=ACCEPTED)
    job = filled(AsyncJob(KEY))
    assert await job.send()
    assert len(closed) == 1
    assert job.initialized_job_at == "2009-04-07T21:15:33Z"
    route.side_effect = httpx.ConnectError("no")
    monkeypatch.setattr("cloudreel.core.retry.FIRST_DELAY", 0.001)
    with pytest.raises(ConnectionFailed):
        await job.send()
    assert len(closed) == 2


async def test_a_job_is_sent_while_it_is_made(respx_mock: respx.MockRouter, anyio_backend: str) -> None:
    route = respx_mock.post("http://flix.example/jobs").respond(201, text=ACCEPTED)
    params: SentParams = {**PARAMS, "send": True}
    job = await AsyncJob.create(KEY, params, base_url="http://flix.example/")
    assert isinstance(job, AsyncJob)
    assert (job.success, job.id, job.recipe_name) == (True, 3254, "mpg2avi")
    assert params["send"]
    for unsent in ({**PARAMS, "send": False}, PARAMS, {}, None):
        waiting: Any = unsent
        assert not (await AsyncJob.create(KEY, waiting)).success
    assert route.call_count == 1


async def test_a_constructor_never_sends() -> None:
    params: Any = {**PARAMS, "send": True}
    with pytest.raises(UnknownParameter, match=r"send is for Job and for AsyncJob\.create"):
        AsyncJob(KEY, params)
    with pytest.raises(UnknownParameter, match="'output'; there are recipe_id"):
        await AsyncJob.create(KEY, {**params, "output": "x"})


def test_without_async(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(JOBS).respond(201, text=ACCEPTED)
    job = filled(Job(KEY))
    assert job.validate()
    assert route.call_count == 0
    assert job.send()
    assert (job.success, job.id, job.initialized_job_at, job.errors) == (
        True,
        3254,
        "2009-04-07T21:15:33Z",
        [],
    )
    assert Job(KEY, {**PARAMS, "send": True}).success
    assert not Job(KEY, {**PARAMS, "send": False}).success
    assert Job.create(KEY, {**PARAMS, "send": True}).id == 3254
    assert route.call_count == 3
    route.respond(401)
    refused = Job(KEY, {**PARAMS, "send": True})
    assert (refused.success, refused.errors) == (False, ["Send error: 401, Unauthorized"])


def test_a_client_s_job_without_async(wire: Wire) -> None:
    with FlixCloud(KEY, transport=httpx.MockTransport(wire.handle), retries=0) as fc:
        job = fc.job({"recipe_id": 3})
        assert isinstance(job, Job)
        assert not job.validate()
        assert filled(job).send()
        assert fc.create_job(recipe_id=3, input_url="ftp://a.example/", output_url="s3://b/") == JobInfo(
            3254, fc.create_job(**PARAMS).initialized_job_at
        )
