"""Neither key nor password is shown: not in logs, texts of objects, errors, tracebacks or pickles."""

from __future__ import annotations

import pickle
import traceback
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from cloudreel.flixcloud import AsyncJob, FlixCloudError, JobParams

if TYPE_CHECKING:
    from conftest import Wire

pytestmark = pytest.mark.anyio

KEY = "2j1l:kd3add:0:ivzf:2e1y"
PARAMS: JobParams = {
    "recipe_id": 3,
    "input_url": "ftp://bob:pa55word@media.example/in.avi",
    "output_url": "ftp://files.example/out.avi",
    "output_user": "bob",
    "output_password": "s3cret-word",
}
LOGIN = b64encode(f"cloudreel:{KEY}".encode()).decode()
SECRETS = (KEY, quote(KEY, safe=""), LOGIN, "pa55word", "s3cret-word")


def shown_by(error: FlixCloudError) -> list[str]:
    """Return all that an error says, here and in another process."""
    pickled = pickle.dumps(error)
    copy = pickle.loads(pickled)
    texts = [
        str(error),
        repr(error),
        str(error.url),
        str(error.cause),
        repr(error.errors),
        repr(error.response),
    ]
    return [
        *texts,
        *traceback.format_exception(error),
        pickled.decode("latin-1"),
        str(copy),
        repr(vars(copy)),
    ]


async def test_nothing_secret_is_shown(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    echo = f"What is {KEY}, {quote(KEY, safe='')} or Basic {LOGIN}?"
    document = (
        f"<api-request><api-key>{KEY}</api-key><output><parameters><password>s3cret-word</password>"
        f"</parameters></output><error>{echo}</error></api-request>"
    )
    answers = [
        wire.refused(echo, "Cannot read ftp://bob:pa55word@media.example/in.avi"),
        wire.refused(echo, status=400),
        wire.xml(500, document),
        httpx.Response(401, text=echo),
        httpx.Response(302, headers={"Location": f"https://elsewhere.example/?api_key={KEY}"}),
        wire.xml(201, document),
        wire.xml(200, f"<job><id>{KEY}</id></job>"),
        httpx.Response(201, text=echo),
        httpx.ReadError(f"no answer to https://www.flixcloud.com/recipes?api_key={KEY}"),
        httpx.ReadTimeout("late"),
    ]
    shown: list[str] = []
    async with wire.client() as fc:
        job = fc.job(PARAMS)
        shown += [repr(fc), repr(job), repr(AsyncJob(KEY, PARAMS)), repr(fc.with_options(timeout=1.0))]
        for answer in answers:
            wire.answers(answer)
            calls: list[Any] = [
                lambda: fc.create_job(**PARAMS),
                lambda: fc.job_status(1),
                fc.recipes,
                job.send,
            ]
            for call in calls:
                try:
                    shown.append(repr(await call()))
                except FlixCloudError as error:
                    shown += shown_by(error)
                shown += job.errors
        wire.answers(wire.accepted())
        await fc.create_job(**PARAMS)
    wrong: Any = {**PARAMS, "input_url": "gopher://bob:pa55word@media.example/", "output_password": None}
    with pytest.raises(FlixCloudError) as caught:
        await fc.create_job(**wrong)
    shown += shown_by(caught.value)
    ours = [record for record in caplog.records if record.name.startswith("cloudreel")]
    assert len(ours) > len(answers)
    shown += [f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records]
    assert any("What is ***" in text for text in shown)
    assert {(secret, text) for secret in SECRETS for text in shown if secret in text} == set()
    assert any(KEY in body for body in wire.bodies)
