"""Waking those who wait for something when a notification about it comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol, TypeAlias, runtime_checkable
from weakref import WeakSet

import anyio
from anyio.lowlevel import current_token

Soon: TypeAlias = Callable[[Callable[[], None]], object]


class Tells(Protocol):
    """A notification: it says what it is about, and nothing that could be believed."""

    @property
    def about(self) -> Collection[str]:
        """The ids of all objects that it concerns."""
        ...


class Inbox:
    """Takes notifications in, and wakes every ``wait`` and ``watch`` that was given it as ``notified``.

    Whoever wakes looks at the service at once instead of at the end of a pause. Nothing else depends on
    it: a notification that is lost, forged or told twice costs time or one look. Nothing is kept; one
    inbox serves any number of waits, on any event loop and in any thread.
    """

    def __init__(self) -> None:
        self._ears: WeakSet[Ear] = WeakSet()  # an ear is gone with the wait that has it
        self._lock = threading.Lock()

    def put(self, notification: Tells) -> None:
        """Wake those who wait for what a notification is about; it may be called from any thread."""
        about = frozenset(notification.about)
        with self._lock:
            ears = list(self._ears)
        for ear in ears:
            ear.hear(about)

    def listen(self) -> Ear:
        """Return an ear for the task that calls; it hears everything until it is told what to expect."""
        ear = Ear()
        with self._lock:
            self._ears.add(ear)
        return ear


class Ear:
    """One who listens, on the event loop that it was made on."""

    def __init__(self) -> None:
        self._soon = _soon()
        self._rung = anyio.Event()
        self._about: frozenset[str] | None = None

    def hear(self, about: frozenset[str]) -> None:
        """Wake the listener if this concerns it, from whatever thread."""
        if self._about is None or self._about & about:
            with suppress(RuntimeError):  # its event loop has ended, and so has its wait
                self._soon(self._ring)

    def forget(self) -> None:
        """Forget what was heard: from now on only what comes next wakes."""
        self._rung = anyio.Event()

    def expect(self, about: Collection[str]) -> None:
        """Listen only to what concerns one of these ids."""
        self._about = frozenset(about)

    async def wait(self, seconds: float) -> None:
        """Return as soon as something was heard since the last `forget`, at the latest after ``seconds``."""
        with anyio.move_on_after(seconds):
            await self._rung.wait()

    def _ring(self) -> None:
        self._rung.set()


@runtime_checkable
class _TrioToken(Protocol):
    """Trio's way into its event loop, named here so that trio need not be there."""

    def run_sync_soon(self, function: Callable[[], None], /) -> object: ...


def _soon() -> Soon:
    """Return what has a function called on the event loop of now, and does not wait for it."""
    native = current_token().native_token
    if isinstance(native, asyncio.AbstractEventLoop):
        return native.call_soon_threadsafe
    assert isinstance(native, _TrioToken)
    return native.run_sync_soon
