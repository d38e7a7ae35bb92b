"""Every chore of the project, each set up from nothing: ``python -m pip install nox && nox -s tests``.

``nox`` alone runs what has to pass before a commit; ``nox --list`` names the rest.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"  # the first that reads dependency groups with their includes
nox.options.sessions = ["tests", "lint", "types"]
nox.options.reuse_venv = "no"

IMPORT_EVERYTHING = """
from importlib import import_module

services = ["cloudkey", "cloudkey_rest", "flixcloud", "panda", "telestream"]
for name in ["", *services, "errors", "signing", "uploads", "downloads", "notifications"]:
    module = import_module(f"cloudreel.{name}".rstrip("."))
    for each in getattr(module, "__all__", []):
        getattr(module, each)
"""

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

# A process more than there are cores: many tests wait for other programs. Tests that stand together run
# together, so that they share what was set up for them.
PYTEST = ("pytest", f"--numprocesses={(os.cpu_count() or 1) + 1}", "--dist=worksteal")
# Many tests start programs of their own, each of which would compile the package anew.
KEEP_COMPILED = {"PYTHONDONTWRITEBYTECODE": None}


def install(session: nox.Session, *groups: str, extra: str = "all") -> None:
    """Install the package from its sources with an extra, and dependency groups of pyproject.toml."""
    needed = [need for group in groups for need in nox.project.dependency_groups(PYPROJECT, group)]
    session.install("--editable", f".[{extra}]", *needed)


def run_pytest(session: nox.Session, *args: str) -> None:
    """Run pytest on the sources."""
    install(session, "test")
    session.run(*PYTEST, *args, *session.posargs, env=KEEP_COMPILED)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the default suite; arguments after ``--`` go to pytest."""
    run_pytest(session)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the default suite and show which lines it leaves out; that takes half as long again."""
    install(session, "test")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", *PYTEST, *session.posargs, env=KEEP_COMPILED)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the default suite with the lowest versions that pyproject.toml allows."""
    session.install("uv")
    here = ("--python", f"{session.bin}/python")
    kept = f"{session.bin}/lowest.txt"
    lowest_direct = ("--resolution", "lowest-direct", "--extra", "all", "--output-file", kept)
    session.run("uv", "pip", "compile", "--quiet", *here, *lowest_direct, "pyproject.toml")
    # What tests stand on may be new, as long as it leaves the others as they are.
    needed = ("--editable", ".[all]", "--group", "test")
    session.run("uv", "pip", "install", *here, *needed, "--constraint", kept)
    session.run(*PYTEST, *session.posargs, env=KEEP_COMPILED)


@nox.session
def soak(session: nox.Session) -> None:
    """Run the default suite and the long counts."""
    run_pytest(session, "-m", "soak or not soak", "--timeout=3000", "--hypothesis-profile=thorough")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format, and that the generated twins are in step with their sources."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "-m", "cloudreel._generate", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright, both strict."""
    install(session, "types", "test", "docs")
    session.run("mypy")
    session.run("pyright")


@nox.session
def generate(session: nox.Session) -> None:
    """Write the synchronous twins from their asynchronous sources."""
    install(session, "lint")
    session.run("python", "-m", "cloudreel._generate")


@nox.session
def demo(session: nox.Session) -> None:
    """Show it all at work: a sandbox, a broken and resumed upload, real encodings, a signed URL."""
    session.install(".[sandbox]")
    session.run("cloudreel", "demo", *session.posargs)


@nox.session
def examples(session: nox.Session) -> None:
    """Run every example against a sandbox of its own; each has to end well."""
    applications = [main.parent for main in ROOT.glob("examples/*/__main__.py")]
    programs = sorted([*ROOT.glob("examples/*.py"), *applications])
    if not programs:
        session.error("There is nothing to run: no examples/*.py")
    install(session, "test")
    film = str(Path(session.create_tmp()) / "film.mp4")
    session.run("python", "-c", f"from cloudreel.cli.demo.stage import make_clip; make_clip({film!r})")
    for program in programs:
        with sandbox(session) as credentials:
            session.run("python", str(program.relative_to(ROOT)), film, env=credentials)
    # Those of fleets need workers, and the engines of their queues.
    session.run("python", "-m", "pytest", "-m", "", "tests/fleet/test_recipes.py")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the reference from the docstrings, without a warning; it lies in build/docs then."""
    install(session, "docs")
    session.run(
        "sphinx-build", "-W", "--keep-going", "-qE", "-b", "html", "src/cloudreel/_docs", "build/docs"
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks beside their peers; arguments after ``--`` go to the runner."""
    install(session, "bench")
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel, twice alike; try the wheel with its core alone, then in a project of its own."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "build"))
    home = Path(session.create_tmp()).resolve()  # programs of it are run from another folder, too
    first, second = (built(session, home / name) for name in ("dist", "again"))
    if first != second:
        session.error(f"Two builds of the same sources differ: {first} and {second}")
    (wheel,) = (home / "dist").glob("*.whl")

    python = bare_environment(session, home / "core")
    session.run(python, "-m", "pip", "install", "--quiet", str(wheel), external=True)
    session.run(python, "-m", "pip", "check", external=True)
    session.run(python, "-I", "-W", "error", "-c", IMPORT_EVERYTHING, external=True)

    python = bare_environment(session, home / "project")
    needs = [f"{wheel}[sandbox]", "pytest", "pytest-asyncio", "trio"]
    session.run(python, "-m", "pip", "install", "--quiet", *needs, external=True)
    project = shutil.copytree(ROOT / "tests/plugin/sample", home / "newsroom", dirs_exist_ok=True)
    with session.chdir(project):
        session.run(python, "-m", "pytest", external=True)


def built(session: nox.Session, folder: Path) -> dict[str, str]:
    """Build both distributions into a folder; return their names with their SHA-256."""
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder), env={"SOURCE_DATE_EPOCH": "1577836800"})
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in sorted(folder.iterdir())}


def bare_environment(session: nox.Session, folder: Path) -> str:
    """Make an environment with nothing in it and return its interpreter."""
    session.run("python", "-m", "virtualenv", "--clear", "--quiet", str(folder))
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


@contextmanager
def sandbox(session: nox.Session) -> Generator[dict[str, str]]:
    """Run a sandbox of the session's environment; give its credentials as ``from_env()`` reads them."""
    exports = Path(session.create_tmp()) / "sandbox.env"
    command = [f"{session.bin}/python", "-m", "cloudreel", "sandbox", "--port", "0"]
    with subprocess.Popen([*command, "--env", str(exports)], stdout=subprocess.PIPE) as served:
        try:
            assert served.stdout is not None
            if not served.stdout.readline():
                session.error("The sandbox did not start")
            lines = exports.read_text(encoding="utf-8").splitlines()
            yield dict(shlex.split(line)[1].split("=", 1) for line in lines)
        finally:
            served.send_signal(signal.SIGTERM)
