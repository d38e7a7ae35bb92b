"""The synchronous twins say what their originals say, in files that are generated and in step."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import Parameter
from pathlib import Path

import pytest

import cloudreel
from cloudreel._generate.__main__ import out_of_step

SOURCE = Path(cloudreel.__file__).parent
CONTEXT = {"__enter__": "__aenter__", "__exit__": "__aexit__"}


def test_a_fresh_generation_says_what_the_files_say() -> None:
    assert out_of_step() == []


def pairs() -> Iterator[tuple[type, type]]:
    """Yield every twin with its original; a module also imports twins of others."""
    for path in sorted(SOURCE.glob("*/sync.py")):
        module = import_module(f"cloudreel.{path.parent.name}.sync")
        for name, original in vars(module).items():
            if name.startswith("Async") and isinstance(original, type):
                yield vars(module)[name.removeprefix("Async")], original


PAIRS = {f"{twin.__module__.split('.')[1]}.{twin.__name__}": (twin, original) for twin, original in pairs()}


def without_async(text: str) -> str:
    """Return a type or docstring as it reads where there is no async code."""
    text = re.sub(r"\bAsync(Iterator|Generator)\b", "Iterator", text)
    text = re.sub(r"(?<!httpx\.)\bAsync(?=[A-Z])", "", text)
    text = re.sub(r" (?:for|on) asyncio and trio\b", "", text)
    return re.sub(r"\b(?:await |async (?=with|for|iterator))", "", text)


def shape(function: object) -> list[tuple[str, object, object]]:
    """Return the parameters of a function: names with stars, kinds, defaults, types as text."""
    assert callable(function)
    return [
        (without_async(str(parameter.replace(default=Parameter.empty))), parameter.kind, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
    ]


def test_there_are_twins() -> None:
    assert {
        *(f"telestream.{name}" for name in ("Telestream", "Factory", "Video", "Encoding", "Profile")),
        *(f"cloudkey.{name}" for name in ("CloudKey", "Media", "File", "User", "RemoteObject")),
        *(f"cloudkey_rest.{name}" for name in ("CloudKeyRest", "Media", "File", "User", "RemoteMethod")),
        *(f"panda.{name}" for name in ("Panda", "Cloud", "Video", "Encoding", "Profile", "Notifications")),
        *(f"flixcloud.{name}" for name in ("FlixCloud", "Job")),
        "uploads.UploadSession",
    } <= set(PAIRS)


@pytest.mark.parametrize(("twin", "original"), PAIRS.values(), ids=PAIRS)
def test_a_twin_has_every_public_member_and_no_other(twin: type, original: type) -> None:
    def public(kind: type) -> set[str]:
        found = {name for name in dir(kind) if not name.startswith("_")}
        return found | {name for name in getattr(kind, "__annotations__", {}) if not name.startswith("_")}

    set_in_constructor = {
        name
        for name, member in vars(twin).items()
        if isinstance(member, property) and member.fset is not None
    }
    assert public(twin) - set_in_constructor == public(original) - set_in_constructor


@pytest.mark.parametrize(("twin", "original"), PAIRS.values(), ids=PAIRS)
def test_a_method_takes_gives_and_says_the_same(twin: type, original: type) -> None:
    for name, method in vars(twin).items():
        if not inspect.isfunction(method) or name in ("__init__", "__getattr__", "__setattr__"):
            continue
        source = inspect.getattr_static(original, CONTEXT.get(name, name))
        assert shape(method) == shape(source), name
        assert method.__annotations__["return"] == without_async(source.__annotations__["return"]), name
        assert not inspect.iscoroutinefunction(method), name
        assert (method.__doc__ or "") == without_async(source.__doc__ or ""), name


def test_a_facade_is_made_with_the_same_arguments() -> None:
    facades = [(twin, original) for twin, original in PAIRS.values() if hasattr(original, "from_env")]
    assert facades
    for twin, original in facades:
        assert shape(twin.__init__) == shape(original.__init__)
