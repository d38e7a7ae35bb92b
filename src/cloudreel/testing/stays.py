"""What lives on an event loop it did not start: it comes with first use, and leaves before the loop ends.

Fixtures are plain functions, set up before any loop runs and torn down after, so nothing in them can be
awaited. A task of the loop's own holds what has to be closed; every way of running tests cancels those
before it closes the loop.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
import httpx
from anyio.lowlevel import current_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

T = TypeVar("T")


def _nothing() -> None:
    """Do nothing."""


class Stay(Generic[T]):
    """An async context manager that is entered on the loop where it is first needed.

    Args:
        make: returns what is to be entered; called on that loop, once per loop.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._make = make
        self._home: object = None
        self._task: asyncio.Task[None] | None = None  # None on trio
        self._value: T
        self._begun: anyio.Event
        self._gone: anyio.Event
        self._scope: anyio.CancelScope
        self._then: Callable[[], object] = _nothing
        self.over = True

    async def value(self) -> T:
        """Return what entering gave; the first call on a loop enters.

        Raises:
            RuntimeError: it has left this loop already.
        """
        here = current_token()
        if self._home != here:
            self._home, self.over = here, False
            self._begun, self._gone, self._scope = anyio.Event(), anyio.Event(), anyio.CancelScope()
            self._spawn()
        await self._begun.wait()
        if self.over:
            raise RuntimeError("A fixture of cloudreel was used after its test, or its event loop, had ended")
        return self._value

    async def end(self) -> None:
        """Leave now, on the loop itself."""
        if not self.over:
            self._scope.cancel()
            await self._gone.wait()

    def leave(self, then: Callable[[], object] = _nothing) -> None:
        """Leave now, from plain code, if the loop can be made to run; otherwise it is left when it ends.

        Args:
            then: called as soon as it is left.
        """
        task = self._task
        if task is not None and not task.done() and not task.get_loop().is_closed():
            task.cancel()
            with suppress(asyncio.CancelledError):
                task.get_loop().run_until_complete(task)
        if self.over:
            then()
        else:
            self._then = then

    def _spawn(self) -> None:
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_run():
            trio.lowlevel.spawn_system_task(self._stay, name="cloudreel")
        else:
            self._task = asyncio.get_running_loop().create_task(self._stay(), name="cloudreel")

    async def _stay(self) -> None:
        try:
            with self._scope:
                async with self._make() as self._value:
                    self._begun.set()
                    await anyio.sleep_forever()
        finally:
            self.over = True
            self._begun.set()
            self._gone.set()
            self._then()


class StayingTransport(httpx.AsyncBaseTransport):
    """Sends requests over a transport that stays on the loop of the first of them."""

    def __init__(self, stay: Stay[httpx.AsyncBaseTransport]) -> None:
        self._stay = stay

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer."""
        return await (await self._stay.value()).handle_async_request(request)
