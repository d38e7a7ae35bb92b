"""Signed URLs: whose they are, when they end, and what they look like."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel import SecLevel, SigningError
from cloudreel.cloudkey_rest import InvalidArgument, UnreadableAnswer, urls
from cloudreel.signing import sign_url, verify_url

if TYPE_CHECKING:
    from cloudreel.cloudkey_rest import AsyncCloudKeyRest
    from conftest import Wire

USER = "0123456789abcdef01234567"
KEY = "00112233445566778899aabbccddeeff00112233"
MEDIA = "4c922386dede830447000009"
ALICE = {"id": USER, "username": "alice", "api_key": KEY}

PLAYER = f"http://api.dmcloud.net/swf/stream/{USER}/{MEDIA}"
VIEWER = {"asnum": "AS41690", "ip": "195.8.215.138", "useragent": "Mozilla/5.0"}


# -- addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (urls.player_url("http://api.dmcloud.net", "swf", USER, MEDIA), PLAYER),
        (
            urls.embed_url("http://127.0.0.1:80", USER, MEDIA),
            f"http://127.0.0.1:80/embed/{USER}/{MEDIA}",
        ),
        (
            urls.asset_url("http://cdn.dmcloud.net", USER, MEDIA, "flv_h263_mp3"),
            f"http://cdn.dmcloud.net/route/{USER}/{MEDIA}/flv_h263_mp3.flv",
        ),
        (
            urls.asset_url("http://cdn.dmcloud.net", USER, MEDIA, "source"),
            f"http://cdn.dmcloud.net/route/{USER}/{MEDIA}/source.source",
        ),
        (
            urls.player_url("http://a.example", "s/w f", USER, "?"),
            f"http://a.example/s%2Fw%20f/stream/{USER}/%3F",
        ),
    ],
)
def test_addresses_are_those_of_section_12(url: str, expected: str) -> None:
    assert url == expected


@pytest.mark.parametrize("media_id", [None, "", 42, b"a"])
def test_an_id_must_be_a_text(media_id: Any) -> None:
    with pytest.raises(InvalidArgument, match="id must be a text"):
        urls.player_url("http://a.example", "swf", USER, media_id)


@pytest.mark.parametrize(
    ("url", "expires", "level", "viewer", "auth"),
    [
        (PLAYER, 0, 0, {}, "0-0-abcd1234-22657d0e158953cf4e648cd37b435ee8"),
        (PLAYER, 1700000000, 0, {}, "1700000000-0-abcd1234-ec6ba775e7d62047bb7af63e16cfcc1f"),
        (PLAYER, 1700000000, 3, VIEWER, "1700000000-3-abcd1234-0816225ccbc015dc2593ee692969d169"),
        (PLAYER, 1700000000, 14, VIEWER, "1700000000-14-abcd1234-46a6613973a7d51870acf920ffd137c1"),
        (PLAYER, 1700000000, 16, {}, "1700000000-16-abcd1234-cba693a68c5ec89c29b902c9868ed90f"),
        (
            urls.embed_url("http://api.dmcloud.net", USER, MEDIA),
            1700000000,
            0,
            {},
            "1700000000-0-abcd1234-10565146408730fe97e5caaf9943bb31",
        ),
        (
            urls.asset_url("http://cdn.dmcloud.net", USER, MEDIA, "flv_h263_mp3"),
            1700000000,
            0,
            {},
            "1700000000-0-abcd1234-430b7e94a4ecd54d6909f03f31bc8f26",
        ),
    ],
)
def test_signatures_are_those_of_section_16_3(
    url: str, expires: int, level: int, viewer: dict[str, str], auth: str
) -> None:
    signed = sign_url(url, KEY, expires=expires, nonce="abcd1234", seclevel=level, **viewer)
    assert signed == f"{url}?auth={auth}"


# -- the client ------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_the_players_url_never_expires_unless_asked_to(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(ALICE)
    url = await ck.media.get_stream_url(id=MEDIA)
    assert re.fullmatch(re.escape(PLAYER) + r"\?auth=0-0-[a-z0-9]{8}-[0-9a-f]{32}", url)
    assert verify_url(url, KEY, now=4e9)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("expires", "moment"),
    [
        (1700000000, 1700000000),
        (1700000000.9, 1700000000),
        ("1700000000", 1700000000),
        (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), 1700000000),
        (0, 0),
        ("0", 0),
    ],
)
async def test_a_players_url_expires_when_asked_to(
    wire: Wire, ck: AsyncCloudKeyRest, expires: Any, moment: int
) -> None:
    wire.answers(ALICE)
    url = await ck.media.get_stream_url(format="swf", id=MEDIA, expires=expires)
    assert url.startswith(f"{PLAYER}?auth={moment}-0-")


@pytest.mark.anyio
async def test_urls_may_end_some_time_from_now(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(ALICE)
    url = await ck.media.get_stream_url(id=MEDIA, expires=timedelta(hours=1))
    now = datetime.now(UTC).timestamp()
    assert verify_url(url, KEY, now=now + 3000)
    assert verify_url(url, KEY, now=now + 4000).reason == "expired"


@pytest.mark.anyio
async def test_embeds_and_assets_end_after_two_hours(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(ALICE)
    embed = await ck.media.get_embed_url(id=MEDIA)
    asset = await ck.media.get_stream_url(id=MEDIA, preset="mp4_h264_aac")
    assert embed.startswith(f"http://api.dmcloud.net/embed/{USER}/{MEDIA}?auth=")
    assert asset.startswith(f"http://cdn.dmcloud.net/route/{USER}/{MEDIA}/mp4_h264_aac.mp4?auth=")
    now = datetime.now(UTC).timestamp()
    for url in (embed, asset):
        assert verify_url(url, KEY, now=now + 7100)
        assert verify_url(url, KEY, now=now + 7300).reason == "expired"


@pytest.mark.anyio
async def test_a_url_is_bound_to_its_viewer(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(ALICE)
    level = SecLevel.ASNUM | SecLevel.IP | SecLevel.USERAGENT | SecLevel.COUNTRY | SecLevel.REFERER
    bound = await ck.media.get_stream_url(
        id=MEDIA, seclevel=level, countries=["fr"], referers=["http://a.example/"], expires=2**31, **VIEWER
    )
    page = "http://a.example/page"
    assert verify_url(bound, KEY, now=0, country="FR", referer=page, **VIEWER)
    assert verify_url(bound, KEY, now=0, country="de", referer=page, **VIEWER).reason == "country"
    assert not verify_url(bound, KEY, now=0, country="FR", referer=page, **{**VIEWER, "ip": "10.0.0.1"})
    embed = await ck.media.get_embed_url(id=MEDIA, seclevel=SecLevel.IP, ip="10.0.0.1")
    assert verify_url(embed, KEY, now=0, ip="10.0.0.1")


@pytest.mark.anyio
async def test_a_missing_value_is_a_value_error(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(ALICE)
    with pytest.raises(SigningError, match="ip") as caught:
        await ck.media.get_stream_url(id=MEDIA, seclevel=SecLevel.IP)
    assert isinstance(caught.value, ValueError)


@pytest.mark.anyio
async def test_whoever_is_acted_as_owns_the_url(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    bob = {"id": "76543210fedcba9876543210", "username": "bob", "api_key": "f" * 40}
    wire.answers(ALICE, bob)
    mine = await ck.media.get_stream_url(id=MEDIA)
    again = await ck.media.get_embed_url(id=MEDIA)
    theirs = await ck.act_as_user("bob").media.get_stream_url(id=MEDIA)
    assert [bool(verify_url(url, KEY, now=0)) for url in (mine, again, theirs)] == [True, True, False]
    assert verify_url(theirs, bob["api_key"], now=0)
    assert f"/{bob['id']}/" in theirs
    assert [params for _, params in wire.asked] == [{}, {"__user__": "bob"}]


@pytest.mark.anyio
async def test_urls_are_built_on_the_addresses_given(wire: Wire) -> None:
    wire.answers(ALICE)
    async with wire.client(base_url="http://127.0.0.1:8080/", cdn_url="http://127.0.0.1:8081") as ck:
        player = await ck.media.get_stream_url(id=MEDIA)
        asset = await ck.media.get_stream_url(id=MEDIA, preset="mp4_h264_aac")
    assert player.startswith("http://127.0.0.1:8080/swf/stream/")
    assert asset.startswith("http://127.0.0.1:8081/route/")


@pytest.mark.anyio
@pytest.mark.parametrize("account", [{"id": USER, "username": "alice"}, {**ALICE, "api_key": None}])
async def test_without_the_accounts_key_no_url_is_signed(
    wire: Wire, ck: AsyncCloudKeyRest, account: object
) -> None:
    wire.answers(account)
    with pytest.raises(UnreadableAnswer, match="API key of 'alice'"):
        await ck.media.get_stream_url(id=MEDIA)


@pytest.mark.anyio
async def test_the_accounts_key_is_not_shown(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers(httpx.Response(200, json={**ALICE, "id": 7}))
    with pytest.raises(UnreadableAnswer) as caught:
        await ck.media.get_stream_url(id=MEDIA)
    assert KEY not in f"{caught.value!r} {caught.value}"
