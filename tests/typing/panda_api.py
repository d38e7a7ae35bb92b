"""The types that callers of Panda see, with and without async: checked, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from datetime import datetime
from typing import assert_type

from cloudreel import AsyncPanda, Panda
from cloudreel.core.call import JSON
from cloudreel.core.paging import AsyncPager
from cloudreel.core.twin import Pager
from cloudreel.panda import (
    AsyncCloud,
    AsyncEncoding,
    AsyncNotifications,
    AsyncProfile,
    AsyncVideo,
    Cloud,
    Encoding,
    JobProgress,
    Metadata,
    Notifications,
    Profile,
    Video,
)
from cloudreel.panda.objects import FieldValue
from cloudreel.uploads import AsyncUploadSession, Progress, Ticket, UploadSession


async def facade_async(panda: AsyncPanda) -> None:
    async with panda as same:
        assert_type(same, AsyncPanda)
    assert_type(AsyncPanda.from_env(), AsyncPanda)
    assert_type(panda.with_options(timeout=5.0), AsyncPanda)
    assert_type(panda.for_cloud("id"), AsyncPanda)
    panda.cloud_id = "id"
    assert_type(panda.signed_params("GET", "/videos.json"), dict[str, str])
    assert_type(await panda.get("/videos.json", {"page": 1}), str)
    assert_type(await panda.cloud_details(), AsyncCloud)
    assert_type(await panda.notifications.get(), AsyncNotifications)


def facade_sync(panda: Panda) -> None:
    with panda as same:
        assert_type(same, Panda)
    assert_type(Panda.from_env(), Panda)
    assert_type(panda.with_options(timeout=5.0), Panda)
    assert_type(panda.for_cloud("id"), Panda)
    panda.cloud_id = "id"
    assert_type(panda.signed_params("GET", "/videos.json"), dict[str, str])
    assert_type(panda.get("/videos.json", {"page": 1}), str)
    assert_type(panda.cloud_details(), Cloud)
    assert_type(panda.notifications.get(), Notifications)


async def retrievers_async(panda: AsyncPanda) -> None:
    assert_type(await panda.clouds.all(), list[AsyncCloud])
    assert_type(await panda.profiles.find("h264"), AsyncProfile)
    assert_type(panda.profiles.new(name="a"), AsyncProfile)
    assert_type(await panda.profiles.create(preset_name="h264"), AsyncProfile)
    assert_type(await panda.encodings.where(lambda encoding: encoding.fps), list[AsyncEncoding])
    assert_type(await panda.videos.create(file=b"", profiles=["h264"], payload="mine"), AsyncVideo)
    pager = panda.videos.iterate(per_page=5, status="success")
    assert_type(pager, AsyncPager[AsyncVideo])
    async for each in pager:
        assert_type(each, AsyncVideo)


def retrievers_sync(panda: Panda) -> None:
    assert_type(panda.clouds.all(), list[Cloud])
    assert_type(panda.profiles.find("h264"), Profile)
    assert_type(panda.profiles.new(name="a"), Profile)
    assert_type(panda.profiles.create(preset_name="h264"), Profile)
    assert_type(panda.encodings.where(lambda encoding: encoding.fps), list[Encoding])
    assert_type(panda.videos.create(file=b"", profiles=["h264"], payload="mine"), Video)
    pager = panda.videos.iterate(per_page=5, status="success")
    assert_type(pager, Pager[Video])
    for each in pager:
        assert_type(each, Video)


async def objects_async(video: AsyncVideo, profile: AsyncProfile) -> None:
    mapping: MutableMapping[str, JSON] = video
    assert_type(mapping["width"], JSON)
    assert_type(video["width"], JSON)
    assert_type(video.width, int | None)
    assert_type(video.created_at, datetime | None)
    assert_type(video.nonesuch, FieldValue)
    assert_type(video.to_json(indent=2), str)
    assert_type(video.dup(), AsyncVideo)
    assert_type(await video.dup().create(), AsyncVideo)
    assert_type(await video.encodings(status="fail"), list[AsyncEncoding])
    assert_type(await video.metadata(), Metadata)
    assert_type(await video.wait(timeout=1.0), AsyncVideo)
    assert_type(video.watch(), AsyncIterator[JobProgress])
    assert_type(await video.delete(), bool)
    profile.width = 320
    profile["title"] = "Small"
    await profile.save()


def objects_sync(video: Video, profile: Profile) -> None:
    mapping: MutableMapping[str, JSON] = video
    assert_type(mapping["width"], JSON)
    assert_type(video["width"], JSON)
    assert_type(video.width, int | None)
    assert_type(video.created_at, datetime | None)
    assert_type(video.nonesuch, FieldValue)
    assert_type(video.to_json(indent=2), str)
    assert_type(video.dup(), Video)
    assert_type(video.dup().create(), Video)
    assert_type(video.encodings(status="fail"), list[Encoding])
    assert_type(video.metadata(), Metadata)
    assert_type(video.wait(timeout=1.0), Video)
    assert_type(video.watch(), Iterator[JobProgress])
    assert_type(video.delete(), bool)
    profile.width = 320
    profile["title"] = "Small"
    profile.save()


async def encodings_async(encoding: AsyncEncoding) -> None:
    assert_type(await encoding.video(), AsyncVideo)
    assert_type(await encoding.profile(), AsyncProfile)
    assert_type(encoding.files, list[str])


def encodings_sync(encoding: Encoding) -> None:
    assert_type(encoding.video(), Video)
    assert_type(encoding.profile(), Profile)
    assert_type(encoding.files, list[str])


async def uploads_async(panda: AsyncPanda, ticket: Ticket) -> None:
    def callback(progress: Progress) -> None: ...

    session = await panda.upload_session("video.mp4", progress=callback, payload="mine")
    assert_type(session, AsyncUploadSession[AsyncVideo])
    assert_type(await session.start(), AsyncVideo)
    assert_type(session.video, AsyncVideo | None)
    assert_type(session.ticket(), Ticket)
    assert_type(await panda.resume_upload(ticket, b""), AsyncUploadSession[AsyncVideo])


def uploads_sync(panda: Panda, ticket: Ticket) -> None:
    def callback(progress: Progress) -> None: ...

    session = panda.upload_session("video.mp4", progress=callback, payload="mine")
    assert_type(session, UploadSession[Video])
    assert_type(session.start(), Video)
    assert_type(session.video, Video | None)
    assert_type(session.ticket(), Ticket)
    assert_type(panda.resume_upload(ticket, b""), UploadSession[Video])
