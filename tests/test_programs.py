"""Every Python snippet of README.rst and every example runs as it stands, against a sandbox of its own."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:    .*\n|\n)+)", re.MULTILINE)

SNIPPETS = [textwrap.dedent(text) for text in BLOCK.findall((ROOT / "README.rst").read_text("utf-8"))]
APPLICATIONS = [main.parent for main in (ROOT / "examples").glob("*/__main__.py")]
EXAMPLES = sorted([*(ROOT / "examples").glob("*.py"), *APPLICATIONS])
APART = {*APPLICATIONS, *(ROOT / "examples" / name for name in ("upload_film.py", "upload_film_sync.py"))}

_T = TypeVar("_T")


def name(part: object) -> str:
    """Return what a program, or a way to run it, is called in the tests' names."""
    if isinstance(part, Path):
        return part.stem
    return str(SNIPPETS.index(part)) if part in SNIPPETS else str(part)


@pytest.fixture
def film(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A film in a folder to work in, and the credentials of a sandbox in the environment."""
    film = tmp_path / "film.mp4"
    shutil.copy(clip, film)
    monkeypatch.chdir(tmp_path)
    with Sandbox(part_size=16 * 1024) as sandbox:
        for service, values in sandbox.config.items():
            if isinstance(values, dict):
                for name, value in values.items():
                    monkeypatch.setenv(f"{service}_{name}".upper(), str(value))
        yield film


@pytest.fixture
def run(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[Path, Path], str]:
    """Run a program on a film, and return what it prints: as a user would, or here, which is sooner done."""

    def apart(program: Path, film: Path) -> str:
        command = [sys.executable, "-W", "error", str(program), str(film)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    def here(program: Path, film: Path) -> str:
        monkeypatch.setattr(sys, "argv", [str(program), str(film)])
        runpy.run_path(str(program), run_name="__main__")
        printed, complained = capfd.readouterr()
        assert complained == ""
        return printed

    return {"apart": apart, "here": here}[request.param]


def ways(programs: Sequence[_T], apart: Container[_T] = ()) -> pytest.MarkDecorator:
    """Run these programs, and in soak all of them as processes of their own, which some always are."""
    cases = [pytest.param(each, "here") for each in programs if each not in apart]
    for each in programs:
        cases.append(pytest.param(each, "apart", marks=[] if each in apart else pytest.mark.soak))
    return pytest.mark.parametrize(("program", "run"), cases, indirect=["run"], ids=name)


def test_the_readme_has_snippets_and_there_are_examples() -> None:
    assert len(SNIPPETS) >= 5
    assert len(EXAMPLES) >= 5


@ways(SNIPPETS)
def test_a_readme_snippet_runs(
    program: str, run: Callable[[Path, Path], str], film: Path, tmp_path: Path
) -> None:
    file = tmp_path / "snippet.py"
    file.write_text(program, "utf-8")
    assert run(file, film)


@ways(EXAMPLES, apart=APART)
def test_an_example_runs(program: Path, run: Callable[[Path, Path], str], film: Path) -> None:
    assert run(program, film)
