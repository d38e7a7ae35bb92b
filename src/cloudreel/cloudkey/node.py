"""The upload node: a host of its own, whose addresses are permission enough. PURE.

Facts: cloudkey-rpc.md 11, cloudkey-rest.md 11.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from attrs import field, frozen

from cloudreel.cloudkey.models import UploadedFile, UploadStatus
from cloudreel.core import codec, redact
from cloudreel.core.call import Body, Call, Request, Response
from cloudreel.errors import DecodeError

MOST_REDIRECTS: Final = 5
_KEEPS_METHOD: Final = frozenset({307, 308})  # the others turn a POST into a GET (11.2)
_JSONP = re.compile(rb"\s*[\w$.?]+\s*\((.*)\)\s*;?\s*", re.DOTALL)


@frozen
class Redirect:
    """Where the node sends the client instead; ``again`` says that the file is to be sent there."""

    url: str = field(repr=redact.location)
    again: bool


def store(url: str, body: Body, content_type: str) -> Call[UploadedFile | Redirect]:
    """Return the call that sends a file; an address takes one, so that nothing is sent there twice."""
    headers = {"Content-Type": content_type}
    request = Request("POST", url, headers=headers, content=body, secret_url=True)
    return Call(request, lambda response: _stored(url, response), repeatable=False, signed=False)


def fetch(url: str) -> Call[UploadedFile | Redirect]:
    """Return the call that fetches the node's reply from where it has redirected to."""
    return Call(Request("GET", url, secret_url=True), lambda response: _stored(url, response), signed=False)


def status(url: str) -> Call[UploadStatus]:
    """Return the call that asks how far an upload has come."""
    return Call(Request("GET", url, secret_url=True), _status, signed=False)


def _stored(url: str, response: Response) -> UploadedFile | Redirect:
    if 300 <= response.status_code < 400:
        return _redirect(url, response)
    stored: UploadedFile = _reply(response.body, "url")
    return stored


def _redirect(url: str, response: Response) -> Redirect:
    target = urljoin(url, response.headers.get("location", ""))
    old, new = urlsplit(url), urlsplit(target)
    if target == url or not new.hostname or new.scheme not in (old.scheme, "https"):
        raise DecodeError("The upload node redirects to no address that may be followed")
    return Redirect(target, response.status_code in _KEEPS_METHOD)


def _status(response: Response) -> UploadStatus:
    call = _JSONP.fullmatch(response.body)
    status: UploadStatus = _reply(call[1] if call else response.body, "state")
    return status


def _reply(body: bytes, needed: str) -> Any:
    """Return a reply that is an object and says at least one thing; its type is said where it is used."""
    reply = codec.from_json(body)
    if not isinstance(reply, dict) or not isinstance(reply.get(needed), str):
        raise DecodeError(f"The upload node's reply says no {needed}")
    return reply
