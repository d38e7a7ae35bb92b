"""Clients configured for a sandbox: the only part of it that imports the services' clients, when asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Any

import httpx

from .faults import ConnectionLost, Loss

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from starlette.types import ASGIApp

    from cloudreel.cloudkey import AsyncCloudKey, CloudKey
    from cloudreel.cloudkey_rest import AsyncCloudKeyRest, CloudKeyRest
    from cloudreel.flixcloud import AsyncFlixCloud, FlixCloud
    from cloudreel.panda import AsyncPanda, Panda
    from cloudreel.telestream import AsyncTelestream, Telestream


_LOSSES: dict[Loss, type[httpx.TransportError]] = {
    "broken": httpx.ReadError,
    "garbage": httpx.RemoteProtocolError,
    "silence": httpx.ReadTimeout,
}


class AppTransport(httpx.AsyncBaseTransport):
    """Sends requests straight into an app on the same loop; broken connections become httpx's errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request from the app.

        :raises httpx.ReadError: where a fault breaks the connection.
        :raises httpx.RemoteProtocolError: where a fault answers with garbage.
        :raises httpx.ReadTimeout: where a fault never answers.
        """
        assert isinstance(request.stream, AsyncIterable)
        body = _Body(request.stream)
        inner = httpx.Request(request.method, request.url, headers=request.headers, stream=body)
        try:
            return await self._inner.handle_async_request(inner)
        except ConnectionLost as error:
            raise _LOSSES[error.loss](str(error), request=request) from error
        finally:
            await body.aclose()


class _Body(httpx.AsyncByteStream):
    """A request's body that is closed with the request, also where the app did not read to its end."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks: AsyncIterator[bytes] = aiter(chunks)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def aclose(self) -> None:
        close: Callable[[], Awaitable[None]] | None = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()


class Facades(ABC):
    """The clients of a sandbox; every option of a client may be given."""

    @property
    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Addresses and credentials, service by service: what ``cloudreel sandbox --json`` prints."""

    @property
    def sync(self) -> SyncFacades:
        """The blocking clients."""
        return SyncFacades(self.config)

    def telestream(self, **options: Any) -> AsyncTelestream:
        """Return an async Telestream client for this sandbox; close it as any other."""
        from cloudreel.telestream import AsyncTelestream

        return AsyncTelestream(**self.config["telestream"], **options)

    def panda(self, **options: Any) -> AsyncPanda:
        """Return an async Panda client for this sandbox."""
        from cloudreel.panda import AsyncPanda

        return AsyncPanda(**{**self.config["panda"], **options})

    def cloudkey(self, **options: Any) -> AsyncCloudKey:
        """Return an async CloudKey client for this sandbox."""
        from cloudreel.cloudkey import AsyncCloudKey

        return AsyncCloudKey(**{**self.config["cloudkey"], **options})

    def cloudkey_rest(self, **options: Any) -> AsyncCloudKeyRest:
        """Return an async client of CloudKey's REST era for this sandbox."""
        from cloudreel.cloudkey_rest import AsyncCloudKeyRest

        return AsyncCloudKeyRest(**{**_rest(self.config), **options})

    def flixcloud(self, **options: Any) -> AsyncFlixCloud:
        """Return an async Flix Cloud client for this sandbox."""
        from cloudreel.flixcloud import AsyncFlixCloud

        return AsyncFlixCloud(**{**self.config["flixcloud"], **options})


class AppFacades(Facades):
    """The clients of a sandbox without a socket."""

    @abstractmethod
    def transport(self) -> AppTransport:
        """Return a transport that sends a client's requests straight into the sandbox."""

    @property
    def sync(self) -> SyncFacades:
        """Nothing: blocking clients need the socket.

        :raises RuntimeError: always.
        """
        raise RuntimeError("Blocking clients need a socket; use Sandbox() instead of Sandbox.asgi().")

    def telestream(self, **options: Any) -> AsyncTelestream:
        """Return an async Telestream client whose requests go straight into the sandbox."""
        return super().telestream(**{"transport": self.transport(), **options})

    def panda(self, **options: Any) -> AsyncPanda:
        """Return an async Panda client whose requests go straight into the sandbox."""
        return super().panda(**{"transport": self.transport(), **options})

    def cloudkey(self, **options: Any) -> AsyncCloudKey:
        """Return an async CloudKey client whose requests go straight into the sandbox."""
        return super().cloudkey(**{"transport": self.transport(), **options})

    def cloudkey_rest(self, **options: Any) -> AsyncCloudKeyRest:
        """Return an async client of the REST era whose requests go straight into the sandbox."""
        return super().cloudkey_rest(**{"transport": self.transport(), **options})

    def flixcloud(self, **options: Any) -> AsyncFlixCloud:
        """Return an async Flix Cloud client whose requests go straight into the sandbox."""
        return super().flixcloud(**{"transport": self.transport(), **options})


class SyncFacades:
    """The blocking clients of a sandbox."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def telestream(self, **options: Any) -> Telestream:
        """Return a blocking Telestream client for this sandbox."""
        from cloudreel.telestream import Telestream

        return Telestream(**self._config["telestream"], **options)

    def panda(self, **options: Any) -> Panda:
        """Return a blocking Panda client for this sandbox."""
        from cloudreel.panda import Panda

        return Panda(**{**self._config["panda"], **options})

    def cloudkey(self, **options: Any) -> CloudKey:
        """Return a blocking CloudKey client for this sandbox."""
        from cloudreel.cloudkey import CloudKey

        return CloudKey(**{**self._config["cloudkey"], **options})

    def cloudkey_rest(self, **options: Any) -> CloudKeyRest:
        """Return a blocking client of CloudKey's REST era for this sandbox."""
        from cloudreel.cloudkey_rest import CloudKeyRest

        return CloudKeyRest(**{**_rest(self._config), **options})

    def flixcloud(self, **options: Any) -> FlixCloud:
        """Return a blocking Flix Cloud client for this sandbox."""
        from cloudreel.flixcloud import FlixCloud

        return FlixCloud(**{**self._config["flixcloud"], **options})


def _rest(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the REST era's clients: here one server plays every part."""
    return {**config["cloudkey_rest"], "cdn_url": config["base_url"]}
