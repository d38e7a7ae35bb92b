"""What the objects of the family do with their fields: read, refuse, collect what changed."""

from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.codec import structure
from cloudreel.core.failures import ErrorFamily
from cloudreel.errors import CloudReelError, InvalidRequestError
from cloudreel.panda.models import EncodingFields, ProfileFields
from cloudreel.panda.objects import ChangeableObject, ServiceObject
from cloudreel.telestream.errors import FAMILY, EncodingFailed, TelestreamCloudException


class Fixed(ServiceObject, EncodingFields):
    """An object as the services have them: read-only fields, and a method that a field is named like."""

    _kind: ClassVar[str] = "Encoding"
    _errors: ClassVar[ErrorFamily] = FAMILY

    def video(self) -> str:
        return "the method"

    def identifier(self) -> str:
        return self._id()


class Loose(ChangeableObject, ProfileFields):
    """An object whose fields may be assigned."""

    _kind: ClassVar[str] = "Profile"
    _errors: ClassVar[ErrorFamily] = FAMILY

    def changed(self) -> dict[str, bool | int | float | str | None]:
        return self._changed()

    def saved(self, sent: dict[str, bool | int | float | str | None], **answer: object) -> None:
        self._saved(sent, structure(answer, ProfileFields))

    def reloaded(self, **answer: object) -> None:
        self._reloaded(structure(answer, ProfileFields))


def fixed(**details: object) -> Fixed:
    return Fixed(structure(details, EncodingFields))


def loose(**details: object) -> Loose:
    return Loose(structure(details, ProfileFields))


def test_fields_are_read_from_the_answer() -> None:
    encoding = fixed(id="2e", width="640", created_at="2014/11/05 13:45:14 +0000", novelty=[1, {"a": None}])
    assert (encoding.id, encoding.width, encoding.height) == ("2e", 640, None)
    assert encoding.created_at is not None
    assert encoding.created_at.isoformat() == "2014-11-05T13:45:14+00:00"
    assert encoding.details["created_at"] == "2014/11/05 13:45:14 +0000"
    assert encoding.novelty == [1, {"a": None}]


def test_a_name_that_is_nothing_is_told() -> None:
    with pytest.raises(AttributeError, match="Encoding 2e has no field or method 'witdh'"):
        _ = fixed(id="2e").witdh
    assert not hasattr(fixed(id="2e"), "witdh")


def test_a_field_never_hides_a_method() -> None:
    encoding = fixed(id="2e", video="a field", identifier="a field", _record="a field", details="a field")
    assert encoding.video() == "the method"
    assert encoding.identifier() == "2e"
    assert encoding.details["video"] == "a field"


@pytest.mark.parametrize("name", ["id", "status", "novelty", "details", "video"])
def test_a_fixed_object_refuses_every_assignment(name: str) -> None:
    encoding = fixed(id="2e", status="success")
    with pytest.raises(TelestreamCloudException, match="immutable"):
        setattr(encoding, name, "other")
    assert encoding.details == {"id": "2e", "status": "success"}


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({"id": "2e"}, "Encoding 2e"),
        ({"id": 111}, "Encoding 111"),
        ({}, "Encoding (without id)"),
        ({"id": None}, "Encoding (without id)"),
    ],
)
def test_the_text_is_kind_and_id(details: dict[str, object], text: str) -> None:
    encoding = fixed(**details)
    assert str(encoding) == repr(encoding) == text


@pytest.mark.parametrize("details", [{}, {"id": None}, {"id": ""}])
def test_without_id_no_path_is_made(details: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError, match="has no id yet") as caught:
        fixed(**details).identifier()
    assert isinstance(caught.value, TelestreamCloudException)


def test_a_copy_is_an_object_of_its_own() -> None:
    profile = loose(id="3d", width=640)
    other = copy.deepcopy(profile)
    other.width = 320
    assert (profile.width, other.width) == (640, 320)
    assert profile.changed() == {}


# -- changes ---------------------------------------------------------------------------------------------


def test_only_what_changed_is_sent() -> None:
    profile = loose(id="3d", width=640, height=480, title="old", upscale=True)
    profile.title = "new"
    profile.width = 640
    profile.novelty = 1.5
    assert (profile.title, profile.novelty, profile.height) == ("new", 1.5, 480)
    assert profile.changed() == {"title": "new", "novelty": 1.5}


def test_assigning_the_old_value_again_takes_the_change_back() -> None:
    profile = loose(id="3d", width=640, title=None)
    profile.width = 320
    profile.title = "a"
    profile.width = 640
    profile.title = None
    assert profile.changed() == {}


def test_equal_values_of_other_types_are_changes() -> None:
    profile = loose(id="3d", priority=1, upscale=True, width="640")
    profile.priority = True
    profile.upscale = 1
    profile.width = 640
    assert profile.changed() == {"priority": True, "upscale": 1, "width": 640}
    assert profile.changed()["priority"] is True


def test_none_is_sent_as_empty_text() -> None:
    profile = loose(id="3d", title="old")
    profile.title = None
    assert profile.title is None
    assert profile.changed() == {"title": ""}


@pytest.mark.parametrize("value", [[1], {"a": 1}, b"bytes", object()])
def test_what_is_no_scalar_is_refused(value: object) -> None:
    profile = loose(id="3d")
    with pytest.raises(TypeError, match="Profile 3d: 'variants' takes text, a number"):
        profile.variants = value
    assert profile.changed() == {}


def test_saving_takes_over_the_answer_and_forgets_what_was_sent() -> None:
    profile = loose(id="3d", width=640)
    profile.width = 320
    sent = profile.changed()
    profile.saved(sent, id="3d", width=322, updated_at="2014/11/05 13:45:14 +0000")
    assert profile.width == 322
    assert profile.updated_at is not None
    assert profile.changed() == {}


def test_what_is_assigned_while_a_save_is_under_way_is_kept() -> None:
    profile = loose(id="3d", width=640, title="a")
    profile.width, profile.title = 320, None
    sent = profile.changed()
    profile.width, profile.height = 160, 90
    profile.saved(sent, id="3d", width=320, title="")
    assert profile.changed() == {"width": 160, "height": 90}
    assert (profile.width, profile.title) == (160, "")


def test_reloading_forgets_what_was_not_saved() -> None:
    profile = loose(id="3d", width=640)
    profile.width = 320
    profile.reloaded(id="3d", width=640)
    assert profile.width == 640
    assert profile.changed() == {}


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "1"])


@given(
    st.dictionaries(st.sampled_from("abcd"), SCALARS),
    st.lists(st.tuples(st.sampled_from("abcd"), SCALARS), max_size=8),
)
def test_the_changes_are_the_last_assignments_that_differ(
    details: dict[str, object], assignments: list[tuple[str, object]]
) -> None:
    profile = loose(id="3d", **details)
    for name, value in assignments:
        setattr(profile, name, value)
    wanted = {
        name: "" if value is None else value
        for name, value in dict(assignments).items()
        if name not in details or (type(details[name]), details[name]) != (type(value), value)
    }
    assert profile.changed() == wanted
    assert not any(isinstance(value, CloudReelError) for value in wanted.values())


def test_what_is_pickled_is_the_fields_and_no_key() -> None:
    encoding = fixed(id="a1", status="fail")
    object.__setattr__(encoding, "_transport", "the-secret-key")
    pickled = pickle.dumps(EncodingFailed("Encoding a1 failed", job=encoding))
    assert b"the-secret-key" not in pickled
    again = pickle.loads(pickled)
    assert type(again.job) is EncodingFields
    assert (again.job.id, again.job.status, again.job.details) == (
        "a1",
        "fail",
        {"id": "a1", "status": "fail"},
    )
