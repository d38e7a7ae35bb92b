"""What a log line or an error may show. PURE.

The old services put secrets wherever they pleased: in the query (Panda, Telestream, signed CloudKey
URLs), in a JSON body (CloudKey RPC), in XML (Flix Cloud), in an upload location (all of them).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

E = TypeVar("E", bound=BaseException)

MASK = "***"
SHORTEST_QUERIED = 6  # characters of what may be a key rather than a number or a word: in a query
SHORTEST_NAMED = 16  # and in a path

_NAMES = (
    "access_key|secret_key|signature|auth|token|drm_token|api[_-]key|aws_access_key|aws_secret_key"
    "|password|seal|user_aws_key|user_aws_secret|encryption_key|input_password|output_password"
    "|watermark_password|thumbnails_password|awsaccesskeyid|x-amz-(?:credential|security-token|signature)"
)
_START = r"(?:(?<![\w-])|(?<=%[0-9A-F]{2})|(?<=\\[nrt]))"  # of a name, also behind an escaped character
# Each pattern runs in linear time: bodies of many MiB pass through here.
_QUERY = re.compile(rf"(?i){_START}((?:{_NAMES})(?:\]|%5D)?=)[^&\s\"'<>]*")
# A URL with secrets of its own may be the value of a parameter (source_url), and is escaped then.
_ESCAPED_QUERY = re.compile(rf"(?i){_START}((?:{_NAMES})(?:%5D)?%3D)(?:(?!%26)[^&\s\"'<>])*")
_USERINFO = re.compile(r"(:\\?/\\?/)[^/\s\"'<>\\]+@")
_ESCAPED_USERINFO = re.compile(r"(?i)(%3A%2F%2F)(?:(?!%2F)[^&/\s\"'<>])+%40")
# The end of a text that was cut may be missing.
_JSON_MEMBER = re.compile(rf"(?i)\"({_NAMES}|location)\"\s*:\s*(?:\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z)|[\w.+-]+)")
_XML_ELEMENT = re.compile(r"(?is)<(api-key|password)\b([^<>]*)(?<!/)>(?:<!\[CDATA\[.*?(?:\]\]>|\Z)|[^<])*")
_UPLOAD_URL = re.compile(r"(?i)(https?:(?:\\?/){2}[^/\s\"'<>]+/)(?:upload|files|status)\b[^\s\"'<>]*")
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "location", "x-api-key"}
)


def url(value: str) -> str:
    """Return a URL with the values of secret parameters and any user:password masked.

    Args:
        value: a whole URL, or a path with an optional query.
    """
    value = _USERINFO.sub(rf"\1{MASK}@", value)
    value = _ESCAPED_USERINFO.sub(rf"\1{MASK}%40", value)
    value = _QUERY.sub(rf"\1{MASK}", value)
    return _ESCAPED_QUERY.sub(rf"\1{MASK}", value)


def location(value: str) -> str:
    """Return scheme and host of a URL whose mere possession is the permission to use it."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return MASK
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, f"/{MASK}", "", "")) if host else MASK


def headers(values: Mapping[str, str]) -> dict[str, str]:
    """Return headers with the values of those that carry credentials or capabilities masked."""
    return {name: MASK if name.lower() in _SECRET_HEADERS else text(value) for name, value in values.items()}


def text(value: str) -> str:
    """Return free text (a message, a body) with everything that looks like a secret masked."""
    value = _JSON_MEMBER.sub(rf'"\1":"{MASK}"', value)
    value = _XML_ELEMENT.sub(rf"<\1\2>{MASK}", value)
    return url(_UPLOAD_URL.sub(rf"\1{MASK}", value))


def capability(value: str, whole: str) -> str:
    """Return free text without the parts of a location that make it a capability, wherever they are quoted.

    Args:
        value: free text, such as the message of a refusal.
        whole: the location that was called.
    """
    parts = urlsplit(whole)
    queried = [text for _, text in parse_qsl(parts.query) if len(text) >= SHORTEST_QUERIED]
    named = [text for text in parts.path.split("/") if len(text) >= SHORTEST_NAMED]
    for secret in (*queried, *named):
        value = value.replace(secret, MASK)
    return value


def line(value: str) -> str:
    """Return free text as `text` does, on one line."""
    return " ".join(text(value).split())


def error(value: E) -> E:
    """Mask the texts of an exception and of its causes, all of which a traceback shows, and return it."""
    beneath: BaseException | None = value
    while beneath is not None:
        beneath.args = tuple(text(arg) if isinstance(arg, str) else arg for arg in beneath.args)
        beneath = beneath.__cause__
    return value
