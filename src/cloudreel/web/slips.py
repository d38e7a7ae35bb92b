"""What a page is given for one upload, and shows again when the file is up. PURE.

A slip is signed by the application, so that it need not be stored: any of its processes can read it.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from attrs import asdict, frozen

from cloudreel.core.call import JSON
from cloudreel.core.codec import from_json, to_json
from cloudreel.errors import DecodeError

LONGEST_SLIP = 4096  # characters
MARK = "upload-"  # how the payload of a video begins that came by a slip


@frozen
class Slip:
    """The permission to upload one file.

    Args:
        nonce: different for every slip.
        name: base name of the file.
        size: of the file in bytes.
        expires: UNIX seconds.
    """

    nonce: str
    name: str
    size: int
    expires: int

    @property
    def payload(self) -> str:
        """What the service keeps with the video, which tells the videos of all slips apart."""
        return f"{MARK}{self.nonce}"

    def signed(self, secret: str) -> str:
        """Return the slip as text that only the holder of the secret can make."""
        packed = urlsafe_b64encode(to_json(asdict(self))).decode()
        return f"{packed}.{_mac(packed, secret)}"


def read_slip(text: str, secret: str, *, now: float) -> Slip:
    """Return the slip of a text.

    Args:
        text: what `Slip.signed` gave, as it came back.
        secret: the same as then.
        now: UNIX seconds.

    Raises:
        DecodeError: it is none, was signed with another secret, or has expired.
    """
    packed, _, mac = text[:LONGEST_SLIP].partition(".")
    if not text.isascii() or not hmac.compare_digest(mac, _mac(packed, secret)):
        raise DecodeError("This upload was not begun here")
    members: JSON = from_json(urlsafe_b64decode(packed))
    assert isinstance(members, dict), "nobody else can sign"
    slip = Slip(
        str(members["nonce"]), str(members["name"]), int(str(members["size"])), int(str(members["expires"]))
    )
    if slip.expires < now:
        raise DecodeError("This upload has expired; begin it anew")
    return slip


def _mac(text: str, secret: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
