"""The sandbox as a whole: opened, served, configured clients at hand, closed without a trace."""

from __future__ import annotations

import tempfile
import threading
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import anyio
from anyio import to_thread
from anyio.from_thread import start_blocking_portal

from .app import create_app
from .facades import AppFacades, AppTransport, Facades
from .server import Dated, bind, serving
from .state import World

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Mapping
    from types import TracebackType

    from .server import Tls


class Sandbox(Facades):
    """A local stand-in for the services, on a real socket served from a thread of its own.

    Enter it with ``with`` or ``async with``, any number of times::

        async with Sandbox() as sb, sb.telestream() as tc:
            factory = await tc.flip.factories.find(tc.factory_id)

    :param data: the directory that keeps everything; None for a temporary one that is removed on exit.
    :param host: the address to listen on.
    :param port: the port to listen on; 0 picks a free one.
    :param part_size: bytes of one part of a multi-chunk upload.
    :param max_connections: how many connections such an upload announces.
    :param strict: refuse requests whose signature is wrong, expired or used before.
    :param asnums: AS numbers of viewers by IP address.
    :param countries: country codes of viewers by IP address.
    :param map: URL prefixes (http, ftp, s3) served from files.
    """

    tls: Tls | None = None
    """Certificate and key; set it before entering to serve https."""

    def __init__(
        self,
        data: str | os.PathLike[str] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        part_size: int = 5 * 2**20,
        max_connections: int = 16,
        strict: bool = True,
        asnums: Mapping[str, str] | None = None,
        countries: Mapping[str, str] | None = None,
        map: Mapping[str, str | os.PathLike[str]] | None = None,
    ) -> None:
        self._data = None if data is None else Path(data)
        self._address = (host, port)
        self._part_size = part_size
        self._max_connections = max_connections
        self._strict = strict
        self.asnums = dict(asnums or {})
        self.countries = dict(countries or {})
        self._map = {prefix: Path(path) for prefix, path in (map or {}).items()}
        self._world: World | None = None
        self._stack = ExitStack()
        self._serving = threading.Event()

    @staticmethod
    def asgi(data: str | os.PathLike[str] | None = None, **options: Any) -> AppSandbox:
        """Return a sandbox without a socket, for async clients on the loop that enters it.

        It takes the arguments of :class:`Sandbox`. Connection faults appear as httpx's errors; timeouts,
        streaming and faults by the byte need the socket.
        """
        return AppSandbox(data, **options)

    @property
    def world(self) -> World:
        """What the services share: store, clock, faults.

        :raises RuntimeError: if the sandbox is not entered.
        """
        if self._world is None:
            raise RuntimeError("The sandbox is not running; enter it first: `with Sandbox() as sb:`.")
        return self._world

    @property
    def serving(self) -> bool:
        """Whether the sandbox answers; False once it is left, or broke down (leaving it raises why)."""
        return self._serving.is_set()

    @property
    def base_url(self) -> str:
        """Where the sandbox is reached, without a slash at the end."""
        return self.world.base_url

    @property
    def config(self) -> dict[str, Any]:
        """Addresses and credentials, service by service: what ``cloudreel sandbox --json`` prints."""
        return self.world.config

    def __enter__(self) -> Self:
        if self._world is not None:
            raise RuntimeError("The sandbox is running already; make another one.")
        with ExitStack() as stack:
            listener = bind(*self._address)
            stack.callback(listener.close)
            portal = stack.enter_context(start_blocking_portal("asyncio"))
            # Opened where it will run: the caller may be on a loop of another kind.
            world = portal.call(self._open, stack)
            host, port = listener.getsockname()[:2]
            scheme = "https" if self.tls else "http"
            world.base_url = f"{scheme}://{_reachable(host)}:{port}"
            app = Dated(create_app(world), world.clock.now)

            @asynccontextmanager
            async def served() -> AsyncGenerator[None]:
                try:
                    async with world.running(), serving(app, listener, self.tls):
                        self._serving.set()
                        yield
                finally:
                    self._serving.clear()

            stack.enter_context(portal.wrap_async_context_manager(served()))
            self._world = world
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._world = None
        self._stack.close()

    async def __aenter__(self) -> Self:
        return await to_thread.run_sync(self.__enter__)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self.__exit__, None, None, None)

    def _open(self, stack: ExitStack) -> World:
        data = self._data
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cloudreel-")))
        world = World.open(
            data,
            part_size=self._part_size,
            max_connections=self._max_connections,
            strict=self._strict,
            map=self._map,
            asnums=self.asnums,
            countries=self.countries,
        )
        stack.callback(world.close)
        return world


class AppSandbox(AppFacades, Sandbox):
    """A sandbox without a socket: what :meth:`Sandbox.asgi` returns."""

    def transport(self) -> AppTransport:
        """Return a transport for a client of httpx that sends its requests straight into the sandbox."""
        return AppTransport(Dated(create_app(self.world), self.world.clock.now))

    def __enter__(self) -> Self:
        raise RuntimeError("Sandbox.asgi() lives on the caller's loop; enter it with `async with`.")

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            files = stack.enter_context(ExitStack())
            world = await to_thread.run_sync(self._open, files)
            await stack.enter_async_context(world.running())
            self._world = world
            self._running = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._world = None
        await self._running.__aexit__(kind, error, traceback)


def _reachable(host: str) -> str:
    """Return the name under which this machine reaches an address it listens on."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"[{host}]" if ":" in host else host
