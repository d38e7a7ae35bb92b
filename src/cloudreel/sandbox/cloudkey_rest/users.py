"""The calls about the caller and about uploads in the REST era (cloudkey-rest.md 9.1, 9.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey import node

if TYPE_CHECKING:
    from cloudreel.sandbox.cloudkey.methods import Caller
    from cloudreel.sandbox.store import Document

__all__ = ["upload", "whoami"]


def whoami(caller: Caller) -> Document:
    """Answer user/whoami; the key is told because URLs are signed with it (12.1)."""
    return {name: caller.user[name] for name in ("id", "username", "api_key")}


def upload(caller: Caller, target: str | None = None) -> Document:
    """Answer file/upload."""
    return node.upload(caller, target)
