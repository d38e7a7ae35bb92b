"""The asyncio and trio facade of CloudKey's REST era."""

from __future__ import annotations

import ssl
from functools import partial
from typing import Self

import httpx
from attrs import evolve

from cloudreel.cloudkey.protocol import BASE_URL, CDN_URL, call_url
from cloudreel.cloudkey_rest.accounts import Accounts
from cloudreel.cloudkey_rest.errors import FAMILY, InvalidNamespace
from cloudreel.cloudkey_rest.media import AsyncMedia
from cloudreel.cloudkey_rest.namespaces import AsyncFarm, AsyncFile, AsyncUser
from cloudreel.cloudkey_rest.protocol import NAMESPACES, BasicSigner, read_failure
from cloudreel.core import environment
from cloudreel.core.call import Credential
from cloudreel.core.facade import Client
from cloudreel.core.hooks import NO_HOOKS, Hooks
from cloudreel.core.options import Http, Limits, Options, SharedLimit, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.service import Service
from cloudreel.core.transport import Transport


class AsyncCloudKeyRest(Client):
    """CloudKey's REST era for asyncio and trio.

    Args:
        username: the user name, or a function that returns it; None to call without a login.
        password: the password, or a function that returns the current one.
        base_url: calls go below it, over https where it is the service's own; players' URLs are built on
            it as it stands.
        cdn_url: assets' URLs are built on it.
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
        username: Credential | None,
        password: Credential | None,
        *,
        base_url: str = BASE_URL,
        cdn_url: str = CDN_URL,
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
        self._signer = BasicSigner(username, password)
        self._base_url = base_url.rstrip("/")
        self._cdn_url = cdn_url.rstrip("/")
        self._transport = Transport(
            Service(
                "cloudkey_rest",
                call_url(self._base_url),
                FAMILY,
                self._signer,
                partial(read_failure, anonymous=username is None),
            ),
            Pool(Wiring(limits or Limits(), http_client, transport, http, fast_path, proxy, verify)),
            Options(timeout, retries, deadline, user_agent, hooks or NO_HOOKS, shared_limit),
        )
        self._accounts = Accounts(self._transport)

    @classmethod
    def from_env(cls) -> Self:
        """Return a client made from the environment.

        ``CLOUDKEY_REST_USERNAME`` and ``CLOUDKEY_REST_PASSWORD`` must be set, ``CLOUDKEY_REST_BASE_URL``
        and ``CLOUDKEY_REST_CDN_URL`` may be.

        Raises:
            CloudReelError: a variable is missing.
        """
        return cls(
            environment.required("CLOUDKEY_REST_USERNAME"),
            environment.required("CLOUDKEY_REST_PASSWORD"),
            base_url=environment.optional("CLOUDKEY_REST_BASE_URL") or BASE_URL,
            cdn_url=environment.optional("CLOUDKEY_REST_CDN_URL") or CDN_URL,
        )

    @property
    def user(self) -> AsyncUser:
        """The account, and which presets its media are encoded to."""
        return AsyncUser(self._transport, self._accounts)

    @property
    def media(self) -> AsyncMedia:
        """The media of the account."""
        return AsyncMedia(self._transport, self._accounts, self._base_url, self._cdn_url)

    @property
    def file(self) -> AsyncFile:
        """Uploads of files."""
        return AsyncFile(self._transport)

    @property
    def farm(self) -> AsyncFarm:
        """Farms of nodes."""
        return AsyncFarm(self._transport)

    def __getattr__(self, name: str) -> object:
        """Refuse what is no namespace.

        Raises:
            InvalidNamespace: there is none of this name; nothing was sent.
        """
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise InvalidNamespace(f"There is no namespace {name!r}; there are {', '.join(NAMESPACES)}")

    def act_as_user(self, username: str | None) -> Self:
        """Have all later calls run as another user, and return the client itself.

        Only a super user may; for others the service ignores it. A user that does not exist is an
        `AuthenticationFailed` of the next call.

        Args:
            username: the user's name, None to be oneself again.
        """
        self._signer.acting_as = username
        self._accounts.forget()
        return self

    def as_user(self, username: str | None) -> Self:
        """Return a copy whose calls run as another user, see `act_as_user`; closing it closes nothing."""
        return self._copy(self._transport, username)

    def __repr__(self) -> str:
        acting = f", acting as {self._signer.acting_as}" if self._signer.acting_as else ""
        return f"<CloudKeyRest at {self._transport.service.base_url}{acting}>"

    def _copied(self, transport: Transport) -> Self:
        return self._copy(transport, self._signer.acting_as)

    def _copy(self, transport: Transport, acting_as: str | None) -> Self:
        signer = evolve(self._signer, acting_as=acting_as)
        other = super()._copied(transport.for_service(evolve(transport.service, sign=signer)))
        other._signer = signer
        other._accounts = Accounts(other._transport)
        return other
