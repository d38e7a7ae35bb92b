"""What a verifier says: yes, or no with the reason and both canonical texts."""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import quote

__all__ = ["SECRET", "Reason", "Verdict", "hide"]

Reason = Literal[
    "", "missing", "malformed", "expired", "signature", "asnum", "ip", "useragent", "country", "referer"
]

SECRET = "<secret>"  # noqa: S105 - what a canonical text shows where the secret stood


class Verdict(NamedTuple):
    """The outcome of a verification: truthy when accepted.

    ``reason`` is a short stable code, empty when accepted: ``missing`` (parameters), ``malformed``,
    ``expired``, ``signature`` (the digest is another one), ``asnum``, ``ip``, ``useragent`` (the URL is bound
    to a value the verifier was not given), ``country``, ``referer`` (the viewer is not among those allowed).
    ``message`` is the same for people; for requests it is the service's own text (panda.md section 6).

    ``verified_text`` is the text the verifier hashed. Where a well-known slip of signers gives exactly the
    signature that arrived, ``mistake`` names it and ``signed_text`` is the text the signer hashed. No field
    holds the secret, nor the signature that would have been right.
    """

    ok: bool
    reason: Reason = ""
    message: str = "the signature is valid"
    verified_text: str = ""
    signed_text: str | None = None
    mistake: str | None = None

    def __bool__(self) -> bool:
        return self.ok

    def explain(self, other: str | None = None) -> str:
        """Return the verdict as a few lines of text, with both canonical texts and their first difference.

        ``other`` is the text the signer hashed, if you have it; it is shown as given, so write ``<secret>``
        where the API key stood in it. Without it the text of a recognised mistake is compared. Characters
        that are not printable ASCII are shown as Python escapes.
        """
        lines = [f"accepted: {self.message}" if self.ok else f"refused ({self.reason}): {self.message}"]
        if self.verified_text:
            lines.append(f"verifier hashed: {_visible(self.verified_text)}")
        signed_text = self.signed_text if other is None else other
        if signed_text is not None:
            lines.append(f"signer hashed:   {_visible(signed_text)}")
            lines.append(_difference(self.verified_text, signed_text))
        elif self.reason == "signature":
            lines.append(
                "no known mistake gives the signature that arrived: the secrets may differ; "
                "otherwise pass the text the signer hashed to explain()"
            )
        if self.mistake is not None and other is None:
            lines.append(f"likely cause: {self.mistake}")
        return "\n".join(lines)


def hide(text: str, secret: str) -> str:
    """Return `text` with `secret`, plain or percent-encoded, replaced by ``<secret>``."""
    if not secret:
        return text
    encoded = quote(secret, safe="", errors="surrogatepass")
    return text.replace(secret, SECRET).replace(encoded, SECRET)


def _visible(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


def _difference(verified: str, signed: str) -> str:
    if verified == signed:
        return "both texts are the same: the secrets differ, or the signature changed on its way"
    pairs = enumerate(zip(verified, signed, strict=False))
    at = next((index for index, (ours, theirs) in pairs if ours != theirs), min(len(verified), len(signed)))
    margin = len("verifier hashed: ") + len(_visible(verified[:at]))
    return f"{' ' * margin}^ first difference, at character {at + 1}"
