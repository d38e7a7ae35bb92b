"""Every Python snippet of README.rst and every example runs as it stands, against a sandbox of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cloudreel.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:    .*\n|\n)+)", re.MULTILINE)

SNIPPETS = [textwrap.dedent(text) for text in BLOCK.findall((ROOT / "README.rst").read_text("utf-8"))]
APPLICATIONS = [main.parent for main in (ROOT / "examples").glob("*/__main__.py")]
EXAMPLES = sorted([*(ROOT / "examples").glob("*.py"), *APPLICATIONS])


def run(program: Path, folder: Path, clip: Path) -> str:
    """Run a program as a user would, with the sandbox's credentials in its environment."""
    film = folder / "film.mp4"
    shutil.copy(clip, film)
    with Sandbox(part_size=16 * 1024) as sandbox:
        credentials = {
            f"{service}_{name}".upper(): str(value)
            for service, values in sandbox.config.items()
            if isinstance(values, dict)
            for name, value in values.items()
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", str(program), str(film)],
            cwd=folder,
            env={**os.environ, **credentials},
            capture_output=True,
            text=True,
            timeout=200,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_readme_has_snippets_and_there_are_examples() -> None:
    assert len(SNIPPETS) >= 5
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_readme_snippet_runs(number: int, tmp_path: Path, clip: Path) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(SNIPPETS[number], "utf-8")
    assert run(program, tmp_path, clip)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(example: Path, tmp_path: Path, clip: Path) -> None:
    assert run(example, tmp_path, clip)
