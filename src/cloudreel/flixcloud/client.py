"""The asyncio and trio facade of Flix Cloud."""

from __future__ import annotations

import ssl
from typing import Self, Unpack

import httpx

from cloudreel.core import environment, waiting
from cloudreel.core.call import Credential
from cloudreel.core.facade import Client
from cloudreel.core.hooks import NO_HOOKS, Hooks
from cloudreel.core.inbox import Inbox
from cloudreel.core.options import Http, Limits, Options, SharedLimit, Wiring
from cloudreel.flixcloud import protocol
from cloudreel.flixcloud.errors import TranscodingFailed, WaitTimedOut
from cloudreel.flixcloud.job import AsyncJob, JobOfClient
from cloudreel.flixcloud.models import SUCCESSFUL_JOB, JobInfo, JobStatus, Recipe
from cloudreel.flixcloud.params import JobParams, spec_of
from cloudreel.flixcloud.protocol import BASE_URL
from cloudreel.flixcloud.sending import create_job, make_transport, send


class AsyncFlixCloud(Client):
    """Flix Cloud for asyncio and trio.

    Args:
        api_key: the key, or a function that returns the current one.
        base_url: where the service is.
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
        api_key: Credential,
        *,
        base_url: str = BASE_URL,
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
        self._transport = make_transport(
            api_key,
            base_url,
            Wiring(limits or Limits(), http_client, transport, http, fast_path, proxy, verify),
            Options(timeout, retries, deadline, user_agent, hooks or NO_HOOKS, shared_limit),
        )

    @classmethod
    def from_env(cls) -> Self:
        """Return a client made from the environment.

        ``FLIXCLOUD_API_KEY`` must be set, ``FLIXCLOUD_BASE_URL`` may be.

        Raises:
            CloudReelError: the key is missing.
        """
        return cls(
            environment.required("FLIXCLOUD_API_KEY"),
            base_url=environment.optional("FLIXCLOUD_BASE_URL") or BASE_URL,
        )

    async def create_job(self, **params: Unpack[JobParams]) -> JobInfo:
        """Have a file transcoded, and return the accepted job.

        Args:
            params: ``recipe_id`` or ``recipe_name``; ``input_url`` and ``output_url``, and where they are
                wanted ``watermark_url`` and ``thumbnails_url``, each with ``_user`` and ``_password``;
                ``thumbnails_prefix``, ``notification_url``, ``pass_through``, ``cue_points``.

        Raises:
            JobRefused: the service, or the validation before it, does not accept the job; ``errors`` has
                every reason.
            FlixCloudError: anything else that went wrong.
        """
        return await create_job(self._transport, spec_of(params))

    async def job_status(self, id: int | str) -> JobStatus:
        """Return what has become of a job.

        Raises:
            JobNotFound: there is no such job.
        """
        return await send(self._transport, protocol.job_status(id))

    async def recipes(self) -> list[Recipe]:
        """Return the recipes of the account."""
        return await send(self._transport, protocol.list_recipes())

    async def wait(
        self,
        id: int | str,
        *,
        timeout: float | None = None,
        poll: float | None = None,
        notified: Inbox | None = None,
    ) -> JobStatus:
        """Wait until a job has ended well, and return its last status.

        Args:
            id: of the job.
            timeout: seconds in all, None for no limit.
            poll: seconds between looks; None begins quickly and slows down to one look in ten seconds.
            notified: where your application puts the notifications it receives: one about this job has the
                service looked at without waiting for the pause to end. A lost one costs time only.

        Raises:
            TranscodingFailed: the job failed or was cancelled; ``job`` is its last status.
            WaitTimedOut: time is up.
        """
        status = await waiting.until(
            lambda: self.job_status(id),
            lambda status: status.final,
            timeout=timeout,
            poll=poll,
            late=lambda: WaitTimedOut(f"Job {id} had not ended after {timeout:g} s"),
            notified=notified,
            about=lambda _: [str(id)],
        )
        if status.task_state != SUCCESSFUL_JOB:
            raise TranscodingFailed(f"Job {id} ended as {status.task_state}", job=status)
        return status

    def job(self, params: JobParams | None = None) -> AsyncJob:
        """Return a job in the shape of the old client, to be sent over these connections.

        Args:
            params: its parameters, as `create_job` takes them; they can be set later.

        Raises:
            UnknownParameter: there is no parameter of some name.
        """
        return JobOfClient(self._transport, params)

    def __repr__(self) -> str:
        return f"<FlixCloud at {self._transport.service.base_url}>"
