"""One request whose body stands in a file, and its answer: everything here blocks, in a worker thread."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final

import httpx
from attrs import frozen

from cloudreel.core.filewire.connection import Connection, Full
from cloudreel.core.filewire.reply import Reply

LEAST, MOST = 64 * 1024, 8 * 2**20  # bytes of a file that are sent by one call
LAST: Final = 4 * 1024  # bytes that wait until the file was found unchanged
TELL_EVERY: Final = 0.05  # seconds between two words on the progress of one part


@frozen
class FilePart:
    """Bytes of an open file that are the body of a request, with what is around them.

    Args:
        descriptor: of the file; it stays open until the request is over.
        offset: first byte in the file.
        length: bytes of the file.
        check: raises an error if the file has changed; it may block, and is called in a thread.
        verify: does so by the content, on the event loop, before ``after`` is sent.
        shortened: returns the error that says that the file ends after so many bytes of the part.
        sent: told on the event loop how many bytes of the file the connection has taken so far.
        before: bytes that are sent first.
        after: bytes that are sent last.
    """

    descriptor: int
    offset: int
    length: int
    check: Callable[[], None]
    verify: Callable[[], Coroutine[object, object, None]]
    shortened: Callable[[int], Exception]
    sent: Callable[[int], None] | None = None
    before: bytes = b""
    after: bytes = b""


class FileBody(ABC):
    """A body that may stand in a file."""

    @abstractmethod
    def in_file(self) -> FilePart | None:
        """Return where the bytes stand, None unless they are in a file that is open."""


def in_file(body: object) -> FilePart | None:
    """Return where in which file a body stands, None unless it stands in one that is open."""
    return body.in_file() if isinstance(body, FileBody) else None


class StaleError(Exception):
    """The service had closed a kept connection, and has seen nothing of the request."""


class Exchange:
    """One request and its answer over a connection.

    Args:
        head: of the request.
        part: its body.
        timeout: for each step.
        most: bytes of the answer's body after which it is read no further.
        connection: which the exchange has for itself.
        dial: connects it; None when it was kept from another request.
        call_soon: has the event loop call a function, without waiting for it.
    """

    def __init__(
        self,
        head: bytes,
        part: FilePart,
        timeout: httpx.Timeout,
        most: int,
        connection: Connection,
        dial: Callable[[], None] | None,
        call_soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self.part = part
        self.sent = 0  # bytes of the file that the connection has taken
        self.told = 0  # bytes of the file that somebody knows it has taken
        self._head = head
        self._connection = connection
        self._dial = dial
        self._call_soon = call_soon
        self._timeout = timeout
        self._reply = Reply(most)
        self._tell_at = time.monotonic() + TELL_EVERY
        self._by_kernel = True  # whether it moves the bytes from the file to the socket
        self._moved = False  # whether it has moved any
        self._is_sent = False  # whether the request is, as far as it was to be

    @property
    def is_reusable(self) -> bool:
        """Whether the connection can carry another request."""
        return self._is_sent and self._reply.is_reusable

    def run(self) -> Reply:
        """Do as `begin` and `end` do, one after the other."""
        self.begin()
        return self.end()

    def begin(self) -> None:
        """Send the request as far as the end of the file, unless the service refuses it before.

        Raises:
            StaleError: the kept connection was closed; nothing was sent.
            httpx.TransportError: the service cannot be reached, or takes nothing.
            Exception: what the part says of a file that has changed, or OSError if it cannot be read.
        """
        if self._dial is not None:
            self._dial()
        elif self._connection.has_news:
            raise StaleError
        # A service that refuses a part need not hear it to its end; it may have answered.
        with suppress(httpx.WriteError):
            self._send()

    def end(self) -> Reply:
        """Send what comes after the file, and read the answer.

        Raises:
            httpx.TransportError: no answer came, or not all of it.
            Exception: what the part says of a file that has changed.
        """
        if self._is_sent and self.part.after:
            self._is_sent = False
            with suppress(httpx.WriteError):
                self._connection.send(self.part.after, self._timeout.write)
                self._is_sent = True
        if self._is_sent and not self._reply.is_over and not self._connection.has_news_within(TELL_EVERY):
            self._tell()
        while not self._reply.is_over:
            self._receive()
        if self._moved and self._is_sent:
            # What the kernel moved stood in the file until it was on the line, so it may have changed then.
            self.part.check()
        return self._reply

    def _send(self) -> None:
        part = self.part
        try:
            self._connection.send(self._head + part.before, self._timeout.write, more=True)
        except httpx.WriteError as error:
            if self._dial is None:
                raise StaleError from error
            raise
        self._by_kernel = not self._connection.is_encrypted
        while left := part.length - self.sent:
            # What little is left need not be spared: the answer is heard after it.
            if self.sent and left > LAST and self._is_refused():
                return
            count = self._move(left - LAST) if left > LAST else self._finish(left)
            self.sent += count
            if time.monotonic() >= self._tell_at:
                self._tell()
        self._is_sent = True

    def _move(self, most: int) -> int:
        """Send what comes next, by the kernel if it can; return how much it was, which may be nothing."""
        began, step = time.monotonic(), self._connection.step
        count = min(most, step)
        move = self._connection.send_file if self._by_kernel else self._connection.copy_file
        try:
            moved = move(self.part.descriptor, self.part.offset + self.sent, count, self._timeout.write)
        except Full:
            # An answer that has been heard stays readable, so it would end each wait at once.
            self._connection.wait(self._timeout.write, for_news=not self._reply.status)
            return 0
        if moved is None:
            self._by_kernel = False
            return 0
        if not moved:
            raise self.part.shortened(self.sent)
        self._moved = self._moved or self._by_kernel
        # Slow lines show progress, fast ones save calls.
        taken = time.monotonic() - began
        if taken > TELL_EVERY:
            self._connection.step = max(step // 2, LEAST)
        elif count == step and taken < TELL_EVERY / 4:
            self._connection.step = min(step * 2, MOST)
        return moved

    def _finish(self, count: int) -> int:
        """Send the last bytes, unless the file has changed: the service gets no end of a part of it then."""
        part = self.part
        data = os.pread(part.descriptor, count, part.offset + self.sent)
        if len(data) < count:
            raise part.shortened(self.sent + len(data))
        part.check()
        self._connection.send(data, self._timeout.write)
        return count

    def _is_refused(self) -> bool:
        """Whether the service has refused the part already, and need not take the rest.

        Over TLS nobody knows before reading whether it has: it also sends what is no answer.
        """
        if not self._reply.status and not self._connection.is_encrypted and self._connection.has_news:
            self._receive()
        return self._reply.status >= 400

    def _tell(self) -> None:
        """Have the event loop pass on the progress. It waits for nobody."""
        sent, count = self.part.sent, self.sent
        self._tell_at = time.monotonic() + TELL_EVERY
        if sent is not None and count > self.told:
            self.told = count
            try:
                self._call_soon(lambda: sent(count))
            except RuntimeError:  # the event loop was closed: nobody waits for the part any more
                self._connection.end()
                raise

    def _receive(self) -> None:
        self._reply.feed(self._connection.receive(self._timeout.read))
