"""``cloudreel sandbox``: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from click.testing import CliRunner

from cloudreel.cli.commands import cli
from cloudreel.sandbox.media import find_ffmpeg
from cloudreel.telestream import AsyncTelestream

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "cloudreel", "sandbox", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    _, said = process.communicate(timeout=200)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_json_then_serve_then_end_well(number: signal.Signals, tmp_path: Path) -> None:
    with started("--json", "--data", str(tmp_path), "--part-size", "12345") as process:
        assert process.stdout is not None
        config = json.loads(process.stdout.readline())
        assert httpx.get(f"{config['base_url']}/__sandbox__/state").status_code == 200
        assert set(config["telestream"]) == {
            "api_host",
            "api_port",
            "api_version",
            "access_key",
            "secret_key",
            "factory_id",
        }
        idle = socket.create_connection(("127.0.0.1", config["telestream"]["api_port"]), timeout=30)
        with idle:
            assert ended(process, number) == (0, "")
    assert list(tmp_path.iterdir())


def test_for_people_it_says_where_and_with_what() -> None:
    with started("--country", "127.0.0.1=fr", "--asnum", "127.0.0.1=AS64496") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while lines[-1] and not lines[-1].startswith("What goes on: http://"):
            lines.append(process.stdout.readline())
        assert "The sandbox serves at http://127.0.0.1:" in lines[0]
        assert any("secret_key" in line for line in lines)
        assert lines[-1]
        assert ended(process, signal.SIGTERM) == (0, "")


def test_a_shell_reads_where_and_with_what(tmp_path: Path) -> None:
    with started("--json", "--env", str(tmp_path / "sandbox.env")) as process:
        assert process.stdout is not None
        config = json.loads(process.stdout.readline())
        assert (tmp_path / "sandbox.env").stat().st_mode & 0o777 == 0o600
        script = f". {tmp_path}/sandbox.env; exec {sys.executable} -m cloudreel ls --json -s cloudkey_rest"
        ran = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60, check=False)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
        assert ended(process, signal.SIGTERM) == (0, "")
    exported = (tmp_path / "sandbox.env").read_text().splitlines()
    assert f"export PANDA_SECRET_KEY={config['panda']['secret_key']}" in exported
    assert f"export CLOUDKEY_REST_CDN_URL={config['base_url']}" in exported


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "70000"], "70000"),
        (["--part-size", "0"], "0"),
        (["--map", "nonsense"], "URL_PREFIX=PATH"),
        (["--map", "files=/"], "beginning of a URL"),
        (["--map", "http://a/=/no/such/path"], "there is no"),
        (["--asnum", "AS1"], "IP=AS"),
        (["--country", "here=fr"], "no IP address"),
        (["--tls-cert", __file__], "belong together"),
    ],
)
def test_bad_options_are_refused(arguments: list[str], complaint: str) -> None:
    refused = CliRunner().invoke(cli, ["sandbox", *arguments])
    assert refused.exit_code == 2
    assert complaint in refused.output


def test_a_taken_port_ends_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "cloudreel", "sandbox", "--port", port]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"Error: cannot listen on 127.0.0.1:{port}: ")
    assert len(ran.stderr.splitlines()) == 1


def test_it_takes_its_encodings_down_with_it(clip: Path, tmp_path: Path) -> None:
    long = tmp_path / "long.mp4"
    loop = ["-v", "error", "-nostdin", "-stream_loop", "300", "-i", str(clip), "-c", "copy", str(long)]
    subprocess.run([find_ffmpeg(), *loop], check=True, timeout=200)
    data = tmp_path / "data"
    with started("--json", "--data", str(data)) as process:
        assert process.stdout is not None
        config = json.loads(process.stdout.readline())

        async def encode() -> None:
            async with AsyncTelestream(**config["telestream"]) as tc:
                factory = (await tc.flip.factories.all())[0]
                await factory.videos.create(file=long, profiles="ogg.hi")

        anyio.run(encode)
        deadline = time.monotonic() + 60
        while not any("ogg" in command for command in commands_about(data)):
            assert time.monotonic() < deadline, "no encoding ever started"
            time.sleep(0.05)
        assert ended(process, signal.SIGTERM) == (0, "")
    assert commands_about(data) == []


def commands_about(folder: Path) -> list[str]:
    """Return the command lines of the ffmpeg processes that work in a folder."""
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text(errors="replace").replace("\0", " ")
        except OSError:  # the process ended in between
            continue
        if "ffmpeg" in command and f"{folder}/" in command:
            found.append(command)
    return found
