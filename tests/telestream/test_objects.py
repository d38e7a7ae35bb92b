"""Factories, profiles, videos and encodings as objects: found, listed, changed, deleted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import anyio
import pytest

from cloudreel.errors import InvalidRequestError, NotFoundError
from cloudreel.telestream import (
    AsyncEncoding,
    AsyncFactory,
    AsyncProfile,
    AsyncTelestream,
    AsyncVideo,
    RecordNotFound,
    TelestreamCloudException,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloudreel.sandbox import Sandbox
    from conftest import Tap

pytestmark = pytest.mark.anyio

UNREACHABLE = "http://127.0.0.1:1/a.mp4"  # a source that cannot be fetched: such a video fails at once


async def many(count: int, make: Callable[[int], Awaitable[object]]) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(make, number)


async def failed_video(factory: AsyncFactory) -> AsyncVideo:
    video = await factory.videos.create(source_url=UNREACHABLE, profiles="none")
    with pytest.raises(TelestreamCloudException):
        await video.wait(timeout=60)
    return video


# -- factories -------------------------------------------------------------------------------------------


async def test_factories_are_created_found_and_listed(tc: AsyncTelestream) -> None:
    made = await tc.flip.factories.create(name="second", s3_videos_bucket="acme-out")
    assert isinstance(made, AsyncFactory)
    assert (made.name, made.s3_videos_bucket) == ("second", "acme-out")
    assert made.url is not None
    assert made.url.endswith("/")
    found = await tc.flip.factories.find(str(made.id))
    assert found.details == made.details
    listed = await tc.flip.factories.all()
    assert {tc.factory_id, made.id} <= {factory.id for factory in listed}
    assert [factory.id async for factory in tc.flip.factories.iterate()] == [factory.id for factory in listed]


async def test_a_factory_cannot_be_deleted(tc: AsyncTelestream, factory: AsyncFactory) -> None:
    assert not hasattr(factory, "delete")
    with pytest.raises(RecordNotFound) as caught:
        await tc.flip.factories.delete(str(factory.id))
    assert isinstance(caught.value, NotFoundError)
    assert (await tc.flip.factories.find(str(factory.id))).id == factory.id


async def test_a_factory_saves_only_what_changed_and_refreshes(tapped: AsyncFactory, tap: Tap) -> None:
    name = tapped.name
    tapped.name = "renamed"
    tapped.upload_original_video = True
    await tapped.save()
    assert tap.params() == {"name": "renamed", "upload_original_video": "true"}
    assert tap.seen[-1].method == "PUT"
    assert (tapped.name, tapped.upload_original_video) == ("renamed", True)
    tapped.name, tapped.upload_original_video = name, False
    await tapped.save()
    before = len(tap.seen)
    await tapped.save()
    assert len(tap.seen) == before


async def test_each_factory_speaks_for_itself(tc: AsyncTelestream, factory: AsyncFactory) -> None:
    first = await tc.flip.factories.find(str(tc.factory_id))
    await factory.profiles.create(preset_name="h264", name="mine")
    assert "mine" in [profile.name for profile in await factory.profiles.all()]
    assert "mine" not in [profile.name for profile in await first.profiles.all()]
    with pytest.raises(NotFoundError):
        await first.profiles.find("mine")


async def test_factories_need_no_factory_id(sandbox: Sandbox) -> None:
    credentials = {**sandbox.config["telestream"], "factory_id": None}
    async with AsyncTelestream(**credentials) as tc:
        (first, *_) = await tc.flip.factories.all()
        assert await first.profiles.all()
        with pytest.raises(InvalidRequestError):
            await tc.get("/videos.json")


# -- profiles --------------------------------------------------------------------------------------------


async def test_a_profile_lives(factory: AsyncFactory) -> None:
    profile = await factory.profiles.create(preset_name="h264", name="tiny", width=160, height=90)
    assert isinstance(profile, AsyncProfile)
    assert (profile.name, profile.width, profile.extname) == ("tiny", 160, ".mp4")
    by_name, by_id = await factory.profiles.find("tiny"), await factory.profiles.find(str(profile.id))
    assert by_name.details == by_id.details == profile.details
    profile.width = 320
    profile.title = "Small"
    assert by_name.width == 160
    await profile.save()
    assert (profile.width, profile.title, profile.height) == (320, "Small", 90)
    await by_name.reload()
    assert (by_name.width, by_name.title) == (320, "Small")
    assert await profile.delete() is True
    with pytest.raises(NotFoundError):
        await by_name.reload()
    with pytest.raises(NotFoundError):
        await factory.profiles.delete("tiny")


async def test_a_profile_is_deleted_by_its_id(factory: AsyncFactory) -> None:
    profile = await factory.profiles.create(preset_name="mp3", name="sound")
    assert await factory.profiles.delete(str(profile.id)) is True
    assert "sound" not in [each.name for each in await factory.profiles.all()]


async def test_a_name_of_odd_characters_finds_its_profile(factory: AsyncFactory) -> None:
    name = "my profile ä%20+&?#=.json"
    profile = await factory.profiles.create(preset_name="h264", name=name)
    assert (await factory.profiles.find(name)).id == profile.id


async def test_a_profile_keeps_what_it_was_told_until_it_is_saved_or_reloaded(factory: AsyncFactory) -> None:
    profile = await factory.profiles.create(preset_name="h264", name="kept")
    profile.width = 123
    assert profile.width == 123
    assert profile.details["width"] != 123
    await profile.reload()
    assert profile.width == profile.details["width"] != 123


# -- what all objects have -------------------------------------------------------------------------------


async def test_objects_say_what_they_are(factory: AsyncFactory) -> None:
    video = await failed_video(factory)
    encoding = await video.encodings.create(profile_name="h264")
    profile = await encoding.profile()
    for thing, kind in ((factory, "Factory"), (video, "Video"), (encoding, "Encoding"), (profile, "Profile")):
        assert str(thing) == repr(thing) == f"{kind} {thing.id}"


async def test_attributes_are_typed_and_details_are_as_they_came(factory: AsyncFactory) -> None:
    video = await failed_video(factory)
    assert isinstance(video.created_at, datetime)
    assert video.created_at.tzinfo is not None
    assert video.details["created_at"] == video.created_at.strftime("%Y/%m/%d %H:%M:%S +0000")
    assert (video.original_filename, video.width) == ("a.mp4", None)
    assert video.details["width"] is None
    encoding = await video.encodings.create(profile_name="h264")
    assert (encoding.files, encoding.details["files"]) == ([], [])
    assert isinstance(encoding.encoding_progress, float)


@pytest.mark.parametrize("name", ["status", "novelty", "encodings"])
async def test_videos_and_encodings_refuse_assignment(factory: AsyncFactory, name: str) -> None:
    video = await failed_video(factory)
    encoding = await video.encodings.create(profile_name="h264")
    for thing in (video, encoding):
        with pytest.raises(TelestreamCloudException, match="immutable"):
            setattr(thing, name, "success")
        assert not hasattr(thing, "save")
    assert video.status == "fail"


async def test_factories_and_profiles_take_any_name_but_only_scalars(factory: AsyncFactory) -> None:
    profile = await factory.profiles.find("h264")
    for thing in (factory, profile):
        thing.novelty = 1.5
        assert thing.novelty == 1.5
        with pytest.raises(TypeError, match="novelty"):
            thing.novelty = ["a"]


# -- lists -----------------------------------------------------------------------------------------------


MANY = 104


@pytest.fixture(scope="session")
def crowded(sandbox: Sandbox) -> tuple[str, str]:
    """A factory with more than a page of everything, and the video that all encodings are of: their ids."""

    async def fill() -> tuple[str, str]:
        async with sandbox.telestream() as tc:
            factory = await tc.flip.factories.create(name="crowded")
            video = await failed_video(factory)
            await many(MANY, lambda _: video.encodings.create(profile_name="mp3"))
            await many(MANY - 1, lambda _: factory.videos.create(source_url=UNREACHABLE, profiles="none"))
            given = len(await factory.profiles.all())
            await many(MANY - given, lambda n: factory.profiles.create(preset_name="h264", name=f"p{n}"))
            return str(factory.id), str(video.id)

    return anyio.run(fill)


@pytest.mark.parametrize("kind", ["videos", "encodings", "profiles", "encodings of a video"])
async def test_lists_follow_pages(tc: AsyncTelestream, crowded: tuple[str, str], kind: str) -> None:
    factory = await tc.flip.factories.find(crowded[0])
    video = await factory.videos.find(crowded[1])
    things = video.encodings if kind == "encodings of a video" else getattr(factory, kind)
    ids = [thing.id for thing in await things.all()]
    assert len(ids) == len(set(ids)) == MANY
    assert [thing.id for thing in await things.all(page=1)] == ids[:100]
    assert [thing.id for thing in await things.all(page=2)] == ids[100:]
    assert [thing.id for thing in await things.all(per_page=10)] == ids[:10]
    assert [thing.id for thing in await things.all(page=3, per_page=10)] == ids[20:30]
    assert await things.all(page=9) == []
    assert [thing.id async for thing in things.iterate()] == ids
    assert [thing.id async for thing in things.iterate(per_page=30)] == ids
    assert [len(page) async for page in things.iterate(per_page=50).pages()] == [50, 50, 4]


async def test_lists_are_filtered(tc: AsyncTelestream, crowded: tuple[str, str]) -> None:
    factory_id, video_id = crowded
    factory = await tc.flip.factories.find(factory_id)
    with anyio.fail_after(60):
        while len(failed := await factory.encodings.all(status="fail")) < MANY:
            await anyio.sleep(0.05)
    assert {encoding.error_class for encoding in failed} == {"VideoStatusInvalid"}
    assert await factory.encodings.all(status="success") == []
    assert await factory.encodings.all(profile_name="webm") == []
    assert len(await factory.encodings.all(video_id=video_id, profile_name="mp3")) == MANY
    assert [each async for each in factory.videos.iterate(status="processing")] == []


async def test_a_loop_may_be_left_and_begun_again(factory: AsyncFactory) -> None:
    pager = factory.profiles.iterate(per_page=3)
    first = []
    async for profile in pager:
        first.append(profile.name)
        if len(first) == 4:
            break
    again = [profile.name async for profile in pager]
    assert again[:4] == first
    assert len(again) > 4


# -- videos and their encodings --------------------------------------------------------------------------


async def test_a_video_is_found_and_deleted_with_its_encodings(factory: AsyncFactory) -> None:
    video = await failed_video(factory)
    encoding = await video.encodings.create(profile_name="h264")
    found = await factory.videos.find(str(video.id))
    assert isinstance(found, AsyncVideo)
    assert found.details == video.details
    assert [str(each) for each in await factory.videos.all(status="fail")] == [str(video)]
    assert await video.delete() is True
    for gone in (video.reload, encoding.reload, video.delete, encoding.delete):
        with pytest.raises(RecordNotFound):
            await gone()


async def test_encodings_of_a_video(factory: AsyncFactory) -> None:
    video, other = await failed_video(factory), await failed_video(factory)
    encoding = await video.encodings.create(profile_name="h264")
    assert isinstance(encoding, AsyncEncoding)
    assert encoding.video_id == video.id
    assert [each.id for each in await video.encodings.all()] == [encoding.id]
    assert await other.encodings.all() == []
    assert (await video.encodings.find(str(encoding.id))).id == encoding.id
    with pytest.raises(NotFoundError, match="not of"):
        await other.encodings.find(str(encoding.id))
    assert (await factory.encodings.find(str(encoding.id))).details["profile_name"] == "h264"
    assert (await encoding.video()).id == video.id
    assert (await encoding.profile()).name == "h264"
    assert await video.encodings.delete(str(encoding.id)) is True
    assert await video.encodings.all() == []


async def test_the_profile_of_an_encoding_is_found_by_name_when_it_has_no_id(factory: AsyncFactory) -> None:
    video = await failed_video(factory)
    encoding = await video.encodings.create(profile_name="mp3")
    encoding.details["profile_id"] = None
    encoding._record.profile_id = None
    assert (await encoding.profile()).name == "mp3"
    encoding._record.profile_name = None
    with pytest.raises(InvalidRequestError, match="profile_id"):
        await encoding.profile()


async def test_an_encoding_needs_a_profile_that_exists(factory: AsyncFactory) -> None:
    video = await failed_video(factory)
    with pytest.raises(InvalidRequestError):
        await video.encodings.create()
    with pytest.raises(NotFoundError):
        await video.encodings.create(profile_name="nonesuch")
    with pytest.raises(InvalidRequestError):
        await factory.encodings.create(profile_name="h264")
