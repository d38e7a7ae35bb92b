"""The head of a request as bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import h11  # comes with httpx, which speaks HTTP/1.1 by it
import httpx

_TARGET: Final = re.compile(rb"[!-~]+")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_VALUE: Final = re.compile(r"[!-~](?:[\t -~]*[!-~])?")


def head(method: str, target: bytes, fields: Mapping[str, str]) -> bytes:
    """Return the head of a request, as `head_by_h11` does; it takes a tenth of the time.

    Args:
        method: of HTTP.
        target: path and query.
        fields: the headers, ``Host`` first.

    Raises:
        httpx.LocalProtocolError: this cannot be sent.
    """
    lines: list[str] = []
    for name, value in fields.items():
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            return head_by_h11(method, target, fields)
        lines.append(f"{name}: {value}\r\n")
    if _NAME.fullmatch(method) is None or _TARGET.fullmatch(target) is None:
        return head_by_h11(method, target, fields)
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), target, "".join(lines).encode())


def head_by_h11(method: str, target: bytes, fields: Mapping[str, str]) -> bytes:
    """Return the head of a request, made by the library that also makes httpx's.

    Raises:
        httpx.LocalProtocolError: this cannot be sent.
    """
    try:
        request = h11.Request(
            method=method, target=target, headers=[(name, value) for name, value in fields.items()]
        )
        return h11.Connection(h11.CLIENT).send(request) or b""
    except (h11.LocalProtocolError, UnicodeEncodeError) as error:
        raise httpx.LocalProtocolError(str(error)) from error
