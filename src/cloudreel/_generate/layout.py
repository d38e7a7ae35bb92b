"""Laying out Python text as ``ruff format`` and its import sorting would."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence

from cloudreel._generate.sources import Function, Module, Origin

WIDTH = 110

# What docstrings say of async code, and what they say of the same code without.
WORDING = (
    (r"\basync (with|for|iterator)\b", r"\1"),
    (r"\bawait ", ""),
    (r" (?:for|on) asyncio and trio\b", ""),
)


def text_of(node: ast.expr) -> str:
    """Return an expression's text, quoted as ruff does it."""
    text = ast.unparse(node)
    return text if '"' in text else text.replace("'", '"')


def fit(indent: int, head: str, items: Sequence[str], tail: str) -> str:
    """Return ``head``, comma-separated items and ``tail``, on as many lines as it takes."""
    pad = " " * indent
    joined = ", ".join(items)
    if len(pad + head + joined + tail) <= WIDTH:
        return f"{pad}{head}{joined}{tail}\n"
    if len(pad) + 4 + len(joined) <= WIDTH:
        return f"{pad}{head}\n{pad}    {joined}\n{pad}{tail}\n"
    lines = "".join(f"{pad}    {item},\n" for item in items)
    return f"{pad}{head}\n{lines}{pad}{tail}\n"


def import_lines(imports: dict[str, Origin]) -> str:
    """Return the import statements in isort's order."""
    whole = {f"import {home}\n": home for home, name in imports.values() if name is None}
    taken: dict[str, set[str]] = {}
    for local, (home, name) in imports.items():
        if name is not None:
            taken.setdefault(home, set()).add(name if name == local else f"{name} as {local}")
    statements = [(home, 0, line) for line, home in whole.items()]
    for home, names in taken.items():
        items = sorted(names, key=_place)
        line = f"from {home} import {', '.join(items)}\n"
        if len(line) > WIDTH + 1:
            line = f"from {home} import (\n" + "".join(f"    {item},\n" for item in items) + ")\n"
        statements.append((home, 1, line))

    def section(home: str) -> int:
        top = home.partition(".")[0]
        return 0 if top in sys.stdlib_module_names else 2 if top == "cloudreel" else 1

    blocks = (
        "".join(
            line for home, _, line in sorted(statements, key=lambda s: (s[1], s[0])) if section(home) == n
        )
        for n in range(3)
    )
    return "\n".join(block for block in blocks if block)


def _place(name: str) -> tuple[int, str, str]:
    """Return what a name is sorted by: constants first, then classes, then the rest, ignoring case."""
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[0].isupper() else 2
    return kind, name.lower(), name


def docstring(node: ast.ClassDef | Function, home: Module, twins: Sequence[str]) -> str | None:
    """Return the docstring of a class or function as the twin has it, quotes included."""
    first = node.body[0]
    if not isinstance(first, ast.Expr) or ast.get_docstring(node) is None:
        return None
    text = ast.get_source_segment(home.text, first)
    assert text is not None
    for pattern, replacement in WORDING:
        text = re.sub(pattern, replacement, text)
    return re.sub(rf"\bAsync(?=(?:{'|'.join(twins)})\b)", "", text)


def described_argument(node: ast.ClassDef, name: str) -> str | None:
    """Return what a class's docstring says of one of its arguments, as a sentence."""
    found = re.search(rf"^    {name}: (.*(?:\n {{8}}.*)*)", ast.get_docstring(node) or "", re.MULTILINE)
    if found is None:
        return None
    text = " ".join(found[1].split())
    return text[0].upper() + text[1:]
