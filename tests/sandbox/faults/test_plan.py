"""What a plan of faults accepts, and what it hands out."""

from __future__ import annotations

import pytest

from cloudreel.sandbox.faults import ACTIONS, Action, BadFault, Fault, FaultPlan
from cloudreel.sandbox.faults.middleware import PLAYERS
from cloudreel.sandbox.faults.plan import NEEDED


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("drop", "JSON object"),
        ({}, "action must be one of"),
        ({"action": "explode"}, "action must be one of"),
        ({"action": ["drop"]}, "action must be one of"),
        ({"action": "drop", "after": 3}, "no field 'after'"),
        ({"action": "drop", "times": 0}, "times must be"),
        ({"action": "drop", "times": True}, "times must be"),
        ({"action": "drop", "after_bytes": -1}, "after_bytes must be"),
        ({"action": "drop", "after_bytes": "7"}, "after_bytes must be"),
        ({"action": "drop", "path": 5}, "path must be text"),
        ({"action": "drop", "method": ""}, "method must be text"),
        ({"action": "status", "status": 99}, "status must be a whole number from 200 to 599"),
        ({"action": "early", "status": 101}, "status must be one of 100, 102, 103"),
        ({"action": "early", "status": 200}, "status must be a whole number from 100 to 103"),
        ({"action": "redirect", "status": 200}, "status must be a whole number from 300 to 399"),
        ({"action": "redirect", "location": "/a\r\nSet-Cookie: b"}, "location must be text"),
        ({"action": "delay"}, "delay needs seconds"),
        ({"action": "delay", "seconds": -1}, "seconds must be a number from 0 to 86400"),
        ({"action": "stall", "seconds": float("nan")}, "seconds must be"),
        ({"action": "skew"}, "skew needs seconds"),
        ({"action": "skew", "seconds": -86_401}, "seconds must be a number from -86400 to 86400"),
        ({"action": "slow"}, "slow needs bytes_per_second"),
        ({"action": "slow", "bytes_per_second": 0}, "bytes_per_second must be"),
    ],
)
def test_nonsense_is_refused(given: object, complaint: str) -> None:
    with pytest.raises(BadFault, match=complaint):
        Fault.from_json(given)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_fault_survives_json(action: Action) -> None:
    given = {"action": action, "method": "put", **({NEEDED[action]: 7} if action in NEEDED else {})}
    fault = Fault.from_json(given)
    assert (fault.action, fault.method) == (action, "PUT")
    assert Fault.from_json(fault.to_json()) == fault


def test_all_of_a_fault_survives_json() -> None:
    fault = Fault("stall", path="/v3.0/*", method="PUT", times=2, after_bytes=7, seconds=0.5)
    assert Fault.from_json(fault.to_json()) == fault
    fault = Fault("redirect", status=308, location="https://elsewhere.example/?a=b", bytes_per_second=3)
    assert Fault.from_json(fault.to_json()) == fault


def test_each_action_answers_with_a_status_of_its_own() -> None:
    statuses = {action: Fault(action).status for action in ("status", "redirect", "early")}
    assert statuses == {"status": 500, "redirect": 302, "early": 103}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_played_and_told_of(action: Action) -> None:
    assert action in PLAYERS
    assert f"``{action}`` " in str(Fault.__doc__)


def test_the_first_match_counts_and_is_spent() -> None:
    plan = FaultPlan()
    plan.add(Fault("drop", method="PUT"), Fault("status", path="/a/*", times=2), Fault("truncate"))
    taken = [plan.take("GET", "/a/b/c") for _ in range(4)]
    assert [fault.action if fault else None for fault in taken] == ["status", "status", "truncate", None]
    assert [fault.action for fault in plan] == ["drop"]
    plan.clear()
    assert plan.take("PUT", "/") is None
