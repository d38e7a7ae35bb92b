"""What the console is told, and whom; the page itself is tried in tests/browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from cloudreel.errors import AuthenticationError
from cloudreel.sandbox.console.routes import FILES, is_local
from cloudreel.sandbox.console.view import cells
from cloudreel.telestream import Telestream

if TYPE_CHECKING:
    from cloudreel.sandbox import Sandbox


@pytest.mark.parametrize(
    ("missing", "filled"),
    [
        ([], [1, 1, 1]),
        ([1], [1, 0, 1]),
        ([0, 1, 2], [0, 0, 0]),
    ],
)
def test_a_part_is_a_cell(missing: list[int], filled: list[float]) -> None:
    assert cells(3, missing) == filled


@given(st.data())
def test_cells_show_what_is_stored(data: st.DataObject) -> None:
    parts = data.draw(st.integers(1, 2000))
    most = data.draw(st.integers(1, 100))
    missing = data.draw(st.sets(st.integers(0, parts - 1)))
    strip = cells(parts, missing, most)
    assert len(strip) == min(parts, most)
    assert all(0 <= cell <= 1 for cell in strip)
    assert all(cell == 1 for cell in strip) == (not missing)
    assert all(cell == 0 for cell in strip) == (len(missing) == parts)


@pytest.mark.parametrize(
    ("host", "client", "local"),
    [
        ("127.0.0.1:8080", "127.0.0.1", True),
        ("localhost:8080", "127.0.0.1", True),
        ("[::1]:8080", "::1", True),
        ("192.0.2.7:8080", "127.0.0.1", False),
        ("sandbox.example", "127.0.0.1", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("localhost:8080", "192.0.2.9", False),
    ],
)
def test_credentials_stay_on_this_machine(host: str, client: str, local: bool) -> None:
    headers = [(b"host", host.encode())]
    scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b"", "headers": headers}
    assert is_local(Request({**scope, "client": (client, 50000), "server": ("127.0.0.1", 8080)})) == local


def test_a_page_of_another_name_is_shown_no_credentials(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/__sandbox__/console"
    assert httpx.get(url).json()["config"] == sandbox.config
    rebound = httpx.get(url, headers={"host": "sandbox.example"})
    assert rebound.json()["config"] is None
    secrets = re.findall(r"[0-9a-f]{40}", str(sandbox.config))
    assert secrets
    assert not any(secret in rebound.text for secret in secrets)


@pytest.mark.parametrize("path", ["/", *(f"/__sandbox__/console/{name}" for name in FILES)])
def test_the_page_and_its_files_allow_nothing_from_elsewhere(sandbox: Sandbox, path: str) -> None:
    answer = httpx.get(f"{sandbox.base_url}{path}")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    elsewhere = [url for url in re.findall(r"https?://[^\s\"'<)]+", answer.text) if "www.w3.org" not in url]
    assert elsewhere == []
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", answer.text) or path != "/"


def test_there_is_nothing_else(sandbox: Sandbox) -> None:
    for path in ("console/view.py", "console/%2e%2e%2fcontrol.py", "requests/1", "requests/x"):
        assert httpx.get(f"{sandbox.base_url}/__sandbox__/{path}").status_code == 404


def test_a_request_is_explained(sandbox: Sandbox) -> None:
    keys = {**sandbox.config["telestream"], "secret_key": "another"}
    with Telestream(**keys) as stranger, pytest.raises(AuthenticationError):
        stranger.flip.factories.all()
    with sandbox.sync.telestream() as tc:
        tc.flip.factories.all()
    with sandbox.sync.cloudkey() as ck:
        ck.media.list()
        httpx.get(ck.media.get_stream_url("0" * 24, expires=1))
    told = httpx.get(f"{sandbox.base_url}/__sandbox__/console").json()["requests"]
    found = [(request["path"].split("/")[1], request["signature"]) for request in reversed(told)]
    assert found == [("v3.0", "signature"), ("v3.0", "accepted"), ("api", "accepted"), ("route", "expired")]
    wrong = httpx.get(f"{sandbox.base_url}/__sandbox__/requests/{told[-1]['number']}").json()
    assert wrong["refusal"] == "Signatures do not match"
    assert wrong["explanation"].startswith("refused (signature): ")
    right = httpx.get(f"{sandbox.base_url}/__sandbox__/requests/{told[1]['number']}").json()
    assert right["explanation"].startswith("accepted: ")
    assert right["explanation"].endswith("<secret>")
