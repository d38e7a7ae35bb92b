"""The two digests the protocols ask for: MD5 of a text, HMAC-SHA256 under a prepared key.

`hashlib`, with all of OpenSSL behind it, is imported where it is needed: a signed URL does without.
"""

from __future__ import annotations

from binascii import b2a_base64
from importlib import import_module

from cloudreel.errors import SigningError

TYPE_CHECKING = False  # known to type checkers by name; see `urls`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Hash(Protocol):
        """What is used of a hash object."""

        def hexdigest(self) -> str:
            """Return the digest in lower-case hex."""
            ...


__all__ = ["HmacKey", "md5", "md5_hex", "utf8"]

_BLOCK_SIZE = 64  # of SHA-256, in bytes
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


def find_md5() -> Callable[[bytes], Hash]:
    """Return the cheapest MD5 of this interpreter.

    CPython's own `_md5` takes two thirds of the time of OpenSSL's on messages as short as ours and also works
    where OpenSSL forbids MD5; builds without it fall back to `hashlib`.
    """
    try:
        fast: Callable[[bytes], Hash] = import_module("_md5").md5
    except ImportError:
        import hashlib

        return lambda message: hashlib.md5(message, usedforsecurity=False)
    return fast


md5 = find_md5()


def utf8(text: str) -> bytes:
    """Return the UTF-8 bytes of `text`.

    Raises SigningError for lone surrogates. The message does not quote the text, which may be a secret.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        # `from None`: the original error carries the whole text.
        raise SigningError("a text to sign holds a lone surrogate, which UTF-8 cannot express") from None


def md5_hex(text: str) -> str:
    """Return the MD5 of the UTF-8 form of `text` as 32 lower-case hex digits."""
    return md5(utf8(text)).hexdigest()


class HmacKey:
    """An HMAC-SHA256 key whose two hash states are computed once and copied for each message."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: str) -> None:
        import hashlib

        key = utf8(secret)
        if len(key) > _BLOCK_SIZE:
            key = hashlib.sha256(key).digest()
        key = key.ljust(_BLOCK_SIZE, b"\0")
        self._inner = hashlib.sha256(key.translate(_INNER_PAD))
        self._outer = hashlib.sha256(key.translate(_OUTER_PAD))

    def sign(self, message: bytes) -> str:
        """Return the HMAC of `message` in base64: 44 characters, standard alphabet, padded."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return b2a_base64(outer.digest(), newline=False).decode("ascii")
