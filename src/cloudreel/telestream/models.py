"""What only Telestream returns; the rest it shares with Panda."""

from __future__ import annotations

from datetime import datetime

from attrs import define

from cloudreel.core.codec import Fields


@define(slots=False, eq=False)
class FactoryFields(Fields):
    """A factory: where outputs go (``url`` ends in a slash) and what belongs together (telestream.md 7)."""

    id: str | None = None
    name: str | None = None
    s3_videos_bucket: str | None = None
    s3_private_access: bool | None = None
    url: str | None = None
    upload_original_video: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
