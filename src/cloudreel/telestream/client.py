"""The asyncio and trio facade of Telestream Cloud, flip v3.0."""

from __future__ import annotations

import ssl
from typing import Self

import httpx

from cloudreel.core import environment
from cloudreel.core.call import Credential, Response
from cloudreel.core.hooks import NO_HOOKS, Hooks
from cloudreel.core.options import Http, Limits, Options, SharedLimit, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Transport
from cloudreel.panda.family import FamilyClient, family_service
from cloudreel.panda.protocol import Params
from cloudreel.panda.scopes import signer_of
from cloudreel.panda.signer import HmacSigner, base_url
from cloudreel.telestream.errors import FAMILY, TelestreamCloudException
from cloudreel.telestream.factories import AsyncFactories


class AsyncTelestream(FamilyClient):
    """Telestream Cloud (flip v3.0) for asyncio and trio.

    Args:
        access_key: the public key, or a function that returns the current one.
        secret_key: the key that signs, or a function that returns the current one.
        factory_id: the factory that the raw verbs speak to; objects carry their own.
        api_host: the host without port.
        api_port: 443 means https, any other port http, unless ``scheme`` says otherwise.
        api_version: as it stands in paths.
        scheme: ``"http"`` or ``"https"``, None to go by the port.
        timeout: seconds for one attempt; connecting takes 5 of them at most.
        retries: attempts that may follow a failed one.
        deadline: seconds over all attempts of a call, None for no limit.
        limits: requests in flight and per second, bytes per second.
        http_client: your own client; it is never closed by this one.
        transport: your own httpx transport.
        http: which library carries the requests; ``"aiohttp"`` needs the extra of that name.
        fast_path: whether small calls may bypass httpx's client, and file parts httpx, where that is cheaper.
        proxy: URL of an HTTP proxy.
        verify: True, or an SSL context of your own.
        user_agent: instead of cloudreel's product tokens.
        hooks: functions that are told of each request.
        shared_limit: what other processes keep to as well, see `cloudreel.fleet`.
    """

    def __init__(
        self,
        access_key: Credential,
        secret_key: Credential,
        factory_id: str | None = None,
        api_host: str = "api-gce.pandastream.com",
        api_port: int | str = 443,
        api_version: str = "3.0",
        *,
        scheme: str | None = None,
        timeout: float = 30.0,
        retries: int = 2,
        deadline: float | None = None,
        limits: Limits | None = None,
        http_client: httpx.AsyncClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        http: Http = "httpx",
        fast_path: bool = True,
        proxy: str | None = None,
        verify: bool | ssl.SSLContext = True,
        user_agent: str | None = None,
        hooks: Hooks | None = None,
        shared_limit: SharedLimit | None = None,
    ) -> None:
        signer = HmacSigner(api_host, access_key, secret_key, factory_id=factory_id)
        self._transport = Transport(
            family_service("telestream", base_url(scheme, api_host, api_port, api_version), FAMILY, signer),
            Pool(Wiring(limits or Limits(), http_client, transport, http, fast_path, proxy, verify)),
            Options(timeout, retries, deadline, user_agent, hooks or NO_HOOKS, shared_limit),
        )

    @classmethod
    def from_env(cls) -> Self:
        """Return a client made from the environment.

        ``TELESTREAM_ACCESS_KEY`` and ``TELESTREAM_SECRET_KEY`` must be set; ``TELESTREAM_FACTORY_ID``,
        ``TELESTREAM_BASE_URL`` or ``TELESTREAM_API_HOST`` and ``TELESTREAM_API_PORT`` may be.

        Raises:
            CloudReelError: a variable is missing or malformed.
        """
        return cls(
            environment.required("TELESTREAM_ACCESS_KEY"),
            environment.required("TELESTREAM_SECRET_KEY"),
            environment.optional("TELESTREAM_FACTORY_ID"),
            **environment.endpoint("TELESTREAM"),
        )

    @property
    def factory_id(self) -> str | None:
        """The factory that the raw verbs speak to."""
        return signer_of(self._transport).factory_id

    @property
    def flip(self) -> AsyncFlip:
        """The encoding service."""
        return AsyncFlip(self._transport)

    def get_resource(self, name: str) -> AsyncFlip:
        """Return a service by name; ``"flip"`` is the only one.

        Raises:
            TelestreamCloudException: there is no such service.
        """
        if name != "flip":
            raise TelestreamCloudException(f"Unknown resource: {name!r}; there is 'flip'")
        return self.flip

    async def get(self, path: str, params: Params | None = None) -> httpx.Response:
        """Send a signed GET to a path such as ``/videos.json`` and return the answer.

        Raises:
            TelestreamCloudException: the service refused it.
        """
        return await self._raw("GET", path, params)

    async def post(self, path: str, params: Params | None = None) -> httpx.Response:
        """Send a signed POST; see `get`."""
        return await self._raw("POST", path, params)

    async def put(self, path: str, params: Params | None = None) -> httpx.Response:
        """Send a signed PUT; see `get`."""
        return await self._raw("PUT", path, params)

    async def delete(self, path: str, params: Params | None = None) -> httpx.Response:
        """Send a signed DELETE; see `get`."""
        return await self._raw("DELETE", path, params)

    def __repr__(self) -> str:
        scope = f", factory {self.factory_id}" if self.factory_id else ""
        return f"<Telestream at {self._transport.service.base_url}{scope}>"

    async def _raw(self, verb: str, path: str, params: Params | None) -> httpx.Response:
        return _as_httpx(await self._exchange(verb, path, params))


class AsyncFlip:
    """The encoding service: its factories."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def factories(self) -> AsyncFactories:
        """The factories of the account."""
        return AsyncFactories(self._transport)


def _as_httpx(response: Response) -> httpx.Response:
    """Return an answer as httpx's, without the request, whose URL carries the signature."""
    encoded = {"content-encoding", "content-length", "transfer-encoding"}  # the body is decoded already
    headers = {name: value for name, value in response.headers.items() if name not in encoded}
    return httpx.Response(response.status_code, headers=headers, content=response.body)
