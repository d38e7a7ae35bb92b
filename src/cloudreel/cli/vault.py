"""A backup on disk: a folder for each video, with its files and a record of what they must be."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Final

from attrs import asdict, define, field, frozen

from cloudreel.cli.accounts import Item, StoredFile
from cloudreel.cli.output import json_value
from cloudreel.cli.paths import safe_name, safe_path
from cloudreel.errors import DecodeError, TransportError
from cloudreel.signing.shapes import is_mapping

RECORD: Final = "record.json"


@frozen
class Kept:
    """What a file of the backup was when it was fetched: bytes, digest, and which version it was."""

    size: int
    sha256: str
    version: str


@define
class Vault:
    """One video's folder. All methods block.

    Args:
        folder: it is made when the first file is.
        files: those that were fetched, by the service's name.
    """

    folder: Path
    files: dict[str, Kept] = field(factory=dict[str, Kept])

    @classmethod
    def of(cls, backup: Path, service: str, id: str) -> Vault:
        """Return the folder of a video, with what its record says.

        Raises:
            DecodeError: the record cannot be read.
        """
        folder = backup / safe_name(service) / safe_name(id)
        path = folder / RECORD
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return cls(folder)
        try:
            return cls(folder, _files(json.loads(text)))
        except (ValueError, TypeError, KeyError) as error:
            why = f"{str(path)!r} is no record of a backup; remove it to fetch its video again"
            raise DecodeError(why) from error

    def path(self, file: StoredFile) -> Path:
        """Return where a file goes; the folder is there afterwards."""
        path = self.folder / "files" / safe_path(file.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def has(self, file: StoredFile, *, quick: bool) -> bool:
        """Return whether a file is there, in its newest version and as it was fetched.

        Args:
            quick: look at the size only, do not read the file.
        """
        kept, path = self.files.get(file.name), self.folder / "files" / safe_path(file.name)
        if kept is None or kept.version != file.version or not path.is_file():
            return False
        if path.stat().st_size != kept.size:
            return False
        return quick or digest_of(path, "sha256") == kept.sha256

    def take(self, item: Item, file: StoredFile) -> Kept:
        """Check a file that was fetched, and write it down.

        Raises:
            TransportError: it is not what the service says it is; it is removed.
        """
        path = self.path(file)
        size = path.stat().st_size
        wrong = f"{size} bytes came of {file.size}" if file.size not in (None, size) else None
        if wrong is None and file.md5 and digest_of(path, "md5") != file.md5.lower():
            wrong = "its MD5 is not the one that the service tells"
        if wrong is not None:
            path.unlink()
            raise TransportError(f"{file.name} of {item.id} did not arrive whole: {wrong}")
        kept = self.files[file.name] = Kept(size, digest_of(path, "sha256"), file.version)
        self.write(item)
        return kept

    def write(self, item: Item) -> None:
        """Write down what there is of a video."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files = {name: asdict(kept) for name, kept in sorted(self.files.items())}
        text = json.dumps({**asdict(item), "files": files}, indent=2, default=json_value)
        draft = self.folder / f".{RECORD}"
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self.folder / RECORD)


def digest_of(path: Path, name: str) -> str:
    """Return the hexadecimal digest of a file.

    Args:
        name: of the function: ``sha256`` or ``md5``.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, name).hexdigest()


def _files(record: object) -> dict[str, Kept]:
    files = record["files"] if is_mapping(record) else None
    if not is_mapping(files):
        raise TypeError("files must be an object")
    return {str(name): _kept(each) for name, each in files.items()}


def _kept(value: object) -> Kept:
    match value:
        case {"size": int(size), "sha256": str(sha256), "version": str(version)}:
            return Kept(size, sha256, version)
        case _:
            raise TypeError("a file has a size, a sha256 and a version")
