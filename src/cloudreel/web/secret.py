"""What is good enough to keep an address or a slip from being guessed. PURE."""

from __future__ import annotations

import re
from typing import Final

SHORTEST: Final = 16  # characters
SAFE: Final = re.compile(r"[A-Za-z0-9_-]+")


def check_secret(secret: str) -> None:
    """Make sure that nobody guesses a secret, and that it can stand in a path as it is.

    Raises:
        ValueError: it is too short, or would have to be escaped.
    """
    if len(secret) < SHORTEST or not SAFE.fullmatch(secret):
        raise ValueError(
            f"The secret has to be {SHORTEST} or more letters, digits, - and _: make one with "
            "secrets.token_urlsafe()"
        )
