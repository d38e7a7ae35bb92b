"""Who may import whom, what pure modules keep away from, and how large a file may be.

The table below is the house's plan; whoever needs a new line in it changes the plan. Imports count wherever
they stand: at the top, inside a function, or for type checkers only.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "cloudreel"
LONGEST_FILE = 320  # lines; generated files may be longer

CORE_PURE = "core.call core.codec core.failures core.redact core.retry"
SERVICES = "cloudkey cloudkey_rest telestream panda flixcloud"
BELOW_SERVICES = "errors signing core uploads downloads"
ALL = f"__init__ {BELOW_SERVICES} {SERVICES} notifications sandbox web fleet"

# The first row that names a module holds for it; a name without a star means the module and all in it.
# Modules also import freely within their own room, and whatever the standard library has.
RULES: list[tuple[str, str, str]] = [
    # module               may import of ours                             and of others
    ("errors", "", ""),
    ("signing", "errors", ""),
    ("core.codec", "errors", "attrs cattrs orjson"),
    ("core.aiohttp_transport", "", "aiohttp httpx httpx_aiohttp yarl"),  # yarl comes with aiohttp
    ("core.direct", "", "httpx"),
    ("core.options", "", "attrs httpx"),
    ("core.pool", "errors", "anyio attrs httpx httpx_aiohttp"),
    ("core.portal", "errors", "anyio sniffio"),
    ("core.redis_server", "errors", "anyio redis"),
    ("core.streams", "", "anyio httpx"),
    ("core.telemetry", "errors", "attrs opentelemetry"),
    ("core.transport", "errors", "anyio attrs httpx"),
    ("core.filewire", "errors", "anyio attrs h11 httpx"),  # h11 comes with httpx
    ("core", "errors signing", "anyio attrs"),
    ("uploads", "errors core", "anyio attrs"),
    ("downloads", "errors core", "anyio attrs"),
    ("cloudkey_rest.*client", f"{BELOW_SERVICES} cloudkey", "anyio attrs httpx"),
    ("cloudkey_rest.sync", f"{BELOW_SERVICES} cloudkey", "anyio attrs httpx"),
    ("cloudkey_rest", f"{BELOW_SERVICES} cloudkey", "anyio attrs"),
    ("telestream.client", f"{BELOW_SERVICES} panda", "anyio attrs httpx"),
    ("telestream.sync", f"{BELOW_SERVICES} panda", "anyio attrs httpx"),
    ("telestream", f"{BELOW_SERVICES} panda", "anyio attrs"),
    ("cloudkey.client", BELOW_SERVICES, "anyio attrs httpx"),
    ("cloudkey.sync", BELOW_SERVICES, "anyio attrs httpx"),
    ("cloudkey", BELOW_SERVICES, "anyio attrs"),
    ("panda.client", BELOW_SERVICES, "anyio attrs httpx"),
    ("panda.sync", BELOW_SERVICES, "anyio attrs httpx"),
    ("panda", BELOW_SERVICES, "anyio attrs"),
    ("flixcloud.client", BELOW_SERVICES, "anyio attrs httpx"),
    ("flixcloud.sync", BELOW_SERVICES, "anyio attrs httpx"),
    ("flixcloud", BELOW_SERVICES, "anyio attrs"),
    ("notifications", f"errors {CORE_PURE} {SERVICES}", "attrs"),
    ("sandbox.facades", SERVICES, "httpx starlette"),
    ("sandbox.net", "errors", "anyio attrs httpx"),
    (
        "sandbox",
        f"errors signing {CORE_PURE} flixcloud.xml "
        + " ".join(f"{s}.protocol {s}.models" for s in SERVICES.split()),
        "anyio attrs orjson starlette uvicorn httptools python_multipart imageio_ffmpeg",
    ),
    ("web", f"{BELOW_SERVICES} {SERVICES} notifications", "anyio attrs starlette"),
    ("fleet", f"{BELOW_SERVICES} {SERVICES} notifications", "anyio attrs redis taskiq taskiq_redis"),
    ("testing", ALL, "anyio httpx pytest starlette"),
    ("cli.demo", ALL, "anyio attrs click rich httpx"),  # plays the URLs as any viewer would
    ("cli", ALL, "anyio attrs click rich"),
    ("__main__", "cli", ""),
    ("__init__", f"errors signing {SERVICES}", ""),
    ("_generate", "", ""),
    ("_docs", "", "sphinx"),
]

# What only these may use.
ONLY_BY: dict[str, str] = {
    "cloudreel.core.portal": "core.* *.sync",
    "cloudreel.core.twin": "core.* *.sync uploads.many *.together",  # the functions that have a twin
    "anyio.from_thread": "core.portal sandbox.sandbox",
    # Names of modules in strings escape this test.
    "importlib.import_module": "__init__ cli.commands core.lazy sandbox.media.ffmpeg signing signing.digest",
}

# Held pure, besides every module whose docstring says PURE.
PURE = f"errors signing signing.* {CORE_PURE} notifications " + " ".join(
    f"{service}.{part}" for service in SERVICES.split() for part in ("protocol", "models", "errors")
)

IMPURE_IMPORTS = (
    "anyio asyncio concurrent fcntl getpass glob httpx io logging mmap multiprocessing os pathlib platform "
    "random requests sched secrets select selectors shutil signal sniffio socket socketserver sqlite3 ssl "
    "subprocess tempfile threading time trio urllib.request uuid"
)
PURE_IMPORTS = "pathlib.PurePath pathlib.PurePosixPath"  # names of files, without the files
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "breakpoint", "__import__"})
CLOCKS = frozenset({"now", "utcnow", "today"})


def modules() -> dict[str, Path]:
    """Return every module's name below ``cloudreel`` with its file."""
    found: dict[str, Path] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def named(name: str, patterns: str) -> bool:
    """Return whether a module is one of those named, or within one of them."""
    return any(fnmatchcase(name, p) or name.startswith(f"{p}.") for p in patterns.split())


def imports(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of all that a module imports, wherever the import stands."""
    package = MODULES.get(module, Path()).name == "__init__.py"
    here = ["cloudreel", *([] if module == "__init__" else module.split("."))]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = here[: len(here) - node.level + package] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def resolved(name: str) -> str:
    """Return the module, below ``cloudreel``, that an imported name of ours stands in."""
    inner = name.removeprefix("cloudreel").lstrip(".")
    while inner and inner not in MODULES:
        inner = inner.rpartition(".")[0]
    return inner or "__init__"


def is_pure(module: str, tree: ast.Module) -> bool:
    """Return whether a module is to be held pure."""
    return any(fnmatchcase(module, p) for p in PURE.split()) or "PURE." in (ast.get_docstring(tree) or "")


def faults(module: str, source: str) -> list[str]:
    """Return what a module does that the plan does not allow, as lines of text."""
    tree = ast.parse(source)
    row = next(((ours, others) for name, ours, others in RULES if named(module, name)), None)
    if row is None:
        return [f"{module} stands in no row of the table"]
    ours, others = row
    room = module.partition(".")[0]
    pure = is_pure(module, tree)
    found: list[str] = []
    for line, name in imports(module, tree):
        top = name.partition(".")[0]
        where = f"{module}:{line} imports {name}"
        for thing, users in ONLY_BY.items():
            if named(name, thing) and not named(module, users):
                found.append(f"{where}, which is for {users} only")
        if top == "cloudreel":
            target = resolved(name)
            if not named(target, ours) and target.partition(".")[0] != room:
                found.append(where)
            elif pure and not is_pure(target, ast.parse(MODULES[target].read_text())):
                found.append(f"{where}, which is not pure")
        elif top not in sys.stdlib_module_names and top not in others.split():
            found.append(where)
        if pure and named(name, IMPURE_IMPORTS) and not named(name, PURE_IMPORTS):
            found.append(f"{where} and is pure")
    return [*found, *(impurities(module, tree) if pure else [])]


def impurities(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield what no pure module does: wait, look at the clock, touch a file, speak."""
    for node in ast.walk(tree):
        match node:
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield f"{module}:{node.lineno} is asynchronous and pure"
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield f"{module}:{node.lineno} calls {name}() and is pure"
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCKS:
                yield f"{module}:{node.lineno} asks the clock and is pure"
            case _:
                pass


def undocumented(source: str) -> list[str]:
    """Return the public modules, classes, functions and methods without a docstring."""
    found: list[str] = []

    def visit(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> None:
        if ast.get_docstring(node) is None:
            found.append(name)
        if isinstance(node, ast.Module | ast.ClassDef):
            for child in node.body:
                if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    told = {ast.unparse(decorator) for decorator in child.decorator_list}
                    repeats = any(one == "overload" or one.endswith(".setter") for one in told)
                    if not child.name.startswith("_") and not repeats:
                        visit(child, f"{name}.{child.name}")

    visit(ast.parse(source), "module")
    return found


# -- the house -------------------------------------------------------------------------------------------


def test_the_house_is_there() -> None:
    assert {"__init__", "errors", "signing", "core.transport"} <= set(MODULES)


def test_every_module_keeps_to_the_plan() -> None:
    assert [fault for module, path in MODULES.items() for fault in faults(module, path.read_text())] == []


def test_what_is_public_says_what_it_does() -> None:
    silent = {module: undocumented(path.read_text()) for module, path in MODULES.items()}
    assert {module: names for module, names in silent.items() if names} == {}


def test_a_file_holds_one_thing() -> None:
    lines = {module: path.read_text().count("\n") for module, path in MODULES.items()}
    long = {module: count for module, count in lines.items() if count > LONGEST_FILE}
    assert {module: count for module, count in long.items() if not named(module, "*.sync")} == {}


# -- the checker itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("errors", "import cloudreel.core.call", "imports cloudreel.core.call"),
        ("errors", "from cloudreel.core import call", "imports cloudreel.core.call"),
        ("errors", "import attrs", "imports attrs"),
        ("signing.urls", "import time", "imports time and is pure"),
        ("signing.urls", "from os import path", "imports os.path and is pure"),
        ("signing.urls", "import httpx", "imports httpx"),
        ("signing.urls", "def f():\n    import random", "urls:2 imports random"),
        ("signing.urls", "if TYPE_CHECKING:\n    import logging", "urls:2 imports logging"),
        ("signing.urls", "def f():\n    return open('x')", "calls open()"),
        ("signing.urls", "async def f(): pass", "is asynchronous"),
        ("signing.urls", "now = datetime.now(UTC)", "asks the clock"),
        ("core.call", "from cloudreel.core.transport import Transport", "which is not pure"),
        ("core.call", "from importlib import import_module", "which is for __init__ cli.commands"),
        ("core.paging", "import httpx", "imports httpx"),
        ("core.paging", "from cloudreel.telestream import client", "imports cloudreel.telestream.client"),
        ("core.paging", "import cattrs", "imports cattrs"),
        ("core.paging", '"""What is said. PURE."""\nimport secrets', "imports secrets and is pure"),
        ("uploads.session", "from cloudreel.panda.models import X", "imports cloudreel.panda.models.X"),
        ("uploads.session", "from cloudreel import AsyncTelestream", "imports cloudreel.AsyncTelestream"),
        ("uploads.session", "from ..core import portal", "which is for core.* *.sync only"),
        ("panda.protocol", "from cloudreel.telestream.models import X", "imports cloudreel.telestream"),
        ("panda.protocol", "import anyio", "imports anyio and is pure"),
        ("telestream.client", "import starlette", "imports starlette"),
        ("telestream.client", "from cloudreel.core.portal import run", "which is for core.* *.sync only"),
        ("telestream.client", "from cloudreel.sandbox import Sandbox", "imports cloudreel.sandbox.Sandbox"),
        ("telestream.videos", "import httpx", "imports httpx"),
        ("panda.client", "import cloudreel.telestream", "imports cloudreel.telestream"),
        ("sandbox.app", "from cloudreel.telestream import AsyncTelestream", "imports cloudreel.telestream"),
        ("signing.urls", "from pathlib import Path", "imports pathlib.Path and is pure"),
        ("signing.urls", "import pathlib", "imports pathlib and is pure"),
        ("sandbox.app", "def f():\n    from cloudreel.core.transport import Transport", "app:2 imports"),
        ("sandbox.app", "import httpx", "imports httpx"),
        ("sandbox.app", "import click", "imports click"),
        ("cli.commands", "import starlette", "imports starlette"),
        ("cli.commands", "from anyio.from_thread import start_blocking_portal", "for core.portal sandbox"),
        ("cloudkey_rest.client", "from cloudreel.panda import protocol", "imports cloudreel.panda.protocol"),
        ("__init__", "import httpx", "imports httpx"),
        ("attic.old", "", "stands in no row"),
    ],
)
def test_a_bad_module_is_reported(module: str, source: str, fault: str) -> None:
    assert any(fault in line for line in faults(module, source)), faults(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("errors", "import re\nfrom typing import Protocol"),
        ("signing.urls", "from cloudreel.errors import SigningError\nfrom . import digest\nimport hashlib"),
        ("core.codec", "import cattrs, orjson\nfrom cloudreel.core import redact"),
        ("core.transport", "import httpx, anyio, time, random, logging\nfrom .pool import Pool"),
        ("core.paging", "async def f(): pass"),
        ("telestream.sync", "from cloudreel.core import portal\nfrom cloudreel.core.twin import Twin"),
        ("telestream.client", "import httpx\nfrom cloudreel.panda import protocol"),
        ("panda.models", "from cloudreel.core.codec import Fields\nfrom datetime import datetime"),
        ("sandbox.app", "from cloudreel.core.call import JSON\nfrom cloudreel.panda.protocol import segment"),
        ("signing.urls", "from pathlib import PurePath"),
        ("sandbox.facades", "from cloudreel.telestream import AsyncTelestream\nimport httpx"),
        ("cli.commands", "import click, rich\nfrom cloudreel.sandbox import Sandbox"),
    ],
)
def test_a_good_module_is_not(module: str, source: str) -> None:
    assert faults(module, source) == []


def test_missing_docstrings_are_reported() -> None:
    source = """
class A:
    def told(self): "x"
    def untold(self): pass
    def _private(self): pass
    @property
    def value(self): "x"
    @value.setter
    def value(self, new): pass
    class Inner: pass
async def work():
    def helper(): pass
class _B: pass
"""
    assert undocumented(source) == ["module", "module.A", "module.A.untold", "module.A.Inner", "module.work"]
