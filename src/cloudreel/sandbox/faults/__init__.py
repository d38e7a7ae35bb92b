"""What goes wrong on request: a plan of faults, and the middleware that plays it.

A fault is spent by the first request it matches. ``plan`` says what there is; ``detours`` and ``breaks`` play
it, each action by one function. Broken connections need the ``wire`` that the server puts under each request.
"""

from __future__ import annotations

from cloudreel.sandbox.faults.detours import skew
from cloudreel.sandbox.faults.exchange import CONTROL
from cloudreel.sandbox.faults.middleware import FaultMiddleware
from cloudreel.sandbox.faults.plan import ACTIONS, Action, BadFault, Fault, FaultPlan
from cloudreel.sandbox.faults.wire import ConnectionLost, Loss, Wire

__all__ = [
    "ACTIONS",
    "CONTROL",
    "Action",
    "BadFault",
    "ConnectionLost",
    "Fault",
    "FaultMiddleware",
    "FaultPlan",
    "Loss",
    "Wire",
    "skew",
]
