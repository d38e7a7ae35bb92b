"""The types that callers of Telestream see, with and without async: checked, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import assert_type

import httpx

from cloudreel import AsyncTelestream, Telestream, errors
from cloudreel.core.call import JSON
from cloudreel.core.paging import AsyncPager
from cloudreel.core.twin import Pager
from cloudreel.panda.objects import FieldValue
from cloudreel.telestream import (
    AsyncEncoding,
    AsyncFactory,
    AsyncProfile,
    AsyncVideo,
    Encoding,
    Factory,
    Inbox,
    JobProgress,
    Metadata,
    Profile,
    Video,
    wait_all,
    wait_all_sync,
)
from cloudreel.uploads import AsyncUploadSession, Progress, Ticket, UploadSession


async def facade_async(tc: AsyncTelestream) -> None:
    async with tc as same:
        assert_type(same, AsyncTelestream)
    assert_type(AsyncTelestream.from_env(), AsyncTelestream)
    assert_type(tc.with_options(timeout=5.0), AsyncTelestream)
    assert_type(tc.signed_params("GET", "/videos.json"), dict[str, str])
    assert_type(await tc.get("/videos.json", {"page": 1}), httpx.Response)
    assert_type(tc.factory_id, str | None)
    assert_type(await tc.flip.factories.find("id"), AsyncFactory)
    assert_type(await tc.get_resource("flip").factories.all(), list[AsyncFactory])


def facade_sync(tc: Telestream) -> None:
    with tc as same:
        assert_type(same, Telestream)
    assert_type(Telestream.from_env(), Telestream)
    assert_type(tc.with_options(timeout=5.0), Telestream)
    assert_type(tc.signed_params("GET", "/videos.json"), dict[str, str])
    assert_type(tc.get("/videos.json", {"page": 1}), httpx.Response)
    assert_type(tc.factory_id, str | None)
    assert_type(tc.flip.factories.find("id"), Factory)
    assert_type(tc.get_resource("flip").factories.all(), list[Factory])


async def objects_async(factory: AsyncFactory) -> None:
    assert_type(factory.name, str | None)
    assert_type(factory.created_at, datetime | None)
    assert_type(factory.details, dict[str, JSON])
    assert_type(factory.nonesuch, FieldValue)
    assert_type(await factory.get_notifications(), dict[str, JSON])
    assert_type(await factory.profiles.create(preset_name="h264"), AsyncProfile)
    video = await factory.videos.create(file=b"", profiles=["h264"], payload="mine")
    assert_type(video, AsyncVideo)
    assert_type(video.width, int | None)
    assert_type(await video.metadata(), Metadata)
    assert_type(await video.wait(timeout=1.0), AsyncVideo)
    assert_type(await video.delete(), bool)
    assert_type(await video.encodings.all(), list[AsyncEncoding])
    assert_type(video.watch(), AsyncIterator[JobProgress])
    pager = factory.videos.iterate(per_page=5, status="success")
    assert_type(pager, AsyncPager[AsyncVideo])
    async for each in pager:
        assert_type(each, AsyncVideo)
    async for page in pager.pages():
        assert_type(page, list[AsyncVideo])


def objects_sync(factory: Factory) -> None:
    assert_type(factory.name, str | None)
    assert_type(factory.created_at, datetime | None)
    assert_type(factory.details, dict[str, JSON])
    assert_type(factory.nonesuch, FieldValue)
    assert_type(factory.get_notifications(), dict[str, JSON])
    assert_type(factory.profiles.create(preset_name="h264"), Profile)
    video = factory.videos.create(file=b"", profiles=["h264"], payload="mine")
    assert_type(video, Video)
    assert_type(video.width, int | None)
    assert_type(video.metadata(), Metadata)
    assert_type(video.wait(timeout=1.0), Video)
    assert_type(video.delete(), bool)
    assert_type(video.encodings.all(), list[Encoding])
    assert_type(video.watch(), Iterator[JobProgress])
    pager = factory.videos.iterate(per_page=5, status="success")
    assert_type(pager, Pager[Video])
    for each in pager:
        assert_type(each, Video)
    for page in pager.pages():
        assert_type(page, list[Video])


async def encodings_async(encoding: AsyncEncoding) -> None:
    assert_type(await encoding.video(), AsyncVideo)
    assert_type(await encoding.profile(), AsyncProfile)
    assert_type(await encoding.download("film.mp4", progress=print), int)
    assert_type(await encoding.download("film.jpg", encoding.screenshots[0]), int)
    assert_type(encoding.files, list[str])


def encodings_sync(encoding: Encoding) -> None:
    assert_type(encoding.video(), Video)
    assert_type(encoding.download("film.mp4"), int)
    assert_type(encoding.profile(), Profile)
    assert_type(encoding.files, list[str])


async def uploads_async(factory: AsyncFactory, ticket: Ticket) -> None:
    def callback(progress: Progress) -> None: ...

    session = await factory.upload_session("video.mp4", threads=4, progress=callback, payload="mine")
    assert_type(session, AsyncUploadSession[AsyncVideo])
    assert_type(await session.start(), AsyncVideo)
    assert_type(await session.resume(), AsyncVideo)
    assert_type(session.video, AsyncVideo | None)
    assert_type(session.ticket(), Ticket)
    assert_type(session.events(), AsyncIterator[Progress])
    assert_type(await factory.resume_upload(ticket, b""), AsyncUploadSession[AsyncVideo])


def uploads_sync(factory: Factory, ticket: Ticket) -> None:
    async def callback(progress: Progress) -> None: ...

    session = factory.upload_session("video.mp4", threads=4, progress=callback, payload="mine")
    assert_type(session, UploadSession[Video])
    assert_type(session.start(), Video)
    assert_type(session.resume(), Video)
    assert_type(session.video, Video | None)
    assert_type(session.ticket(), Ticket)
    assert_type(session.events(), Iterator[Progress])
    assert_type(factory.resume_upload(ticket, b""), UploadSession[Video])


async def waits_async(videos: list[AsyncVideo], encodings: list[AsyncEncoding], inbox: Inbox) -> None:
    assert_type(await videos[0].wait(60, notified=inbox), AsyncVideo)
    assert_type(await wait_all(encodings, timeout=60, notified=inbox), list[AsyncEncoding])
    assert_type(await wait_all(videos, collect=True), list[AsyncVideo | errors.CloudReelError])


def waits_sync(videos: list[Video], encodings: list[Encoding], inbox: Inbox) -> None:
    assert_type(videos[0].wait(60, notified=inbox), Video)
    assert_type(wait_all_sync(encodings, timeout=60, notified=inbox), list[Encoding])
    assert_type(wait_all_sync(videos, collect=True), list[Video | errors.CloudReelError])


def a_failure(error: errors.JobFailed) -> None:
    assert_type(error.job, object)
