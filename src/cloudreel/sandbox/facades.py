"""Clients configured for a sandbox: the only part of it that imports the services' clients, when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from .faults import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

    from cloudreel.telestream import AsyncTelestream, Telestream


class AppTransport(httpx.AsyncBaseTransport):
    """Sends requests straight into an app on the same loop; broken connections become httpx's errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request from the app.

        :raises httpx.ReadError: where a fault breaks the connection.
        :raises httpx.RemoteProtocolError: where a fault answers with garbage.
        """
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionLost as error:
            kind = httpx.RemoteProtocolError if error.garbage else httpx.ReadError
            raise kind(str(error), request=request) from error


def async_telestream(config: Mapping[str, Any], **options: Any) -> AsyncTelestream:
    """Return a Telestream client for the sandbox with this configuration."""
    from cloudreel.telestream import AsyncTelestream

    return AsyncTelestream(**config["telestream"], **options)


class SyncFacades:
    """The blocking clients of a sandbox."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def telestream(self, **options: Any) -> Telestream:
        """Return a blocking Telestream client for this sandbox."""
        from cloudreel.telestream import Telestream

        return Telestream(**self._config["telestream"], **options)
