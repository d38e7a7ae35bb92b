"""Objects that are dictionaries: values and their typed view, copies, what is sent to create and to save."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import MutableMapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.call import Response
from cloudreel.core.codec import structure
from cloudreel.errors import InvalidRequestError
from cloudreel.panda import (
    AsyncCloud,
    AsyncEncoding,
    AsyncNotifications,
    AsyncProfile,
    AsyncVideo,
    BadRequest,
    EncodingFailed,
    Profile,
    Video,
)
from cloudreel.panda.clouds import AsyncClouds
from cloudreel.panda.models import (
    CloudFields,
    EncodingFields,
    NotificationsFields,
    ProfileFields,
    VideoFields,
)
from cloudreel.panda.profiles import AsyncProfiles
from cloudreel.panda.videos import AsyncEncodings, AsyncVideos

pytestmark = pytest.mark.anyio

CREATED = "2014/11/05 13:45:14 +0000"


class Line:
    """A transport that notes what it is sent and answers with the next object."""

    def __init__(self, *answers: dict[str, object]) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, dict[str, object]]] = []
        self.meanwhile = lambda: None

    async def send(self, call: Any) -> Any:
        request = call.request
        self.sent.append((request.method, request.path, dict(request.params)))
        self.meanwhile()
        return call.parse(Response(200, {}, json.dumps(self.answers.pop(0)).encode()))


def line(*answers: dict[str, object]) -> Any:
    return Line(*answers)


def video(transport: Any = None, **details: Any) -> AsyncVideo:
    return AsyncVideo(transport, structure(details, VideoFields))


def profile(transport: Any = None, **details: Any) -> AsyncProfile:
    return AsyncProfile(transport, structure(details, ProfileFields))


def notifications(transport: Any = None, **details: Any) -> AsyncNotifications:
    return AsyncNotifications(transport, structure(details, NotificationsFields))


# -- a dictionary, and a typed view of it ----------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda item: item, Video], ids=["async", "sync"])
def test_values_are_the_services_attributes_are_typed(wrap: Any) -> None:
    film = wrap(video(id="7d", width="640", created_at=CREATED, novelty=[1], fps=None))
    assert isinstance(film, MutableMapping)
    assert (film["width"], film.width) == ("640", 640)
    assert (film["created_at"], film.created_at) == (CREATED, datetime(2014, 11, 5, 13, 45, 14, tzinfo=UTC))
    assert film["novelty"] == film.novelty == [1]
    assert (film.height, film.get("height"), "height" in film, "fps" in film) == (None, None, False, True)
    with pytest.raises(KeyError):
        film["height"]
    assert list(film) == list(film.keys()) == ["id", "width", "created_at", "novelty", "fps"]
    assert len(film) == 5
    assert (
        dict(film) == film == {"id": "7d", "width": "640", "created_at": CREATED, "novelty": [1], "fps": None}
    )
    assert json.loads(film.to_json()) == film
    assert json.loads(film.to_json(indent=2)) == film
    assert film.to_json(indent=2).splitlines()[1] == '  "id": "7d",'
    assert str(film) == repr(film) == "Video 7d"


@pytest.mark.parametrize("wrap", [lambda item: item, Profile], ids=["async", "sync"])
def test_assigning_to_either_changes_both(wrap: Any) -> None:
    item = wrap(profile(id="3d", width=640))
    item["width"] = "320"
    assert item.width == 320
    item.width = 160
    assert item["width"] == 160
    item.created_at = datetime(2014, 11, 5, 13, 45, 14, tzinfo=UTC)
    assert item["created_at"] == CREATED
    item["novelty"] = {"a": [1]}
    assert item.novelty == {"a": [1]}
    item.update(title="a", upscale=True)
    assert (item.title, item.upscale) == ("a", True)
    del item["width"]
    assert item.width is None
    assert item.pop("title") == "a"
    with pytest.raises(KeyError):
        del item["title"]


def test_objects_equal_dictionaries_and_each_other_by_their_values() -> None:
    one, other = video(id="7d", width=1), video(id="7d", width=1)
    assert one == other == {"id": "7d", "width": 1}
    assert Video(one) == Video(other) == one
    assert one != {"id": "7d"}
    assert one != [("id", "7d"), ("width", 1)]
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"\xff"])
def test_what_is_no_json_value_is_refused(value: object) -> None:
    item = profile(id="3d", width=640)
    with pytest.raises((TypeError, ValueError)):
        item.title = value
    assert item == {"id": "3d", "width": 640}


def test_what_a_field_cannot_hold_is_refused() -> None:
    item = profile(id="3d", width=640)
    for assign in (lambda: item.__setitem__("width", "wide"), lambda: setattr(item, "width", "wide")):
        with pytest.raises(BadRequest, match=r"Profile 3d cannot hold this: .*width") as caught:
            assign()
        assert isinstance(caught.value, InvalidRequestError)
    assert item["width"] == 640


def test_no_field_hides_a_method() -> None:
    film = video(id="7d", encodings=5, items="x", _record="y")
    assert callable(film.encodings)
    assert dict(film.items())["items"] == "x"
    assert (film["encodings"], film["_record"]) == (5, "y")


def test_a_copy_is_shallow_and_what_is_pickled_is_the_fields() -> None:
    item = profile(id="3d", width=640)
    other = copy.copy(item)
    other["width"] = 320
    assert item["width"] == 640
    object.__setattr__(item, "_transport", "the-secret-key")
    pickled = pickle.dumps(EncodingFailed("failed", job=item))
    assert b"the-secret-key" not in pickled
    assert pickle.loads(pickled).job.details == {"id": "3d", "width": 640}


VALUES = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2) | st.lists(st.integers(0, 1))
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "delete", "pop", "default"]), st.sampled_from("xyz"), VALUES)
)


@given(st.dictionaries(st.sampled_from("xyz"), VALUES), STEPS)
def test_it_does_what_a_dictionary_does(details: dict[str, Any], steps: list[tuple[str, str, Any]]) -> None:
    model, item = dict(details), video(**details)
    for step, name, value in steps:
        for mapping in (model, item):
            if step == "set":
                mapping[name] = value
            elif step == "delete":
                mapping.pop(name, None)
            elif step == "pop" and name in mapping:
                del mapping[name]
            else:
                mapping.setdefault(name, value)
        assert item == model
        assert list(item.items()) == list(model.items())
        assert [getattr(item, key) for key in model] == list(model.values())


# -- copies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda item: item, Profile], ids=["async", "sync"])
def test_dup_drops_the_id_and_shares_nothing(wrap: Any) -> None:
    item = wrap(profile(id="3d", name="h264", nested={"a": [1]}))
    other = item.dup()
    assert type(other) is type(item)
    assert other == {"name": "h264", "nested": {"a": [1]}}
    assert (other.id, str(other)) == (None, "Profile (without id)")
    other["nested"]["a"].append(2)
    other["name"] = "mine"
    assert item == {"id": "3d", "name": "h264", "nested": {"a": [1]}}


async def test_a_copy_cannot_be_saved_but_created() -> None:
    transport = line({"id": "4e", "name": "mine", "created_at": CREATED})
    item = profile(transport, id="3d", name="h264", width=640, command=None, created_at=CREATED)
    other = item.dup()
    with pytest.raises(BadRequest, match="This Profile has no id yet"):
        await other.save()
    other.name = "mine"
    assert await other.create() is other
    assert transport.sent == [("POST", "/profiles.json", {"name": "mine", "width": 640, "command": None})]
    assert other == {"id": "4e", "name": "mine", "created_at": CREATED}
    await other.save()
    assert len(transport.sent) == 1


# -- new and create --------------------------------------------------------------------------------------


async def test_new_asks_nothing_and_create_sends_what_was_given() -> None:
    transport = line({"id": "3d", "name": "a", "variants": "x"})
    fields = {"preset_name": "h264", "name": "a", "unheard_of": [1, 2], "fps": 29.97}
    item = AsyncProfiles(transport).new(**fields)
    assert transport.sent == []
    assert item == {"preset_name": "h264", "name": "a", "unheard_of": [1, 2], "fps": 29.97}
    await item.create()
    sent = {"preset_name": "h264", "name": "a", "unheard_of": ["1", "2"], "fps": 29.97}
    assert transport.sent == [("POST", "/profiles.json", sent)]
    assert item == {"id": "3d", "name": "a", "variants": "x"}
    assert fields["unheard_of"] == [1, 2]


async def test_what_the_service_makes_is_not_sent() -> None:
    cloud = AsyncCloud(
        line({"id": "1f"}),
        structure({"id": "0f", "name": "a", "url": "http://x/", "updated_at": CREATED}, CloudFields),
    )
    await cloud.create()
    assert cloud._transport.sent == [("POST", "/clouds.json", {"name": "a"})]
    film = video(
        line({"id": "8e"}), id="7d", source_url="http://a/b.mp4", width=3, status="fail", payload="p"
    )
    await film.create()
    assert film._transport.sent == [
        ("POST", "/videos.json", {"source_url": "http://a/b.mp4", "payload": "p"})
    ]
    details = {"id": "a1", "video_id": "7d", "profile_id": "3d", "profile_name": "h264", "files": ["x"]}
    encoding = AsyncEncoding(line({"id": "b2"}), structure(details, EncodingFields))
    await encoding.create()
    assert encoding._transport.sent == [("POST", "/encodings.json", {"video_id": "7d", "profile_id": "3d"})]


async def test_create_and_new_take_the_same_fields() -> None:
    clouds, encodings = AsyncClouds(line({"id": "1f"})), AsyncEncodings(line({"id": "a1"}))
    assert (await clouds.create(name="a", s3_videos_bucket="b")).id == "1f"
    assert clouds._transport.sent == [("POST", "/clouds.json", {"name": "a", "s3_videos_bucket": "b"})]
    assert (await encodings.create(video_id="7d", profile_name="h264")).id == "a1"
    assert encodings._transport.sent == [
        ("POST", "/encodings.json", {"video_id": "7d", "profile_name": "h264"})
    ]


@pytest.mark.parametrize("fields", [{}, {"payload": "x"}, {"file": "a.mp4", "source_url": "http://a/b"}])
async def test_a_video_is_made_of_one_source(fields: dict[str, Any]) -> None:
    transport = line()
    transport.service = SimpleNamespace(errors=AsyncVideo._errors)
    with pytest.raises(BadRequest, match="exactly one of source_url= and file="):
        await AsyncVideos(transport).new(**fields).create()
    with pytest.raises(BadRequest, match="exactly one of source_url= and file="):
        await AsyncVideos(transport).create(**fields)
    assert transport.sent == []


async def test_where_fetches_all_and_keeps_what_holds() -> None:
    transport = line([{"id": str(number), "fps": number} for number in range(5)])
    found = await AsyncVideos(transport).where(lambda film: film.fps and film["fps"] < 3)
    assert [film.id for film in found] == ["1", "2"]


# -- save ------------------------------------------------------------------------------------------------


async def test_save_sends_what_changed_and_holds_the_answer() -> None:
    transport = line({"id": "3d", "width": 322, "title": "b", "updated_at": CREATED})
    item = profile(transport, id="3d", width=640, title="a", height=480, variants="x", upscale=1)
    item.width, item["title"], item.variants, item["height"], item.upscale = 320, "b", None, 480, True
    await item.save()
    sent = {"width": 320, "title": "b", "variants": "", "upscale": True}
    assert transport.sent == [("PUT", "/profiles/3d.json", sent)]
    assert item == {"id": "3d", "width": 322, "title": "b", "updated_at": CREATED}
    await item.save()
    assert len(transport.sent) == 1


async def test_what_is_assigned_while_a_save_is_under_way_is_kept() -> None:
    transport = line({"id": "3d", "width": 320, "title": "a"}, {"id": "3d", "width": 160, "title": "a"})
    item = profile(transport, id="3d", width=640, title="a")
    item.width = 320
    transport.meanwhile = lambda: item.update(width=160)
    await item.save()
    assert item["width"] == 160
    await item.save()
    assert [params for _, _, params in transport.sent] == [{"width": 320}, {"width": 160}]


async def test_reload_forgets_what_was_not_saved() -> None:
    transport = line({"id": "3d", "width": 640})
    item = profile(transport, id="3d", width=640)
    item.width = 320
    await item.reload()
    assert transport.sent == [("GET", "/profiles/3d.json", {})]
    assert item == {"id": "3d", "width": 640}
    await item.save()
    assert len(transport.sent) == 1


EVENTS = {"video_created": False, "video_encoded": True}


async def test_events_are_sent_as_given_and_stay_the_callers() -> None:
    answer = {"url": "http://a/", "delay": 5, "events": {"video_created": True, "video_encoded": True}}
    transport = line(answer)
    settings = notifications(transport, url="null", delay=5, events=dict(EVENTS))
    assert (settings["url"], settings.url, settings.delay, str(settings)) == (
        "null",
        None,
        5,
        "Notifications",
    )
    given = {"video_created": True}
    settings["events"] = given
    settings.url = "http://a/"
    await settings.save()
    sent = {"url": "http://a/", "events": {"video_created": True}}
    assert transport.sent == [("PUT", "/notifications.json", sent)]
    assert settings == answer
    assert settings.events == answer["events"]
    assert given == {"video_created": True}
    await settings.save()
    assert len(transport.sent) == 1


async def test_events_may_be_changed_in_place() -> None:
    transport = line({"events": {"video_created": True, "video_encoded": True}})
    settings = notifications(transport, url=None, events=dict(EVENTS))
    settings["events"]["video_created"] = True
    transport.meanwhile = lambda: settings["events"].clear()
    await settings.save()
    assert transport.sent[0][2] == {"events": {"video_created": True, "video_encoded": True}}


async def test_notifications_are_copied_and_fetched_again() -> None:
    transport = line({"url": "http://b/"})
    settings = notifications(transport, url="http://a/", events=dict(EVENTS))
    other = settings.dup()
    other["events"]["video_created"] = True
    assert settings["events"] == EVENTS
    await settings.reload()
    assert transport.sent == [("GET", "/notifications.json", {})]
    assert settings == {"url": "http://b/"}


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "1"])


@given(
    st.dictionaries(st.sampled_from("abcd"), SCALARS),
    st.lists(st.tuples(st.sampled_from("abcd"), SCALARS), max_size=8),
)
def test_the_changes_are_the_last_assignments_that_differ(
    details: dict[str, Any], assignments: list[tuple[str, Any]]
) -> None:
    item = profile(id="3d", **details)
    for name, value in assignments:
        item[name] = value
    wanted = {
        name: "" if value is None else value
        for name, value in dict(assignments).items()
        if name not in details or (type(details[name]), details[name]) != (type(value), value)
    }
    assert item._changed() == wanted
