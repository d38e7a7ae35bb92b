"""Waking by notification: on the same loop, from another thread, once, and only whom it concerns."""

from __future__ import annotations

import gc
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio
import pytest
from attrs import frozen

from cloudreel.core.inbox import Inbox
from cloudreel.core.waiting import until, watch
from cloudreel.errors import TimedOut

pytestmark = pytest.mark.anyio

T = TypeVar("T")
NEVER = 3600.0  # seconds between looks: only a notification can be meant


@frozen
class Told:
    """A notification about some objects."""

    about: frozenset[str]


def told(*ids: str) -> Told:
    return Told(frozenset(ids))


def late() -> TimedOut:
    return TimedOut("too late")


class Service:
    """Something that changes from look to look, and tells when it was looked at."""

    def __init__(self, states: Sequence[str]) -> None:
        self.states = list(states)
        self.looks = 0
        self.looked = anyio.Event()
        self.during: Callable[[], object] = lambda: None

    async def look(self) -> str:
        state = self.states[min(self.looks, len(self.states) - 1)]
        await anyio.lowlevel.checkpoint()
        self.during()
        self.looks += 1
        self.looked.set()
        self.looked = anyio.Event()
        return state

    async def seen(self, times: int) -> None:
        while self.looks < times:
            await self.looked.wait()


def wait_for(
    service: Service, inbox: Inbox, *, poll: float | None = NEVER, timeout: float | None = None
) -> Awaitable[str]:
    return until(
        service.look,
        lambda state: state == "done",
        timeout=timeout,
        poll=poll,
        late=late,
        notified=inbox,
        about=lambda state: ["1f", f"of {state}"],
    )


async def test_a_notification_ends_the_pause() -> None:
    service, inbox = Service(["working", "done"]), Inbox()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:

            async def tell() -> None:
                await service.seen(1)
                await anyio.wait_all_tasks_blocked()
                inbox.put(told("1f", "another"))

            group.start_soon(tell)
            assert await wait_for(service, inbox) == "done"
    assert service.looks == 2


async def test_a_lost_notification_costs_time_only() -> None:
    service = Service(["working", "working", "done"])
    with anyio.fail_after(60):
        assert await wait_for(service, Inbox(), poll=0.001) == "done"
    assert service.looks == 3


async def test_what_comes_during_a_look_leads_to_another() -> None:
    service, inbox = Service(["working", "working", "done"]), Inbox()
    service.during = lambda: inbox.put(told("of working"))  # the first is heard whatever it is about
    with anyio.fail_after(60):
        assert await wait_for(service, inbox) == "done"
    assert service.looks == 3


async def test_a_notification_about_something_else_wakes_nobody() -> None:
    service, inbox = Service(["working", "done"]), Inbox()
    with anyio.move_on_after(60), anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(_discard, wait_for(service, inbox))
            await service.seen(1)
            await anyio.wait_all_tasks_blocked()
            inbox.put(told("2e", "1"))
            await anyio.wait_all_tasks_blocked()
            assert service.looks == 1
            scope.cancel()
    assert scope.cancelled_caught


async def test_a_wait_still_runs_out_of_time() -> None:
    inbox = Inbox()
    with pytest.raises(TimedOut, match="too late"):
        await wait_for(Service(["working"]), inbox, timeout=0.05)


async def test_one_notification_wakes_all_whom_it_concerns_and_each_once() -> None:
    services, inbox = [Service(["working", "done"]) for _ in range(50)], Inbox()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for service in services:
                group.start_soon(_discard, wait_for(service, inbox))
            for service in services:
                await service.seen(1)
            await anyio.wait_all_tasks_blocked()
            inbox.put(told("1f"))
            inbox.put(told("1f"))
    assert [service.looks for service in services] == [2] * 50


async def test_it_may_come_from_any_thread() -> None:
    service, inbox = Service(["working", "done"]), Inbox()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:

            async def tell() -> None:
                await service.seen(1)
                await anyio.wait_all_tasks_blocked()
                threading.Thread(target=inbox.put, args=[told("1f")]).start()

            group.start_soon(tell)
            assert await wait_for(service, inbox) == "done"


async def test_a_watch_is_woken_too() -> None:
    service, inbox = Service(["a", "b", "done"]), Inbox()
    watched = watch(
        service.look,
        lambda state: state == "done",
        poll=NEVER,
        news=lambda state: state,
        notified=inbox,
        about=lambda state: [state],
    )
    seen: list[str] = []
    with anyio.fail_after(60):
        async for state in watched:
            seen.append(state)
            inbox.put(told(state))
    assert seen == ["a", "b", "done"]


async def test_an_inbox_forgets_who_does_not_wait_any_more() -> None:
    inbox = Inbox()
    await wait_for(Service(["done"]), inbox)
    gc.collect()
    assert len(inbox._ears) == 0


def test_a_notification_for_an_event_loop_that_has_ended_is_nobody_s() -> None:
    inbox = Inbox()
    heard = []

    async def listen() -> None:
        heard.append(inbox.listen())

    anyio.run(listen)
    anyio.run(listen, backend="trio")
    inbox.put(told("1f"))
    assert len(heard) == 2


async def _discard(awaitable: Awaitable[object]) -> None:
    await awaitable
