"""The asyncio and trio facade of Panda, API v2."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Self

import httpx

from cloudreel.core import environment
from cloudreel.core.call import Credential
from cloudreel.core.hooks import NO_HOOKS, Hooks
from cloudreel.core.options import Http, Limits, Options, SharedLimit, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Transport
from cloudreel.panda.address import read_address
from cloudreel.panda.clouds import AsyncCloud, AsyncClouds
from cloudreel.panda.errors import FAMILY, BadRequest
from cloudreel.panda.family import FamilyClient, family_service
from cloudreel.panda.models import VideoFields
from cloudreel.panda.profiles import AsyncProfiles
from cloudreel.panda.protocol import Param, Params
from cloudreel.panda.scopes import for_cloud, signer_of
from cloudreel.panda.sending import Sessions
from cloudreel.panda.settings import AsyncNotificationSettings
from cloudreel.panda.signer import HmacSigner, base_url
from cloudreel.panda.videos import AsyncEncodings, AsyncVideo, AsyncVideos
from cloudreel.uploads.ranges import CHUNK_SIZE
from cloudreel.uploads.session import AsyncUploadSession, ProgressCallback
from cloudreel.uploads.sources import SourceLike
from cloudreel.uploads.stores import TicketStore
from cloudreel.uploads.ticket import Ticket

API_VERSION = "2"


class AsyncPanda(FamilyClient):
    """Panda (API v2) for asyncio and trio.

    Args:
        access_key: the public key, or a function that returns the current one.
        secret_key: the key that signs, or a function that returns the current one.
        cloud_id: the cloud that calls are about; it may be assigned later, too.
        api_host: the host without port.
        api_port: 443 means https, any other port http, unless ``scheme`` says otherwise.
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
        cloud_id: str | None = None,
        api_host: str = "api.pandastream.com",
        api_port: int | str = 443,
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
        signer = HmacSigner(api_host, access_key, secret_key, cloud_id)
        self._transport = Transport(
            family_service("panda", base_url(scheme, api_host, api_port, API_VERSION), FAMILY, signer),
            Pool(Wiring(limits or Limits(), http_client, transport, http, fast_path, proxy, verify)),
            Options(timeout, retries, deadline, user_agent, hooks or NO_HOOKS, shared_limit),
        )

    @classmethod
    def from_env(cls) -> Self:
        """Return a client made from the environment.

        Either ``PANDASTREAM_URL`` is set, ``https://ACCESS:SECRET@HOST:PORT/CLOUD_ID``, in which the port
        decides between http and https. Or ``PANDA_ACCESS_KEY`` and ``PANDA_SECRET_KEY`` must be set, and
        ``PANDA_CLOUD_ID``, ``PANDA_BASE_URL`` or ``PANDA_API_HOST`` and ``PANDA_API_PORT`` may be.

        Raises:
            CloudReelError: a variable is missing or malformed.
        """
        if address := environment.optional("PANDASTREAM_URL"):
            return cls(**read_address(address))
        return cls(
            environment.required("PANDA_ACCESS_KEY"),
            environment.required("PANDA_SECRET_KEY"),
            environment.optional("PANDA_CLOUD_ID"),
            **environment.endpoint("PANDA"),
        )

    @property
    def cloud_id(self) -> str | None:
        """The cloud that calls are about; objects stay with the one that they came from."""
        return signer_of(self._transport).cloud_id

    @cloud_id.setter
    def cloud_id(self, value: str | None) -> None:
        self._transport = for_cloud(self._transport, value)

    def for_cloud(self, cloud_id: str) -> Self:
        """Return a copy for another cloud that shares the connections; closing it closes nothing."""
        return self._copied(for_cloud(self._transport, cloud_id))

    @property
    def clouds(self) -> AsyncClouds:
        """The clouds of the account."""
        return AsyncClouds(self._transport)

    @property
    def videos(self) -> AsyncVideos:
        """The cloud's videos."""
        return AsyncVideos(self._transport)

    @property
    def encodings(self) -> AsyncEncodings:
        """The encodings of all videos of the cloud."""
        return AsyncEncodings(self._transport)

    @property
    def profiles(self) -> AsyncProfiles:
        """The cloud's profiles."""
        return AsyncProfiles(self._transport)

    @property
    def notifications(self) -> AsyncNotificationSettings:
        """The cloud's notification settings."""
        return AsyncNotificationSettings(self._transport)

    async def cloud_details(self) -> AsyncCloud:
        """Return the cloud of ``cloud_id``.

        Raises:
            InvalidRequestError: no ``cloud_id`` is set.
        """
        if not self.cloud_id:
            raise BadRequest("Set panda.cloud_id to the cloud you want the details of")
        return await self.clouds.find(self.cloud_id)

    async def upload_session(
        self,
        source: SourceLike,
        profiles: str | Sequence[str] | None = "h264",
        *,
        store: TicketStore | None = None,
        progress: ProgressCallback | None = None,
        chunk_size: int = CHUNK_SIZE,
        **params: Param,
    ) -> AsyncUploadSession[AsyncVideo]:
        """Open an upload that goes out in chunks, one after the other, and survives broken connections.

        Nothing is sent of the source before `AsyncUploadSession.start`.

        Args:
            source: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            profiles: names or ids of profiles to encode to; ``"none"`` for no encoding, None to leave
                the choice to the service.
            store: where the ticket is kept from before the first byte until the upload is finished or
                aborted, so that `resume_upload` continues it after a crash; None for nowhere.
            progress: called with a `Progress` at most ten times a second, and at the end; may be async.
            chunk_size: bytes of a request.
            params: ``path_format``, ``payload`` and whatever else the service takes.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the source is empty; nothing was sent.
        """
        sent: dict[str, Param] = {**params, "profiles": profiles}
        return await self._sessions().open_stream(
            source, sent, chunk_size=chunk_size, store=store, progress=progress
        )

    async def resume_upload(
        self,
        ticket: Ticket,
        source: SourceLike,
        *,
        store: TicketStore | None = None,
        progress: ProgressCallback | None = None,
    ) -> AsyncUploadSession[AsyncVideo]:
        """Return the session of an upload begun elsewhere; `AsyncUploadSession.resume` continues it.

        Args:
            ticket: what `AsyncUploadSession.ticket` gave, or the ``ticket`` of an error.
            source: the same bytes as before.
            store: where the ticket is; while the upload is sent, no other worker of the store can. None
                to continue whatever others do.
            progress: called with a `Progress` at most ten times a second, and at the end; may be async.

        Raises:
            UploadError: the ticket is of another service or cloud, or the source has changed.
        """
        return await self._sessions().resume(ticket, source, store=store, progress=progress)

    async def get(self, path: str, params: Params | None = None) -> str:
        """Send a signed GET to a path such as ``/videos.json`` and return the answer, JSON text.

        Raises:
            PandaError: the service refused it.
        """
        return (await self._exchange("GET", path, params)).text

    async def post(self, path: str, params: Params | None = None) -> str:
        """Send a signed POST; see `get`."""
        return (await self._exchange("POST", path, params)).text

    async def put(self, path: str, params: Params | None = None) -> str:
        """Send a signed PUT; see `get`."""
        return (await self._exchange("PUT", path, params)).text

    async def delete(self, path: str, params: Params | None = None) -> str:
        """Send a signed DELETE; see `get`."""
        return (await self._exchange("DELETE", path, params)).text

    def __repr__(self) -> str:
        cloud = f", cloud {self.cloud_id}" if self.cloud_id else ""
        return f"<Panda at {self._transport.service.base_url}{cloud}>"

    def _sessions(self) -> Sessions[AsyncVideo]:
        transport = self._transport

        def make_video(record: VideoFields) -> AsyncVideo:
            return AsyncVideo(transport, record)

        return Sessions(transport, self.cloud_id, f"Cloud {self.cloud_id}", make_video)
