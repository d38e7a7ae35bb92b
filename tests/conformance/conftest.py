"""Clients of old, written for Python 2, made to run on Python 3."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Translate = Callable[[str, Sequence[tuple[str, str]]], ModuleType]


@pytest.fixture(scope="session")
def translate() -> Translate:
    """Return what imports an installed module of Python 2: 2to3 translates it, then texts are replaced.

    2to3 came with Python up to 3.12. The texts are what it cannot know; each of them has to occur.
    """
    if sys.version_info >= (3, 13):
        pytest.skip("clients of Python 2 are translated by lib2to3, which Python 3.13 and later do not have")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "lib2to3 package is deprecated", DeprecationWarning)
        from lib2to3.refactor import RefactoringTool, get_fixers_from_package
    tool = RefactoringTool(get_fixers_from_package("lib2to3.fixes"))

    def translated(name: str, patches: Sequence[tuple[str, str]]) -> ModuleType:
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"{name} is not installed: it is one of the test dependencies"
        assert spec.origin is not None
        text = str(tool.refactor_string(Path(spec.origin).read_text("utf-8") + "\n", spec.origin))
        for old, new in patches:
            assert old in text, f"2to3 left no {old!r} in {name}"
            text = text.replace(old, new)
        module = ModuleType(name)
        exec(compile(text, f"{spec.origin} in Python 3", "exec"), module.__dict__)
        return module

    return translated
