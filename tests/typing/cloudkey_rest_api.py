"""The types that callers of CloudKey's REST era see, with and without async: checked, never run."""

from __future__ import annotations

from typing import assert_type

from cloudreel import AsyncCloudKeyRest, CloudKeyRest
from cloudreel.cloudkey_rest import (
    Account,
    AssetInfo,
    AsyncMedia,
    AsyncRemoteMethod,
    Media,
    MediaInfo,
    MetaEntry,
    Queued,
    RemoteMethod,
)
from cloudreel.core.call import JSON
from cloudreel.core.paging import AsyncPager
from cloudreel.core.twin import Pager


async def facade_async(ck: AsyncCloudKeyRest) -> None:
    async with ck as same:
        assert_type(same, AsyncCloudKeyRest)
    assert_type(AsyncCloudKeyRest.from_env(), AsyncCloudKeyRest)
    assert_type(ck.with_options(timeout=5.0), AsyncCloudKeyRest)
    assert_type(ck.act_as_user("other"), AsyncCloudKeyRest)
    assert_type(ck.as_user("other"), AsyncCloudKeyRest)
    assert_type(await ck.user.whoami(), Account)
    assert_type((await ck.file.upload(target="http://localhost/"))["url"], str)
    assert_type((await ck.file.upload_file("film.mp4"))["url"], str)
    assert_type(ck.user.a__b, AsyncRemoteMethod)
    assert_type(await ck.user.a__b(c=1), JSON)


def facade_sync(ck: CloudKeyRest) -> None:
    with ck as same:
        assert_type(same, CloudKeyRest)
    assert_type(CloudKeyRest.from_env(), CloudKeyRest)
    assert_type(ck.with_options(timeout=5.0), CloudKeyRest)
    assert_type(ck.act_as_user("other"), CloudKeyRest)
    assert_type(ck.as_user("other"), CloudKeyRest)
    assert_type(ck.user.whoami(), Account)
    assert_type(ck.file.upload(target="http://localhost/")["url"], str)
    assert_type(ck.file.upload_file("film.mp4")["url"], str)
    assert_type(ck.user.a__b, RemoteMethod)
    assert_type(ck.user.a__b(c=1), JSON)


async def media_async(media: AsyncMedia) -> None:
    assert_type((await media.publish(url="http://localhost/", presets=["mp4_h264_aac"]))["id"], str)
    assert_type(await media.list(page=1, count=5, sort=[("created", -1)]), list[MediaInfo])
    assert_type(await media.info(id="id"), MediaInfo)
    assert_type(await media.list_asset(id="id"), list[AssetInfo])
    assert_type(await media.process_asset(id="id", preset="mp4_h264_aac"), Queued)
    assert_type(await media.get_meta(id="id", key="title"), MetaEntry)
    assert_type(await media.count(), int)
    assert_type(await media.delete(id="id"), None)
    assert_type(await media.download(id="id", preset="source", dest="film.mp4"), int)
    assert_type(await media.get_stream_url(id="id"), str)
    pager = media.iterate(fields=["id"], per_page=5)
    assert_type(pager, AsyncPager[MediaInfo])
    async for each in pager:
        assert_type(each, MediaInfo)


def media_sync(media: Media) -> None:
    assert_type(media.publish(url="http://localhost/", presets=["mp4_h264_aac"])["id"], str)
    assert_type(media.list(page=1, count=5, sort=[("created", -1)]), list[MediaInfo])
    assert_type(media.info(id="id"), MediaInfo)
    assert_type(media.list_asset(id="id"), list[AssetInfo])
    assert_type(media.process_asset(id="id", preset="mp4_h264_aac"), Queued)
    assert_type(media.get_meta(id="id", key="title"), MetaEntry)
    assert_type(media.count(), int)
    assert_type(media.delete(id="id"), None)
    assert_type(media.download(id="id", preset="source", dest="film.mp4"), int)
    assert_type(media.get_stream_url(id="id"), str)
    pager = media.iterate(fields=["id"], per_page=5)
    assert_type(pager, Pager[MediaInfo])
    for each in pager:
        assert_type(each, MediaInfo)
