"""A job in the shape of the old client: set it up, send it, look what came of it."""

from __future__ import annotations

from typing import Self

from anyio import CancelScope

from cloudreel.core.call import Credential, Response
from cloudreel.core.options import Options, Wiring
from cloudreel.core.transport import Transport
from cloudreel.errors import ApiError
from cloudreel.flixcloud.errors import FlixCloudError
from cloudreel.flixcloud.models import CuePoints, JobSpec, Location
from cloudreel.flixcloud.params import JobParams, SentParams, spec_of
from cloudreel.flixcloud.protocol import BASE_URL
from cloudreel.flixcloud.sending import create_job, make_transport, signer_of
from cloudreel.flixcloud.validation import validate


class AsyncJob:
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
        self, api_key: Credential, params: JobParams | None = None, *, base_url: str = BASE_URL
    ) -> None:
        spec = spec_of(params or {})
        self._api_key = api_key
        self._base_url = base_url
        self._transport: Transport | None = None
        self._input = spec.input
        self._output = spec.output
        self._watermark = spec.watermark
        self._thumbnails = spec.thumbnails
        self.recipe_id: int | str | None = spec.recipe_id
        self.recipe_name: str | None = spec.recipe_name
        self.notification_url: str | None = spec.notification_url
        self.pass_through: str | None = spec.pass_through
        self.cue_points: CuePoints | None = spec.cue_points
        self.success: bool = False
        self.id: int | None = None
        self.initialized_job_at: str | None = None
        self.errors: list[str] = []

    @classmethod
    async def create(
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
        described = SentParams(**(params or {}))
        at_once = described.pop("send", False)
        job = cls(api_key, described, base_url=base_url)
        if at_once:
            await job.send()
        return job

    def set_input(self, url: str, user: str | None = None, password: str | None = None) -> None:
        """Set what is transcoded.

        Args:
            url: of the file.
            user: who may read it, None where anybody may.
            password: of that user.
        """
        self._input = Location(url, user, password)

    def set_output(self, url: str, user: str | None = None, password: str | None = None) -> None:
        """Set where the result goes.

        Args:
            url: of the file.
            user: who may write it, None where anybody may.
            password: of that user.
        """
        self._output = Location(url, user, password)

    def set_watermark(self, url: str, user: str | None = None, password: str | None = None) -> None:
        """Set what is laid over the picture.

        Args:
            url: of the image.
            user: who may read it, None where anybody may.
            password: of that user.
        """
        self._watermark = Location(url, user, password)

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
        self._thumbnails = Location(url, user, password, prefix)

    def set_notification_url(self, url: str) -> None:
        """Set where the service tells of the end, instead of the account's own address."""
        self.notification_url = url

    def validate(self) -> bool:
        """Return whether the job can be sent; if not, ``errors`` says why, and nothing of any time before."""
        self.errors = validate(self._spec(), self._api_key)
        return not self.errors

    async def send(self) -> bool:
        """Send the job and return whether the service has accepted it; if not, ``errors`` says why.

        Raises:
            FlixCloudError: no usable answer came back; the job may have been accepted.
        """
        self.success = False
        self.id = self.initialized_job_at = None
        if not self.validate():
            return False
        transport = self._transport or make_transport(self._api_key, self._base_url, Wiring(), Options())
        try:
            info = await create_job(transport, self._spec())
        except ApiError as error:
            self.errors = _told(error)
            return False
        finally:
            if self._transport is None:
                with CancelScope(shield=True):
                    await transport.close()
        self.success = True
        self.id = info.id
        if info.initialized_job_at is not None:
            self.initialized_job_at = info.initialized_job_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return True

    def __repr__(self) -> str:
        return f"<Job {self.id}>" if self.success else "<Job, not accepted yet>"

    def _spec(self) -> JobSpec:
        return JobSpec(
            recipe_id=self.recipe_id,
            recipe_name=self.recipe_name,
            input=self._input,
            output=self._output,
            watermark=self._watermark,
            thumbnails=self._thumbnails,
            notification_url=self.notification_url,
            pass_through=self.pass_through,
            cue_points=self.cue_points,
        )


class JobOfClient(AsyncJob):
    """A job that is sent over a client's connections."""

    def __init__(self, transport: Transport, params: JobParams | None) -> None:
        super().__init__(signer_of(transport).api_key, params)
        self._transport = transport


def _told(error: ApiError) -> list[str]:
    """Return what the old client told of a refusal: the status, then each reason (7)."""
    answer = error.response
    reasons = error.errors if isinstance(error, FlixCloudError) else ()
    status = f"{answer.status_code}, {answer.reason}" if isinstance(answer, Response) else "no answer"
    return [f"Send error: {status}", *reasons]
