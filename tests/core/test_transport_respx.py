"""The same sender under respx, where a client of ours is tested by its users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
import respx

from cloudreel.core import codec
from cloudreel.core.call import Call, Request
from cloudreel.core.options import Limits, Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Transport
from cloudreel.errors import NotFoundError, TransportError

if TYPE_CHECKING:
    from conftest import Wire

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("pauses")]

THINGS = "http://api.acme.test/v1/things.json"


@pytest.fixture
def sender(wire: Wire) -> Transport:
    """A transport over httpx's own connections."""
    return Transport(wire.service(), Pool(Wiring(Limits())), Options(), jitter=lambda: 0.0)


async def test_a_call_reaches_the_mocked_route(sender: Transport, respx_mock: respx.MockRouter) -> None:
    route = respx_mock.get(THINGS, params={"page": "2"}).respond(json={"id": "1"})
    answer = await sender.send(Call(Request("GET", "/things.json", {"page": 2}), codec.object_of))
    assert (answer, route.call_count) == ({"id": "1"}, 1)
    await sender.close()


async def test_each_attempt_is_signed_anew(sender: Transport, respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(THINGS)
    route.side_effect = [httpx.ConnectError("down"), httpx.Response(503), httpx.Response(200, json={})]
    await sender.send(Call(Request("POST", "/things.json"), codec.object_of))
    assert len({str(call.request.url.params["signature"]) for call in route.calls}) == 3
    await sender.close()


async def test_refusals_and_lost_connections_are_errors(
    sender: Transport, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.get(THINGS)
    route.side_effect = [httpx.Response(404), httpx.ReadError("reset"), httpx.ReadError("reset")]
    call = Call(Request("GET", "/things.json"), codec.object_of, repeatable=False)
    with pytest.raises(NotFoundError):
        await sender.send(call)
    with pytest.raises(TransportError):
        await sender.send(call)
    await sender.close()


async def test_streamed_bodies_arrive_whole(
    wire: Wire, sender: Transport, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.put("http://vm.acme.test/upload").respond(200)
    request = Request("PUT", "http://vm.acme.test/upload", content=wire.pieces(), secret_url=True)
    await sender.send(Call(request, id, signed=False))
    sent = route.calls.last.request
    assert (sent.content, sent.headers["content-length"]) == (b"abcdef", "6")
    await sender.close()
