"""What hooks are told of each request, and what becomes of what they do."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from cloudreel import errors
from cloudreel.core.call import Request
from cloudreel.core.hooks import Hooks, RequestEvent, ResponseEvent, RetryEvent
from cloudreel.core.options import Options
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from conftest import Wire

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t-V4lue"
URL = "http://api.acme.test/v1/things.json"


class Told:
    """Hooks that remember, sync or async."""

    def __init__(self, *, asynchronous: bool) -> None:
        self.events: list[RequestEvent] = []

        async def later(event: RequestEvent) -> None:
            await anyio.lowlevel.checkpoint()
            self.events.append(event)

        hook = later if asynchronous else self.events.append
        self.hooks = Hooks(on_request=hook, on_response=hook, on_retry=hook)


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_each_attempt_is_told(wire: Wire, asynchronous: bool) -> None:
    told = Told(asynchronous=asynchronous)
    wire.answers(503, httpx.ConnectError("no way"), 200)
    await wire.transport(Options(hooks=told.hooks)).exchange(wire.call())
    kinds = [(type(event), event.attempt) for event in told.events]
    assert kinds == [
        (RequestEvent, 1),
        (ResponseEvent, 1),
        (RetryEvent, 1),
        (RequestEvent, 2),
        (RetryEvent, 2),
        (RequestEvent, 3),
        (ResponseEvent, 3),
    ]
    assert {(event.service, event.method, event.url) for event in told.events} == {("acme", "GET", URL)}
    answered = [event for event in told.events if isinstance(event, ResponseEvent)]
    assert [event.status for event in answered] == [503, 200]
    assert all(event.seconds >= 0 for event in answered)
    again = [event for event in told.events if isinstance(event, RetryEvent)]
    assert [type(event.error) for event in again] == [
        wire.service().errors.leaf(errors.ServiceError),
        wire.service().errors.leaf(errors.TransportError),
    ]
    assert [event.delay for event in again] == [0.25, 0.5]


async def test_no_hook_is_told_a_secret(wire: Wire) -> None:
    told = Told(asynchronous=False)
    wire.answers(401)
    transport = wire.transport(Options(hooks=told.hooks))
    with pytest.raises(errors.AuthenticationError):
        await transport.exchange(wire.call(params={"api_key": SECRET, "page": 2}))
    assert told.events[0].url == f"{URL}?api_key=***&page=2"
    assert SECRET not in repr(told.events)


async def test_of_an_upload_location_only_the_host_is_told(wire: Wire) -> None:
    told = Told(asynchronous=False)
    call = wire.call()
    request = Request("PUT", f"http://up.acme.test/upload/{SECRET}", secret_url=True)
    transport = wire.transport(Options(hooks=told.hooks))
    await transport.exchange(type(call)(request, call.parse, signed=False))
    assert {event.url for event in told.events} == {"http://up.acme.test/***"}


async def test_a_download_is_told(wire: Wire) -> None:
    told = Told(asynchronous=False)
    transport = wire.transport(Options(hooks=told.hooks))
    async with transport.stream(Request("GET", "http://cdn.acme.test/a.mp4")):
        assert [type(event) for event in told.events] == [RequestEvent, ResponseEvent]


@pytest.mark.parametrize("name", ["on_request", "on_response", "on_retry"])
async def test_what_a_hook_raises_is_raised(wire: Wire, name: str) -> None:
    def fail(event: RequestEvent) -> None:
        raise KeyError(event.method)

    wire.answers(503, 200)
    with pytest.raises(KeyError, match="GET"):
        await wire.transport(Options(hooks=Hooks(**{name: fail}))).exchange(wire.call())


async def test_a_copy_with_options_has_other_hooks(wire: Wire) -> None:
    told = Told(asynchronous=False)
    transport = wire.transport()
    await transport.with_options(hooks=told.hooks).exchange(wire.call())
    assert len(told.events) == 2
    await transport.exchange(wire.call())
    assert len(told.events) == 2


def test_the_hooks_of_a_synchronous_client_may_be_either() -> None:
    for asynchronous in (False, True):
        told = Told(asynchronous=asynchronous)
        with Sandbox() as sandbox:
            client = sandbox.sync.telestream()
            client.with_options(hooks=told.hooks).flip.factories.all()
            client.close()
        assert [type(event) for event in told.events] == [RequestEvent, ResponseEvent]


# -- a limit that is shared -------------------------------------------------------------------------------


class OneByOne:
    """A limit of one part at a time."""

    def __init__(self) -> None:
        self.parts: list[bool] = []
        self.held = 0

    @asynccontextmanager
    async def slot(self, *, part: bool) -> AsyncGenerator[None]:
        self.parts.append(part)
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1


@pytest.mark.usefixtures("pauses")
async def test_each_attempt_has_a_place_under_the_shared_limit(wire: Wire) -> None:
    limit = OneByOne()
    held: list[int] = []

    async def look(request: httpx.Request) -> httpx.Response:
        held.append(limit.held)
        return httpx.Response(503 if len(held) == 1 else 200)

    wire.answers(look)
    transport = wire.transport(Options(shared_limit=limit))
    await transport.exchange(wire.call())
    await transport.exchange(wire.call("PUT", content=wire.pieces()))
    async with transport.stream(Request("GET", "http://cdn.acme.test/a.mp4")):
        held.append(limit.held)
    assert held == [1, 1, 1, 1, 1]
    assert limit.held == 0
    assert limit.parts == [False, False, True, False]
