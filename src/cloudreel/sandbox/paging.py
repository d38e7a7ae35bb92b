"""Lists of the Panda family: filters, pages, the optional root (panda.md 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox.documents import public
from cloudreel.sandbox.refusals import json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from cloudreel.sandbox.auth import ApiRequest
    from cloudreel.sandbox.store import Document

__all__ = ["filters", "listing"]

_PER_PAGE = 100


def filters(call: ApiRequest, *names: str) -> dict[str, str]:
    """Return the members the request asks for, of those a list can be filtered by."""
    return {name: text for name in names if (text := call.text(name)) is not None}


def listing(call: ApiRequest, plural: str, documents: Sequence[Document]) -> Response:
    """Answer with one page of a list, oldest first: a bare array, or under its name with ``include_root``."""
    page = call.whole("page", 1, low=1)
    per_page = min(call.whole("per_page", _PER_PAGE, low=1), _PER_PAGE)
    start = (page - 1) * per_page
    shown = [public(document) for document in documents[start : start + per_page]]
    if not call.flag("include_root"):
        return json_response(shown)
    return json_response({plural: shown, "page": page, "per_page": per_page, "total": len(documents)})
