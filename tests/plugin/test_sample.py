"""A project of its own tests itself with the fixtures of the package; one that does not pays nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SAMPLE = Path(__file__).with_name("sample")
# As in an environment that has nothing but these: what else is installed here loads itself, too.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
ASYNC_PLUGINS = ("-p", "anyio.pytest_plugin", "-p", "pytest_asyncio.plugin")


def run_pytest(folder: Path, *args: str) -> str:
    """Run pytest in a folder with the plugin and return what it said; it has to end well."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "cloudreel.testing", *args],
        cwd=folder,
        env={**os.environ, **ALONE},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, outside ours."""
    return shutil.copytree(SAMPLE, tmp_path_factory.mktemp("projects") / "newsroom")


def test_the_project_passes_with_both_async_plugins(sample: Path) -> None:
    said = run_pytest(sample, *ASYNC_PLUGINS)
    assert re.search(r"\b2\d passed in", said), said


def test_without_an_async_plugin_the_plain_tests_pass(sample: Path) -> None:
    said = run_pytest(
        sample, "-c", os.devnull, "--rootdir=.", "-o", "pythonpath=.", "tests/test_without_async.py"
    )
    assert re.search(r"\b\d passed in", said), said


def test_the_tests_of_the_readme_pass(tmp_path: Path) -> None:
    readme = Path(__file__).parents[2] / "README.rst"
    (block,) = re.findall(r"code-block:: python3\n\n((?: {4}.*\n|\n)+)", readme.read_text("utf-8"))
    (tmp_path / "test_readme.py").write_text(textwrap.dedent(block), "utf-8")
    assert "2 passed" in run_pytest(tmp_path, "-p", "anyio.pytest_plugin", "-k", "asyncio or link")


TELL_MODULES = """
import sys

def test_what_is_loaded():
    print("\\nloaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
    print("ours:", *sorted(name for name in sys.modules if name.startswith("cloudreel")))
"""


def test_a_project_that_asks_for_no_fixture_pays_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text(TELL_MODULES)
    told = dict(
        line.split(": ", 1) for line in run_pytest(tmp_path, "-s", "-W", "error").splitlines() if ": " in line
    )
    assert told["ours"].split() == ["cloudreel", "cloudreel.testing"]
    heavy = {
        "anyio",
        "attr",
        "httpx",
        "httpcore",
        "orjson",
        "starlette",
        "uvicorn",
        "asyncio",
        "sqlite3",
        "ssl",
    }
    assert heavy.isdisjoint(told["loaded"].split())


MISTAKES = """
import pytest

@pytest.mark.cloudreel(data="somewhere")
def test_data(sandbox): pass

@pytest.mark.cloudreel(65536)
def test_positional(sandbox): pass

@pytest.mark.cloudreel(part_sice=65536)
def test_unknown(sandbox): pass

@pytest.mark.cloudreel(asgi=True)
def test_blocking(telestream): pass

def test_fault(fault):
    fault("explode")

def test_clock(clock):
    from datetime import datetime
    clock.set(datetime(2030, 1, 1))
"""


def test_mistakes_are_told(tmp_path: Path) -> None:
    (tmp_path / "test_mistakes.py").write_text(MISTAKES)
    with pytest.raises(AssertionError) as caught:
        run_pytest(tmp_path)
    said = str(caught.value)
    for text in (
        "takes no data=: the sandbox of a test is emptied after it",
        "takes keyword arguments only, not (65536,)",
        "unexpected keyword argument 'part_sice'",
        "Blocking clients need a socket",
        "action must be one of status",
        "has no time zone",
        "4 errors",
        "2 failed",
    ):
        assert text in said


def test_the_plugin_is_announced_to_pytest() -> None:
    from importlib.metadata import entry_points

    (ours,) = [entry for entry in entry_points(group="pytest11") if entry.name == "cloudreel"]
    assert ours.value == "cloudreel.testing"


def test_the_fixtures_are_listed_with_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass")
    said = run_pytest(tmp_path, "--fixtures")
    for service in ("telestream", "panda", "cloudkey", "cloudkey_rest", "flixcloud"):
        assert re.search(rf"^async_{service} -- .*\n    An async .*client", said, re.MULTILINE)
        assert re.search(rf"^{service} -- .*\n    A blocking .*client", said, re.MULTILINE)
    for helper in ("sandbox", "fault", "clock"):
        assert re.search(rf"^{helper} -- ", said, re.MULTILINE)
