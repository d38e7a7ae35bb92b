"""The one event loop behind the synchronous API, in a thread of its own, started on first use.

The only user of anyio's blocking portal. A crossing costs more than a small call's own work: cross once
per call, page or file, never per item.
"""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from concurrent.futures import CancelledError, Future
from typing import Generic, Protocol, TypeVar, TypeVarTuple
from weakref import WeakSet

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from cloudreel.errors import WrongEventLoopError

T = TypeVar("T")
Args = TypeVarTuple("Args")

PATIENCE = 5.0  # seconds that interrupted work, or connections at the end, get to close in order

KEEPER = "cloudreel"
# By name, since anyio has no other mark for them. They end with the loop and are nobody's work.
SERVANTS = (KEEPER, "AnyIO worker thread")


class Closeable(Protocol):
    """What holds connections and can let go of them."""

    async def close(self) -> None:
        """Close the connections."""
        ...


def run(function: Callable[[*Args], Awaitable[T]], *args: *Args) -> T:
    """Await ``function(*args)`` on the loop behind the synchronous API and return its result.

    Whatever interrupts the waiting thread, Ctrl-C above all, cancels the work and is raised once that has
    ended, or has had its time to.

    Raises:
        WrongEventLoopError: called on that loop's own thread, which would wait for itself.
    """
    return _current().run(function, *args)


def iterate(source: AsyncIterator[T]) -> Generator[T]:
    """Step through an asynchronous iterator, one crossing per item; an early end closes it.

    The iterator may hold no cancel scope while it is suspended: each step is a task of its own.
    """
    try:
        while True:
            try:
                item = run(source.__anext__)
            except StopAsyncIteration:
                return
            yield item
    finally:
        # A loop closes abandoned generators itself when it ends, and when the garbage collector drops
        # them on its own thread.
        if isinstance(source, AsyncGenerator) and _current().can_be_waited_for():
            run(source.aclose)


def close_at_exit(client: Closeable) -> None:
    """Have a client that is still around when the program ends close its connections."""
    _current().clients.add(client)


class _Work(Generic[*Args, T]):
    """One call under way, which its caller may cancel at any moment."""

    def __init__(self, loop: _Loop, function: Callable[[*Args], Awaitable[T]], args: tuple[*Args]) -> None:
        self._loop = loop
        self._function = function
        self._args = args
        self._scope: anyio.CancelScope | None = None
        self._cancelled = False
        self.over = threading.Event()

    async def do(self) -> T:
        with anyio.CancelScope() as self._scope:
            if self._cancelled:
                self._scope.cancel()
            try:
                return await self._function(*self._args)
            except Exception:
                raise
            except BaseException:
                # Cancelled by nobody here, or a callback wants the program to end: asyncio gives up.
                self._loop.broken = not self._cancelled
                raise
            finally:
                self.over.set()
        raise CancelledError  # to nobody: the caller has left

    def cancel(self) -> None:
        """Cancel the work, begun or not; to be called on the loop."""
        self._cancelled = True
        if self._scope is None:
            self.over.set()
        else:
            self._scope.cancel()


class _Loop:
    """An event loop that runs until the program has nothing else left to do."""

    def __init__(self) -> None:
        self.clients = WeakSet[Closeable]()
        self.broken = False
        self._ended = False
        started = Future[tuple[BlockingPortal, threading.Thread]]()
        # Not a daemon: the interpreter waits for it, and so for connections to be closed in order. An
        # atexit hook would come too late, after the wait for anyio's workers, who wait for the loop.
        threading.Thread(target=self._keep, args=(started,), name=KEEPER).start()
        self._portal, self._thread = started.result()

    def can_be_waited_for(self) -> bool:
        """Return whether it still takes work, and this is not its own thread."""
        return not self._ended and threading.current_thread() is not self._thread

    def run(self, function: Callable[[*Args], Awaitable[T]], *args: *Args) -> T:
        if threading.current_thread() is self._thread:
            raise WrongEventLoopError(
                "The synchronous API was called inside one of its own callbacks, whose end it would wait "
                "for; hand the work to another thread, or write an async callback on the async API"
            )
        if self._ended:  # an atexit hook, most likely closing what is closed already
            return anyio.run(function, *args)
        work = _Work(self, function, args)
        try:
            return self._portal.start_task_soon(work.do).result()
        except BaseException:
            if not work.over.is_set() and not self.broken:
                self._portal.start_task_soon(work.cancel)
                work.over.wait(PATIENCE)
            raise

    def _keep(self, started: Future[tuple[BlockingPortal, threading.Thread]]) -> None:
        try:
            with start_blocking_portal("asyncio") as portal:
                started.set_result((portal, portal.call(threading.current_thread)))
                _wait_for_the_end()
                self._ended = True
                if not self.broken:
                    portal.call(self._close)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _close(self) -> None:
        with anyio.move_on_after(PATIENCE):
            for client in list(self.clients):
                await client.close()
        await self._portal.stop(cancel_remaining=True)


def _wait_for_the_end() -> None:
    """Wait for the main thread, and then for every other thread that is somebody's work."""
    threading.main_thread().join()
    while at_work := [
        thread
        for thread in threading.enumerate()
        if thread.is_alive() and not thread.daemon and thread.name not in SERVANTS
    ]:
        at_work[0].join()


_lock = threading.Lock()
_loop: _Loop | None = None
_of_parents: list[_Loop | None] = []


def _current() -> _Loop:
    global _loop
    loop = _loop
    if loop is None or loop.broken:
        with _lock:
            if _loop is None or _loop.broken:
                _loop = _Loop()
            loop = _loop
    return loop


def _start_anew_after_fork() -> None:
    """Leave the loop to the parent, whose thread does not exist here and may have held the lock."""
    global _loop, _lock
    _of_parents.append(_loop)  # were it collected, it would close what the parent still uses
    _loop = None
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew_after_fork)
