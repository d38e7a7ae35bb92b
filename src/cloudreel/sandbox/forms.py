"""Request bodies that carry parameters: forms, multipart forms with a file, JSON.

A file goes straight to disk while it arrives; only the text is held in memory, and only so much of it.
"""

from __future__ import annotations

import secrets
from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from attrs import define, field
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from cloudreel.sandbox.files import Sink
from cloudreel.sandbox.refusals import Refusal, bad_request

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

__all__ = ["Form", "ReceivedFile", "boolean", "decode_form", "read_body", "read_form", "whole_number"]

_TEXT_LIMIT = 2**20


@define
class ReceivedFile:
    """The file part of a multipart form, already on disk."""

    path: Path
    name: str
    content_type: str

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self.path.stat().st_size

    def discard(self) -> None:
        """Remove it, unless it was moved elsewhere."""
        self.path.unlink(missing_ok=True)


@define
class Form:
    """The decoded parameters of a body, and its file if it had one."""

    fields: dict[str, str] = field(factory=dict[str, str])
    file: ReceivedFile | None = None


async def read_body(request: Request) -> bytes:
    """Return a body that is text.

    Raises:
        Refusal: it is longer than a mebibyte.
    """
    body = bytearray()
    async with aclosing(request.stream()) as stream:
        async for chunk in stream:
            body += chunk
            if len(body) > _TEXT_LIMIT:
                raise Refusal(413, "BadRequest", f"The body is longer than {_TEXT_LIMIT} bytes")
    return bytes(body)


async def read_form(request: Request, folder: Path) -> Form:
    """Return the parameters a body carries; a part called ``file`` is stored in ``folder``.

    Raises:
        Refusal: the body is no well-formed form. Nothing is left on disk then.
    """
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type == b"application/x-www-form-urlencoded":
        return Form(decode_form(await read_body(request)))
    if content_type == b"multipart/form-data":
        if b"boundary" not in options:
            raise bad_request("The multipart body has no boundary")
        return await _read_multipart(request, options[b"boundary"], folder)
    await read_body(request)
    return Form()


def decode_form(text: bytes) -> dict[str, str]:
    """Return the decoded pairs of a query string or form body; of a repeated name the last counts."""
    try:
        return dict(parse_qsl(text.decode(), keep_blank_values=True, errors="strict"))
    except ValueError as error:
        raise bad_request(f"The parameters cannot be decoded: {error}") from error


def whole_number(text: str) -> int | None:
    """Return the value of decimal digits, None for any other text; more than 18 digits are no number here."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def boolean(name: str, value: object) -> bool:
    """Return what a parameter says, in any of the spellings clients use.

    Raises:
        Refusal: it says neither true nor false.
    """
    text = str(value).lower()
    if text not in {"true", "1", "false", "0"}:
        raise bad_request(f"{name} must be true or false, not {str(value)[:40]!r}")
    return text in {"true", "1"}


async def _read_multipart(request: Request, boundary: bytes, folder: Path) -> Form:
    parts = _Parts()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": parts.begin,
            "on_header_field": parts.header_name,
            "on_header_value": parts.header_value,
            "on_header_end": parts.header_end,
            "on_headers_finished": parts.headers_finished,
            "on_part_data": parts.data,
            "on_part_end": parts.end,
            "on_end": parts.finish,
        },
    )
    path = folder / secrets.token_hex(16)
    form = Form(parts.fields)
    try:
        with Sink(path) as sink:
            async with aclosing(request.stream()) as stream:
                async for chunk in stream:
                    parser.write(chunk)
                    for data in parts.take_file_data():
                        await sink.write(data)
                await sink.flush()
        if not parts.finished:
            raise bad_request("The multipart body ends before its last boundary")
        if parts.file_name is not None:
            form.file = ReceivedFile(path, parts.file_name, parts.file_type)
    except MultipartParseError as error:
        raise bad_request(f"The multipart body is malformed: {error}") from error
    finally:
        if form.file is None:
            path.unlink(missing_ok=True)
    return form


class _Parts:
    """What the multipart parser has seen so far."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.file_type = "application/octet-stream"
        self.finished = False
        self._file_data: list[bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._name = ""
        self._is_file = False
        self._text = bytearray()
        self._text_size = 0

    def take_file_data(self) -> list[bytes]:
        taken, self._file_data = self._file_data, []
        return taken

    def begin(self) -> None:
        self._headers = {}
        self._text = bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._name = options.get(b"name", b"").decode(errors="replace")
        self._is_file = b"filename" in options or self._name == "file"
        if self._is_file and self._name == "file":
            if self.file_name is not None:
                raise bad_request("The form holds more than one file")
            self.file_name = options.get(b"filename", b"file").decode(errors="replace")
            self.file_type = self._headers.get(b"content-type", b"application/octet-stream").decode("latin-1")

    def data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._text_size += end - start
            if self._text_size > _TEXT_LIMIT:
                raise Refusal(413, "BadRequest", f"The text of the form is longer than {_TEXT_LIMIT} bytes")
            self._text += data[start:end]
        elif self._name == "file":
            self._file_data.append(data[start:end])

    def end(self) -> None:
        if not self._is_file:
            try:
                self.fields[self._name] = self._text.decode()
            except UnicodeDecodeError as error:
                raise bad_request(f"The form field {self._name} is not UTF-8") from error

    def finish(self) -> None:
        self.finished = True
