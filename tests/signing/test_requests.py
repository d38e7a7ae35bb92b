from __future__ import annotations

import copy
import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cloudreel.errors import SigningError
from cloudreel.signing import canonical_query, sign_request, signed_params, verify_request
from cloudreel.signing.digest import HmacKey
from cloudreel.signing.params import flatten
from cloudreel.signing.requests import RequestSigner, parse_timestamp, window

SECRET = "0f1e2d3c4b5a69788796"
HOST, PATH = "api.example", "/videos.json"
STAMP = "2016-10-03T12:00:00.000000+00:00"
NOW = datetime(2016, 10, 3, 12, tzinfo=UTC).timestamp()
AUTH: dict[str, Any] = {"access_key": "acck", "secret_key": SECRET, "host": HOST, "timestamp": STAMP}

printable = st.text(st.characters(codec="utf-8"), max_size=8)
names = st.text(st.characters(codec="utf-8", exclude_characters="[]"), max_size=8)
outer_names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="[]&="), min_size=1, max_size=8
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | printable
    | printable.map(str.encode)
)
flats = scalars | st.lists(scalars.filter(lambda value: value is not None), max_size=3)
AUTH_NAMES = {"access_key", "timestamp", "signature", "cloud_id", "factory_id"}


@st.composite
def params(draw: st.DrawFn) -> dict[str, Any]:
    flat = draw(st.dictionaries(names, flats, max_size=5))
    nested = draw(st.dictionaries(outer_names, st.dictionaries(printable, flats, max_size=3), max_size=2))
    return {name: value for name, value in (flat | nested).items() if name not in AUTH_NAMES}


def verify(wire: dict[str, Any], **change: Any) -> Any:
    request: dict[str, Any] = {"secret_key": SECRET, "verb": "GET", "host": HOST, "path": PATH, "now": NOW}
    return verify_request(wire, **request | change)


def signed(values: dict[str, Any] | None = None, verb: str = "GET", path: str = PATH, **change: Any) -> Any:
    return signed_params(verb, path, values, **AUTH | change)


verbs = st.sampled_from(["GET", "post", "Put", "DELETE"])
paths = st.sampled_from(
    ["/videos.json", "videos/upload.json", " /profiles/h 264.json/ ", "/profiles/h%20264.json"]
)
hosts = st.sampled_from(["api.example", "API.Example:8080", "[::1]:80", "::1", "localhost"])
scopes = st.sampled_from([{}, {"cloud_id": "c1"}, {"factory_id": "f1"}])


@given(params(), verbs, hosts, paths, scopes)
def test_what_is_signed_verifies(
    values: dict[str, Any], verb: str, host: str, path: str, scope: dict[str, str]
) -> None:
    before = copy.deepcopy(values)
    wire = signed_params(verb, path, values, **AUTH | {"host": host}, **scope)
    assert values == before
    assert all(type(name) is str and type(text) is str for name, text in wire.items())
    verdict = verify(wire, verb=verb, host=host, path=path)
    assert verdict, verdict.explain()
    assert wire["signature"] == sign_request(
        SECRET, verb, host, path, values | {"access_key": "acck", "timestamp": STAMP} | scope
    )
    everything = values | {"access_key": "acck", "timestamp": STAMP, "signature": wire["signature"]} | scope
    assert verify(everything, verb=verb, host=host, path=path)


@given(params())
def test_the_signature_is_what_the_standard_library_makes(values: dict[str, Any]) -> None:
    text = f"PUT\n{HOST}\n{PATH}\n{canonical_query(values)}"
    digest = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
    assert sign_request(SECRET, "put", "API.example:81", "videos.json/", values) == b64encode(digest).decode()


@example("k" * 64, b"")
@example("k" * 65, b"")
@given(st.text(st.characters(codec="utf-8"), max_size=200), st.binary(max_size=100))
def test_hmac(secret: str, message: bytes) -> None:
    digest = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    assert HmacKey(secret).sign(message) == b64encode(digest).decode()


@given(st.dictionaries(names, printable.filter(bool), max_size=5))
def test_flat_text_is_escaped_as_by_quote(values: dict[str, str]) -> None:
    kept = sorted((name, text) for name, text in values.items() if name not in ("file", "signature"))
    pairs = [f"{quote(name, safe='~')}={quote(text, safe='~')}" for name, text in kept]
    assert canonical_query(values) == "&".join(pairs)


@given(params(), params(), st.data())
def test_no_change_of_a_parameter_passes(
    values: dict[str, Any], others: dict[str, Any], data: st.DataObject
) -> None:
    wire = signed(values)
    changed = flatten(others) | {name: wire[name] for name in ("access_key", "timestamp", "signature")}
    free = {"signature"} | {name for name in wire | changed if name == "file" or name.endswith("[file]")}
    protected = {name: text for name, text in wire.items() if name not in free}
    assume({name: text for name, text in changed.items() if name not in free} != protected)
    assert not verify(changed)

    name = data.draw(st.sampled_from(sorted(protected)))
    assert not verify(wire | {name: wire[name] + "x"})
    assert not verify({each: text for each, text in wire.items() if each != name})
    assert not verify(wire | {"another": "1"} if "another" not in wire else {})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"verb": "get"}, ""),
        ({"host": "API.example:8080"}, ""),
        ({"path": "videos.json/"}, ""),
        ({"path": "/videos%2Ejson"}, ""),
        ({"verb": "POST"}, "signature"),
        ({"host": "api.example.org"}, "signature"),
        ({"path": "/encodings.json"}, "signature"),
        ({"secret_key": SECRET + "0"}, "signature"),
        ({"secret_key": "\udc80"}, "malformed"),
        ({"path": "/\udc80"}, "malformed"),
    ],
)
def test_the_rest_of_the_request(change: dict[str, Any], reason: str) -> None:
    verdict = verify(signed(), **change)
    assert (verdict.ok, verdict.reason) == (reason == "", reason)


def test_what_the_signature_does_not_protect() -> None:
    """A file, types, the place of a percent-escape in the path (panda.md 3.2 to 3.4)."""
    wire = signed({"file": "a.mp4", "width": 800, "opts": {"file": "x", "a": 1}})
    assert verify(wire | {"file": "b.mp4", "opts[file]": "y"})
    assert verify({name: text for name, text in wire.items() if name != "file"})
    assert verify(wire | {"file": object()})
    assert verify(wire | {"width": 800})
    assert verify({name: text for name, text in wire.items() if "[" not in name} | {"opts": {"a": "1"}})

    one = signed(path="/profiles/my profile.json")
    assert verify(one, path="/profiles/my%20profile.json")
    other = signed(path="/profiles/my%20profile.json")
    assert verify(other, path="/profiles/my%20profile.json")
    assert verify(other, path="/profiles/my%2520profile.json")
    assert not verify(other, path="/profiles/my profile.json")


@pytest.mark.parametrize(
    ("verb", "path", "seconds"),
    [
        ("POST", "/videos.json", 1800),
        ("post", "videos/upload.json", 1800),
        ("GET", "/videos.json", 300),
        ("POST", "/encodings.json", 300),
        ("DELETE", "/videos/1.json", 300),
    ],
)
def test_window(verb: str, path: str, seconds: int) -> None:
    assert window(verb, path) == seconds
    wire = signed(verb=verb, path=path)
    for off in (0, seconds, -seconds, seconds - 0.5):
        assert verify(wire, verb=verb, path=path, now=NOW + off)
    for off, side in ((seconds + 1, "behind"), (-seconds - 1, "ahead of"), (1e12, "behind")):
        verdict = verify(wire, verb=verb, path=path, now=NOW + off)
        assert (verdict.ok, verdict.reason, verdict.message) == (False, "expired", "Signatures expired")
        assert side in verdict.explain()
    assert verify(wire, verb=verb, path=path, now=float("nan")).reason == "expired"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2016-10-03T12:00:00+00:00", 0),
        ("2016-10-03T12:00:00.123456+00:00", 0.123456),
        ("2016-10-03T12:00:00.5Z", 0.5),
        ("2016-10-03T12:00:00.123Z", 0.123),
        ("2016-10-03T12:00:00.123456789Z", 0.123456),
        ("2016-10-03T14:00:00+02:00", 0),
        ("2016-10-03T04:30:00-0730", 0),
        ("2016-10-03T12:00:00+0000", 0),
        ("2016-10-03T12:00:00", 0),
        ("2016-10-03T12:00:00.25", 0.25),
    ],
)
def test_timestamps(text: str, seconds: float) -> None:
    assert parse_timestamp(text) == pytest.approx(NOW + seconds, abs=1e-6)
    assert verify(signed(timestamp=text))


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "1475496000",
        "2016-10-03",
        "2016-10-03 12:00:00+00:00",
        "2016-10-03T12:00:00 00:00",
        "2016-10-03t12:00:00z",
        "2016-13-03T12:00:00Z",
        "2016-10-03T12:00:61Z",
        "2016-10-03T12:00:00.Z",
        "2016-10-03T12:00:00.1234567890Z",
        "2016-10-03T12:00:00+25:00",
        "2016-W40-1T12:00:00Z",
        "\u0662016-10-03T12:00:00Z",
        "2016-10-03T12:00:00Z\n",
    ],
)
def test_timestamps_refused(text: str) -> None:
    with pytest.raises(SigningError, match="ISO-8601"):
        parse_timestamp(text)
    verdict = verify(signed(timestamp=text))
    assert (verdict.ok, verdict.reason) == (False, "malformed")


def test_a_plus_that_became_a_space_is_named() -> None:
    assert "%2B" in verify(signed(timestamp=STAMP.replace("+", " "))).message


@pytest.mark.parametrize("name", ["access_key", "signature", "timestamp"])
@pytest.mark.parametrize("value", [None, "", 0])
def test_missing(name: str, value: object) -> None:
    for wire in (signed() | {name: value}, {each: text for each, text in signed().items() if each != name}):
        verdict = verify(wire)
        assert (verdict.ok, verdict.reason) == (False, "missing")
        assert verdict.message == (
            "All required parameters were not supplied: access_key, signature, timestamp"
        )


@pytest.mark.parametrize(
    "extra",
    [
        {"events": "x", "events[a]": "1"},
        {"events[a]": "1", "events": "x"},
        {"events": {"a": 1}, "events[a]": "1"},
        {"a&b[c]": "1"},
        {"a=x&b[c]": "1"},
        {"a\n[c]": "1"},
        {"a": {"b": {"c": "1"}}},
        {"a": "\udc80"},
        {"a": {"\udc80": "1"}},
        {"\udc80": {"a": "1"}},
        {"a": b"\xff"},
        {"a": float("nan")},
        {"a": object()},
        {"a": [None]},
        {"a": [["x"]]},
        {1.5: "a"},
        {1: "a", "1": "b"},
    ],
)
def test_parameters_without_a_canonical_form(extra: dict[Any, Any]) -> None:
    assert verify(signed() | extra).reason == "malformed"


@pytest.mark.parametrize("name", ["a]", "a[", "a[b", "[a]", "]a["])
def test_unpaired_brackets_are_part_of_a_flat_name(name: str) -> None:
    values = {"access_key": "acck", "timestamp": STAMP, name: "1"}
    query = "&".join([f"{quote(each, safe='')}={quote(values[each], safe='')}" for each in sorted(values)])
    signature = HmacKey(SECRET).sign(f"GET\n{HOST}\n{PATH}\n{query}".encode())
    assert verify(values | {"signature": signature})
    assert not verify(values | {"signature": signature, name: "2"})


def test_two_parameters_cannot_pass_for_one() -> None:
    """The outer name of a nested parameter is signed unescaped: it must not hold the marks between pairs."""
    wire = signed({"a": "x", "b": {"c": 1}})
    forged = {name: text for name, text in wire.items() if name not in ("a", "b[c]")} | {"a=x&b[c]": "1"}
    assert verify(wire)
    assert not verify(forged)


hostile = st.text(st.characters(), max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(hostile, inner, max_size=2),
    max_leaves=4,
)


@given(
    st.dictionaries(hostile, anything, max_size=4),
    st.fixed_dictionaries(
        {"signature": hostile, "access_key": hostile, "timestamp": hostile | st.just(STAMP)}
    ),
    st.fixed_dictionaries({"verb": hostile, "host": hostile, "path": hostile}),
)
def test_nothing_a_client_sends_raises(
    values: dict[str, Any], auth: dict[str, str], request: dict[str, str]
) -> None:
    verdict = verify(values | auth, **request)
    assert not verdict
    assert SECRET not in verdict.explain()


@given(st.text(st.characters(), max_size=40))
def test_any_timestamp(text: str) -> None:
    try:
        seconds = parse_timestamp(text)
    except SigningError:
        return
    assert isinstance(seconds, float)


@given(st.datetimes(), st.sampled_from(["", "Z", "+14:00", "-1159", "+23:59"]))
def test_any_time_of_the_calendar(moment: datetime, zone: str) -> None:
    assert verify(signed(timestamp=moment.isoformat() + zone), now=parse_timestamp(moment.isoformat() + zone))


def test_a_path_with_a_query_is_refused() -> None:
    with pytest.raises(SigningError, match="pass it as parameters"):
        signed(path="/videos.json?page=2")


def test_secrets_stay_out_of_errors() -> None:
    with pytest.raises(SigningError, match="surrogate") as raised:
        RequestSigner(SECRET + "\udc80")
    assert raised.value.__cause__ is None
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(RequestSigner(SECRET))


def test_signed_params_replace_what_signs() -> None:
    values = {
        "signature": "old",
        "access_key": "other",
        "timestamp": "old",
        "cloud_id": "kept",
        "file": "a.mp4",
    }
    wire = signed(values)
    assert {name: text for name, text in wire.items() if name != "signature"} == {
        "access_key": "acck",
        "timestamp": STAMP,
        "cloud_id": "kept",
        "file": "a.mp4",
    }
    assert verify(wire)
    assert signed(values, cloud_id="c1")["cloud_id"] == "c1"
    assert "file" not in signed({"file": b"contents"})
    assert "events[file]" not in signed({"events": {"file": b"contents"}})
    assert signed(None) == signed({})


def test_one_signer_signs_many() -> None:
    signer = RequestSigner(SECRET)
    for values in ({"a": 1}, {"b": {"c": True}}, {}):
        assert signer.sign("GET", HOST, PATH, values) == sign_request(SECRET, "GET", HOST, PATH, values)


def test_decoding_twice_is_not_accepted() -> None:
    once = unquote("/a%2525.json")
    assert verify(signed(path=once), path="/a%2525.json")
    assert not verify(signed(path=unquote(once)), path="/a%2525.json")
