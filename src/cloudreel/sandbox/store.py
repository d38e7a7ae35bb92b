"""What the sandbox remembers: JSON documents, stored parts and used signatures, in one SQLite file.

A killed process loses nothing it had answered for: every statement is its own transaction, but for what is
furnished together, written ahead. A machine that loses power may take the last of it along: a stand-in does
not wait for the disk.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["Document", "Store"]

Document: TypeAlias = dict[str, Any]
"""One stored object. Names that begin with an underscore are the sandbox's own and never leave it."""

_SCHEMA = """
PRAGMA synchronous = OFF;
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, id TEXT, scope TEXT, parent TEXT, body BLOB,
    UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS documents_by_scope ON documents (kind, scope);
CREATE INDEX IF NOT EXISTS documents_by_parent ON documents (kind, parent);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT, tag TEXT, part INTEGER, stored REAL, PRIMARY KEY (upload, tag, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS signatures (signature TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS digests (
    file TEXT PRIMARY KEY, size INTEGER, changed INTEGER, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
COMMIT;
"""


class Store:
    """Keep documents and files under one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            data / "sandbox.sqlite3", isolation_level=None, check_same_thread=False, timeout=30.0
        )
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database; nothing may be asked afterwards."""
        self._db.close()

    @contextmanager
    def together(self) -> Generator[None]:
        """Make what follows one transaction: many statements in the time of one."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def folder(self, name: str) -> Path:
        """Return the data directory's sub-folder ``name``, made if it is not there."""
        folder = self.data / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear(self) -> None:
        """Forget every document, part, signature and file; settings stay."""
        for table in ("documents", "parts", "signatures", "digests"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand in the line above
        for folder in self.data.iterdir():
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)

    # Documents

    def put(self, kind: str, id: str, document: Document, *, scope: str = "", parent: str = "") -> Document:
        """Store a new document under its kind and id and return it; scope and parent select lists."""
        self._db.execute(
            "INSERT INTO documents (kind, id, scope, parent, body) VALUES (?, ?, ?, ?, ?)",
            (kind, id, scope, parent, orjson.dumps(document)),
        )
        return document

    def get(self, kind: str, id: str, *, scope: str | None = None) -> Document | None:
        """Return one document, or None if there is none under that id (in that scope)."""
        row = self._db.execute(
            "SELECT scope, body FROM documents WHERE kind = ? AND id = ?", (kind, id)
        ).fetchone()
        if row is None or scope not in (None, row[0]):
            return None
        return _decoded(row[1])

    def update(self, kind: str, id: str, changes: Document) -> Document | None:
        """Set some members of a document; return the whole of it, or None if it is gone."""
        document = self.get(kind, id)
        if document is not None:
            document.update(changes)
            self._db.execute(
                "UPDATE documents SET body = ? WHERE kind = ? AND id = ?", (orjson.dumps(document), kind, id)
            )
        return document

    def delete(self, kind: str, id: str) -> bool:
        """Forget one document; say whether there was one."""
        return self._db.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, id)).rowcount > 0

    def list(
        self, kind: str, *, scope: str | None = None, parent: str | None = None, **members: str | bool
    ) -> list[Document]:
        """Return the documents of a kind (in a scope, of a parent) with these members, oldest first."""
        columns = {"kind": kind, "scope": scope, "parent": parent}
        given = {name: value for name, value in columns.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given)
        rows = self._db.execute(
            f"SELECT body FROM documents WHERE {where} ORDER BY number",  # noqa: S608 - our own names
            tuple(given.values()),
        )
        documents = (_decoded(row[0]) for row in rows.fetchall())
        return [d for d in documents if all(d.get(name) == value for name, value in members.items())]

    # Parts of uploads

    def add_part(self, upload: str, tag: str, part: int, now: float) -> None:
        """Mark a part as stored at ``now``, UNIX seconds; one that is so already stays as it is."""
        statement = "INSERT OR IGNORE INTO parts VALUES (?, ?, ?, ?)"
        self._db.execute(statement, (upload, tag, part, now))

    def parts(self, upload: str, tag: str = "") -> set[int]:
        """Return the indices of the stored parts of one file of an upload."""
        rows = self._db.execute("SELECT part FROM parts WHERE upload = ? AND tag = ?", (upload, tag))
        return {row[0] for row in rows.fetchall()}

    def part_stored(self, upload: str, tag: str, part: int) -> float | None:
        """Return since when one part is stored, in UNIX seconds, None if it is not."""
        statement = "SELECT stored FROM parts WHERE upload = ? AND tag = ? AND part = ?"
        row = self._db.execute(statement, (upload, tag, part)).fetchone()
        return None if row is None else float(row[0])

    def count_parts(self, upload: str) -> int:
        """Return how many parts of all files of an upload are stored."""
        count: int = self._db.execute("SELECT COUNT(*) FROM parts WHERE upload = ?", (upload,)).fetchone()[0]
        return count

    def drop_parts(self, upload: str) -> None:
        """Forget all parts of an upload."""
        self._db.execute("DELETE FROM parts WHERE upload = ?", (upload,))

    # Signatures, digests, settings

    def use_signature(self, signature: str, *, now: float, until: float) -> bool:
        """Remember a signature until an epoch second; say whether it had not been used."""
        self._db.execute("DELETE FROM signatures WHERE until < ?", (now,))
        statement = "INSERT OR IGNORE INTO signatures VALUES (?, ?)"
        return self._db.execute(statement, (signature, until)).rowcount > 0

    def digest(self, file: Path) -> tuple[int, str] | None:
        """Return size and hex SHA-256 of a stored file, computed once; None if there is no such file.

        Reads the whole file the first time: call it off the event loop.
        """
        try:
            stat = file.stat()
        except FileNotFoundError:
            return None
        name = str(file.relative_to(self.data))
        known = self._db.execute(
            "SELECT size, changed, sha256 FROM digests WHERE file = ?", (name,)
        ).fetchone()
        if known is not None and known[:2] == (stat.st_size, stat.st_mtime_ns):
            return known[0], known[2]
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        self._db.execute(
            "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?)",
            (name, stat.st_size, stat.st_mtime_ns, sha256),
        )
        return stat.st_size, sha256

    def setting(self, name: str) -> Document | None:
        """Return one setting, or None."""
        row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else _decoded(row[0])

    def set_setting(self, name: str, value: Document) -> None:
        """Keep one setting; it survives `clear`."""
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, orjson.dumps(value)))


def _decoded(body: bytes) -> Document:
    document: Document = orjson.loads(body)
    return document
