"""Where the results of encodings are: below their cloud's or factory's ``url``. PURE. Facts: panda.md 5.3."""

from __future__ import annotations

from urllib.parse import quote

from cloudreel.panda.models import SUCCESS, EncodingFields


def output_name(encoding: EncodingFields) -> str | None:
    """Return the name of an encoding's file, the first where there are several; None before there is one."""
    name = f"{encoding.path}{encoding.extname or ''}" if encoding.path else None
    return encoding.files[0] if encoding.files and name not in encoding.files else name


def output_size(encoding: EncodingFields, name: str) -> int | None:
    """Return the bytes of an encoding's file where the service says it: of one that is done and alone."""
    return encoding.file_size if encoding.status == SUCCESS and encoding.files == [name] else None


def output_url(folder: str, name: str) -> str:
    """Return the address of a file.

    Args:
        folder: the ``url`` of the cloud or factory.
        name: of the file, which may have slashes in it.
    """
    return f"{folder.rstrip('/')}/{quote(name)}"
