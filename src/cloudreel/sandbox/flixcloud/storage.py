"""Where outputs go: a place in the data directory for every remote file, served over HTTP as well.

What a job sends to ``ftp://host/path`` lies in ``storage/ftp/host/path`` of the data directory, is served
under ``/storage/ftp/host/path``, and is the input of a later job that names the same URL. A user or a port
makes no other place. A file that came with a user and a password is had again with these only; over HTTP
anybody gets it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from anyio import to_thread

from cloudreel.sandbox.net import FetchFailed
from cloudreel.sandbox.outputs import files_route

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.routing import Route

    from cloudreel.sandbox.state import World

__all__ = ["SCHEMES", "BadAddress", "find", "folder_place", "place", "put", "served_at", "storage_route"]

SCHEMES = ("ftp", "sftp", "s3")
"""How outputs may be sent (flixcloud.md 3.1)."""

_KIND = "stored_file"
_HOST = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,252}", re.ASCII)
_NAME_LIMIT = 200  # bytes


class BadAddress(ValueError):
    """A URL names no place where a file could be stored; the text says why."""


def place(url: str) -> str:
    """Return the place of a file, ``scheme/host/path``, in which nothing is encoded.

    Raises:
        BadAddress: the URL is of another scheme, has no host, or its path is none of a file.
    """
    scheme, host, names = _split(url)
    if not names or url.endswith("/"):
        raise BadAddress("url must name a file, not a folder")
    return "/".join((scheme, host, *names))


def folder_place(url: str) -> str:
    """Return the place of a folder, with a slash at its end.

    Raises:
        BadAddress: as for :func:`place`.
    """
    return "/".join((*_flat(_split(url)), ""))


def find(world: World, url: str, login: tuple[str, str] | None) -> Path | None:
    """Return what is stored for a URL, None if nothing is.

    Raises:
        FetchFailed: the file is another user's.
    """
    try:
        found = place(url)
    except BadAddress:
        return None
    path = world.store.folder("storage") / found
    if not path.is_file():
        return None
    owner = world.store.get(_KIND, found)
    if owner is not None and owner["login"] is not None and owner["login"] != list(login or ()):
        raise FetchFailed("Login incorrect: the file was stored with another user or password")
    return path


async def put(world: World, file: Path, place: str, login: tuple[str, str] | None) -> None:
    """Move a finished file to its place; one that is there already is replaced at once.

    Raises:
        OSError: the place cannot be made, because a file is where a folder should be or the reverse.
    """
    path = world.store.folder("storage") / place

    def move() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        file.replace(path)

    await to_thread.run_sync(move)
    world.store.delete(_KIND, place)
    world.store.put(_KIND, place, {"login": login})


def served_at(world: World, place: str) -> str:
    """Return the HTTP URL of a place."""
    return f"{world.base_url}/storage/{quote(place)}"


def storage_route(world: World) -> Route:
    """Return the route that serves what is stored; ranges are honoured."""
    return files_route("/storage", world.store.data / "storage")


def _split(url: str) -> tuple[str, str, list[str]]:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise BadAddress(f"url cannot be read: {error}") from error
    if parts.scheme not in SCHEMES:
        raise BadAddress(f"url must begin with one of {', '.join(f'{each}://' for each in SCHEMES)}")
    if not _HOST.fullmatch(host):
        raise BadAddress("url must name a host")
    # None of these schemes has a query: what stands after the host is the path.
    path = url.partition("://")[2].partition("/")[2]
    names = [unquote(name) for name in path.split("/") if name]
    for name in names:
        if name in {".", ".."} or "/" in name or "\\" in name or not name.isprintable():
            raise BadAddress("url must have a path of printable names, without . and ..")
        if len(name.encode()) > _NAME_LIMIT:
            raise BadAddress(f"url must not have a name longer than {_NAME_LIMIT} bytes")
    return parts.scheme, host, names


def _flat(split: tuple[str, str, list[str]]) -> tuple[str, ...]:
    scheme, host, names = split
    return (scheme, host, *names)
