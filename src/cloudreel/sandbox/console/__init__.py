"""The page at / where a person looks at what goes on in the sandbox, and switches faults on."""

from __future__ import annotations

from cloudreel.sandbox.console.routes import console_routes

__all__ = ["console_routes"]
