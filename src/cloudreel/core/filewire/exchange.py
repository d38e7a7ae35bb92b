"""One request whose body stands in a file, and its answer: everything here blocks, in a worker thread."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Final

import h11  # comes with httpx, which speaks HTTP/1.1 by it
import httpx
from attrs import frozen

from cloudreel.core.filewire.connection import Connection, Full

STEP: Final = 2**20  # bytes that the kernel is asked to move at once, to begin with
STEPS: Final = (
    64 * 1024,
    8 * 2**20,
)  # the least and the most of them: slow lines show progress, fast ones save calls
PIECE: Final = 256 * 1024  # bytes that are read and sent at once where the kernel cannot move them
LAST: Final = 4 * 1024  # bytes that wait until the file was found unchanged
READ_SIZE: Final = 64 * 1024  # bytes of an answer's body that are read at once
LONGEST_HEAD: Final = 100 * 1024  # bytes of an answer's head; httpx allows as many
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
        request: its head.
        part: its body.
        timeout: for each step.
        connection: which the exchange has for itself until the answer is read.
        dial: connects it; None when it was kept from another request.
        call_soon: has the event loop call a function, without waiting for it.
    """

    def __init__(
        self,
        request: h11.Request,
        part: FilePart,
        timeout: httpx.Timeout,
        connection: Connection,
        dial: Callable[[], None] | None,
        call_soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self.part = part
        self.is_over = False  # whether the answer has been read to its end
        self._connection = connection
        self._dial = dial
        self._call_soon = call_soon
        self._timeout = timeout
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._head = self._http.send(request)
        self._body = bytearray()  # of the answer, until it is taken
        self._sent = 0  # bytes of the file that the connection has taken
        self._step = STEP
        self._tell_at = 0.0
        self._by_kernel = True  # whether it moves the bytes from the file to the socket
        self._moved = False  # whether it has moved any
        self._is_sent = False  # whether the request is, as far as it was to be
        self._answer: h11.Response | None = None

    @property
    def is_reusable(self) -> bool:
        """Whether the connection can carry another request."""
        at_rest = self._http.their_state is h11.DONE and self._http.trailing_data == (b"", False)
        return self._is_sent and self.is_over and at_rest

    def run(self) -> h11.Response:
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

    def end(self) -> h11.Response:
        """Send what comes after the file, and read the answer as far as it comes at once.

        Raises:
            httpx.TransportError: no answer came.
            Exception: what the part says of a file that has changed.
        """
        if self._is_sent and self.part.after:
            self._is_sent = False
            with suppress(httpx.WriteError):
                self._connection.send(self.part.after, self._timeout.write)
                self._is_sent = True
        with _as_httpx():
            while self._answer is None:
                self._note(self._next_event())
            self.read()
        if self._moved and self._is_sent:
            # What the kernel moved stood in the file until it was on the line, so it may have changed then.
            self.part.check()
        return self._answer

    def read(self) -> None:
        """Read the next bytes of the answer's body, for `take`."""
        with _as_httpx():
            while len(self._body) < READ_SIZE and not self.is_over:
                event = self._next_event()
                if isinstance(event, h11.Data):
                    self._body += event.data
                self.is_over = isinstance(event, h11.EndOfMessage)

    def take(self) -> bytes:
        """Return what has been read of the answer's body."""
        taken, self._body = bytes(self._body), bytearray()
        return taken

    def _send(self) -> None:
        part = self.part
        try:
            self._connection.send(self._head + part.before, self._timeout.write, more=True)
        except httpx.WriteError as error:
            if self._dial is None:
                raise StaleError from error
            raise
        self._by_kernel = not self._connection.is_encrypted
        while left := part.length - self._sent:
            if self._is_refused():
                return
            if self._by_kernel and left > LAST:
                count = self._move(left - LAST)
            else:
                count = self._copy(min(left, PIECE))
            if count:
                self._sent += count
                self._tell()
        self._is_sent = True

    def _move(self, most: int) -> int:
        """Have the kernel send what comes next; return how much it took, which may be nothing."""
        part, began = self.part, time.monotonic()
        count = min(most, self._step)
        try:
            moved = self._connection.send_file(
                part.descriptor, part.offset + self._sent, count, self._timeout.write
            )
        except Full:
            # An answer that has been heard stays readable, so it would end each wait at once.
            self._connection.wait(self._timeout.write, for_news=self._answer is None)
            return 0
        if moved is None:
            self._by_kernel = False
            return 0
        if not moved:
            raise part.shortened(self._sent)
        self._moved = True
        taken = time.monotonic() - began
        if taken > TELL_EVERY:
            self._step = max(self._step // 2, STEPS[0])
        elif count == self._step and taken < TELL_EVERY / 4:
            self._step = min(self._step * 2, STEPS[1])
        return moved

    def _copy(self, count: int) -> int:
        part = self.part
        with self._connection.buffer(count) as buffer:
            read = os.preadv(part.descriptor, [buffer], part.offset + self._sent)
            if not read:
                raise part.shortened(self._sent)
            if read == part.length - self._sent:
                part.check()  # the service gets no end of a part of a changed file
            self._connection.send(buffer[:read], self._timeout.write)
        return read

    def _is_refused(self) -> bool:
        """Whether the service has refused the part already, and need not take the rest.

        Over TLS nobody knows before reading whether it has: it also sends what is no answer.
        """
        if self._answer is None and not self._connection.is_encrypted and self._connection.has_news:
            self._receive()
            with _as_httpx():
                while isinstance(event := self._http.next_event(), h11.InformationalResponse):
                    pass
            self._note(event)
        return self._answer is not None and self._answer.status_code >= 400

    def _tell(self) -> None:
        """Have the event loop pass on the progress: now and then, and at the end. It waits for nobody."""
        sent, count = self.part.sent, self._sent
        if sent is not None and (count == self.part.length or time.monotonic() >= self._tell_at):
            self._tell_at = time.monotonic() + TELL_EVERY
            try:
                self._call_soon(lambda: sent(count))
            except RuntimeError:  # the event loop was closed: nobody waits for the part any more
                self._connection.end()
                raise

    def _next_event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if not isinstance(event, type) or event is h11.PAUSED:
                return event
            self._receive()

    def _receive(self) -> None:
        data = self._connection.receive(self._timeout.read)
        if not data and self._http.their_state is h11.SEND_RESPONSE:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        self._http.receive_data(data)

    def _note(self, event: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]) -> None:
        if isinstance(event, h11.Response):
            self._answer = event


@contextmanager
def _as_httpx() -> Generator[None]:
    try:
        yield
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error
