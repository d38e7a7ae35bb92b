"""Reading the async sources: modules, their classes, and where the names in them come from."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

PACKAGE = Path(__file__).parent.parent

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
Origin: TypeAlias = "tuple[str, str | None]"  # a module, and the name in it unless it is the module itself


class GenerationError(Exception):
    """A source says something that there is no rule for."""


@dataclass(frozen=True)
class Module:
    """The source of a module of the package."""

    name: str
    text: str
    tree: ast.Module
    imports: dict[str, Origin]
    classes: dict[str, ast.ClassDef]

    @classmethod
    def parse(cls, name: str, text: str) -> Module:
        """Return a module with this dotted name and source."""
        tree = ast.parse(text)
        imports: dict[str, Origin] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imports |= {alias.asname or alias.name: (alias.name, None) for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                home = node.module or ""
                if node.level:
                    home = ".".join([*name.split(".")[: -node.level], *filter(None, [home])])
                imports |= {alias.asname or alias.name: (home, alias.name) for alias in node.names}
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        return cls(name, text, tree, imports, classes)

    @property
    def room(self) -> str:
        """The package that it stands in."""
        return self.name.rpartition(".")[0]

    def origin(self, name: str) -> Origin | None:
        """Return where a name comes from, None for a builtin."""
        if name in self.imports:
            return self.imports[name]
        if hasattr(builtins, name):
            return None
        return self.name, name

    def async_classes(self) -> Iterator[ast.ClassDef]:
        """Return the classes that have twins."""
        return filter(has_twin, self.classes.values())


def has_twin(node: ast.ClassDef) -> bool:
    """Return whether a class is one of those whose methods do I/O."""
    return node.name.startswith("Async") and not any(ast.unparse(base) == "Protocol" for base in node.bases)


@cache
def module(name: str) -> Module:
    """Return the module with this dotted name."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return Module.parse(name, path.read_text())


def class_named(name: str, seen_from: Module) -> tuple[Module, ast.ClassDef] | None:
    """Return a class of the package and the module that defines it, None for any other class."""
    if name in seen_from.classes:
        return seen_from, seen_from.classes[name]
    home, original = seen_from.origin(name) or ("", None)
    if original is None or not home.startswith("cloudreel."):
        return None
    return class_named(original, module(home))


def only_declares_fields(node: ast.ClassDef, home: Module) -> bool:
    """Return whether a class, with its bases, has nothing but annotated fields and docstrings."""
    bases = [class_named(base.id, home) for base in node.bases if isinstance(base, ast.Name)]
    return all(
        isinstance(part, ast.AnnAssign)
        or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        for part in node.body
    ) and all(base is not None and only_declares_fields(base[1], base[0]) for base in bases)


def sources_of(entry: str) -> list[Module]:
    """Return the modules of the entry's room that define async classes, those that others import first."""
    found: dict[str, Module] = {}
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        here = module(name)
        for home, _ in sorted(here.imports.values(), key=str):
            if home.rpartition(".")[0] == here.room and home.rpartition(".")[2] != "sync":
                visit(home)
        if any(here.async_classes()):
            found[name] = here

    visit(entry)
    return list(found.values())


def all_arguments(spec: ast.arguments) -> list[ast.arg]:
    """Return the named parameters of a function."""
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]


def public_constructor(node: ast.ClassDef) -> ast.FunctionDef | None:
    """Return a class's constructor, unless it takes a transport, which is what only other objects have."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            annotations = [a.annotation for a in all_arguments(part.args) if a.annotation is not None]
            return None if "Transport" in map(ast.unparse, annotations) else part
    return None


def creator(node: ast.ClassDef) -> ast.AsyncFunctionDef | None:
    """Return a class's ``create`` if it is awaited: a constructor cannot do so, but a twin's can."""
    for part in node.body:
        if isinstance(part, ast.AsyncFunctionDef) and part.name == "create":
            return part if "classmethod" in map(ast.unparse, part.decorator_list) else None
    return None


def is_generator(node: ast.AsyncFunctionDef) -> bool:
    """Return whether calling the function gives an iterator at once."""
    return any(isinstance(part, ast.Yield) for part in ast.walk(node))
