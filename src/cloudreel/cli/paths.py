"""Names that a service made up, as names of files: none leads out of its folder. PURE."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

LONGEST: Final = 200  # characters; systems take 255 bytes
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def safe_path(name: str) -> PurePosixPath:
    """Return a relative path for a name with ``/`` in it, without ``..``, and without what systems refuse.

    What is safe already stays as it is; other characters are written as ``%`` and their code.
    """
    parts = [safe_name(part) for part in name.split("/") if part]
    return PurePosixPath(*(parts or [safe_name("")]))


def safe_name(part: str) -> str:
    """Return one component of a path."""
    text = "".join(char if _is_plain(char) else _escaped(char) for char in part)
    if text.startswith(".") or _RESERVED.fullmatch(text):
        text = f"{_escaped(text[0])}{text[1:]}"
    if len(text.encode()) > LONGEST:
        stem, dot, extension = text.rpartition(".")
        end = f"{dot}{extension}" if stem and len(extension) <= 10 else ""
        text = text.encode()[: LONGEST - len(end.encode())].decode(errors="ignore") + end
    return text or "_"


def _is_plain(char: str) -> bool:
    return char.isprintable() and char not in '\\:*?"<>|%'


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
