"""The signed form of what nearly every URL is, visible ASCII without a query, in one pass. PURE.

`urls` is the reference: it takes everything and says what is wrong. What both take comes out the same.
"""

from __future__ import annotations

from cloudreel.signing.digest import md5

TYPE_CHECKING = False  # known to type checkers by name; see `urls`
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["plain_url", "plain_urls"]

_SCHEMES = ("http://", "https://")
# Leaves visible ASCII as it is and changes all that needs care, "#" and "?" among it: the cheapest way to see
# whether a URL has any.
_CHANGED = bytes(byte if 0x20 < byte < 0x7F and byte not in b"#?" else byte ^ 0x80 for byte in range(256))


def plain_url(url: str, nonce: str, level: str, expires: str, secret_end: str, suffix: str) -> str | None:
    """Return a signed URL, or None where it needs the care of `sign_url`.

    Args:
        url: what is signed.
        nonce: in front of the secret in the digest.
        level: of security, as text.
        expires: in seconds since 1970, as text.
        secret_end: what the digest ends with: the key, the viewer's values, the public part.
        suffix: the public part with a dash before it, or nothing.
    """
    if not (nonce.isalnum() and nonce.isascii() and url.startswith(_SCHEMES)):
        return None
    try:
        message = f"{level}{url}{expires}{nonce}{secret_end}".encode()
        if message.translate(_CHANGED) != message:  # or the secret is what needs care
            return None
        digest = md5(message).hexdigest()
    except UnicodeEncodeError:
        return None
    return f"{url}?auth={expires}-{level}-{nonce}-{digest}{suffix}"


def plain_urls(
    urls: Sequence[str], nonces: Sequence[str], level: str, expires: str, secret_end: str, suffix: str
) -> list[str] | None:
    """Return signed URLs, or None where one of them needs the care of `sign_urls`.

    They are checked together, joined to one text. Arguments as those of `plain_url`, with as many nonces as
    URLs.
    """
    joined, marks = "".join(urls), "".join(nonces)
    if not (
        marks.isascii()
        and marks.isalnum()
        and all(nonces)
        and all(map(str.startswith, urls, [_SCHEMES] * len(urls)))
    ):
        return None
    parameter = f"?auth={expires}-{level}-"
    try:
        raw = joined.encode()
        if raw.translate(_CHANGED) != raw:
            return None
        return [
            f"{url}{parameter}{nonce}"
            f"-{md5(f'{level}{url}{expires}{nonce}{secret_end}'.encode()).hexdigest()}{suffix}"
            for url, nonce in zip(urls, nonces, strict=True)
        ]
    except UnicodeEncodeError:
        return None
