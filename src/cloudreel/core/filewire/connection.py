"""One HTTP/1.1 connection whose calls block, for a worker thread that sends a whole request.

One thread at a time uses it; `end` may be called by any other. What goes wrong is told in httpx's errors,
as its own connections do.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from math import ceil
from typing import TypeAlias

import httpx

Address: TypeAlias = tuple[int, int, int, str, tuple[str | int, ...]]
"""As ``getaddrinfo`` gives it: family, kind, protocol, canonical name, where."""

READ_SIZE = 64 * 1024  # bytes of an answer read at once
PIECE = 256 * 1024  # bytes; larger ones save nothing
STEP = 2**20  # bytes of a file that are sent by one call, to begin with
LOOKS = 10  # times in the timeout that the kernel lets go of what it cannot send
TOO_SLOW = "The service took or gave nothing in time"

_OF_THE_FILE = (errno.EIO, errno.EBADF)  # the disk fails, the file was closed
_NO_SENDFILE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)  # the file system cannot do it


class Full(Exception):
    """The connection takes nothing for now: the service, or the line, is behind."""


class Connection:
    """A socket to one service, which may be used for one request after the other.

    ``step`` is for who sends files: how many bytes are best sent by one call.

    Args:
        piece: bytes that are read and sent at once where the kernel cannot move them.
    """

    def __init__(self, piece: int = PIECE) -> None:
        self._piece = piece
        self._socket: socket.socket | None = None
        self._ended = False
        self._lock = threading.Lock()  # of the two above
        self._timeout: tuple[float | None] | None = None  # that was set last, if any was
        self._buffer = bytearray()
        self.step = STEP

    @property
    def is_open(self) -> bool:
        """Whether `open` has made it."""
        return self._socket is not None

    @property
    def is_encrypted(self) -> bool:
        """Whether it speaks TLS."""
        return isinstance(self._socket, ssl.SSLSocket)

    @property
    def has_news(self) -> bool:
        """Whether the service has sent something, or closed: an idle connection has nothing else to tell."""
        return self.has_news_within(0.0)

    def has_news_within(self, seconds: float) -> bool:
        """Wait for `has_news`, so many seconds at most; return whether there are any."""
        return self._ready(select.POLLIN, seconds)

    def open(
        self,
        addresses: Sequence[Address],
        context: ssl.SSLContext | None,
        host: str,
        timeout: float | None,
    ) -> None:
        """Connect to the first address that lets us.

        Args:
            addresses: tried in turn; each may take its share of the time.
            context: for TLS, None without it.
            host: whom the certificate has to name.
            timeout: seconds for connecting, and again for the TLS handshake; None for no limit.

        Raises:
            httpx.ConnectTimeout: nobody answered in time.
            httpx.ConnectError: nobody let us connect, or the certificate is not to be trusted.
        """
        with _told_as(httpx.ConnectError, httpx.ConnectTimeout):
            made = self._reach(addresses, timeout)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                made.settimeout(timeout)
                # The handshake comes after the socket is held, so that it can be ended.
                tls = context.wrap_socket(made, server_hostname=host, do_handshake_on_connect=False)
                self._hold(tls)
                tls.do_handshake()

    def send(self, data: bytes | memoryview, timeout: float | None, *, more: bool = False) -> None:
        """Send all of some bytes.

        Args:
            data: what to send.
            timeout: seconds that may pass while the service takes nothing, None for no limit.
            more: whether something follows at once, which may share a packet with it.

        Raises:
            httpx.WriteTimeout: the service did not take it in time.
            httpx.WriteError: the connection is broken.
        """
        used = self._limited(timeout)
        flags = socket.MSG_MORE if more and not self.is_encrypted else 0
        left = memoryview(data)
        while left:
            try:
                left = left[used.send(left, flags) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self.wait(timeout)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, timeout, httpx.WriteTimeout)
            except OSError as error:
                raise httpx.WriteError(str(error)) from error

    def send_file(self, descriptor: int, offset: int, count: int, timeout: float | None) -> int | None:
        """Have the kernel send bytes of a file, as many as the connection takes now.

        Args:
            descriptor: of the open file.
            offset: first byte in the file.
            count: bytes at most.
            timeout: seconds that `wait` will wait, None for no limit.

        Returns:
            How many bytes were taken, 0 at the end of the file; None where the kernel cannot do this.

        Raises:
            Full: it took none for a tenth of the timeout.
            httpx.WriteError: the connection is broken.
            OSError: the file cannot be read.
        """
        used = self._limited(timeout)
        try:
            return os.sendfile(used.fileno(), descriptor, offset, count)
        except BlockingIOError as error:
            raise Full from error
        except OSError as error:
            if error.errno in _NO_SENDFILE:
                return None
            if error.errno in _OF_THE_FILE:
                raise
            raise httpx.WriteError(str(error)) from error

    def copy_file(self, descriptor: int, offset: int, count: int, timeout: float | None) -> int:
        """Read bytes of a file and send them: over TLS, or where the kernel cannot do both at once.

        Arguments as those of `send_file`.

        Returns:
            How many bytes were sent, 0 at the end of the file.

        Raises:
            httpx.WriteTimeout: the service did not take them in time.
            httpx.WriteError: the connection is broken.
            OSError: the file cannot be read.
        """
        at, end = offset, offset + count
        with self.buffer(min(count, self._piece)) as buffer:
            while at < end and (read := os.preadv(descriptor, [buffer[: end - at]], at)):
                self.send(buffer[:read], timeout)
                at += read
        return at - offset

    def wait(self, timeout: float | None, *, for_news: bool = False) -> None:
        """Wait, after `Full`, until the connection takes something again.

        Args:
            timeout: seconds in all that may pass while nothing moves, None for no limit.
            for_news: whether to return as well when the service has sent something.

        Raises:
            httpx.WriteTimeout: it took nothing in time.
        """
        waited = 0.0 if self.is_encrypted else 1 / LOOKS  # of it, by the kernel
        left = None if timeout is None else timeout * (1 - waited)
        self._wait(select.POLLOUT | (select.POLLIN if for_news else 0), left, httpx.WriteTimeout)

    def receive(self, timeout: float | None) -> bytes:
        """Return what has come, waiting for something if need be; nothing when the service has closed.

        Raises:
            httpx.ReadTimeout: nothing came in time.
            httpx.ReadError: the connection is broken.
        """
        used = self._limited(timeout)
        with _told_as(httpx.ReadError, httpx.ReadTimeout):
            while True:
                try:
                    return used.recv(READ_SIZE)
                except ssl.SSLWantReadError:
                    self._wait(select.POLLIN, timeout, httpx.ReadTimeout)
                except ssl.SSLWantWriteError:
                    self._wait(select.POLLOUT, timeout, httpx.ReadTimeout)

    def buffer(self, size: int) -> memoryview:
        """Return memory of this size, the same each time; `send` is done with it when it returns."""
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        return memoryview(self._buffer)[:size]

    def end(self) -> None:
        """End what is under way: the thread in it wakes with an error. Any thread may call this."""
        with self._lock:
            self._ended = True
            if self._socket is not None:
                with suppress(OSError):  # it was never connected, or is not any more
                    # Not SSLSocket's own, which would have the thread go on in plain text.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket. No thread may be using it."""
        with self._lock:
            if self._socket is not None:
                if self._ended:
                    # What the kernel still holds of a part that was given up is not to be sent.
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("@ii", 1, 0))
                self._socket.close()
            self._ended = True

    def _reach(self, addresses: Sequence[Address], timeout: float | None) -> socket.socket:
        until = None if timeout is None else time.monotonic() + timeout
        failure = OSError("The name of the host has no address")
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            share = None
            if until is not None:
                share = max(until - time.monotonic(), 0.0) / (len(addresses) - number)
            try:
                made = socket.socket(family, kind, protocol)
                made.setblocking(False)
                self._hold(made)
                self._connect(made, address, share)
            except OSError as error:
                failure = error
            else:
                return made
        raise failure

    def _connect(self, made: socket.socket, address: tuple[str | int, ...], timeout: float | None) -> None:
        with self._lock:  # `end` comes before this, or finds a socket that it can end
            begun = errno.ECONNABORTED if self._ended else made.connect_ex(address)
        if begun == errno.EINPROGRESS:
            begun = errno.ETIMEDOUT
            if self._ready(select.POLLOUT, timeout):
                begun = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if begun:
            raise OSError(begun, os.strerror(begun))

    def _hold(self, made: socket.socket) -> None:
        """Make a socket the one to use, to end and to close."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = made
            if self._ended:
                raise OSError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))

    def _used(self) -> socket.socket:
        assert self._socket is not None
        return self._socket

    def _limited(self, timeout: float | None) -> socket.socket:
        """Return the socket, whose calls take no longer than the timeout while nothing moves.

        The kernel keeps the time of a plain socket: each of its calls is then one system call, as sendfile
        would have to be in any case. Those of TLS wait for nothing, and say so: whatever else has Python
        look before each record whether the connection takes it.
        """
        used = self._used()
        if self._timeout != (timeout,):
            self._timeout = (timeout,)
            if isinstance(used, ssl.SSLSocket):
                used.settimeout(0.0)
            else:
                used.settimeout(None)
                # The kernel takes the time of each piece within a sendfile anew, so it gets a part of it.
                used.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _kernel_time(timeout, LOOKS))
                used.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _kernel_time(timeout))
        return used

    def _wait(self, event: int, timeout: float | None, late: type[httpx.TimeoutException]) -> None:
        if not self._ready(event, timeout):
            raise late(TOO_SLOW)

    def _ready(self, event: int, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self._used(), event)
        return bool(poll.poll(None if timeout is None else timeout * 1000))


def _kernel_time(timeout: float | None, share: int = 1) -> bytes:
    """Return seconds, None for no limit, as a ``timeval``."""
    return struct.pack("@ll", *divmod(0 if timeout is None else ceil(timeout / share * 10**6), 10**6))


@contextmanager
def _told_as(failure: type[httpx.NetworkError], timeout: type[httpx.TimeoutException]) -> Generator[None]:
    try:
        yield
    except (TimeoutError, BlockingIOError) as error:
        raise timeout(TOO_SLOW) from error
    except OSError as error:
        raise failure(str(error)) from error
