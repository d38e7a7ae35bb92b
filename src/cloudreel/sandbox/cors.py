"""What pages of other origins may do: call the Panda family, whose own uploader ran in its users' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["ANY_ORIGIN", "is_foreign"]

ANY_ORIGIN = Middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["GET", "POST", "PUT", "DELETE"],
    allow_headers=["*"],
    expose_headers=["Location", "Range"],  # what a script must see to go on with an upload
)
"""Around a mount: answers preflight requests, and allows every origin to read what is answered."""


def is_foreign(request: Request) -> bool:
    """Return whether a browser says that a page of another origin makes the request.

    It lets such a page send some requests without asking, and only hides the answers. Programs say nothing.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site not in {"same-origin", "none"}
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
