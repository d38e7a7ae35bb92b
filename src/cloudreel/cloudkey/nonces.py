"""Random texts that are used once, in signed URLs.

They are drawn from the system's randomness many at a time: asking it for each costs more than the rest of a
signature.
"""

from __future__ import annotations

import os
import string
from typing import Final

ALPHABET: Final = (string.ascii_lowercase + string.digits).encode()
LENGTH: Final = 8  # cloudkey-rpc.md 12.2
DRAWN: Final = 4096  # bytes of randomness at a time

# Each letter stands for seven bytes; the four bytes that are left over would favour some letters.
_LETTERS = bytes(ALPHABET[byte % len(ALPHABET)] for byte in range(256))
_LEFT_OVER = bytes(range(256 // len(ALPHABET) * len(ALPHABET), 256))

_pool: list[str] = []


def fresh_nonce() -> str:
    """Return eight random letters and digits that nobody can foresee; threads may call it at once."""
    while True:
        try:
            return _pool.pop()
        except IndexError:
            _pool.extend(nonces_of(os.urandom(DRAWN)))


def nonces_of(randomness: bytes) -> list[str]:
    """Return as many nonces as random bytes allow."""
    letters = randomness.translate(_LETTERS, _LEFT_OVER).decode("ascii")
    return [letters[at : at + LENGTH] for at in range(0, len(letters) - LENGTH + 1, LENGTH)]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.clear)  # two processes must not draw the same ones
