"""The control routes: faults, clock, reset, state and the console."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudreel.sandbox import Sandbox


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.base_url}/__sandbox__") as client:
        yield client


def test_faults_are_added_listed_and_cleared(control: httpx.Client) -> None:
    one = control.post("/faults", json={"action": "status", "status": 503, "times": 2}).json()
    assert [(fault["action"], fault["status"], fault["times"]) for fault in one] == [("status", 503, 2)]
    control.post("/faults", json=[{"action": "drop"}, {"action": "delay", "seconds": 0.1}])
    assert [fault["action"] for fault in control.get("/faults").json()] == ["status", "drop", "delay"]
    assert control.delete("/faults").json() == []
    assert control.get("/faults").json() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "{own}"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "{own}"}, 200),
        ({"sec-fetch-site": "cross-site", "origin": "http://films.example"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "http://films.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_pages_of_other_origins_change_nothing(
    control: httpx.Client, sandbox: Sandbox, headers: dict[str, str], status: int
) -> None:
    headers = {name: value.format(own=sandbox.base_url) for name, value in headers.items()}
    simple = {**headers, "content-type": "text/plain"}  # which a browser sends without asking
    answer = control.post("/faults", content=b'{"action": "drop"}', headers=simple)
    assert answer.status_code == status
    assert len(control.get("/faults", headers=headers).json()) == (1 if status == 200 else 0)
    assert control.post("/clock", content=b'{"advance": 0}', headers=simple).status_code == status
    assert control.delete("/faults", headers=headers).status_code == status
    assert control.post("/reset", headers=headers).status_code == status


def test_a_fault_is_played_and_spent(control: httpx.Client, sandbox: Sandbox) -> None:
    control.post("/faults", json={"action": "status", "status": 502, "path": "/v3.0/*", "method": "GET"})
    factories = f"{sandbox.base_url}/v3.0/factories.json"
    assert [httpx.get(factories).status_code for _ in range(2)] == [502, 400]
    assert control.get("/faults").json() == []
    assert [each["status"] for each in control.get("/state").json()["requests"]] == [502, 400]


def test_a_dropped_request_has_no_status(control: httpx.Client, sandbox: Sandbox) -> None:
    control.post("/faults", json={"action": "drop"})
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{sandbox.base_url}/v3.0/factories.json")
    assert [each["status"] for each in control.get("/state").json()["requests"]] == [None]


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/faults", b"{", "no JSON"),
        ("/faults", b'[{"action": "drop"}, {"action": "melt"}]', "action must be one of"),
        ("/faults", b" " * (2**20 + 1), "longer than"),
        ("/clock", b"", "no JSON"),
        ("/clock", b"[]", "the clock takes"),
        ("/clock", b'{"advance": 1, "set": 2}', "the clock takes"),
        ("/clock", b'{"stop": 1}', "the clock takes"),
        ("/clock", b'{"advance": "1"}', "must be a number"),
        ("/clock", b'{"set": true}', "must be a number"),
        ("/clock", b'{"set": 1e300}', "beyond the calendar"),
    ],
)
def test_nonsense_is_refused(control: httpx.Client, path: str, body: bytes, complaint: str) -> None:
    refused = control.post(path, content=body)
    assert refused.status_code == 400
    assert refused.json()["error"] == "BadRequest"
    assert complaint in refused.json()["message"]
    assert control.get("/faults").json() == []


def test_the_clock_moves(control: httpx.Client, sandbox: Sandbox) -> None:
    ahead = control.post("/clock", json={"advance": 3600}).json()["now"]
    assert ahead == pytest.approx(time.time() + 3600, abs=60)
    assert control.post("/clock", json={"set": 1_000_000_000}).json()["now"] == pytest.approx(1e9, abs=60)
    assert sandbox.world.clock.now() == pytest.approx(1e9, abs=60)


def test_reset_forgets_all_but_the_credentials(control: httpx.Client, sandbox: Sandbox) -> None:
    before = sandbox.config
    control.post("/faults", json={"action": "drop", "path": "/never"})
    control.post("/clock", json={"advance": 3600})
    httpx.get(f"{sandbox.base_url}/v3.0/factories.json")
    assert control.post("/reset").json() == {"reset": True}
    assert control.get("/faults").json() == []
    assert control.get("/state").json()["requests"] == []
    assert sandbox.world.clock.now() == pytest.approx(time.time(), abs=60)
    assert sandbox.config == before


def test_the_state_has_all_its_lists(control: httpx.Client) -> None:
    state = control.get("/state").json()
    assert set(state) == {"uploads", "videos", "encodings", "media", "jobs", "notifications", "requests"}
    assert all(value == [] for value in state.values())


def test_the_console_is_one_page_that_needs_nobody_else(sandbox: Sandbox) -> None:
    page = httpx.get(sandbox.base_url)
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "://" not in page.text
    assert "innerHTML" not in page.text
