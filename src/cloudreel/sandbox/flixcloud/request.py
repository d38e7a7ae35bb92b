"""PURE. What a job request asks for, and what the service says to one it refuses (flixcloud.md section 3).

A document of the wrong shape and one that makes no sense are refused in different ways. The texts are those
of the vendor's Ruby library, behind the file they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from cloudreel.sandbox.flixcloud.recipes import RECIPES, SETTINGS, adjusted, find_recipe, thumbnail_recipe
from cloudreel.sandbox.media.presets import BadProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cloudreel.flixcloud.xml import Element

__all__ = ["BadSchema", "JobRequest", "Remote", "check_shape", "read_request"]

Shape: TypeAlias = "Mapping[str, Shape] | None"
"""The elements that an element may have, each with its own shape; None: text only."""

_FILE: Mapping[str, Shape] = {"url": None, "parameters": {"user": None, "password": None}}
_CUE_POINTS: Shape = {"cue-point": {"name": None, "time": None, "parameter": {"key": None, "value": None}}}
_REQUEST: Shape = {
    "api-key": None,
    "recipe-id": None,
    "recipe-name": None,
    "notification-url": None,
    "pass-through": None,
    "cue-points": {"event": _CUE_POINTS, "navigation": _CUE_POINTS},
    "file-locations": {
        "input": _FILE,
        "output": _FILE,
        "watermark": _FILE,
        "thumbnails": {**_FILE, "prefix": None},
    },
    "recipe-settings": dict.fromkeys(SETTINGS),
}
_REPEATED = frozenset({"cue-point", "parameter"})
_READ_FROM = ("http", "https", "ftp", "sftp", "s3")


class BadSchema(ValueError):
    """A document is well-formed but has not the elements of a job request; the text says where."""


@frozen
class Remote:
    """A file somewhere else. ``url`` is without credentials, ``prefix`` begins the names of thumbnails."""

    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)
    prefix: str = ""


@frozen
class JobRequest:
    """What a job shall do; ``pass_through`` is None where it was not given."""

    recipe_id: int
    input: Remote
    output: Remote
    watermark: Remote | None
    thumbnails: Remote | None
    notification_url: str | None
    pass_through: str | None
    settings: Mapping[str, str]


def check_shape(root: Element) -> None:
    """Refuse what is no job request by its elements; their order is free.

    Raises:
        BadSchema: an element is unknown, repeated, or has text where elements belong or the reverse.
    """
    if root.name != "api-request":
        raise BadSchema(f"the root is <{root.name[:80]}>, not <api-request>")
    _check(root, _REQUEST)


def read_request(
    root: Element, check_output: Callable[[str], str], check_folder: Callable[[str], str]
) -> JobRequest | list[str]:
    """Return what a job request asks for, or all that speaks against it.

    Args:
        root: a document that has its shape; the key is not looked at.
        check_output, check_folder: raise ValueError for a URL where no file, no folder can be stored.
    """
    reader = _Reader(root)
    files = root.child("file-locations")
    if files is None:
        reader.errors.append("file_locations is required")
    input = reader.remote(files, "input", _check_input)
    output = reader.remote(files, "output", check_output)
    watermark = reader.remote(files, "watermark", _check_input, required=False)
    thumbnails = reader.remote(files, "thumbnails", check_folder, required=False)
    recipe_id = reader.recipe()
    settings = reader.settings(recipe_id)
    reader.cue_points()
    notification_url = reader.notification_url()
    if reader.errors or input is None or output is None or recipe_id is None:
        return reader.errors
    pass_through = root.child("pass-through")
    return JobRequest(
        recipe_id=recipe_id,
        input=input,
        output=output,
        watermark=watermark,
        thumbnails=thumbnails,
        notification_url=notification_url,
        pass_through=None if pass_through is None else pass_through.text,
        settings=settings,
    )


def _check(element: Element, shape: Shape) -> None:
    if shape is None:
        if element.children:
            raise BadSchema(f"<{element.name}> must have text only")
        return
    if element.text.strip():
        raise BadSchema(f"<{element.name}> must have elements only")
    seen: set[str] = set()
    for child in element.children:
        if child.name not in shape:
            raise BadSchema(f"<{element.name}> has no element <{child.name[:80]}>")
        if child.name in seen and child.name not in _REPEATED:
            raise BadSchema(f"<{element.name}> has more than one <{child.name}>")
        seen.add(child.name)
        _check(child, shape[child.name])


class _Reader:
    """Reads the parts of a request and collects what is wrong with them."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self.errors: list[str] = []

    def recipe(self) -> int | None:
        id, name = self._root.value("recipe-id"), self._root.value("recipe-name")
        if id and name:
            self.errors.append("recipe_id and recipe_name cannot both be used")
        elif not id and not name:
            self.errors.append("recipe_id or recipe_name is required")
        elif id and not (id.isascii() and id.isdigit() and len(id) <= 18):
            self.errors.append("recipe_id must be an integer")
        else:
            found = find_recipe(int(id) if id else None, name)
            if found is None:
                self.errors.append(f"recipe_{'id' if id else 'name'} is not one of the account's recipes")
            return found
        return None

    def remote(
        self, files: Element | None, kind: str, check: Callable[[str], object], *, required: bool = True
    ) -> Remote | None:
        file = None if files is None else files.child(kind)
        if file is None:
            if required and files is not None:
                self.errors.append(f"{kind} is required")
            return None
        before = len(self.errors)
        self.errors += [f"{kind}: {error}" for error in _errors_of(file, check)]
        if len(self.errors) > before:
            return None
        url, login = _without_login(file.value("url") or "")
        parameters = file.child("parameters")
        if parameters is not None and (user := parameters.value("user")):
            login = user, parameters.value("password") or ""
        return Remote(url, login, file.value("prefix") or "")

    def notification_url(self) -> str | None:
        url = self._root.value("notification-url") or None
        if url is not None and not url.startswith(("http://", "https://")):
            self.errors.append("notification_url must begin with http:// or https://")
        return url

    def settings(self, recipe_id: int | None) -> dict[str, str]:
        given = self._root.child("recipe-settings")
        settings = {} if given is None else {child.name: child.text.strip() for child in given.children}
        try:
            thumbnail_recipe(settings)
            if recipe_id is not None:
                adjusted(RECIPES[recipe_id][1], settings)
        except BadProfile as error:
            self.errors.append(f"recipe_settings: {error}")
        return settings

    def cue_points(self) -> None:
        kinds = self._root.child("cue-points")
        for kind in () if kinds is None else kinds.children:
            for point in kind.children:
                if not point.value("name"):
                    self.errors.append(f"{kind.name} cue point: name is required")
                if not _is_seconds(point.value("time") or ""):
                    self.errors.append(f"{kind.name} cue point: time must be decimal seconds")


def _errors_of(file: Element, check: Callable[[str], object]) -> Iterator[str]:
    url = file.value("url")
    if not url:
        yield "url is required"
    else:
        try:
            check(url)
        except ValueError as error:
            yield str(error)
    parameters = file.child("parameters")
    if parameters is not None:
        # Empty ones are legal: the vendor's PHP library wrote them.
        yield from (f"{name} is required" for name in ("user", "password") if not parameters.all(name))
    if file.name == "thumbnails":
        prefix = file.value("prefix")
        if not prefix:
            yield "prefix is required"
        elif "/" in prefix or "\\" in prefix or not prefix.isprintable() or len(prefix.encode()) > 100:
            yield "prefix must be the beginning of a file name"


def _check_input(url: str) -> None:
    # Whether there is such a host shows when the file is fetched.
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.lower() not in _READ_FROM:
        raise ValueError(f"url must begin with one of {', '.join(f'{each}://' for each in _READ_FROM)}")
    urlsplit(url)


def _without_login(url: str) -> tuple[str, tuple[str, str] | None]:
    parts = urlsplit(url)
    _, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    login = unquote(parts.username or ""), unquote(parts.password or "")
    return parts._replace(netloc=host).geturl(), login


def _is_seconds(text: str) -> bool:
    whole, _, rest = text.partition(".")
    return (whole + rest).isascii() and (whole + rest).isdigit()
