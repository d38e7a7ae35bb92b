"""What is public explains its arguments: all of them or, where one sentence says it, none; and no others.

Few arguments need no list: `find(video_id)` is told by "Return one video". Whoever takes the arguments of
another says whose, with its name in backticks.
"""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVICES = ["cloudkey", "cloudkey_rest", "flixcloud", "panda", "telestream"]
MODULES = [*SERVICES, "downloads", "fleet", "notifications", "sandbox", "signing", "uploads", "web"]

MADE_BY_CLIENTS = {"transport", "impl"}  # what begins with one of these has no caller outside
FEW = 2  # arguments that a sentence can tell
OTHERS = re.compile(r"[Aa]rguments|as (?:in|for|of|what) |like `|see `|what .* takes", re.DOTALL)


def explained(text: str) -> set[str]:
    """Return the arguments that a docstring lists."""
    text = inspect.cleandoc(text)
    found = re.search(r"^Args:\n((?:(?: {4}.*)?\n?)+)", text, re.MULTILINE)
    heads = re.findall(r"^ {4}([\w*][\w*, `]*):", found[1], re.MULTILINE) if found else []
    listed = {name.strip("*` ") for head in heads for name in head.split(",")}
    return listed | set(re.findall(r"^:param (\w+):", text, re.MULTILINE))


def faults(function: Callable[..., object], *texts: str) -> list[str]:
    """Return what is wrong with what docstrings, its own and its bases', say of arguments."""
    text = "\n\n".join(texts)
    names = {name for name in inspect.signature(function).parameters if name not in {"self", "cls"}}
    listed = set[str]().union(*map(explained, texts))
    if listed:
        return [
            *(f"does not list {name}" for name in sorted(names - listed)),
            *(f"lists {name}, which it does not take" for name in sorted(explained(texts[0]) - names)),
        ]
    told = len(names) <= FEW or OTHERS.search(text) or all(re.search(rf"\b{name}\b", text) for name in names)
    return [] if told else [f"takes {', '.join(sorted(names))} and tells of none of them"]


def functions(module: str) -> Iterator[tuple[Callable[..., object], list[str]]]:
    """Yield the public functions, methods and constructors of a module, with their docstrings."""
    home = import_module(f"cloudreel.{module}")
    for name in home.__all__:
        thing = getattr(home, name)
        if inspect.isfunction(thing):
            yield thing, [thing.__doc__ or ""]
        if not inspect.isclass(thing) or issubclass(thing, BaseException):
            continue
        line = [base for base in thing.__mro__ if base.__module__.startswith("cloudreel")]
        if "__init__" in vars(thing) and not MADE_BY_CLIENTS & set(
            list(inspect.signature(thing).parameters)[:2]
        ):
            yield thing.__init__, [base.__doc__ or "" for base in line]
        for attribute, value in inspect.getmembers(thing, inspect.isfunction):
            if not attribute.startswith("_") and str(value.__module__).startswith("cloudreel"):
                yield value, [vars(base)[attribute].__doc__ or "" for base in line if attribute in vars(base)]


def name(function: Callable[..., object]) -> str:
    """Return the full name of a function."""
    return f"{function.__module__}.{function.__qualname__}"


@pytest.mark.parametrize("module", MODULES)
def test_arguments_are_explained(module: str) -> None:
    found = {name(function): faults(function, *texts) for function, texts in functions(module)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_there_is_much_to_explain() -> None:
    assert len({name(function) for module in MODULES for function, _ in functions(module)}) > 400


def _send(path: str, params: object = None, times: int = 1) -> None:
    """Stand for any function."""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Send it.", ["takes params, path, times and tells of none of them"]),
        ("Send it.\n\nArgs:\n    path: where.\n    times: how often.", ["does not list params"]),
        (
            "Send it.\n\nArgs:\n    path, params: what.\n    time: when.\n    times: how often.\n",
            ["lists time, which it does not take"],
        ),
        ("Send `params` to `path` a number of `times`.", []),
        ("Send it; arguments as in `fetch`.", []),
        ("Send it.\n\n:param path: where\n:param params: what\n:param times: how often", []),
    ],
)
def test_a_docstring_that_leaves_something_out_is_found(text: str, found: list[str]) -> None:
    assert faults(_send, text) == found
