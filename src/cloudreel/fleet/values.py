"""What the tasks take and return: plain values that travel as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Service: TypeAlias = Literal["telestream", "panda"]
"""A service whose uploads are sessions, which any worker can continue."""

Waited: TypeAlias = Literal["telestream", "panda", "flixcloud"]
"""A service whose results any worker can wait for."""


@dataclass(frozen=True)  # taskiq reads and writes dataclasses, not attrs
class Uploaded:
    """A video that has arrived.

    Args:
        service: where it is.
        scope: id of its factory or cloud.
        video_id: as the service named it.
        file_name: base name of the source.
        size: bytes of the source.
    """

    service: Service
    scope: str | None
    video_id: str
    file_name: str
    size: int


@dataclass(frozen=True)
class Ready:
    """A video whose encodings have all succeeded, or a job of Flix Cloud that has.

    Args:
        service: where it is.
        scope: id of its factory or cloud, None where the task was given none.
        video_id: of the video or job, as the service named it.
    """

    service: Waited
    scope: str | None
    video_id: str
