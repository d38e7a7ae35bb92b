"""How CloudKey says no: one error with the codes of the JSON-RPC era, which the REST era words its own way.

PURE. Codes: cloudkey-rpc.md section 6; their REST names: cloudkey-rest.md section 7.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AUTHENTICATION",
    "EXISTS",
    "INVALID_CALL",
    "INVALID_METHOD",
    "INVALID_OBJECT",
    "INVALID_PARAMETER",
    "INVALID_REQUEST",
    "MISSING_PARAMETER",
    "NOT_FOUND",
    "SERIALIZER",
    "CallError",
    "invalid",
    "not_found",
]

AUTHENTICATION: Final = 400
SERIALIZER: Final = 500
INVALID_REQUEST: Final = 600
INVALID_OBJECT: Final = 610
INVALID_METHOD: Final = 620
INVALID_PARAMETER: Final = 630
INVALID_CALL: Final = 640
MISSING_PARAMETER: Final = 650
NOT_FOUND: Final = 1010
EXISTS: Final = 1020


class CallError(Exception):
    """A call that is answered with an error; the text says what is wrong with it.

    Args:
        code: the error's number in the JSON-RPC era.
        reason: what a developer should know. Never holds a secret.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def invalid(reason: str) -> CallError:
    """Return the error for an argument that cannot be used."""
    return CallError(INVALID_PARAMETER, reason)


def not_found(kind: str, id: str) -> CallError:
    """Return the error for something that does not exist, or belongs to another account."""
    return CallError(NOT_FOUND, f"There is no {kind} {id}")
