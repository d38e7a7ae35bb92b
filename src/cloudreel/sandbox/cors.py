"""Letting pages of any origin call the Panda family, whose own uploader ran in its users' pages."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

__all__ = ["ANY_ORIGIN"]

ANY_ORIGIN = Middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["GET", "POST", "PUT", "DELETE"],
    allow_headers=["*"],
    expose_headers=["Location", "Range"],  # what a script must see to go on with an upload
)
"""Around a mount: answers preflight requests, and allows every origin to read what is answered."""
