"""What any of the services posts when something has happened, as one type. PURE.

Nothing in a notification is signed: ask the service before believing it. Duplicates are normal.
"""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Final, TypeAlias

from cloudreel.flixcloud.notifications import JobNotification
from cloudreel.flixcloud.xml import LARGEST_BODY
from cloudreel.panda.notifications import VideoNotification, parse_notification

__all__ = ["JobNotification", "Notification", "VideoNotification", "parse"]

Notification: TypeAlias = VideoNotification | JobNotification
"""A notification of Panda and Telestream, or one of Flix Cloud."""

_XML_BEGINS_WITH: Final = (b"<", b"\x00<", BOM_UTF16_LE, BOM_UTF16_BE)


def parse(body: bytes, content_type: str | None = None) -> Notification:
    """Return the notification that a request brings, whichever service it comes from.

    Args:
        body: the body as it came; receive no more than 1 MiB.
        content_type: what the request says of the body. The services do not agree on it, so that the body
            alone decides: XML is Flix Cloud's, a form or JSON is Panda's or Telestream's.

    Raises:
        DecodeError: it is no notification, or larger than 1 MiB (XML) or 128 KiB (forms and JSON).
    """
    beginning = body[:LARGEST_BODY].removeprefix(BOM_UTF8).lstrip()
    return JobNotification(body) if beginning.startswith(_XML_BEGINS_WITH) else parse_notification(body)
