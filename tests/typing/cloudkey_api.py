"""The types that callers of CloudKey see, with and without async: checked, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import assert_type

from anyio import open_file

from cloudreel import AsyncCloudKey, CloudKey, SecLevel
from cloudreel.cloudkey import (
    AssetInfo,
    AsyncMedia,
    AsyncRemoteMethod,
    AsyncRemoteObject,
    Media,
    MediaInfo,
    MediaPage,
    RemoteMethod,
    RemoteObject,
    RPCException,
    UploadedFile,
    UploadStatus,
    UploadTarget,
    UserInfo,
)
from cloudreel.core.call import JSON
from cloudreel.core.paging import AsyncPager
from cloudreel.core.twin import Pager


async def facade_async(ck: AsyncCloudKey) -> None:
    async with ck as same:
        assert_type(same, AsyncCloudKey)
    assert_type(AsyncCloudKey.from_env(), AsyncCloudKey)
    assert_type(ck.with_options(timeout=5.0), AsyncCloudKey)
    assert_type(ck.as_user("other"), AsyncCloudKey)
    assert_type(await ck.call("media.list", page=1), JSON)
    assert_type(ck.anything, AsyncRemoteObject)
    assert_type(ck.anything.method, AsyncRemoteMethod)
    assert_type(await ck.anything.method(a=1), JSON)
    assert_type(await ck.user.whoami(), UserInfo)


def facade_sync(ck: CloudKey) -> None:
    with ck as same:
        assert_type(same, CloudKey)
    assert_type(CloudKey.from_env(), CloudKey)
    assert_type(ck.with_options(timeout=5.0), CloudKey)
    assert_type(ck.as_user("other"), CloudKey)
    assert_type(ck.call("media.list", page=1), JSON)
    assert_type(ck.anything, RemoteObject)
    assert_type(ck.anything.method, RemoteMethod)
    assert_type(ck.anything.method(a=1), JSON)
    assert_type(ck.user.whoami(), UserInfo)


async def media_async(media: AsyncMedia) -> None:
    assert_type((await media.create(url="http://localhost/", meta={"title": "t"}))["id"], str)
    page = await media.list(fields=["id"], page=1, per_page=20)
    assert_type(page, MediaPage)
    assert_type(page["list"], list[MediaInfo])
    assert_type(await media.info(id="id"), MediaInfo)
    assert_type(await media.get_asset(id="id", asset_name="source"), AssetInfo)
    assert_type(await media.wait_for_assets("id", ["source"], timeout=1.0), dict[str, AssetInfo])
    assert_type(media.watch_assets("id"), AsyncIterator[dict[str, AssetInfo]])
    assert_type(await media.delete(id="id"), None)
    assert_type(await media.download("id", "source", "film.mp4", progress=print), int)
    assert_type(await media.download("id", "source", Path("film.mp4")), int)
    async with await open_file("film.mp4", "wb") as file:
        assert_type(await media.download("id", "source", file), int)
    pager = media.iterate(fields=["id"], query="SORT:created", per_page=5)
    assert_type(pager, AsyncPager[MediaInfo])
    async for each in pager:
        assert_type(each, MediaInfo)
    async for some in pager.pages():
        assert_type(some, list[MediaInfo])
    assert_type(await media.nonesuch(a=1), JSON)


def media_sync(media: Media) -> None:
    assert_type(media.create(url="http://localhost/", meta={"title": "t"})["id"], str)
    page = media.list(fields=["id"], page=1, per_page=20)
    assert_type(page, MediaPage)
    assert_type(page["list"], list[MediaInfo])
    assert_type(media.info(id="id"), MediaInfo)
    assert_type(media.get_asset(id="id", asset_name="source"), AssetInfo)
    assert_type(media.wait_for_assets("id", ["source"], timeout=1.0), dict[str, AssetInfo])
    assert_type(media.watch_assets("id"), Iterator[dict[str, AssetInfo]])
    assert_type(media.delete(id="id"), None)
    assert_type(media.download("id", "source", "film.mp4", progress=print), int)
    with Path("film.mp4").open("wb") as file:
        assert_type(media.download("id", "source", file), int)
    assert_type(media.download("id", "source", BytesIO()), int)
    pager = media.iterate(fields=["id"], query="SORT:created", per_page=5)
    assert_type(pager, Pager[MediaInfo])
    for each in pager:
        assert_type(each, MediaInfo)
    for some in pager.pages():
        assert_type(some, list[MediaInfo])
    assert_type(media.nonesuch(a=1), JSON)


def urls(media: AsyncMedia, twin: Media, expires: datetime) -> None:
    assert_type(media.get_embed_url("id", seclevel=SecLevel.IP, ip="127.0.0.1", expires=expires), str)
    assert_type(media.get_stream_url("id", "mp4_h264_aac"), str)
    assert_type(twin.get_embed_url("id", seclevel=SecLevel.IP, ip="127.0.0.1", expires=expires), str)
    assert_type(twin.get_stream_url("id", "mp4_h264_aac"), str)


async def files_async(ck: AsyncCloudKey) -> None:
    assert_type(await ck.file.upload(target="http://localhost/", status=True), UploadTarget)
    assert_type(await ck.file.upload_file("film.mp4"), UploadedFile)
    assert_type(await ck.file.upload_status("http://localhost/status"), UploadStatus)


def files_sync(ck: CloudKey) -> None:
    assert_type(ck.file.upload(target="http://localhost/", status=True), UploadTarget)
    assert_type(ck.file.upload_file("film.mp4"), UploadedFile)
    assert_type(ck.file.upload_status("http://localhost/status"), UploadStatus)


def a_failure(error: RPCException) -> None:
    assert_type(error.code, int)
    assert_type(error.message, str)
    assert_type(error.data, JSON)
