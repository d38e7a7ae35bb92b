"""The asyncio and trio facade of CloudKey, the JSON-RPC API of Dailymotion Cloud."""

from __future__ import annotations

import ssl
from typing import Self

import httpx
from attrs import evolve

from cloudreel.cloudkey import protocol
from cloudreel.cloudkey.account import (
    AsyncEncodingSettings,
    AsyncFarm,
    AsyncOrganisation,
    AsyncPlayerPreset,
    AsyncSystem,
    AsyncUser,
)
from cloudreel.cloudkey.errors import FAMILY
from cloudreel.cloudkey.files import AsyncFile
from cloudreel.cloudkey.media import AsyncMedia
from cloudreel.cloudkey.player import Viewing
from cloudreel.cloudkey.protocol import RpcSigner
from cloudreel.cloudkey.remote import AsyncRemoteObject
from cloudreel.core import environment
from cloudreel.core.call import JSON, Credential
from cloudreel.core.facade import Client
from cloudreel.core.hooks import NO_HOOKS, Hooks
from cloudreel.core.options import Http, Limits, Options, SharedLimit, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.service import Service
from cloudreel.core.transport import Transport


class AsyncCloudKey(Client):
    """CloudKey for asyncio and trio: ``await ck.media.list(fields=["id"])``.

    Objects and methods that are not written down work by name all the same, as does `call`.

    Args:
        user_id: id of the account, or a function that returns it.
        api_key: the account's key, or a function that returns the current one.
        base_url: calls go to ``/api`` below it, over https where it is the service's own; players' URLs
            are built on it as it stands.
        cdn_url: streams' URLs are built on it.
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
        user_id: Credential,
        api_key: Credential,
        *,
        base_url: str = "http://api.dmcloud.net",
        cdn_url: str = "http://cdn.dmcloud.net",
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
        self._signer = RpcSigner(user_id, api_key)
        self._base_url = base_url.rstrip("/")
        self._cdn_url = cdn_url.rstrip("/")
        self._transport = Transport(
            Service(
                "cloudkey", protocol.call_url(self._base_url), FAMILY, self._signer, protocol.read_failure
            ),
            Pool(Wiring(limits or Limits(), http_client, transport, http, fast_path, proxy, verify)),
            Options(timeout, retries, deadline, user_agent, hooks or NO_HOOKS, shared_limit),
        )

    @classmethod
    def from_env(cls) -> Self:
        """Return a client made from the environment.

        ``CLOUDKEY_USER_ID`` and ``CLOUDKEY_API_KEY`` must be set, ``CLOUDKEY_BASE_URL`` and
        ``CLOUDKEY_CDN_URL`` may be.

        Raises:
            CloudReelError: a variable is missing.
        """
        return cls(
            environment.required("CLOUDKEY_USER_ID"),
            environment.required("CLOUDKEY_API_KEY"),
            base_url=environment.optional("CLOUDKEY_BASE_URL") or protocol.BASE_URL,
            cdn_url=environment.optional("CLOUDKEY_CDN_URL") or protocol.CDN_URL,
        )

    def act_as_user(self, user: str | None) -> None:
        """Make all calls from now on as another user, which takes a root account.

        URLs are signed as before, for the account itself.

        Args:
            user: id of the user, None for the account itself.
        """
        self._signer.acting_as = user

    def as_user(self, user: str | None) -> Self:
        """Return a copy that acts as another user and shares the connections; see `act_as_user`."""
        return self._copy(self._transport, user)

    @property
    def media(self) -> AsyncMedia:
        """The media."""
        now = self._transport.now
        viewing = Viewing(self._signer.user_id, self._signer.api_key, self._base_url, self._cdn_url, now)
        return AsyncMedia(self._transport, viewing)

    @property
    def file(self) -> AsyncFile:
        """Uploads."""
        return AsyncFile(self._transport, "file")

    @property
    def user(self) -> AsyncUser:
        """The users."""
        return AsyncUser(self._transport, "user")

    @property
    def system(self) -> AsyncSystem:
        """The account as a whole."""
        return AsyncSystem(self._transport, "system")

    @property
    def organisation(self) -> AsyncOrganisation:
        """The organisation that the account belongs to."""
        return AsyncOrganisation(self._transport, "organisation")

    @property
    def player_preset(self) -> AsyncPlayerPreset:
        """The presets of the player."""
        return AsyncPlayerPreset(self._transport, "player_preset")

    @property
    def encoding_settings(self) -> AsyncEncodingSettings:
        """Which assets are made, and how."""
        return AsyncEncodingSettings(self._transport, "encoding_settings")

    @property
    def farm(self) -> AsyncFarm:
        """Farms of nodes."""
        return AsyncFarm(self._transport, "farm")

    def __getattr__(self, name: str) -> AsyncRemoteObject:
        """Return the remote object of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return AsyncRemoteObject(self._transport, name)

    async def call(self, name: str, /, **args: object) -> JSON:
        """Call any method and return its result.

        Args:
            name: ``object.method``.
            args: named arguments, which go out as they are.

        Raises:
            RPCException: the service refused it.
        """
        return await self._transport.send(protocol.any_call(name, args))

    def __repr__(self) -> str:
        acting = f", acting as {self._signer.acting_as}" if self._signer.acting_as else ""
        return f"<CloudKey at {self._transport.service.base_url}{acting}>"

    def _copied(self, transport: Transport) -> Self:
        return self._copy(transport, self._signer.acting_as)

    def _copy(self, transport: Transport, acting_as: str | None) -> Self:
        signer = evolve(self._signer, acting_as=acting_as)
        other = super()._copied(transport.for_service(evolve(transport.service, sign=signer)))
        other._signer = signer
        return other
