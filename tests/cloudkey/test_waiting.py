"""Waiting for assets (cloudkey-rpc.md 7.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudreel.cloudkey import AssetFailed, NotFound, WaitTimedOut

if TYPE_CHECKING:
    from conftest import Script

pytestmark = pytest.mark.anyio

MEDIA = "4c922386dede830447000009"


def assets(**statuses: str) -> dict[str, dict[str, str]]:
    return {name: {"status": status} for name, status in statuses.items()}


async def test_waiting_returns_what_is_ready(script: Script, pauses: list[float]) -> None:
    ready = assets(source="ready", abs="ready")
    script.results(assets(source="pending", abs="pending"), assets(source="ready", abs="processing"), ready)
    async with script.client() as ck:
        assert await ck.media.wait_for_assets(MEDIA, ["source", "abs"]) == ready
    args = {"id": MEDIA, "assets_names": ["source", "abs"]}
    assert script.calls == [{"call": "media.get_assets", "args": args}] * 3
    assert pauses == [0.25, 0.375]


async def test_what_is_ready_is_not_waited_for(script: Script, pauses: list[float]) -> None:
    script.results(assets(source="ready"))
    async with script.client() as ck:
        await ck.media.wait_for_assets(MEDIA, ["source"], timeout=10)
    assert pauses == []


async def test_the_first_failure_ends_the_wait(script: Script, pauses: list[float]) -> None:
    script.results(assets(source="pending", abs="pending"), assets(source="pending", abs="error"))
    async with script.client() as ck:
        with pytest.raises(AssetFailed, match=f"'abs' of media {MEDIA} failed") as caught:
            await ck.media.wait_for_assets(MEDIA, ["source", "abs"], poll=1.5)
    assert caught.value.job == {"name": "abs", "status": "error"}
    assert pauses == [1.5]


@pytest.mark.parametrize("seen", [assets(source="ready"), {"source": {"status": "ready"}, "abs": None}, {}])
async def test_what_nobody_asked_for_does_not_come(script: Script, seen: Any) -> None:
    script.results(seen)
    async with script.client() as ck:
        with pytest.raises(NotFound, match="abs"):
            await ck.media.wait_for_assets(MEDIA, ["abs"])
    assert len(script.requests) == 1


async def test_a_wait_ends_in_time(script: Script) -> None:
    script.results(assets(source="pending"))
    async with script.client() as ck:
        await ck.media.get_assets(id=MEDIA)  # the first call takes longest
        with pytest.raises(WaitTimedOut, match=r"after 0\.3 s") as caught:
            await ck.media.wait_for_assets(MEDIA, ["source"], timeout=0.3, poll=0.01)
    assert isinstance(caught.value, TimeoutError)
    assert len(script.requests) > 2


async def test_watching_shows_what_changes(script: Script, pauses: list[float]) -> None:
    states = [
        assets(source="pending", abs="pending"),
        assets(source="pending", abs="pending"),
        assets(source="ready", abs="processing"),
        assets(source="ready", abs="error"),
    ]
    script.results(*states)
    async with script.client() as ck:
        seen = [state async for state in ck.media.watch_assets(MEDIA, poll=2)]
    assert seen == [states[0], states[2], states[3]]
    assert pauses == [2, 2, 2]
    assert {str(call["args"]) for call in script.calls} == {str({"id": MEDIA})}


async def test_a_watch_may_be_left(script: Script) -> None:
    script.results(assets(source="pending"))
    async with script.client() as ck:
        async for _ in ck.media.watch_assets(MEDIA, ["source"]):
            break
    assert len(script.requests) == 1


async def test_looks_slow_down(script: Script, pauses: list[float]) -> None:
    script.results(*[assets(source="pending")] * 20, assets(source="ready"))
    async with script.client() as ck:
        await ck.media.wait_for_assets(MEDIA, ["source"])
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1], len(pauses)) == (0.25, 10.0, 20)
