"""What a job is made of, and what Flix Cloud says of it. PURE. Facts: flixcloud.md 3 to 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, TypedDict

from attrs import field, frozen

from cloudreel.core import redact

SUCCESSFUL_JOB: Final = "successful_job"
FAILED_JOB: Final = "failed_job"
CANCELLED_JOB: Final = "cancelled_job"
FINAL_STATES: Final = frozenset({SUCCESSFUL_JOB, FAILED_JOB, CANCELLED_JOB})


def _shown(url: str | None) -> str:
    """Return how a URL is shown, which may have a password."""
    return repr(None if url is None else redact.url(url))


# -- what is asked for -----------------------------------------------------------------------------------


@frozen
class CuePoint:
    """A named moment of the output.

    Args:
        name: what players show.
        time: seconds from the start.
        parameters: texts of your own that are sent along.
    """

    name: str
    time: float | Decimal
    parameters: Mapping[str, str] = field(factory=dict[str, str], hash=False)


class CuePoints(TypedDict, total=False):
    """The cue points of a job: those that players tell of, and those that they go to."""

    event: Sequence[CuePoint]
    navigation: Sequence[CuePoint]


@frozen
class Location:
    """Where a file, or a folder of thumbnails, is or goes to.

    Args:
        url: with its scheme, such as ``ftp://files.example/out.mp4``.
        user: of the server there; needs a password.
        password: of the user.
        prefix: what the names of thumbnails begin with.
    """

    url: str = field(repr=_shown)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    prefix: str | None = None


@frozen
class JobSpec:
    """A job to be created; None is what was not said."""

    recipe_id: int | str | None = None
    recipe_name: str | None = None
    input: Location | None = None
    output: Location | None = None
    watermark: Location | None = None
    thumbnails: Location | None = None
    notification_url: str | None = None
    pass_through: str | None = None
    cue_points: CuePoints | None = None


# -- what the service says -------------------------------------------------------------------------------


@frozen
class JobInfo:
    """A job that the service has accepted.

    Args:
        id: of the job.
        initialized_job_at: when that was, in UTC; None if the service did not say.
    """

    id: int
    initialized_job_at: datetime | None = None


@frozen
class Task:
    """A step of a job.

    Args:
        id: of the task.
        state: ``initialized``, ``waiting``, ``processing``, ``success`` or ``failed``; a later word of the
            service is kept as it is, in small letters.
        percent: how much of it is done, 0 to 100.
    """

    id: int | None = None
    state: str | None = None
    percent: float | None = None


@frozen
class JobStatus:
    """What has become of a job.

    Args:
        id: of the job.
        task_state: a word such as ``transcoding``; the last ones are ``successful_job``, ``failed_job`` and
            ``cancelled_job``.
        tasks: its steps, by the names ``input_media_file``, ``transcoding`` and ``output_media_file``.
    """

    id: int
    task_state: str
    tasks: Mapping[str, Task] = field(factory=dict[str, Task], hash=False)

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self.task_state in FINAL_STATES


@frozen
class Recipe:
    """What the account can have made of a file.

    Args:
        name: as ``recipe_name`` takes it.
        id: as ``recipe_id`` takes it, None if the service did not say.
        active: whether jobs may use it, None if the service did not say.
    """

    name: str
    id: int | None = None
    active: bool | None = None


@frozen
class MediaFile:
    """A file of a job that has ended; None is what the service did not say.

    Args:
        url: where it is.
        width: pixels.
        height: pixels.
        size: bytes.
        duration: milliseconds.
        cost: thousandths of a cent.
    """

    url: str | None = field(default=None, repr=_shown)
    width: int | None = None
    height: int | None = None
    size: int | None = None
    duration: int | None = None
    cost: int | None = None


@frozen
class Thumbnails:
    """The thumbnails of a job that has ended; None is what the service did not say.

    Args:
        url: the folder they are in.
        total_size: bytes of all of them.
        number_of_thumbnails: how many there are.
        cost: thousandths of a cent.
    """

    url: str | None = field(default=None, repr=_shown)
    total_size: int | None = None
    number_of_thumbnails: int | None = None
    cost: int | None = None
