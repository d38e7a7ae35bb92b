"""The command line as a whole: light to start, clear about what is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from cloudreel.cli.commands import COMMANDS, cli

HEAVY = {"httpx", "starlette", "uvicorn", "rich", "anyio", "cattrs", "trio", "asyncio"}


def python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_help_imports_next_to_nothing() -> None:
    ran = python(
        "import sys; sys.argv = ['cloudreel', '--help']\n"
        "from cloudreel.cli import main\n"
        "try: main()\n"
        "finally: print('LOADED', *sys.modules)"
    )
    assert ran.returncode == 0, ran.stderr
    assert "Serve a local stand-in" in ran.stdout
    loaded = set(ran.stdout.split("LOADED")[1].split())
    assert loaded & HEAVY == set()


def test_without_click_one_line_says_what_to_install() -> None:
    ran = python("import sys; sys.modules['click'] = None; from cloudreel.cli import main; main()")
    assert ran.returncode == 2
    assert ran.stderr.splitlines() == ['The command line needs click: pip install "cloudreel[cli]"']


def test_without_the_extra_a_command_says_what_to_install() -> None:
    ran = python(
        "import sys; sys.modules['starlette.routing'] = None; sys.argv = ['cloudreel', 'sandbox']\n"
        "from cloudreel.cli import main; main()"
    )
    assert ran.returncode == 1
    assert 'pip install "cloudreel[sandbox]"' in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_module_can_be_run() -> None:
    command = [sys.executable, "-m", "cloudreel", "--help"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0
    assert ran.stdout.startswith("Usage:")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert f"{name} [OPTIONS]" in shown.output


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(cli, ["dance"]).exit_code == 2
