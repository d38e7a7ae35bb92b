"""The one event loop behind the synchronous API, in a thread of its own, started on first use.

The only user of anyio's blocking portal. A crossing costs more than a small call's own work: cross once
per call, page or file, never per item.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Generic, ParamSpec, Protocol, TypeAlias, TypeVar
from weakref import WeakSet

import anyio
from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal

from cloudreel.errors import WrongEventLoopError

T = TypeVar("T")
P = ParamSpec("P")
Home: TypeAlias = tuple[threading.Thread, asyncio.AbstractEventLoop, Context]

PATIENCE = 5.0  # seconds that interrupted work, or connections at the end, get to close in order
LOOK = 1.0  # seconds between looks at whether the loop still lives; also lets Ctrl-C in on Windows

KEEPER = "cloudreel"
# By name, since anyio has no other mark for them. They end with the loop and are nobody's work.
SERVANTS = (KEEPER, "AnyIO worker thread")


class Closeable(Protocol):
    """What holds connections and can let go of them."""

    async def close(self) -> None:
        """Close the connections."""
        ...


def run(function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Await ``function(*args, **kwargs)`` on the loop behind the synchronous API and return its result.

    Whatever interrupts the waiting thread, Ctrl-C above all, cancels the work and is raised once that has
    ended, or has had its time to.

    Raises:
        WrongEventLoopError: called on that loop's own thread, which would wait for itself.
    """
    return _current().run(partial(function, *args, **kwargs))


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
    """Have a client that is still around when the program ends let go of its connections."""
    _clients.add(client)


class _Work(Generic[T]):
    """One call under way, which its caller may give up at any moment.

    The caller waits for a bare lock. An exception that a signal raises inside a condition, and so inside
    a future, can leave it locked for good, with the loop waiting for it.
    """

    _result: T

    def __init__(self, loop: _Loop, function: Callable[[], Awaitable[T]]) -> None:
        self._loop = loop
        self._function = function
        self._scope: anyio.CancelScope | None = None
        self._given_up = False
        self._error: BaseException | None = CancelledError("The loop behind the synchronous API has ended")
        self._lock = threading.Lock()
        self._lock.acquire()
        self.done = False

    async def do(self) -> None:
        """Do the work, on the loop."""
        if self._given_up:
            return
        try:
            with anyio.CancelScope() as self._scope:
                self._result = await self._function()
                self._error = None
        except anyio.get_cancelled_exc_class():
            self._loop.broken = True  # not by us: the loop itself goes down
            raise
        except BaseException as error:  # noqa: BLE001  (its place is the caller's thread)
            self._error = error
            # What ends programs has ended the loop, unless it was raised in this very task.
            self._loop.broken |= not isinstance(error, Exception)
        finally:
            self._end()

    def give_up(self) -> None:
        """Cancel the work, begun or not; to be called on the loop."""
        self._given_up = True
        if self._scope is None:
            self._end()
        else:
            self._scope.cancel()

    def wait(self, seconds: float) -> bool:
        """Wait for the end and return whether it has come, on the caller's thread."""
        return self.done or self._lock.acquire(timeout=seconds)

    def result(self) -> T:
        """Return or raise what came of it, once it is over."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
            return self._result
        finally:
            error = None  # its traceback holds this frame: no circle for the garbage collector

    def _end(self) -> None:
        if not self.done:
            self.done = True
            self._lock.release()


class _Loop:
    """An event loop that runs until the program has nothing else left to do."""

    def __init__(self) -> None:
        self.broken = False
        self._ended = False
        self._tasks = asyncio.TaskGroup()
        started = Future[Home]()
        # Not a daemon: the interpreter waits for it, and so for connections to be closed in order. An
        # atexit hook would come too late, after the wait for anyio's workers, who wait for the loop.
        threading.Thread(target=self._keep, args=(started,), name=KEEPER).start()
        self._thread, self._loop, self._context = started.result()

    def can_be_waited_for(self) -> bool:
        """Return whether it still takes work, and this is not its own thread."""
        return not self._ended and threading.current_thread() is not self._thread

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Await ``function()`` here, from another thread."""
        if threading.current_thread() is self._thread:
            raise WrongEventLoopError(
                "The synchronous API was called inside one of its own callbacks, whose end it would wait "
                "for; hand the work to another thread, or write an async callback on the async API"
            )
        if self._ended:  # an exit hook, most likely closing what is closed already
            return anyio.run(function)
        work = _Work(self, function)
        try:
            # The portal's own call waits twice, and on futures; see `_Work`.
            self._loop.call_soon_threadsafe(self._start, work, context=self._context_for_caller())
            while not work.wait(LOOK) and self._thread.is_alive():
                pass
        except BaseException:
            with suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(work.give_up)
                work.wait(PATIENCE)
            raise
        return work.result()

    def _keep(self, started: Future[Home]) -> None:
        try:
            with start_blocking_portal("asyncio") as portal:
                serving, home = portal.start_task(self._serve)
                started.set_result(home)
                _wait_for_the_end()
                self._ended = True
                if self._thread.is_alive():
                    portal.call(self._close)
                    serving.cancel()
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, *, task_status: TaskStatus[Home]) -> None:
        async with self._tasks:
            task_status.started((threading.current_thread(), asyncio.get_running_loop(), copy_context()))
            await anyio.sleep_forever()

    def _start(self, work: _Work[T]) -> None:
        self._tasks.create_task(work.do())

    def _context_for_caller(self) -> Context:
        """Return the caller's context variables, except where the loop has its own, such as its kind."""
        context = self._context.copy()
        for variable, value in copy_context().items():
            if variable not in self._context:
                context.run(variable.set, value)
        return context

    async def _close(self) -> None:
        with anyio.move_on_after(PATIENCE):
            for client in list(_clients):
                with suppress(WrongEventLoopError):  # it lived on a loop that was brought down
                    await client.close()


def _wait_for_the_end() -> None:
    """Wait for the main thread, and then for every other thread that is somebody's work."""
    threading.main_thread().join()
    while at_work := [
        thread
        for thread in threading.enumerate()
        if thread.is_alive() and not thread.daemon and thread.name not in SERVANTS
    ]:
        at_work[0].join()


_clients = WeakSet[Closeable]()
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
    _clients.clear()
    _loop = None
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew_after_fork)
