"""Clients of old, written for Python 2, made to run on Python 3."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    Translate = Callable[[str, Sequence[tuple[str, str]]], ModuleType]


@pytest.fixture(scope="session")
def translate(tmp_path_factory: pytest.TempPathFactory) -> Translate:
    """Return what imports an installed module or package of Python 2, translated by 2to3 into a folder.

    2to3 came with Python up to 3.12. Then texts are replaced that it cannot know; each of them has to occur.
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
        origin = Path(spec.origin)
        is_package = spec.submodule_search_locations is not None
        files = sorted(origin.parent.glob("*.py")) if is_package else [origin]
        texts = {file: str(tool.refactor_string(file.read_text("utf-8") + "\n", str(file))) for file in files}
        folder = tmp_path_factory.mktemp(name)
        for old, new in patches:
            assert any(old in text for text in texts.values()), f"2to3 left no {old!r} in {name}"
            texts = {file: text.replace(old, new) for file, text in texts.items()}
        for file, text in texts.items():
            (folder / file.name).write_text(text, "utf-8")
        return _imported(name, folder / origin.name, [str(folder)] if is_package else None)

    return translated


def _imported(name: str, file: Path, search: list[str] | None) -> ModuleType:
    """Import a module from a file, or a package whose modules are in folders to search; register neither."""
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=search)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where a package's modules look for one another
    try:
        spec.loader.exec_module(module)
    finally:
        for known in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
            del sys.modules[known]
    return module
