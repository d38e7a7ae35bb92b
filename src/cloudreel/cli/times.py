"""Points in time as people write them. PURE."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
EXPECTED: Final = "30m, 2h, 7d, UNIX seconds, an ISO 8601 time such as 2030-01-31T12:00Z, or never"
_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_EPOCH = re.compile(r"\d{9,10}")


def read_time(text: str, now: float) -> int:
    """Return a point in time as UNIX seconds; 0 for ``never``.

    Args:
        text: a span from now such as ``2h``, UNIX seconds, or an ISO 8601 time; without a zone it is UTC.
        now: UNIX seconds.

    Raises:
        ValueError: the text is none of these.
    """
    if text == "never":
        return 0
    if span := _SPAN.fullmatch(text):
        return int(now) + int(span[1]) * SECONDS[span[2]]
    if _EPOCH.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: {EXPECTED}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
