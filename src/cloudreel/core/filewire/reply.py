"""The answer to one request, put together from what comes over the line."""

from __future__ import annotations

import re
from typing import Final

import h11
import httpx
from attrs import frozen

LONGEST_HEAD: Final = 100 * 1024  # bytes; httpx allows as many

# An answer as most come: whole, with its length, and nothing about the connection.
_STATUS: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [\t -~]*)?")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([!-~](?:[\t -~]*[!-~])?|)[\t ]*")
_LENGTH: Final = re.compile(rb"[0-9]{1,9}")
_BODILESS: Final = (204, 304)
_SPECIAL: Final = {b"connection", b"transfer-encoding", b"upgrade"}
_ASKED: Final = h11.Request(method="PUT", target="/", headers=[("Host", ""), ("Content-Length", "0")])


@frozen
class PlainHead:
    """The head of an answer that tells its length, and nothing about the connection."""

    status: int
    headers: list[tuple[bytes, bytes]]  # their names in lower case
    length: int  # bytes of the body
    size: int  # bytes of the head


def plain_head(data: bytes) -> PlainHead | None:
    """Return the head that the bytes begin with, None unless it is a plain one and whole.

    What it returns is what h11 would read, at a tenth of the time; where it is None, h11 is to be asked.
    """
    size = data.find(b"\r\n\r\n") + 4
    if not 4 <= size <= LONGEST_HEAD:
        return None
    first, *lines = data[: size - 4].split(b"\r\n")
    status = _STATUS.fullmatch(first)
    if status is None or int(status[1]) in _BODILESS:
        return None
    headers: list[tuple[bytes, bytes]] = []
    length = None
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            return None
        name, value = field[1].lower(), field[2]
        if name in _SPECIAL:
            return None
        if name == b"content-length":
            if length is not None or _LENGTH.fullmatch(value) is None:
                return None
            length = int(value)
        headers.append((name, value))
    return None if length is None else PlainHead(int(status[1]), headers, length, size)


class Reply:
    """One answer; what has come of it stands in its members.

    Args:
        most: bytes of the body after which no more is wanted.
    """

    def __init__(self, most: int) -> None:
        self.status = 0  # until the head has come
        self.headers: list[tuple[bytes, bytes]] = []  # their names in lower case
        self.body = bytearray()
        self.is_over = False  # whether nothing more is to come, or is wanted
        self.is_reusable = False  # whether the connection can carry another request after it
        self._most = most
        self._length: int | None = None  # of the body of a plain answer
        self._http: h11.Connection | None = None  # which reads any other

    def feed(self, data: bytes) -> None:
        """Take note of what has come, nothing when the service has closed.

        Raises:
            httpx.RemoteProtocolError: this is no answer, or it is cut short.
        """
        if not (data or self.status):
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        if self._http is None and self._length is None:
            if (head := plain_head(data)) is None:
                self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
                self._http.send(_ASKED)
                self._http.send(h11.EndOfMessage())
            else:
                self.status, self.headers, self._length = head.status, head.headers, head.length
                self._add(data[head.size :], head.length)
                return
        if self._length is None:
            self._feed_h11(data)
        elif data:
            self._add(data, self._length)
        else:
            got, expected = len(self.body), self._length
            raise httpx.RemoteProtocolError(f"The answer ended after {got} of {expected} bytes.")

    def _add(self, data: bytes, length: int) -> None:
        """Add to the body of a plain answer of so many bytes."""
        wanted = length - len(self.body)
        self.body += data[:wanted]
        self.is_over = len(data) >= wanted or len(self.body) > self._most
        self.is_reusable = len(data) == wanted

    def _feed_h11(self, data: bytes) -> None:
        assert self._http is not None
        try:
            self._http.receive_data(data)
            while not self.is_over and self._note(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        self.is_reusable = self._http.their_state is h11.DONE and self._http.trailing_data == (b"", False)

    def _note(self, event: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]) -> bool:
        """Take note of one thing that came; return whether there may be more."""
        if isinstance(event, h11.Response):
            self.status, self.headers = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            self.body += event.data
            self.is_over = len(self.body) > self._most
        elif isinstance(event, h11.EndOfMessage):
            self.is_over = True
        return isinstance(event, h11.Event)
