"""Exact documents, where the key goes, and what each answer means."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cloudreel.core.call import Request, Response
from cloudreel.errors import (
    ApiError,
    AuthenticationError,
    DecodeError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServiceError,
    SigningError,
)
from cloudreel.flixcloud import protocol
from cloudreel.flixcloud.models import CuePoint, JobInfo, JobSpec, JobStatus, Location, Recipe, Task
from cloudreel.flixcloud.protocol import KeySigner, read_failure, reasons_of

KEY = "2j1l:kd3add:0:ivzf:2e1y"
SIGNER = KeySigner(KEY)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SHORT = JobSpec(recipe_id=3, input=Location("http://media.example/a"), output=Location("s3://bucket/a"))


def signed(request: Request, key: Any = KEY) -> Request:
    return KeySigner(key)(request, 0.0)


def answer(status: int, body: str | bytes = b"", **headers: str) -> Response:
    return Response(status, headers, body.encode() if isinstance(body, str) else body)


# -- requests --------------------------------------------------------------------------------------------


def test_a_job_is_a_document() -> None:
    job = JobSpec(
        recipe_id=12,
        input=Location("http://media.example/in.avi?a=1&b=2"),
        output=Location("sftp://files.example/out.mp4", "bob", 's3cret & <"more">'),
        watermark=Location("http://media.example/logo.png"),
        thumbnails=Location("s3://bucket/thumbs/", "key", "secret", "thumb_"),
        notification_url="https://app.example/flix/done",
        pass_through="order-77\r\n ",
        cue_points={
            "navigation": [CuePoint("ch1", Decimal("3.40"), {"First": "Value1", "Second": "Value2"})],
            "event": [CuePoint("intro", 1.4), CuePoint("end", 60)],
        },
    )
    call = protocol.create_job(job)
    request = signed(call.request)
    assert (request.method, request.path, dict(request.params)) == ("POST", "/jobs", {})
    assert request.headers == {"Accept": "text/xml", "Content-Type": "application/xml"}
    assert not call.repeatable
    assert isinstance(request.content, bytes)
    assert request.content.decode() == HEAD + (
        "<api-request>"
        f"<api-key>{KEY}</api-key>"
        "<recipe-id>12</recipe-id>"
        "<notification-url>https://app.example/flix/done</notification-url>"
        "<pass-through>order-77&#13;\n </pass-through>"
        "<cue-points>"
        "<event>"
        "<cue-point><name>intro</name><time>1.4</time></cue-point>"
        "<cue-point><name>end</name><time>60</time></cue-point>"
        "</event>"
        "<navigation>"
        "<cue-point><name>ch1</name><time>3.40</time>"
        "<parameter><key>First</key><value>Value1</value></parameter>"
        "<parameter><key>Second</key><value>Value2</value></parameter>"
        "</cue-point>"
        "</navigation>"
        "</cue-points>"
        "<file-locations>"
        "<input><url>http://media.example/in.avi?a=1&amp;b=2</url></input>"
        "<output><url>sftp://files.example/out.mp4</url>"
        '<parameters><user>bob</user><password>s3cret &amp; &lt;"more"&gt;</password></parameters></output>'
        "<watermark><url>http://media.example/logo.png</url></watermark>"
        "<thumbnails><url>s3://bucket/thumbs/</url><prefix>thumb_</prefix>"
        "<parameters><user>key</user><password>secret</password></parameters></thumbnails>"
        "</file-locations>"
        "</api-request>"
    )


@pytest.mark.parametrize(
    ("job", "recipe"),
    [
        (SHORT, "<recipe-id>3</recipe-id>"),
        (JobSpec(None, "web & sd", SHORT.input, SHORT.output), "<recipe-name>web &amp; sd</recipe-name>"),
        (
            JobSpec("0", "", SHORT.input, SHORT.output, notification_url="", cue_points={}),
            "<recipe-id>0</recipe-id>",
        ),
    ],
)
def test_what_was_not_said_is_left_out(job: JobSpec, recipe: str) -> None:
    content = signed(protocol.create_job(job).request).content
    assert isinstance(content, bytes)
    assert content.decode() == HEAD + (
        f"<api-request><api-key>{KEY}</api-key>{recipe}<file-locations>"
        "<input><url>http://media.example/a</url></input><output><url>s3://bucket/a</url></output>"
        "</file-locations></api-request>"
    )


def test_a_status_is_asked_for_with_the_key_as_the_password() -> None:
    call = protocol.job_status(3254)
    request = signed(call.request)
    assert (request.method, request.path, request.content) == ("GET", "/jobs/3254/status", None)
    kind, login = request.headers["Authorization"].split()
    assert (kind, b64decode(login).decode().partition(":")[2]) == ("Basic", KEY)
    assert request.headers["Accept"] == "text/xml"
    assert dict(request.params) == {}
    assert call.repeatable
    assert protocol.job_status("../a b").request.path == "/jobs/..%2Fa%20b/status"


def test_recipes_are_asked_for_with_the_key_in_the_query() -> None:
    request = signed(protocol.list_recipes().request)
    assert (request.method, request.path, dict(request.params)) == ("GET", "/recipes", {"api_key": KEY})
    assert "Authorization" not in request.headers
    assert KEY not in repr(request)


def test_a_key_is_asked_for_each_attempt() -> None:
    keys = iter(["one:key", "other:key"])
    request = protocol.create_job(SHORT).request
    signer = KeySigner(lambda: next(keys))
    contents = [signer(request, 0.0).content for _ in range(2)]
    assert [b"<api-key>one:key<" in (c or b"") for c in contents if isinstance(c, bytes)] == [True, False]


def test_a_key_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(SigningError, match="U\\+0000") as caught:
        signed(protocol.create_job(SHORT).request, "secret\x00")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(KeySigner("secret"))


# -- acceptance ------------------------------------------------------------------------------------------

WHEN = datetime(2009, 4, 7, 21, 15, 33, tzinfo=UTC)


AT = "<initialized-job-at type='datetime'>2009-04-07T21:15:33Z</initialized-job-at>\n"


@pytest.mark.parametrize(
    ("body", "info"),
    [
        (
            f"<job>\n<id type='integer'>3254</id>{AT}</job>",
            JobInfo(3254, WHEN),
        ),
        (
            "<job><initialized-job-at>2009-04-07T23:15:33+02:00</initialized-job-at><id> 1 </id></job>",
            JobInfo(1, WHEN),
        ),
        ("<job><id>1</id></job>", JobInfo(1)),
        ("<job><task><id>9</id></task><id>1</id><initialized-job-at/></job>", JobInfo(1)),
        (
            '<job><id>99999999999</id><initialized-job-at nil="true"> </initialized-job-at></job>',
            JobInfo(99999999999),
        ),
    ],
    ids=range(5),
)
def test_an_accepted_job_has_an_id(body: str, info: JobInfo) -> None:
    found = protocol.create_job(SHORT).parse(answer(201, HEAD + body))
    assert found == info
    assert found.initialized_job_at is None or found.initialized_job_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (201, "", "no element found"),
        (201, "created", "no well-formed XML"),
        (201, "<job/>", "<job> has no <id>"),
        (201, "<job><id/></job>", "<job> has no <id>"),
        (201, "<job><task><id>9</id></task></job>", "<job> has no <id>"),
        (201, "<job><id>many</id></job>", "<id> of the <job> is no whole number"),
        (
            201,
            "<job><id>1</id><initialized-job-at>now</initialized-job-at></job>",
            "is no date with an offset",
        ),
        (201, "<job><id>1</id><initialized-job-at>2009-04-07</initialized-job-at></job>", "is no "),
        (
            201,
            "<job><id>1</id><initialized-job-at>0001-01-01T00:00:00+09:00</initialized-job-at></job>",
            "is no date",
        ),
        (201, "<html/>", "A <job> was expected, but <html> came"),
        (200, "<job><id>1</id></job>", "201 says that a job is accepted"),
        (202, "", "201 says that a job is accepted"),
    ],
    ids=range(12),
)
def test_what_is_no_acceptance_cannot_be_read(status: int, body: str, why: str) -> None:
    response = answer(status, body)
    assert read_failure(response, SIGNER) is None
    with pytest.raises(DecodeError, match=why):
        protocol.create_job(SHORT).parse(response)


# -- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "category", "message"),
    [
        (
            answer(200, "<errors><error>Bad url</error><error> No\n recipe </error></errors>"),
            InvalidRequestError,
            "Bad url; No recipe",
        ),
        (answer(200, "<errors/>"), InvalidRequestError, ""),
        (answer(200, "<errors><error/></errors>"), InvalidRequestError, ""),
        (answer(201, "<errors><error>a</error></errors>"), InvalidRequestError, "a"),
        (answer(400, "<errors><error>Malformed XML</error></errors>"), InvalidRequestError, "Malformed XML"),
        (
            answer(400, "<errors><description>Schema is invalid</description></errors>"),
            InvalidRequestError,
            "Schema is invalid",
        ),
        (answer(400, "<fault><description>Why</description></fault>"), InvalidRequestError, "Why"),
        (answer(400, "<error>Why</error>"), InvalidRequestError, "Why"),
        (answer(400, "<html><body><error>deep</error></body></html>"), InvalidRequestError, ""),
        (answer(400), InvalidRequestError, ""),
        (answer(401), AuthenticationError, "the API key is not accepted"),
        (answer(401, "Access denied.\n"), AuthenticationError, "Access denied."),
        (answer(403, "<html>"), AuthenticationError, ""),
        (answer(404), NotFoundError, "there is no such job, or no Flix Cloud at base_url"),
        (answer(404, "<errors><error>Not found</error></errors>"), NotFoundError, "Not found"),
        (
            answer(302, "<html>moved</html>"),
            InvalidRequestError,
            "it redirects, and calls follow no redirect; check base_url",
        ),
        (answer(500, b"\xff\x00"), ServiceError, "\ufffd\x00"),
        (answer(500, "<!DOCTYPE html><html>"), ServiceError, ""),
        (answer(503, "Down", **{"retry-after": "7"}), ServiceError, "Down"),
        (answer(429), RateLimitError, ""),
        (
            answer(400, "<!DOCTYPE a [<!ENTITY b 'c'>]><errors><error>&b;</error></errors>"),
            InvalidRequestError,
            "",
        ),
        (answer(400, "x" * 5000), InvalidRequestError, "x" * 500),
        (
            answer(400, f"<errors>{'<error>abcd</error>' * 9999}</errors>"),
            InvalidRequestError,
            ("abcd; " * 50)[:-2],
        ),
    ],
    ids=range(23),
)
def test_a_refusal_says_why(response: Response, category: type[ApiError], message: str) -> None:
    failure = read_failure(response, SIGNER)
    assert failure is not None
    assert (failure.category, failure.message) == (category, message)
    assert failure.retry_after == (7.0 if response.status_code == 503 else None)


@pytest.mark.parametrize("body", ["", "hello", "<job/>", "<error>x</error>", "<errors", "<recipes/>"])
def test_what_names_no_errors_is_no_refusal(body: str) -> None:
    assert read_failure(answer(200, body), SIGNER) is None


def test_the_key_is_not_repeated_even_where_a_text_is_cut() -> None:
    login = signed(protocol.job_status(1).request).headers["Authorization"]
    text = f"{'x' * 490}{KEY} {KEY.replace(':', '%3A')} {login}"
    (reason,) = reasons_of(answer(400, f"<errors><error>{text}</error></errors>"), SIGNER)
    assert reason == f"{'x' * 490}*** *** Ba"


# -- status ----------------------------------------------------------------------------------------------

STATUS = """
<job>
  <id type="integer">1</id>
  <task-state>transcoding</task-state>
  <input-media-file-task>
    <task_id type="integer">162541</task_id>
    <state>Success</state>
    <state type="float">100.0</state>
  </input-media-file-task>
  <transcoding-task>
    <state type="float"> 15.5 </state>
    <state>processing</state>
  </transcoding-task>
  <output-media-file-task>
    <task_id/>
    <state>initialized</state>
    <state>0.0</state>
  </output-media-file-task>
  <odd-task/>
  <even-task><state>later</state></even-task>
</job>
"""


def test_a_status_has_tasks_with_a_word_and_a_percentage() -> None:
    status = protocol.job_status(1).parse(answer(200, STATUS.strip()))
    assert status == JobStatus(
        1,
        "transcoding",
        {
            "input_media_file": Task(162541, "success", 100.0),
            "transcoding": Task(None, "processing", 15.5),
            "output_media_file": Task(None, "initialized", 0.0),
            "odd": Task(),
            "even": Task(None, "later"),
        },
    )
    assert not status.final
    assert hash(status) == hash(JobStatus(1, "transcoding"))


@pytest.mark.parametrize(
    ("word", "final"),
    [
        *((word, False) for word in ("initialized_job", "waiting_to_notify", "notifying", "brand_new")),
        *((word, True) for word in ("successful_job", "failed_job", "cancelled_job")),
    ],
)
def test_three_states_are_final(word: str, final: bool) -> None:
    status = protocol.job_status(1).parse(
        answer(200, f"<job><id>1</id><task-state> {word} </task-state></job>")
    )
    assert (status.task_state, status.final, status.tasks) == (word, final, {})


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Access denied.",
        "<job/>",
        "<job><id>1</id></job>",
        "<job><task-state>x</task-state></job>",
        "<jobs/>",
        "<job><id>1</id><task-state>a</task-state><b-task><state>a</state><state>b</state></b-task></job>",
        "<job><id>1</id><task-state>a</task-state><b-task><state type='float'>nan</state></b-task></job>",
    ],
)
def test_what_is_no_status_cannot_be_read(body: str) -> None:
    with pytest.raises(DecodeError):
        protocol.job_status(1).parse(answer(200, body))


def test_recipes_have_names() -> None:
    body = (
        "<recipes><recipe><name>mpg2avi</name><active>true</active></recipe>"
        "<recipe><id type='integer'>5</id><name>web &amp; sd</name><active>false</active><other/></recipe>"
        "<recipe><name>old</name></recipe></recipes>"
    )
    assert protocol.list_recipes().parse(answer(200, body)) == [
        Recipe("mpg2avi", None, True),
        Recipe("web & sd", 5, False),
        Recipe("old"),
    ]
    assert protocol.list_recipes().parse(answer(200, "<recipes/>")) == []
    for bad in (
        "<recipes><recipe/></recipes>",
        "<recipe/>",
        "<recipes><recipe><name>a</name><active>?</active></recipe></recipes>",
    ):
        with pytest.raises(DecodeError):
            protocol.list_recipes().parse(answer(200, bad))
