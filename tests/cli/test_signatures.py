"""``cloudreel sign`` and ``cloudreel verify``: pure, explained, and discreet."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from cloudreel.signing import verify_url

if TYPE_CHECKING:
    from cloudreel.sandbox import Sandbox
    from conftest import Command

KEY = "00112233445566778899aabbccddeeff00112233"
URL = "http://cdn.example/route/0123/4567/mp4_h264_aac.mp4"


@pytest.fixture(autouse=True)
def key(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An invented key."""
    monkeypatch.setenv("CLOUDKEY_API_KEY", KEY)


@pytest.mark.parametrize(
    ("terms", "viewer"),
    [
        ([], []),
        (["--expires", "never"], []),
        (["--ip", "192.0.2.1"], ["--ip", "192.0.2.1"]),
        (["--asnum", "AS64496", "--useragent", "Lynx"], ["--asnum", "AS64496", "--useragent", "Lynx"]),
        (["--country", "fr", "--country", "be"], ["--country", "be"]),
        (["--country", "-", "--country", "be"], ["--country", "fr"]),
        (["--referer", "http://a.example/", "--strict-referer"], ["--referer", "http://a.example/x"]),
        (["--once", "--delegate", "ip"], []),
    ],
)
def test_what_is_signed_is_good_for_the_right_viewer(
    said: Command, terms: list[str], viewer: list[str]
) -> None:
    signed = said("sign", "url", URL, *terms)
    assert (signed.returncode, signed.stderr) == (0, "")
    verified = said("verify", "url", signed.stdout.strip(), *viewer)
    assert (verified.returncode, verified.stdout) == (0, "accepted: the signature is valid\n")


@pytest.mark.parametrize(
    ("terms", "viewer", "reason"),
    [
        (["--expires", "1h"], ["--at", "2h"], "expired"),
        (["--ip", "192.0.2.1"], ["--ip", "192.0.2.2"], "signature"),
        (["--ip", "192.0.2.1"], [], "ip"),
        (["--country", "fr"], ["--country", "de"], "country"),
        (["--referer", "http://a.example/"], ["--referer", "http://b.example/"], "referer"),
    ],
)
def test_the_wrong_viewer_is_told_why(
    said: Command, terms: list[str], viewer: list[str], reason: str
) -> None:
    url = said("sign", "url", URL, *terms).stdout.strip()
    refused = said("verify", "url", url, *viewer)
    assert refused.returncode == 1
    assert refused.stdout.startswith(f"refused ({reason}): ")
    assert len(refused.stdout.splitlines()) == 1
    told = json.loads(said("verify", "url", "--json", "--explain", url, *viewer).stdout)
    assert (told["ok"], told["reason"], told["url"]) == (False, reason, url)
    assert told["explain"].startswith(refused.stdout.strip())
    assert KEY not in told["explain"]


def test_many_urls_in_a_pipe() -> None:
    urls = [f"{URL}?n={number}" for number in range(50)]
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "cloudreel",
        "sign",
        "url",
        "-",
        "--json",
        "--expires",
        "1d",
    ]
    env = {**os.environ, "CLOUDKEY_API_KEY": KEY}
    ran = subprocess.run(
        command, input="\n".join(urls), capture_output=True, text=True, timeout=60, env=env, check=True
    )
    signed = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [each["url"] for each in signed] == urls
    assert all(verify_url(each["signed"], KEY, now=time.time()) for each in signed)
    assert len({each["signed"] for each in signed}) == 50


@pytest.mark.parametrize("service", ["telestream", "panda"])
def test_a_signed_request_is_one_that_curl_can_send(said: Command, sandbox: Sandbox, service: str) -> None:
    signed = said("sign", "request", "get", "/profiles.json", "per_page=3", "-s", service)
    assert signed.returncode == 0, signed.stderr
    url = signed.stdout.strip()
    answer = httpx.get(url)
    assert (answer.status_code, len(answer.json())) == (200, 3)
    assert said("verify", "request", "GET", url).returncode == 0
    wrong = said("verify", "request", "DELETE", url, "--explain")
    assert wrong.returncode == 1
    assert "verifier hashed: DELETE" in wrong.stdout
    other = said("verify", "request", "GET", url, "per_page=4", "--json")
    assert json.loads(other.stdout)["reason"] == "signature"
    late = said("verify", "request", "GET", url, "--at", "1d")
    assert late.stdout.startswith("refused (expired)")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["sign", "url", URL, "--expires", "soon"], "'soon' is no time"),
        (["sign", "url", URL, "--delegate", "ip", "--ip", "192.0.2.1"], "--delegate leaves the viewer open"),
        (["sign", "request", "GET", "videos.json"], "neither a path"),
        (["sign", "request", "GET", "/videos.json", "page"], "NAME=VALUE"),
        (["verify", "request", "GET", "ftp://a.example/v2/videos.json"], "neither a path"),
        (["verify", "url", URL, "--at", "noon"], "'noon' is no time"),
    ],
)
def test_what_makes_no_sense_is_refused(said: Command, arguments: list[str], complaint: str) -> None:
    refused = said(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert complaint in refused.stderr


def test_what_cannot_be_signed_is_refused(said: Command) -> None:
    refused = said("sign", "url", "/films/a.mp4")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "must begin with http://" in refused.stderr


def test_without_a_key_and_without_a_person_nothing_is_signed(
    said: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDKEY_API_KEY")
    refused = said("sign", "url", URL)
    assert refused.returncode == 2
    assert "set CLOUDKEY_API_KEY" in refused.stderr


def test_a_typed_key_is_not_shown() -> None:
    person, terminal = pty.openpty()
    command = [sys.executable, "-m", "cloudreel", "sign", "url", URL]
    env = {name: value for name, value in os.environ.items() if name != "CLOUDKEY_API_KEY"}
    with subprocess.Popen(
        command, stdin=terminal, stderr=terminal, stdout=subprocess.PIPE, env=env, start_new_session=True
    ) as process:
        os.close(terminal)
        shown = b""
        while b"not shown" not in shown:
            shown += os.read(person, 1024)
        while termios.tcgetattr(person)[3] & termios.ECHO:
            time.sleep(0.01)  # what was typed before is forgotten then
        os.write(person, KEY.encode() + b"\n")
        out, _ = process.communicate(timeout=60)
        try:
            shown += os.read(person, 1024)
        except OSError:  # the terminal went with the process
            shown += b""
    os.close(person)
    assert process.returncode == 0
    assert verify_url(out.decode().strip(), KEY, now=time.time())
    assert KEY.encode() not in shown
