"""Nothing that grants access is shown: not in logs, texts of objects, errors, tracebacks or pickles.

Secret are the secret key, every signature, and what is between the host and the end of an upload location.
"""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from cloudreel.errors import CloudReelError
from cloudreel.telestream import AsyncTelestream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloudreel.sandbox import Sandbox
    from conftest import Control, Tap

pytestmark = pytest.mark.anyio


class Shown:
    """Everything that somebody might get to see."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, *things: object) -> None:
        """Note what things look like."""
        self.texts += [form(thing) for thing in things for form in (str, repr)]

    def add_error(self, error: CloudReelError) -> None:
        """Note all that an error says, here and in another process."""
        self.add(error, error.url, error.cause, error.ticket)
        self.texts += traceback.format_exception(error)
        pickled = pickle.dumps(error)
        self.texts.append(pickled.decode("latin-1"))
        copy = pickle.loads(pickled)
        self.add(copy, vars(copy))

    def add_records(self, records: list[logging.LogRecord]) -> None:
        """Note what was logged on our side; the server is in this process, too."""
        ours = [record for record in records if not record.name.startswith("uvicorn")]
        assert ours
        for record in ours:
            self.add(record.getMessage(), record.args, record.exc_text)

    async def failing(self, call: Callable[..., Awaitable[object]], *args: Any, **named: Any) -> None:
        """Await a call that must fail, and note how it does."""
        with pytest.raises(CloudReelError) as caught:
            await call(*args, **named)
        self.add_error(caught.value)


async def test_nothing_secret_is_shown(
    sandbox: Sandbox, control: Control, tap: Tap, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    shown = Shown()
    config = sandbox.config["telestream"]
    async with sandbox.telestream(transport=tap, retries=1) as tc:
        factory = await tc.flip.factories.find(config["factory_id"])
        shown.add(tc, tc.flip, factory, factory.videos, factory.profiles, await tc.get("/videos.json"))
        await shown.failing(tc.get, "/videos/1f.json")
        url = "ftp://bob:pa55word@media.example/a.mp4"
        await shown.failing(factory.videos.create, source_url=url, profiles="nonesuch")
        for action in ("drop", "garbage", "truncate"):
            control.fault(action, path="*/profiles.json", times=2)
            await shown.failing(factory.profiles.all)
        control.fault("delay", path="*/profiles.json", seconds=3)
        await shown.failing(tc.with_options(timeout=0.1, retries=0).get, "/profiles.json")
        await shown.failing(tc.with_options(timeout=0.1, retries=0, deadline=0.0001).get, "/profiles.json")

        session = await factory.upload_session(bytes(200_000), profiles="none", threads=2)
        shown.add(session, session.progress, session.ticket())
        for action in ("drop", "garbage", "truncate", "status"):
            control.fault(action, method="GET", path="/upload/*", times=10)
            control.fault(action, method="PUT", path="/upload/*", times=4)
            await shown.failing(session.start if session.status == "initialized" else session.resume)
            shown.add(session.error_message)
            control.clear_faults()
        video = await session.resume()
        shown.add(session, video)
        await shown.failing(session.abort)
        other = await factory.upload_session(bytes(200_000), profiles="none")
        await other.abort()
        await shown.failing(other.resume)
        again = await factory.resume_upload(other.ticket(), bytes(200_000))
        await shown.failing(again.resume)
    wrong = {**config, "secret_key": "the-wrong-secret"}
    async with AsyncTelestream(**wrong, transport=tap) as tc:
        await shown.failing(tc.flip.factories.all)
        shown.add(tc)
    shown.add_records(caplog.records)

    signatures = {
        request.url.params["signature"] for request in tap.seen if "signature" in request.url.params
    }
    locations = {urlsplit(each.ticket().location) for each in (session, other)}
    secrets = {config["secret_key"], "the-wrong-secret", config["access_key"], "pa55word"}
    secrets |= signatures | {quote(signature, safe="") for signature in signatures}
    secrets |= {location.query.partition("=")[2] for location in locations}
    assert len(signatures) > 10
    assert len(locations) == 2
    found = {(secret, text) for secret in secrets for text in shown.texts if secret in text}
    assert not found


async def test_a_service_that_repeats_secrets_is_not_quoted(credentials: dict[str, Any]) -> None:
    location = "http://vm-1.upload.example/upload/session?id=0123456789abcdef"

    def repeat(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/upload.json"):
            return httpx.Response(201, json={"id": "x", "location": location, "parts": "many"})
        if request.url.path.endswith("/5c1d.json"):
            return httpx.Response(200, json={"id": "5c1d"})
        return httpx.Response(400, json={"error": "BadRequest", "message": f"What is {request.url}?"})

    shown = Shown()
    async with AsyncTelestream(**credentials, transport=httpx.MockTransport(repeat)) as tc:
        await shown.failing(tc.get, "/videos.json")
        await shown.failing(
            tc.post, "/videos.json", {"source_url": "http://bob:pa55word@media.example/a.mp4"}
        )
    text = "".join(shown.texts)
    assert "What is" in text
    for secret in (credentials["access_key"], "pa55word", "0123456789abcdef"):
        assert secret not in text
