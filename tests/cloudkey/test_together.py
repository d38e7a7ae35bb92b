"""Waiting for the assets of many media at once: fail-fast or collecting."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import anyio
import httpx
import pytest

from cloudreel.cloudkey import (
    AssetFailed,
    AsyncCloudKey,
    CloudKey,
    NotFound,
    WaitTimedOut,
    wait_all,
    wait_all_sync,
)
from cloudreel.cloudkey.models import Assets

USER = "0123456789abcdef01234567"
KEY = "00112233445566778899aabbccddeeff00112233"


class Service:
    """The states of the assets of media: one for each look, and the last again and again."""

    def __init__(self) -> None:
        self.states: dict[str, list[dict[str, str]]] = {}

    def handle(self, request: httpx.Request) -> httpx.Response:
        states = self.states[json.loads(request.content)["args"]["id"]]
        now = states.pop(0) if len(states) > 1 else states[0]
        return httpx.Response(200, json={"result": {name: {"status": is_} for name, is_ in now.items()}})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def ck(service: Service, anyio_backend: str) -> AsyncIterator[AsyncCloudKey]:
    async with AsyncCloudKey(USER, KEY, transport=httpx.MockTransport(service.handle), retries=0) as client:
        service.states = {"first": [{}]}
        await client.media.get_assets(id="first")  # it takes longest, which no wait has to bear
        yield client


def ready(*names: str) -> Assets:
    return {name: {"status": "ready"} for name in names}


@pytest.mark.anyio
async def test_all_are_waited_for(ck: AsyncCloudKey, service: Service) -> None:
    service.states = {
        "b": [{"source": "pending", "abs": "pending"}, {"source": "ready", "abs": "ready"}],
        "a": [{"source": "processing"}, {"source": "processing"}, {"source": "ready"}],
    }
    found = await wait_all(ck, {"b": ["source", "abs"], "a": ["source"]}, timeout=60, poll=0.001)
    assert list(found.items()) == [("b", ready("source", "abs")), ("a", ready("source"))]
    assert await wait_all(ck, {}) == {}


@pytest.mark.anyio
async def test_the_first_failure_is_raised_at_once(ck: AsyncCloudKey, service: Service) -> None:
    service.states = {"a": [{"source": "pending"}], "b": [{"source": "error"}]}
    with anyio.fail_after(60), pytest.raises(AssetFailed, match="of media b failed") as caught:
        await wait_all(ck, {id: ["source"] for id in "ab"}, poll=3600)
    assert caught.value.__context__ is None


@pytest.mark.anyio
async def test_failures_are_collected_on_request(ck: AsyncCloudKey, service: Service) -> None:
    service.states = {
        "a": [{"source": "error"}],
        "b": [{"source": "ready"}],
        "c": [{"source": "pending"}],
        "d": [{}],
    }
    wanted = {id: ["source"] for id in "abcd"}
    found = await wait_all(ck, wanted, timeout=1.5, poll=0.01, collect=True)
    assert found["b"] == ready("source")
    assert [type(found[id]) for id in "acd"] == [AssetFailed, WaitTimedOut, NotFound]


def test_the_same_without_async(service: Service) -> None:
    service.states = {"a": [{"source": "pending"}, {"source": "ready"}], "b": [{"source": "error"}]}
    with CloudKey(USER, KEY, transport=httpx.MockTransport(service.handle), retries=0) as ck:
        assert wait_all_sync(ck, {"a": ["source"]}, timeout=60, poll=0.001) == {"a": ready("source")}
        wanted = {id: ["source"] for id in "ab"}
        with pytest.raises(AssetFailed):
            wait_all_sync(ck, wanted, timeout=60)
        assert type(wait_all_sync(ck, wanted, timeout=60, collect=True)["b"]) is AssetFailed
