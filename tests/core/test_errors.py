"""The error tree: who is whose child, what an error carries, and what of it survives pickling."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import Self

import pytest
from attrs import frozen

from cloudreel import errors
from cloudreel.core.call import Response
from cloudreel.errors import CloudReelError

SECRET = "s3cr3t-V4lue"

TREE: dict[str, set[str]] = {
    "CloudReelError": {"Exception"},
    "TransportError": {"CloudReelError"},
    "RequestTimedOut": {"TransportError", "TimedOut"},
    "ApiError": {"CloudReelError"},
    "AuthenticationError": {"ApiError"},
    "NotFoundError": {"ApiError"},
    "InvalidRequestError": {"ApiError"},
    "RateLimitError": {"ApiError"},
    "ServiceError": {"ApiError"},
    "JobFailed": {"ApiError"},
    "DecodeError": {"CloudReelError"},
    "UploadError": {"CloudReelError"},
    "SigningError": {"CloudReelError", "ValueError"},
    "TimedOut": {"CloudReelError", "TimeoutError"},
    "WrongEventLoopError": {"CloudReelError", "RuntimeError"},
}
KINDS: list[type[CloudReelError]] = [getattr(errors, name) for name in TREE]


class OldRoot(CloudReelError):
    """What an old client called everything."""


class OldNotFound(OldRoot, errors.NotFoundError):
    """An old name under its category."""


class OldTimeout(OldRoot, errors.RequestTimedOut):
    """An old name under a category that is itself mixed."""


MIXED: list[type[CloudReelError]] = [OldRoot, OldNotFound, OldTimeout]


def test_the_tree_is_the_documented_one() -> None:
    drawn = {name: {base.__name__ for base in getattr(errors, name).__bases__} for name in errors.__all__}
    assert drawn == TREE


def test_every_class_is_drawn_in_the_module_docstring() -> None:
    assert errors.__doc__ is not None
    drawn = {line.split()[0] for line in errors.__doc__.splitlines() if line.startswith("    ")}
    assert drawn == set(TREE)


@pytest.mark.parametrize("kind", [*KINDS, *MIXED])
def test_an_error_has_its_message_and_its_context(kind: type[CloudReelError]) -> None:
    error = kind("It broke", method="GET", url="http://h/x", status=500, request_id="r", attempts=2)
    assert str(error) == error.message == "It broke"
    assert error.args == ("It broke",)
    assert (error.method, error.url, error.status) == ("GET", "http://h/x", 500)
    assert (error.request_id, error.attempts, error.response, error.ticket) == ("r", 2, None, None)
    assert error.cause is None
    error.message = "It broke again"
    assert str(error) == "It broke again"


@pytest.mark.parametrize("kind", [*KINDS, *MIXED])
def test_an_error_without_anything_is_an_error(kind: type[CloudReelError]) -> None:
    error = kind()
    assert str(error) == error.message == ""
    assert (error.method, error.url, error.status, error.request_id, error.attempts) == (None,) * 5


def test_an_old_name_is_caught_by_its_root_its_category_and_what_the_category_is() -> None:
    for kind, catchers in {
        OldNotFound: (OldRoot, errors.NotFoundError, errors.ApiError, CloudReelError),
        OldTimeout: (OldRoot, errors.TransportError, errors.TimedOut, TimeoutError, CloudReelError),
    }.items():
        for catcher in catchers:
            with pytest.raises(catcher):
                raise kind("x")


@frozen
class Ticket:
    """What continues an upload."""

    location: str

    def to_json(self) -> str:
        return self.location


@pytest.mark.parametrize("kind", [*KINDS, *MIXED])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_keeps_what_an_error_says(kind: type[CloudReelError], protocol: int) -> None:
    error = kind("It broke", method="GET", url="http://h/x", status=500, attempts=2, ticket=Ticket("u"))
    vars(error)["extra"] = [1, 2]
    twin = pickle.loads(pickle.dumps(error, protocol))
    assert type(twin) is kind
    assert (twin.args, str(twin), twin.message) == (("It broke",), "It broke", "It broke")
    assert (twin.method, twin.url, twin.status, twin.attempts) == ("GET", "http://h/x", 500, 2)
    assert (twin.ticket, twin.extra, twin.cause) == (Ticket("u"), [1, 2], None)


def failed() -> OldNotFound:
    """Return an error as it comes out of a call, with secrets where only the process may see them."""
    response = Response(
        404,
        {"set-cookie": SECRET, "location": f"http://h/{SECRET}", "date": "today"},
        f'{{"error": "RecordNotFound", "access_key": "{SECRET}"}}'.encode(),
    )
    try:
        try:
            raise ConnectionResetError("the line broke")
        except ConnectionResetError as cause:
            raise OldNotFound("No such video", status=404, response=response) from cause
    except OldNotFound as error:
        return error


def test_a_pickled_error_keeps_the_answer_without_its_secrets() -> None:
    error = failed()
    pickled = pickle.dumps(error)
    assert SECRET.encode() not in pickled
    twin = pickle.loads(pickled)
    assert twin.response.status_code == 404
    assert twin.response.headers == {"set-cookie": "***", "location": "***", "date": "today"}
    assert twin.response.body == b'{"error": "RecordNotFound", "access_key":"***"}'
    assert error.response is not None
    assert SECRET in error.response.text  # the process itself keeps the whole answer


def test_a_pickled_error_keeps_the_text_of_its_cause_even_when_pickled_twice() -> None:
    error = failed()
    assert error.cause == "ConnectionResetError: the line broke"
    twin = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(error))))
    assert twin.__cause__ is None
    assert twin.cause == "ConnectionResetError: the line broke"


def test_notes_are_not_pickled() -> None:
    error = errors.ApiError("x")
    error.add_note(f"seen with {SECRET}")
    assert SECRET.encode() not in pickle.dumps(error)


class Job:
    """A failed job that knows what of it may leave the process."""

    def __init__(self, key: str) -> None:
        self.key = key

    def redacted(self) -> Self:
        return type(self)("***")


def test_everything_that_can_be_redacted_is() -> None:
    twin = pickle.loads(pickle.dumps(errors.JobFailed("failed", job=Job(SECRET))))
    assert twin.job.key == "***"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_errors_can_be_copied(copied: type) -> None:
    twin = copied(failed())
    assert (type(twin), str(twin), twin.cause) == (
        OldNotFound,
        "No such video",
        "ConnectionResetError: the line broke",
    )


def test_a_traceback_shows_messages_only() -> None:
    assert SECRET not in "".join(traceback.format_exception(failed()))


def test_categories_have_their_fields_from_the_start() -> None:
    assert errors.RateLimitError("x").retry_after is None
    assert errors.RateLimitError("x", retry_after=3.0).retry_after == 3.0
    assert errors.JobFailed("x").job is None
