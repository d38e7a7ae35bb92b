"""The sandboxes that tests run against: servers emptied after each test, or an app on the test's loop."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager, nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Self

import anyio
import httpx
import pytest

from cloudreel.sandbox.app import create_app
from cloudreel.sandbox.facades import AppTransport
from cloudreel.sandbox.faults import CONTROL
from cloudreel.sandbox.sandbox import AppSandbox, Sandbox
from cloudreel.sandbox.server import Dated
from cloudreel.testing.stays import Stay, StayingTransport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from starlette.types import ASGIApp

    from cloudreel.sandbox.faults import Fault

P = ParamSpec("P")


class Place(ABC):
    """A sandbox that stands ready for one test, and how the test gets at it."""

    sandbox: Sandbox

    @abstractmethod
    def transport(self) -> AbstractContextManager[httpx.AsyncBaseTransport]:
        """Open a transport for an async client; it lives on the loop that the client is used on."""

    @abstractmethod
    def around(self, test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
        """Return an async test with what the place has to do on its loop."""

    @abstractmethod
    def add_fault(self, fault: Fault) -> None:
        """Put a fault at the end of the sandbox's plan."""

    @abstractmethod
    def clear_faults(self) -> None:
        """Forget the faults that nothing has met yet."""


class Server(Place):
    """A sandbox on a socket, which outlives the test."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        with ExitStack() as stack:
            self.sandbox = stack.enter_context(Sandbox(**options))
            address = f"{self.sandbox.base_url}{CONTROL}"
            self._control = stack.enter_context(httpx.Client(base_url=address, trust_env=False, timeout=60))
            self._stack = stack.pop_all()

    @contextmanager
    def transport(self) -> Generator[httpx.AsyncBaseTransport]:
        """Open a transport whose connections are closed on their loop."""
        stay = Stay[httpx.AsyncBaseTransport](_plain_transport)
        try:
            yield StayingTransport(stay)
        finally:
            stay.leave()

    def around(self, test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
        """Return the test as it is: the server has a loop of its own."""
        return test

    def add_fault(self, fault: Fault) -> None:
        """Put a fault at the end of the plan, in the server's own thread."""
        self._control.post("/faults", json=fault.to_json()).raise_for_status()

    def clear_faults(self) -> None:
        """Forget the faults left, in the server's own thread."""
        self._control.delete("/faults").raise_for_status()

    def reset(self) -> None:
        """Have the sandbox forget everything but its credentials."""
        self._control.post("/reset").raise_for_status()

    def close(self) -> None:
        """Stop serving; raises why, if the sandbox broke down."""
        self._stack.close()


class App(Place):
    """A sandbox without a socket, on the loop of the test's first request."""

    def __init__(self, sandbox: AppOnLoop) -> None:
        self.sandbox = sandbox
        self._app = sandbox

    def transport(self) -> AbstractContextManager[httpx.AsyncBaseTransport]:
        """Open a transport straight into the sandbox; there are no connections to close."""
        return nullcontext(self._app.transport())

    def around(self, test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
        """Return a test that ends with the sandbox at rest."""

        @wraps(test)
        async def resting(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                await test(*args, **kwargs)
            finally:
                # A loop that ends cancels every task by itself, and asyncio may lose a process that way.
                with anyio.CancelScope(shield=True):
                    await self._app.rest()

        return resting

    def add_fault(self, fault: Fault) -> None:
        """Put a fault at the end of the plan."""
        self.sandbox.world.faults.add(fault)

    def clear_faults(self) -> None:
        """Forget the faults left."""
        self.sandbox.world.faults.clear()


class AppOnLoop(AppSandbox):
    """A sandbox without a socket that is open at once, and at work from the first request on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._stay = Stay(lambda: self.world.running())
        self._at_rest = False

    def transport(self) -> AppTransport:
        """Return a transport whose first request sets the sandbox to work."""
        return _AppOnLoopTransport(Dated(create_app(self.world), self.world.clock.now), self.work)

    async def work(self) -> None:
        """Encode and notify in the background from now on, unless the test is over."""
        if not self._at_rest:
            await self._stay.value()

    async def rest(self) -> None:
        """Stop the work in the background; requests are answered all the same."""
        self._at_rest = True
        await self._stay.end()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._world = self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._world = None
        self._stay.leave(then=self._stack.close)


class _AppOnLoopTransport(AppTransport):
    def __init__(self, app: ASGIApp, work: Callable[[], Awaitable[None]]) -> None:
        super().__init__(app)
        self._work = work

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._work()
        return await super().handle_async_request(request)


class Places:
    """The sandboxes of a test run: a server for each kind that was asked for, started once."""

    def __init__(self) -> None:
        self._servers: list[Server] = []

    @contextmanager
    def place(self, *, asgi: bool = False, **options: Any) -> Generator[Place]:
        """Make a sandbox ready for one test, and clear up after it.

        Args:
            asgi: do without a socket.
            options: arguments of `Sandbox`, but not ``data``: a test begins with nothing.
        """
        if "data" in options:
            raise pytest.UsageError(
                "@pytest.mark.cloudreel takes no data=: the sandbox of a test is emptied after it; to keep "
                "a folder, enter a Sandbox(data) in a fixture of your own"
            )
        if asgi:
            with AppOnLoop(**options) as sandbox:
                yield App(sandbox)
        else:
            server = self._server(options)
            yield server
            if server.sandbox.serving:
                server.reset()
            else:
                self._servers.remove(server)
                server.close()

    def close(self) -> None:
        """Stop all servers."""
        with ExitStack() as stack:
            for server in self._servers:
                stack.callback(server.close)
            self._servers = []

    def _server(self, options: dict[str, Any]) -> Server:
        for server in self._servers:
            if server.options == options:
                return server
        self._servers.append(Server(options))
        return self._servers[-1]


def _plain_transport() -> httpx.AsyncHTTPTransport:
    # Without the authorities: loading them takes longer than many a test, and nobody asks them.
    return httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
