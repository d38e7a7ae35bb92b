"""The addresses of players and streams, signed as the old client did it (cloudkey-rpc.md 12 to 14, 19.2)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.cloudkey import AsyncCloudKey, InvalidParameter, SecLevel, urls
from cloudreel.errors import SigningError
from cloudreel.signing import sign_url, verify_url

U = "0123456789abcdef01234567"
K = "00112233445566778899aabbccddeeff00112233"
M = "4c922386dede830447000009"
API = "http://api.dmcloud.net"
CDN = "http://cdn.dmcloud.net"
AT = 1700000000


def sign(url: str) -> str:
    return sign_url(url, K, expires=AT, nonce="abcd1234")


def ends(digest: str) -> str:
    return f"auth={AT}-0-abcd1234-{digest}"


def stream(asset_name: str = "mp4_h264_aac", **options: Any) -> str:
    return urls.stream_url(CDN, U, M, asset_name, sign, **options)


@pytest.mark.parametrize(
    ("url", "digest"),
    [
        (urls.embed_url(API, U, M), "10565146408730fe97e5caaf9943bb31"),
        (urls.embed_url(urls.secured(API), U, M), "880423c49413270edaa57845e7c72fdd"),
        (urls.swf_url(API, U, M), "83e2e858676d2e149d885c60200e747d"),
        (urls.qtref_url(API, U, M), "16415748844ee610e41b3a1c259030e5"),
    ],
)
def test_players_are_where_they_were(url: str, digest: str) -> None:
    assert sign(url) == f"{url}?{ends(digest)}"


STREAMS: list[tuple[dict[str, Any], str, str]] = [
    ({}, f"route/{U}/{M}/mp4_h264_aac.mp4?", "be1ae1c02efb0a93485c0d31f8ad38db"),
    (
        {"download": True, "filename": "my clip.mp4"},
        f"route/http/{U}/{M}/mp4_h264_aac.mp4?filename=my+clip.mp4&",
        "8cefc43515197fca8e4fadfa2c5d025b",
    ),
    (
        {"protocol": "hls", "version": 42},
        f"route/hls/{U}/{M}/mp4_h264_aac-42.mp4?",
        "68001f75c28b7fd79af42f4e146028bc",
    ),
    (
        {"asset_name": "abs", "protocol": "hls"},
        f"route/hls/{U}/{M}/abs?",
        "d5e4cd7fef85ff9e5c1a98d58f11af79",
    ),
    (
        {"asset_name": "abs_fa", "protocol": "hds"},
        f"route/hds/{U}/{M}/abs_fa?",
        "f0438daad250c2da209f92b97d81180c",
    ),
    ({"protocol": "dash"}, f"route/dash/{U}/{M}/mp4_h264_aac.mp4?", "e6c8880c72a2ce2f5e996c1923c8b454"),
    ({"asset_name": "source"}, f"route/{U}/{M}/source.source?", "88ab89603c647749c3f3c849df18cca3"),
]


@pytest.mark.parametrize(("options", "path", "digest"), STREAMS)
def test_streams_are_where_they_were(options: dict[str, Any], path: str, digest: str) -> None:
    assert stream(**options) == f"{CDN}/{path}{ends(digest)}"


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"filename": "é &.mp4"}, f"route/http/{U}/{M}/mp4_h264_aac.mp4?filename=%C3%A9+%26.mp4&auth="),
        ({"download": True, "protocol": "hls"}, f"route/http/{U}/{M}/mp4_h264_aac.mp4?auth="),
        ({"download": True, "asset_name": "abs"}, f"route/http/{U}/{M}/abs?auth="),
        ({"version": "7"}, f"route/{U}/{M}/mp4_h264_aac-7.mp4?auth="),
        ({"version": 0}, f"route/{U}/{M}/mp4_h264_aac.mp4?auth="),
        ({"asset_name": "flv_h263_mp3"}, f"route/{U}/{M}/flv_h263_mp3.flv?auth="),
    ],
)
def test_streams_take_options(options: dict[str, Any], path: str) -> None:
    assert stream(**options).startswith(f"{CDN}/{path}")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "jpeg_thumbnail_medium.jpeg"),
        ({"version": 42}, "jpeg_thumbnail_medium-42.jpeg"),
        ({"protocol": "hls", "download": True, "filename": "x"}, "jpeg_thumbnail_medium.jpeg"),
    ],
)
def test_thumbnails_are_not_signed(options: dict[str, Any], name: str) -> None:
    assert stream("jpeg_thumbnail_medium", **options) == f"http://static.dmcloud.net/{U}/{M}/{name}"


def test_thumbnails_of_another_host_stay_there() -> None:
    here = "http://127.0.0.1:8080"
    assert urls.stream_url(here, U, M, "jpeg_thumbnail_small", sign).startswith(f"{here}/{U}/{M}/")


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": "ftp"},
        {"protocol": ""},
        {"asset_name": "abs"},
        {"asset_name": "abs_fa"},
        {"asset_name": ""},
        {"version": "new"},
        {"asset_name": "jpeg_thumbnail_small", "protocol": "ftp"},
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter):
        stream(**options)


@pytest.mark.parametrize("media_id", [None, 5, b"4c922386dede830447000009", ""])
def test_an_id_is_a_text(media_id: Any) -> None:
    for make in (urls.embed_url, urls.swf_url, urls.qtref_url):
        with pytest.raises(InvalidParameter, match="id must be a text"):
            make(API, U, media_id)
    with pytest.raises(InvalidParameter, match="id must be a text"):
        urls.stream_url(CDN, U, media_id, "mp4_h264_aac", sign)


def test_an_odd_id_stays_in_its_place() -> None:
    assert urls.embed_url(API, U, "a/b?c#d") == f"{API}/embed/{U}/a%2Fb%3Fc%23d"


NOW = 1700000000.75


@pytest.mark.parametrize(
    ("given", "expires"),
    [
        (None, AT + 7200),
        (0, AT + 7200),
        (0.5, AT + 7200),
        ("0", AT + 7200),
        (AT, AT),
        (AT + 0.9, AT),
        (str(AT), AT),
        (f" {AT}.9 ", AT),
        (datetime.fromtimestamp(AT, UTC), AT),
        (datetime.fromtimestamp(AT + 0.9, timezone(timedelta(hours=5))), AT),
        (timedelta(minutes=1), AT + 60),
        (timedelta(seconds=0.5), AT + 1),
        (timedelta(0), AT),
    ],
)
def test_when_a_url_expires(given: urls.Expires, expires: int) -> None:
    assert urls.expiry(given, NOW) == expires


@pytest.mark.parametrize(
    "given", [datetime(2030, 1, 1), "tomorrow", "", float("nan"), float("inf"), "1e999", True, object(), [1]]
)
def test_what_is_no_time_is_refused(given: Any) -> None:
    with pytest.raises(SigningError, match="expires"):
        urls.expiry(given, NOW)


@given(st.integers(1, 9_999_999_999))
def test_every_form_of_a_second_is_the_same_second(second: int) -> None:
    moment = datetime.fromtimestamp(second, UTC)
    forms: list[urls.Expires] = [second, float(second), str(second), moment]
    assert {urls.expiry(form, NOW) for form in forms} == {second}


def test_options_of_a_player_are_not_signed() -> None:
    assert urls.with_player_options("u?auth=x") == "u?auth=x"
    assert urls.with_player_options("u?auth=x", skin="modern1") == "u?auth=x&skin=modern1"
    assert urls.with_player_options("u?auth=x", skin="s", drm_token="t=") == "u?auth=x&skin=s&drm_token=t="


def test_a_drm_token_says_what_was_asked_for() -> None:
    options: urls.DrmOptions = {
        "expires": datetime.fromtimestamp(1700000600, UTC),
        "max_replay": 3,
        "rights": {"start_date": "1700000000", "playback_window": "600"},
        "meta": {"firstname": "john"},
        "callback_url": "http://www.example.com/cb",
    }
    token = urls.drm_token(U, M, K, options, now=NOW, nonce="AAECAwQFBgc=")
    assert b'"auth": "75eb348de8876be95ef6a64cd433ad00"' in urlsafe_b64decode(token)


def test_a_drm_token_lives_ten_minutes() -> None:
    token = urls.drm_token(U, M, K, {}, now=NOW, nonce="AAECAwQFBgc=")
    assert b'"auth": "e36211a56e214b55cd1c98385fff5195"' in urlsafe_b64decode(token)


def test_a_misspelt_drm_option_is_refused() -> None:
    options: Any = {"max_replays": 1}
    with pytest.raises(SigningError, match="max_replays"):
        urls.drm_token(U, M, K, options, now=NOW, nonce="n")


@pytest.mark.parametrize(
    ("base", "secure"),
    [
        (API, "https://api.dmcloud.net"),
        ("https://a.example", "https://a.example"),
        ("http://127.0.0.1:80", "https://127.0.0.1:80"),
    ],
)
def test_the_secure_form_of_a_base(base: str, secure: str) -> None:
    assert urls.secured(base) == secure


# -- as methods of the client ----------------------------------------------------------------------------

PAGES = ["http://a.example/"]


def plays(url: str, now: float = AT, **viewer: Any) -> bool:
    return bool(verify_url(url, K, now=now, **viewer))


@pytest.fixture
def ck() -> AsyncCloudKey:
    return AsyncCloudKey(U, lambda: K)


@pytest.mark.parametrize("name", ["get_embed_url", "get_swf_url", "get_qtref_url", "get_stream_url"])
def test_urls_play_for_whom_they_are_signed(ck: AsyncCloudKey, name: str) -> None:
    level = SecLevel.ASNUM | SecLevel.IP | SecLevel.USERAGENT | SecLevel.COUNTRY | SecLevel.REFERER
    signed = getattr(ck.media, name)(
        M,
        seclevel=level,
        asnum="AS41690",
        ip="195.8.215.138",
        useragent="Mozilla/5.0",
        countries=["fr"],
        referers=PAGES,
        expires=AT,
    )
    viewer = {"asnum": "AS41690", "ip": "195.8.215.138", "useragent": "Mozilla/5.0", "country": "fr"}
    assert plays(signed, **viewer)
    assert not plays(signed, **{**viewer, "ip": "195.8.215.139"})
    assert not plays(signed, now=AT + 1, **viewer)


def test_urls_live_two_hours_and_are_never_the_same(ck: AsyncCloudKey) -> None:
    now = datetime.now(UTC).timestamp()
    first, second = (ck.media.get_embed_url(M) for _ in range(2))
    assert first != second
    auth = re.fullmatch(r"(\d+)-0-[a-z0-9]{8}-[0-9a-f]{32}", parse_qs(urlsplit(first).query)["auth"][0])
    assert auth is not None
    assert abs(int(auth[1]) - now - 7200) < 60


def test_players_take_skin_token_and_https(ck: AsyncCloudKey) -> None:
    for make in (ck.media.get_embed_url, ck.media.get_swf_url):
        url = make(M, expires=AT, skin="modern1", drm_token={"max_replay": 1}, secure=True)
        signed, _, rest = url.partition("&skin=modern1&drm_token=")
        assert url.startswith("https://api.dmcloud.net/")
        assert plays(signed)
        assert urlsafe_b64decode(rest).startswith(b'{"user_id": "' + U.encode())


def test_a_player_may_have_a_token_without_options(ck: AsyncCloudKey) -> None:
    assert "&drm_token=" in ck.media.get_embed_url(M, drm_token={})


@pytest.mark.parametrize(
    "options", [{"asset_name": "abs_fa"}, {"preset": "abs_fa"}, {"asset_name": "abs_fa", "preset": "abs_fa"}]
)
def test_preset_is_the_old_name_of_an_asset(ck: AsyncCloudKey, options: dict[str, str]) -> None:
    assert f"/route/hls/{U}/{M}/abs_fa?" in ck.media.get_stream_url(M, protocol="hls", **options)


def test_preset_and_asset_name_do_not_differ(ck: AsyncCloudKey) -> None:
    with pytest.raises(InvalidParameter, match="preset"):
        ck.media.get_stream_url(M, "abs_fa", preset="abs_pr", protocol="hls")


def test_places_may_be_others() -> None:
    ck = AsyncCloudKey(U, K, base_url="http://127.0.0.1:1/", cdn_url="http://127.0.0.1:2/")
    assert ck.media.get_embed_url(M).startswith(f"http://127.0.0.1:1/embed/{U}/")
    assert ck.media.get_stream_url(M).startswith(f"http://127.0.0.1:2/route/{U}/")
    assert ck.media.get_stream_url(M, cdn_url=CDN).startswith(f"{CDN}/route/")


def test_urls_are_the_account_s_own_whoever_it_acts_as() -> None:
    ck = AsyncCloudKey(U, K)
    ck.act_as_user("aaaaaaaaaaaaaaaaaaaaaaaa")
    assert plays(ck.media.get_embed_url(M, expires=AT))
    assert f"/{U}/" in ck.as_user("bbbbbbbbbbbbbbbbbbbbbbbb").media.get_embed_url(M)


@pytest.mark.parametrize(
    "terms",
    [
        {"seclevel": SecLevel.IP},
        {"seclevel": SecLevel.COUNTRY, "countries": "fr"},
        {"seclevel": SecLevel.REFERER, "referers": []},
        {"expires": -1},
    ],
)
def test_malformed_terms_are_refused(ck: AsyncCloudKey, terms: dict[str, Any]) -> None:
    with pytest.raises(SigningError):
        ck.media.get_stream_url(M, **terms)
