"""What a person sees in a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from conftest import Command


def seen(env: dict[str, str], *arguments: str, typed: str = "") -> tuple[int, str]:
    """Run a command in a terminal of its own; return its exit code and what the terminal was sent."""
    person, terminal = pty.openpty()
    command = [sys.executable, "-W", "error", "-m", "cloudreel", *arguments]
    env = {**os.environ, **env, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    os.write(person, typed.encode())
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=env) as process:
        os.close(terminal)
        text = b""
        try:
            while piece := os.read(person, 65536):
                text += piece
        except OSError:  # which is how a terminal ends on Linux
            code = process.wait(timeout=60)
    os.close(person)
    return code, text.decode()


def test_bars_and_a_table(env: dict[str, str], said: Command, clip: Path) -> None:
    code, shown = seen(env, "upload", "-p", "none", str(clip))
    assert code == 0
    assert "\x1b[" in shown
    assert "clip.mp4" in shown
    assert "100%" in shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    id = re.search(r"[0-9a-f]{32}", plain)
    assert id

    code, shown = seen(env, "ls")
    assert code == 0
    head, line = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).splitlines()
    assert head.split() == ["id", "status", "bytes", "created", "title"]
    assert line.split()[0] == id[0]
    assert head.index("title") == line.index("clip.mp4")

    piped = said("ls").stdout
    assert piped.count("\t") == 4
    assert "\x1b" not in piped


def test_nothing_is_deleted_unasked(env: dict[str, str], sandbox: Sandbox) -> None:
    before = len(sandbox.world.requests)
    code, shown = seen(env, "rm", "0123", typed="n\n")
    assert code == 1
    assert "Delete 0123 of telestream and all encodings? [y/N]" in shown
    assert "Nothing was deleted" in shown
    assert len(sandbox.world.requests) == before
