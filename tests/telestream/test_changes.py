"""What factories and profiles do with what is assigned to them until it is saved."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.core.call import Call
from cloudreel.core.codec import structure
from cloudreel.core.failures import ErrorFamily
from cloudreel.panda.models import ProfileFields
from cloudreel.panda.protocol import Params
from cloudreel.telestream.errors import FAMILY
from cloudreel.telestream.objects import ChangeableObject


class Loose(ChangeableObject, ProfileFields):
    """An object whose fields may be assigned."""

    _kind: ClassVar[str] = "Profile"
    _errors: ClassVar[ErrorFamily] = FAMILY

    def _find(self) -> Call[ProfileFields]:
        raise AssertionError

    def _update(self, params: Params) -> Call[ProfileFields]:
        raise AssertionError

    def changed(self) -> Params:
        return self._changed()

    def saved(self, sent: Params, **answer: object) -> None:
        self._saved(sent, structure(answer, ProfileFields))

    def reloaded(self, **answer: object) -> None:
        self._reloaded(structure(answer, ProfileFields))


def loose(**details: object) -> Loose:
    transport: Any = None
    return Loose(transport, structure(details, ProfileFields))


def test_a_copy_is_an_object_of_its_own() -> None:
    profile = loose(id="3d", width=640)
    other = copy.deepcopy(profile)
    other.width = 320
    assert (profile.width, other.width) == (640, 320)
    assert profile.changed() == {}


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
