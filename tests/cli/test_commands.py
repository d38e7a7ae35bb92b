"""The command line as a whole: light to start, clear about what is missing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cloudreel.cli.commands import CODES, COMMANDS, cli
from cloudreel.cli.failures import (
    CREDENTIALS,
    DONE,
    FAILED,
    INTERRUPTED,
    NOT_FOUND,
    TERMINATED,
    UNAVAILABLE,
    USAGE,
)

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


def test_the_exit_codes_are_told() -> None:
    told = CliRunner().invoke(cli, ["--help"]).output
    codes = {DONE, FAILED, USAGE, CREDENTIALS, NOT_FOUND, UNAVAILABLE, INTERRUPTED, TERMINATED}
    assert CODES.keys() == codes
    assert all(f"\n  {code} " in told for code in CODES)


def test_a_reader_that_leaves_gets_no_traceback() -> None:
    urls = [f"http://cdn.example/{number}.mp4" for number in range(2000)]
    command = [sys.executable, "-W", "error", "-m", "cloudreel", "sign", "url", *urls]
    env = {**os.environ, "CLOUDKEY_API_KEY": "00112233"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, bufsize=0
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == b"h"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str) -> None:
    shown = CliRunner().invoke(cli, ["completion", shell])
    assert shown.exit_code == 0
    assert "_CLOUDREEL_COMPLETE" in shown.output


def test_commands_are_completed() -> None:
    command = [sys.executable, "-c", "from cloudreel.cli import main; main()"]
    words = {"_CLOUDREEL_COMPLETE": "bash_complete", "COMP_WORDS": "cloudreel up", "COMP_CWORD": "1"}
    ran = subprocess.run(
        command, env={**os.environ, **words}, capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "plain,upload\n"
