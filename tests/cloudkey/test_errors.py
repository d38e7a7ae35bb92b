"""The exceptions of CloudKey: their tree, what they carry and what they show (cloudkey-rpc.md 6)."""

from __future__ import annotations

import json
import pickle

import pytest

from cloudreel import errors as root
from cloudreel.cloudkey import errors
from cloudreel.core.call import Response


def answered(kind: type[errors.RPCException], **error: object) -> errors.RPCException:
    body = json.dumps({"error": error}).encode()
    return kind("the transport's words", status=200, response=Response(200, {}, body))


TREE: list[tuple[type[errors.RPCException], int, type[errors.RPCException], type[root.CloudReelError]]] = [
    (errors.ProcessorException, 200, errors.RPCException, root.ServiceError),
    (errors.TransportException, 300, errors.RPCException, root.TransportError),
    (errors.TransportTimedOut, 300, errors.TransportException, root.RequestTimedOut),
    (errors.AuthenticationError, 400, errors.RPCException, root.AuthenticationError),
    (errors.RateLimitExceeded, 410, errors.AuthenticationError, root.RateLimitError),
    (errors.SerializerError, 500, errors.RPCException, root.DecodeError),
    (errors.MalformedRequest, 500, errors.SerializerError, root.InvalidRequestError),
    (errors.InvalidRequest, 600, errors.RPCException, root.InvalidRequestError),
    (errors.InvalidObject, 610, errors.InvalidRequest, root.InvalidRequestError),
    (errors.InvalidMethod, 620, errors.InvalidRequest, root.InvalidRequestError),
    (errors.InvalidParameter, 630, errors.InvalidRequest, root.InvalidRequestError),
    (errors.InvalidCall, 640, errors.InvalidRequest, root.InvalidRequestError),
    (errors.MissingParameter, 650, errors.InvalidParameter, root.InvalidRequestError),
    (errors.ApplicationException, 1000, errors.RPCException, root.ApiError),
    (errors.NotFound, 1010, errors.ApplicationException, root.NotFoundError),
    (errors.Exists, 1020, errors.ApplicationException, root.InvalidRequestError),
    (errors.LimitExceeded, 1030, errors.ApplicationException, root.InvalidRequestError),
    (errors.UnlistedError, 100, errors.RPCException, root.ApiError),
    (errors.AssetFailed, 100, errors.RPCException, root.JobFailed),
    (errors.UploadFailed, 100, errors.RPCException, root.UploadError),
    (errors.WaitTimedOut, 100, errors.RPCException, root.TimedOut),
]


@pytest.mark.parametrize(("kind", "code", "parent", "category"), TREE)
def test_the_tree_is_the_old_one_with_categories(
    kind: type[errors.RPCException], code: int, parent: type, category: type
) -> None:
    assert kind.code == code
    assert issubclass(kind, parent)
    assert issubclass(kind, category)
    assert kind("here").code == code


@pytest.mark.parametrize("category", [entry[3] for entry in TREE])
def test_each_category_has_a_leaf_of_its_own_kind(category: type[root.CloudReelError]) -> None:
    leaf = errors.FAMILY.leaf(category)
    assert issubclass(leaf, errors.RPCException)
    assert issubclass(leaf, category)


@pytest.mark.parametrize("kind", errors.BY_CODE.values())
def test_the_class_of_a_code_is_kept(kind: type[root.CloudReelError]) -> None:
    assert errors.FAMILY.leaf(kind) is kind


def test_an_error_says_what_the_service_said() -> None:
    error = answered(errors.InvalidParameter, code=630, message="Invalid parameters for media.set_meta")
    assert (error.code, error.message, error.data) == (630, "Invalid parameters for media.set_meta", None)
    assert str(error) == "630: Invalid parameters for media.set_meta"
    assert error.__notes__ == ["the transport's words"]


def test_data_is_shown_behind_the_message() -> None:
    error = answered(errors.Exists, code=1020, message="taken", data={"name": "x"})
    assert error.data == {"name": "x"}
    assert str(error) == "1020: taken [{'name': 'x'}]"


def test_data_that_cannot_be_masked_in_part_is_masked_whole() -> None:
    data = {"url": 'http://upload-02.dmcloud.net/upload?seal=s3cr3t"', "more": "x"}
    assert answered(errors.Exists, code=1020, message="taken", data=data).data == "***"


def test_without_an_answer_there_are_our_words() -> None:
    error = errors.InvalidParameter("id must be a text")
    assert (error.message, str(error), error.response) == (
        "id must be a text",
        "630: id must be a text",
        None,
    )


def test_a_refusal_without_words_keeps_ours() -> None:
    assert str(answered(errors.NotFound, code=1010)) == "1010: the transport's words"


def test_an_error_that_is_no_object_is_told_with_its_message() -> None:
    body = b'{"error": "BadRequest", "message": "no such thing"}'
    error = errors.InvalidRequest("ours", response=Response(400, {}, body))
    assert str(error) == "600: BadRequest: no such thing"


def test_an_unknown_code_is_the_instance_s_alone() -> None:
    assert answered(errors.UnlistedError, code=1234, message="new").code == 1234
    assert errors.UnlistedError.code == errors.RPCException.code == 100


def test_a_server_s_code_wins_over_the_class() -> None:
    assert answered(errors.InvalidParameter, code=631, message="").code == 631


def test_errors_pickle_whole_and_without_secrets() -> None:
    error = answered(
        errors.AuthenticationError, code=400, message="bad auth=0123456789", data={"api_key": "s3cr3t"}
    )
    text = pickle.dumps(error)
    copy = pickle.loads(text)
    assert type(copy) is errors.AuthenticationError
    assert (copy.code, copy.data, copy.status) == (400, {"api_key": "***"}, 200)
    assert str(copy) == str(error) == "400: bad auth=*** [{'api_key': '***'}]"
    assert b"s3cr3t" not in text
    assert b"0123456789" not in text


@pytest.mark.parametrize("body", [b"", b"<html>error", b'{"error": ', b'["error"]', b'"error"'])
def test_an_answer_that_says_nothing_changes_nothing(body: bytes) -> None:
    error = errors.SerializerError("unreadable", response=Response(200, {}, body))
    assert (error.code, error.message) == (500, "unreadable")
