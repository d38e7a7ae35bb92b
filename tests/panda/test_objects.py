"""What the objects of the family do with their fields: read and refuse."""

from __future__ import annotations

import pickle
from typing import Any, ClassVar

import pytest

from cloudreel.core.call import Call
from cloudreel.core.codec import structure
from cloudreel.core.failures import ErrorFamily
from cloudreel.errors import InvalidRequestError
from cloudreel.panda.models import EncodingFields
from cloudreel.panda.objects import ServiceObject
from cloudreel.telestream.errors import FAMILY, EncodingFailed, TelestreamCloudException


class Fixed(ServiceObject, EncodingFields):
    """An object as the services have them: read-only fields, and a method that a field is named like."""

    _kind: ClassVar[str] = "Encoding"
    _errors: ClassVar[ErrorFamily] = FAMILY

    def _find(self) -> Call[EncodingFields]:
        raise AssertionError

    def video(self) -> str:
        return "the method"

    def identifier(self) -> str:
        return self._id()


def fixed(**details: object) -> Fixed:
    transport: Any = None
    return Fixed(transport, structure(details, EncodingFields))


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
