"""How the Panda family says no, and how it says anything at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Refusal", "bad_request", "json_response", "missing_parameters", "not_found"]


def json_response(body: object, status: int = 200) -> Response:
    """Return ``body`` as a JSON response."""
    return Response(orjson.dumps(body), status, media_type="application/json")


class Refusal(Exception):
    """A request the service answers with an error: panda.md section 6.

    ``explain`` helps whoever develops against the sandbox; the real service had no such member.
    """

    def __init__(self, status: int, error: str, message: str, explain: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.explain = explain

    def response(self) -> Response:
        """Return the error as the service words it."""
        body = {"error": self.error, "message": str(self)}
        if self.explain is not None:
            body["explain"] = self.explain
        return json_response(body, self.status)


def bad_request(message: str) -> Refusal:
    """Return a 400 BadRequest."""
    return Refusal(400, "BadRequest", message)


def missing_parameters(names: Iterable[str]) -> Refusal:
    """Return the 400 that lists what is required."""
    return bad_request(f"All required parameters were not supplied: {', '.join(names)}")


def not_found(model: str, id: str) -> Refusal:
    """Return the 404 for an object the service does not know."""
    return Refusal(404, "RecordNotFound", f"Couldn't find {model} with ID={id}")
