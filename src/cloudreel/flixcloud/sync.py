"""Generated from job.py, client.py by cloudreel._generate; do not edit."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Self, Unpack

import httpx

from cloudreel.core.call import Credential
from cloudreel.core.hooks import Hooks
from cloudreel.core.inbox import Inbox
from cloudreel.core.options import Http, Limits, OptionChanges, SharedLimit
from cloudreel.core.twin import Facade, Twin, run
from cloudreel.flixcloud.client import AsyncFlixCloud
from cloudreel.flixcloud.job import AsyncJob
from cloudreel.flixcloud.models import CuePoints, JobInfo, JobStatus, Recipe
from cloudreel.flixcloud.params import JobParams, SentParams
from cloudreel.flixcloud.protocol import BASE_URL


class Job(Twin[AsyncJob], of=AsyncJob):
    """A job that can be changed until it is sent.

    One that stands alone opens a connection when it is sent and closes it again.

    Args:
        api_key: the key, or a function that returns the current one.
        params: the parameters of the job by name, such as ``input_url``; they can be set later.
        base_url: where the service is.

    Attributes:
        recipe_id: the number of the recipe.
        recipe_name: the name of the recipe, instead of its number.
        notification_url: where the service tells of the end, instead of the account's own address.
        pass_through: a text that comes back in the notification.
        cue_points: moments of the output that players know of.
        success: whether the service has accepted the job.
        id: the service's number of the accepted job.
        initialized_job_at: when it was accepted, as text in UTC such as ``2009-04-07T21:15:33Z``.
        errors: why the job cannot be sent or was refused, one text each.
    """

    def __init__(
        self, api_key: Credential, params: SentParams | None = None, *, base_url: str = BASE_URL
    ) -> None:
        impl = run(AsyncJob.create, api_key, params, base_url=base_url)
        super().__init__(impl)

    @property
    def recipe_id(self) -> int | str | None:
        """The number of the recipe."""
        return self._impl.recipe_id

    @recipe_id.setter
    def recipe_id(self, value: int | str | None) -> None:
        self._impl.recipe_id = value

    @property
    def recipe_name(self) -> str | None:
        """The name of the recipe, instead of its number."""
        return self._impl.recipe_name

    @recipe_name.setter
    def recipe_name(self, value: str | None) -> None:
        self._impl.recipe_name = value

    @property
    def notification_url(self) -> str | None:
        """Where the service tells of the end, instead of the account's own address."""
        return self._impl.notification_url

    @notification_url.setter
    def notification_url(self, value: str | None) -> None:
        self._impl.notification_url = value

    @property
    def pass_through(self) -> str | None:
        """A text that comes back in the notification."""
        return self._impl.pass_through

    @pass_through.setter
    def pass_through(self, value: str | None) -> None:
        self._impl.pass_through = value

    @property
    def cue_points(self) -> CuePoints | None:
        """Moments of the output that players know of."""
        return self._impl.cue_points

    @cue_points.setter
    def cue_points(self, value: CuePoints | None) -> None:
        self._impl.cue_points = value

    @property
    def success(self) -> bool:
        """Whether the service has accepted the job."""
        return self._impl.success

    @success.setter
    def success(self, value: bool) -> None:
        self._impl.success = value

    @property
    def id(self) -> int | None:
        """The service's number of the accepted job."""
        return self._impl.id

    @id.setter
    def id(self, value: int | None) -> None:
        self._impl.id = value

    @property
    def initialized_job_at(self) -> str | None:
        """When it was accepted, as text in UTC such as ``2009-04-07T21:15:33Z``."""
        return self._impl.initialized_job_at

    @initialized_job_at.setter
    def initialized_job_at(self, value: str | None) -> None:
        self._impl.initialized_job_at = value

    @property
    def errors(self) -> list[str]:
        """Why the job cannot be sent or was refused, one text each."""
        return self._impl.errors

    @errors.setter
    def errors(self, value: list[str]) -> None:
        self._impl.errors = value

    @classmethod
    def create(
        cls, api_key: Credential, params: SentParams | None = None, *, base_url: str = BASE_URL
    ) -> Self:
        """Return a job, which is sent before if its parameters say ``send``.

        Args:
            api_key: the key, or a function that returns the current one.
            params: the parameters of the job by name, and ``send``.
            base_url: where the service is.

        Raises:
            UnknownParameter: there is no parameter of some name.
            FlixCloudError: it was to be sent, and no usable answer came back.
        """
        return cls._wrap(run(AsyncJob.create, api_key, params, base_url=base_url))

    def set_input(self, url: str, user: str | None = None, password: str | None = None) -> None:
        """Set what is transcoded.

        Args:
            url: of the file.
            user: who may read it, None where anybody may.
            password: of that user.
        """
        self._impl.set_input(url, user, password)

    def set_output(self, url: str, user: str | None = None, password: str | None = None) -> None:
        """Set where the result goes.

        Args:
            url: of the file.
            user: who may write it, None where anybody may.
            password: of that user.
        """
        self._impl.set_output(url, user, password)

    def set_watermark(self, url: str, user: str | None = None, password: str | None = None) -> None:
        """Set what is laid over the picture.

        Args:
            url: of the image.
            user: who may read it, None where anybody may.
            password: of that user.
        """
        self._impl.set_watermark(url, user, password)

    def set_thumbnails(
        self, url: str, prefix: str, user: str | None = None, password: str | None = None
    ) -> None:
        """Set where thumbnails go.

        Args:
            url: of the folder.
            prefix: what their names begin with.
            user: who may write there, None where anybody may.
            password: of that user.
        """
        self._impl.set_thumbnails(url, prefix, user, password)

    def set_notification_url(self, url: str) -> None:
        """Set where the service tells of the end, instead of the account's own address."""
        self._impl.set_notification_url(url)

    def validate(self) -> bool:
        """Return whether the job can be sent; if not, ``errors`` says why, and nothing of any time before."""
        return self._impl.validate()

    def send(self) -> bool:
        """Send the job and return whether the service has accepted it; if not, ``errors`` says why.

        Raises:
            FlixCloudError: no usable answer came back; the job may have been accepted.
        """
        return run(self._impl.send)

    def __repr__(self) -> str:
        return self._impl.__repr__()


class FlixCloud(Facade[AsyncFlixCloud], of=AsyncFlixCloud):
    """Flix Cloud.

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
        impl = AsyncFlixCloud(
            api_key,
            base_url=base_url,
            timeout=timeout,
            retries=retries,
            deadline=deadline,
            limits=limits,
            http_client=http_client,
            transport=transport,
            http=http,
            fast_path=fast_path,
            proxy=proxy,
            verify=verify,
            user_agent=user_agent,
            hooks=hooks,
            shared_limit=shared_limit,
        )
        super().__init__(impl)

    @classmethod
    def from_env(cls) -> Self:
        """Return a client made from the environment.

        ``FLIXCLOUD_API_KEY`` must be set, ``FLIXCLOUD_BASE_URL`` may be.

        Raises:
            CloudReelError: the key is missing.
        """
        return cls._wrap(AsyncFlixCloud.from_env())

    def create_job(self, **params: Unpack[JobParams]) -> JobInfo:
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
        return run(self._impl.create_job, **params)

    def job_status(self, id: int | str) -> JobStatus:
        """Return what has become of a job.

        Raises:
            JobNotFound: there is no such job.
        """
        return run(self._impl.job_status, id)

    def recipes(self) -> list[Recipe]:
        """Return the recipes of the account."""
        return run(self._impl.recipes)

    def wait(
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
        return run(self._impl.wait, id, timeout=timeout, poll=poll, notified=notified)

    def job(self, params: JobParams | None = None) -> Job:
        """Return a job in the shape of the old client, to be sent over these connections.

        Args:
            params: its parameters, as `create_job` takes them; they can be set later.

        Raises:
            UnknownParameter: there is no parameter of some name.
        """
        return Job._wrap(self._impl.job(params))

    def __repr__(self) -> str:
        return self._impl.__repr__()

    def with_options(self, **changes: Unpack[OptionChanges]) -> Self:
        """Return a copy with other options that shares the connections; closing it closes nothing.

        Args:
            changes: ``timeout``, ``retries``, ``deadline``, ``user_agent``, ``hooks`` or ``shared_limit``, as
                in the constructor.
        """
        return self._twin(self._impl.with_options(**changes))

    def close(self) -> None:
        """Close the connections. Nothing can be called afterwards."""
        run(self._impl.close)

    def __enter__(self) -> Self:
        return self._twin(run(self._impl.__aenter__))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run(self._impl.__aexit__, kind, error, trace)
