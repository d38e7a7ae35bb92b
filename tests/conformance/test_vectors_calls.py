"""Canonical texts, call signatures and DRM tokens of CloudKey, as its own clients made them.

The tables are those of the protocol notes (cloudkey-rpc.md 3.4, 3.8, 4.5, 19.1, 19.3); the JSON files were
made by running the released Python client.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest

from cloudreel.signing import drm_token, normalize, sign_call
from cloudreel.signing.calls import token_auth
from cloudreel.signing.digest import md5_hex

VECTORS = Path(__file__).parent / "vectors"
TEXTS: list[dict[str, Any]] = json.loads((VECTORS / "cloudkey_normalize.json").read_text(encoding="utf-8"))
CALLS: list[dict[str, Any]] = json.loads((VECTORS / "cloudkey_rpc_auth.json").read_text(encoding="utf-8"))

U = "0123456789abcdef01234567"
K = "00112233445566778899aabbccddeeff00112233"
M = "4c922386dede830447000009"


@pytest.mark.parametrize("case", TEXTS)
def test_recorded_texts(case: dict[str, Any]) -> None:
    assert normalize(case["value"]) == case["expect"]


@pytest.mark.parametrize("case", CALLS)
def test_recorded_calls(case: dict[str, Any]) -> None:
    auth = sign_call(
        case["user_id"], case["api_key"], case["call"], case["args"], act_as_user=case["act_as_user"]
    )
    assert auth == case["expect"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (100.0, "100.0"),
        (-0.0, "-0.0"),
        (4.5, "4.5"),
        (0.1 + 0.2, "0.3"),
        (123456789.123456789, "123456789.123"),
        (1e12, "1e+12"),
        (1e16, "1e+16"),
        (1e-5, "1e-05"),
        (1.5e300, "1.5e+300"),
        (["foo", 42, "bar"], "foo42bar"),
        ({"yellow": 1, "red": 2, "pink": 3}, "pink3red2yellow1"),
        (["foo", 42, {"yellow": 1, "red": 2, "pink": 3}, "bar"], "foo42pink3red2yellow1bar"),
        (None, ""),
        ([None, 1, 2], "12"),
        ({"2": [None, 1, 2], "3": None, "4": 5}, "212345"),
        ([True, False], "truefalse"),
        ([[], {}], ""),
        ({"a": [], "b": {}}, "ab"),
        ({"é": 1, "z": 2, "a": 3}, "a3z2é1"),
        ({"a": {"b": {"c": [1, [2, [3]]]}}}, "abc123"),
        (-5, "-5"),
        ({10: 1, 9: 2}, "10192"),
    ],
)
def test_canonical_text(value: object, text: str) -> None:
    assert normalize(value) == text


META = {"title": "Été à Paris", "author": None, "rating": 4.5, "views": 10, "hd": False}
TRAILER = {"title": "my first video", "author": "John Doe"}
DIGESTS: list[tuple[str, Any, str | None, str]] = [
    ("media.list", {}, "args", "52c19120692e685eb33b86670e52d5de"),
    ("media.list", None, None, "c5219d02af18a1eb9dfb18f620b134e8"),
    (
        "media.list",
        {"fields": ["id", "meta.title"], "page": 2, "per_page": 20},
        "argsfieldsidmeta.titlepage2per_page20",
        "20cdbf12882ec5480d9f1beb233fbbad",
    ),
    ("media.count", [], "args", "5bb057458b61f5dc69cfdcea471b81b2"),
    ("file.upload", {}, "args", "4932366a8e55829b3b1c14a5d477799c"),
    (
        "user.info",
        {"fields": ["id", "username"]},
        "argsfieldsidusername",
        "ca706ae866382f04be08a414441f44af",
    ),
    (
        "file.upload",
        {"status": True, "jsonp_cb": "?", "target": "http://www.example.com/done"},
        "argsjsonp_cb?statustruetargethttp://www.example.com/done",
        "131268d89d8258b3f3628d3cbef6712e",
    ),
    (
        "media.set_meta",
        {"id": M, "meta": META},
        f"argsid{M}metaauthorhdfalserating4.5titleÉté à Parisviews10",
        "0bc34f7af0cd8aa059f2647726ee8ca7",
    ),
    (
        "media.create",
        {
            "url": "http://www.example.com/v.mp4",
            "assets_names": ["mp4_h264_aac", "jpeg_thumbnail_medium"],
            "meta": TRAILER,
        },
        (
            "argsassets_namesmp4_h264_aacjpeg_thumbnail_mediummetaauthorJohn Doetitlemy first video"
            "urlhttp://www.example.com/v.mp4"
        ),
        "d623084fabc6b08374d213b4d7518a94",
    ),
    (
        "media.info",
        {"id": M, "fields": ["id", "created", "assets.mp4_h264_aac.stream_url", "stats.global.last_week"]},
        f"argsfieldsidcreatedassets.mp4_h264_aac.stream_urlstats.global.last_weekid{M}",
        "0a8950ba1b4cfa5f00ee34574722e8cf",
    ),
    (
        "media.set_assets",
        {
            "id": M,
            "assets": [
                {"name": "source", "url": "http://www.example.com/v.mp4"},
                {"name": "flv_h263_mp3", "action": "transcode"},
            ],
        },
        f"argsassetsnamesourceurlhttp://www.example.com/v.mp4actiontranscodenameflv_h263_mp3id{M}",
        "d17646c26547996ed0165522127e6537",
    ),
]


@pytest.mark.parametrize(("call", "args", "text", "digest"), DIGESTS)
def test_call(call: str, args: Any, text: str | None, digest: str) -> None:
    if text is not None:
        assert "args" + normalize(args) == text
    assert sign_call(U, K, call, args) == f"{U}:{digest}"


def test_call_as_another_user() -> None:
    auth = sign_call(U, K, "media.list", {}, act_as_user="a" * 24)
    assert auth == f"{U}/{'a' * 24}:05224e8cf79896b9d195e5a89b45a7c0"


def test_anonymous_call() -> None:
    assert sign_call("", "", "user.info", {}) == ":61d55b4e28bc90c68c8816778ddf5665"


def test_digest_of_message_and_key() -> None:
    assert md5_hex("hello world" + "sEcReT_KeY") == "b5d93121a6dc87562b46beb8ba809ace"


TOKEN = {"expires": 1700000600, "nonce": "AAECAwQFBgc="}
OPTIONS: dict[str, Any] = {
    "max_replay": 3,
    "rights": {"start_date": "1700000000", "playback_window": "600"},
    "meta": {"firstname": "john"},
    "callback_url": "http://www.example.com/cb",
}
PLAIN_TEXT = f"expires1700000600media_id{M}nonceAAECAwQFBgc=user_id{U}"
FULL_TEXT = (
    f"callback_urlhttp://www.example.com/cbexpires1700000600max_replay3media_id{M}metafirstnamejohn"
    f"nonceAAECAwQFBgc=rightsplayback_window600start_date1700000000user_id{U}"
)


@pytest.mark.parametrize(
    ("options", "text", "auth"),
    [
        ({}, PLAIN_TEXT, "e36211a56e214b55cd1c98385fff5195"),
        ({"max_replay": 0}, PLAIN_TEXT, "e36211a56e214b55cd1c98385fff5195"),
        (OPTIONS, FULL_TEXT, "75eb348de8876be95ef6a64cd433ad00"),
    ],
)
def test_drm_token(options: dict[str, Any], text: str, auth: str) -> None:
    token = drm_token(U, M, K, **TOKEN, **options)
    members = json.loads(urlsafe_b64decode(token))
    assert members.pop("auth") == auth
    assert normalize(members) == text
    assert token_auth(members, K) == auth
    kept = {name: value for name, value in options.items() if value}
    assert members == {"user_id": U, "media_id": M} | TOKEN | kept
