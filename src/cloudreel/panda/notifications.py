"""What Panda and Telestream post to a notification URL (panda.md 9, telestream.md 9). PURE.

Nothing in a notification is signed: fetch the object before believing it. Duplicates are normal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from attrs import Factory, frozen

from cloudreel.core.call import JSON
from cloudreel.core.codec import from_json, read_float, read_text, read_texts
from cloudreel.errors import DecodeError

# Bytes. With a video's payload a real one has about 2,000; reading percent escapes takes 80 times as many.
LARGEST_BODY = 128 * 1024
MOST_FIELDS = 1000

EVENTS: Final = frozenset({"video-created", "video-encoded", "encoding-progress", "encoding-complete"})
_SPELLINGS: Final = {"encoding-completed": "encoding-complete"}
_INDEXED = re.compile(r"(encoding_ids|encodings_ids)\[(\d{0,6})\]")


@frozen
class VideoNotification:
    """One event in the life of a video.

    Args:
        event: ``video-created``, ``video-encoded``, ``encoding-progress`` or ``encoding-complete``; a
            later word of the service is kept as it is.
        video_id: the video; the encoding events of old servers leave it out.
        encoding_id: the encoding that an encoding event is about.
        encoding_ids: the video's encodings, with the video events.
        progress: percent, with ``encoding-progress``.
        details: every field as it came, the video's own among them where they are sent along.
    """

    event: str
    video_id: str | None = None
    encoding_id: str | None = None
    encoding_ids: tuple[str, ...] = ()
    progress: float | None = None
    details: Mapping[str, JSON] = Factory(dict[str, JSON])

    @property
    def about(self) -> frozenset[str]:
        """The ids of the video and of the encodings that it concerns."""
        return frozenset(filter(None, (self.video_id, self.encoding_id, *self.encoding_ids)))


def parse_notification(body: bytes) -> VideoNotification:
    """Return the notification that a request body holds, form or JSON.

    Raises:
        DecodeError: it is none, or larger than 128 KiB.
    """
    if len(body) > LARGEST_BODY:
        raise DecodeError(f"A notification of {len(body)} bytes is larger than the {LARGEST_BODY} allowed")
    details = _json_fields(body) if body.lstrip()[:1] == b"{" else _form_fields(body)
    event = details.get("event")
    if not isinstance(event, str) or not event:
        raise DecodeError("This is no notification: it names no event")
    event = _SPELLINGS.get(event, event)
    try:
        notification = VideoNotification(
            event=event,
            video_id=read_text(details.get("video_id")) or None,
            encoding_id=read_text(details.get("encoding_id")) or None,
            encoding_ids=_encoding_ids(details),
            progress=read_float(details.get("progress")),
            details=details,
        )
    except ValueError as error:
        raise DecodeError(f"The {event[:40]} notification cannot be read: {str(error)[:80]}") from None
    _require_subject(notification)
    return notification


def _require_subject(notification: VideoNotification) -> None:
    needed = {"encoding": notification.encoding_id, "video": notification.video_id}
    subject = notification.event.partition("-")[0]
    if notification.event in EVENTS and not needed[subject]:
        raise DecodeError(f"The {notification.event} notification does not say which {subject} it is about")


def _json_fields(body: bytes) -> dict[str, JSON]:
    value = from_json(body)
    if not isinstance(value, dict):
        raise DecodeError("This is no notification: its JSON is no object")
    return value


def _form_fields(body: bytes) -> dict[str, JSON]:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        why = str(error)[:80]  # it quotes the body
        raise DecodeError(f"This is no notification: it is neither a form nor JSON ({why})") from None
    lists: dict[str, list[JSON]] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            lists.setdefault(name, []).append(value)
    return {**dict(pairs), **lists}


def _encoding_ids(details: Mapping[str, JSON]) -> tuple[str, ...]:
    whole = details.get("encoding_ids")
    if whole is not None:
        return tuple(read_texts(from_json(whole) if isinstance(whole, str) and whole else whole))
    indexed = [
        (int(match[2] or 0), text)
        for name, value in details.items()
        if (match := _INDEXED.fullmatch(name))
        for text in read_texts(value if isinstance(value, list) else [value])
        if text
    ]
    return tuple(text for _, text in sorted(indexed, key=lambda pair: pair[0]))
