"""What viewers of media see: URLs that play, and URLs that are refused (cloudkey-rpc.md 12, 13)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.sandbox.app import create_app
from cloudreel.sandbox.state import World
from cloudreel.signing import SecLevel, sign_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from conftest import Rpc

pytestmark = pytest.mark.anyio

HERE = "127.0.0.1"
UA = "Mozilla/5.0"
FILM = bytes(range(256)) * 40
PAGE = "http://a.example/page"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A running world that knows where its viewers are."""
    world = World.open(tmp_path / "data", asnums={HERE: "AS64496"}, countries={HERE: "fr", "127.0.0.2": "GB"})
    async with world.running():
        yield world
    world.close()


class Shelf:
    """A media with a film and a picture, and URLs signed for it."""

    def __init__(self, rpc: Rpc, media: str) -> None:
        self.rpc = rpc
        self.media = media
        self.owner = f"{rpc.user_id}/{media}"
        self.film = f"/route/{self.owner}/mp4_h264_aac.mp4"

    def sign(self, path: str, *, expires: int | None = None, **bounds: Any) -> str:
        """Return a signed URL, good for a minute."""
        if expires is None:
            expires = int(self.rpc.world.clock.now()) + 60
        url = f"http://sandbox.local{path}"
        return sign_url(url, self.rpc.api_key, expires=expires, nonce="abcd1234", **bounds)

    async def get(self, url: str, *, ip: str = HERE, **headers: str) -> httpx.Response:
        """Ask for a URL as a viewer at some address."""
        transport = httpx.ASGITransport(create_app(self.rpc.world), client=(ip, 1))
        async with httpx.AsyncClient(transport=transport, headers={"user-agent": UA}) as viewer:
            return await viewer.get(url, headers=headers)

    async def views(self, scope: str = "global", interval: str = "total") -> int:
        """Return how often the film was played."""
        told = await self.rpc("media.info", id=self.media, fields=[f"stats.{scope}.{interval}"])
        count: int = told["stats"][scope][interval]
        return count


@pytest.fixture
async def shelf(rpc: Rpc) -> Shelf:
    """A media whose assets were brought along."""
    media = (await rpc("media.create", meta={"title": "</script><b>"}))["id"]
    jpeg = b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x3c\x00\x50"
    urls = {
        "mp4_h264_aac": await rpc.upload("a.mp4", FILM),
        "jpeg_thumbnail_small": await rpc.upload("a.jpeg", jpeg),
    }
    await rpc("media.set_assets", id=media, assets=[{"name": n, "url": url} for n, url in urls.items()])
    await rpc.settled(media)
    return Shelf(rpc, media)


@pytest.mark.parametrize(
    "path", ["/route/{}/mp4_h264_aac.mp4", "/route/{}/mp4_h264_aac-42.mp4", "/route/hps/{}/mp4_h264_aac.mp4"]
)
async def test_a_signed_stream_plays(shelf: Shelf, path: str) -> None:
    reply = await shelf.get(shelf.sign(path.format(shelf.owner)))
    assert (reply.status_code, reply.headers["content-type"], reply.content) == (200, "video/mp4", FILM)


@pytest.mark.parametrize("path", ["/stream/{}.mov", "/qtref/{}.mov"])
async def test_the_quicktime_forms_play(shelf: Shelf, path: str) -> None:
    assert (await shelf.get(shelf.sign(path.format(shelf.owner)))).content == FILM


async def test_streams_come_in_ranges(shelf: Shelf) -> None:
    reply = await shelf.get(shelf.sign(shelf.film), range="bytes=5-9")
    assert (reply.status_code, reply.content) == (206, FILM[5:10])
    assert reply.headers["content-range"] == f"bytes 5-9/{len(FILM)}"


async def test_downloads_have_a_name(shelf: Shelf) -> None:
    path = f"/route/http/{shelf.owner}/mp4_h264_aac.mp4"
    reply = await shelf.get(shelf.sign(f"{path}?filename=my+clip.mp4"))
    assert reply.headers["content-disposition"] == "attachment; filename*=utf-8''my%20clip.mp4"
    assert reply.content == FILM
    reply = await shelf.get(shelf.sign(path))
    assert reply.headers["content-disposition"] == 'attachment; filename="mp4_h264_aac.mp4"'
    assert await shelf.views() == 0


@pytest.mark.parametrize("name", ["jpeg_thumbnail_small.jpeg", "jpeg_thumbnail_small-42.jpeg"])
async def test_pictures_need_no_signature(shelf: Shelf, name: str) -> None:
    reply = await shelf.get(f"http://sandbox.local/{shelf.owner}/{name}")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/jpeg")
    assert (await shelf.get(f"http://sandbox.local/{shelf.owner}/mp4_h264_aac.jpeg")).status_code == 404
    assert (await shelf.get(f"http://sandbox.local/{'0' * 24}/{shelf.media}/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/route/{user}/" + "0" * 24 + "/mp4_h264_aac.mp4", "no media"),
        ("/route/{owner}/flv_h263_mp3.flv", "no asset"),
        ("/route/{owner}/No%20Name", "no asset"),
        ("/route/hls/{owner}/mp4_h264_aac.mp4", "by http"),
        ("/route/{owner}/mp4_h264_aac_1.ts", "no such segment"),
    ],
)
async def test_what_is_not_there_is_not_found(shelf: Shelf, path: str, reason: str) -> None:
    url = shelf.sign(path.format(owner=shelf.owner, user=shelf.rpc.user_id))
    reply = await shelf.get(url)
    assert reply.status_code == 404
    assert reason in reply.text


async def test_unknown_users_are_not_found(shelf: Shelf) -> None:
    url = shelf.sign(f"/route/{'0' * 24}/{shelf.media}/mp4_h264_aac.mp4")
    assert (await shelf.get(url)).status_code == 404


# -- refusals --------------------------------------------------------------------------------------------


async def refused(shelf: Shelf, url: str, reason: str, **viewer: Any) -> None:
    """See that a viewer is refused with a readable reason and without the secret."""
    reply = await shelf.get(url, **viewer)
    assert reply.status_code == 403, reply.text
    assert f"({reason})" in reply.text
    assert shelf.rpc.api_key not in reply.text


async def admitted(shelf: Shelf, url: str, **viewer: Any) -> None:
    """See that a viewer gets the film."""
    reply = await shelf.get(url, **viewer)
    assert (reply.status_code, reply.content) == (200, FILM), reply.text


async def test_unsigned_and_tampered_urls_are_refused(shelf: Shelf) -> None:
    url = shelf.sign(shelf.film)
    await refused(shelf, f"http://sandbox.local{shelf.film}", "malformed")
    await refused(shelf, url[:-1] + ("0" if url[-1] != "0" else "1"), "signature")
    await refused(shelf, url.replace("mp4_h264_aac.mp4", "source.mp4"), "signature")
    await refused(shelf, url.replace("http:", "https:"), "signature")
    bound = shelf.sign(shelf.film, seclevel=SecLevel.IP, ip=HERE)
    await refused(shelf, bound.replace("-4-", "-0-"), "signature")
    await admitted(shelf, url + "&skin=modern1")


async def test_urls_expire_by_the_sandbox_clock(shelf: Shelf) -> None:
    url, forever = shelf.sign(shelf.film), shelf.sign(shelf.film, expires=0)
    await admitted(shelf, url)
    shelf.rpc.world.clock.advance(120)
    await refused(shelf, url, "expired")
    await admitted(shelf, forever)


@pytest.mark.parametrize(
    ("bounds", "good", "bad"),
    [
        ({"seclevel": SecLevel.IP, "ip": HERE}, {}, {"ip": "127.0.0.2"}),
        ({"seclevel": SecLevel.ASNUM, "asnum": "AS64496"}, {}, {"ip": "127.0.0.2"}),
        ({"seclevel": SecLevel.USERAGENT, "useragent": UA}, {}, {"user-agent": "other"}),
        ({"seclevel": SecLevel.COUNTRY, "countries": ["FR"]}, {}, {"ip": "127.0.0.2"}),
        ({"seclevel": SecLevel.COUNTRY, "countries": ["-", "fr"]}, {"ip": "127.0.0.2"}, {}),
        ({"seclevel": SecLevel.COUNTRY, "countries": ["fr"]}, {}, {"ip": "127.0.0.3"}),
        (
            {"seclevel": SecLevel.REFERER, "referers": ["http://a.example/"]},
            {"referer": PAGE},
            {"referer": "http://b.example/"},
        ),
        ({"seclevel": SecLevel.REFERER, "referers": [PAGE]}, {}, {"referer": "http://a.example/"}),
        ({"seclevel": SecLevel.REFERER_STRICT, "referers": [PAGE]}, {"referer": PAGE}, {}),
        (
            {"seclevel": 14, "asnum": "AS64496", "ip": HERE, "useragent": UA},
            {"referer": PAGE},
            {"user-agent": "other"},
        ),
    ],
    ids=str,
)
async def test_urls_are_bound_to_viewers(
    shelf: Shelf, bounds: dict[str, Any], good: dict[str, str], bad: dict[str, str]
) -> None:
    url = shelf.sign(shelf.film, **bounds)
    await admitted(shelf, url, **good)
    reply = await shelf.get(url, **bad)
    assert reply.status_code == 403
    assert reply.text.startswith("refused (")
    assert shelf.rpc.api_key not in reply.text
    await admitted(shelf, url, **good)


@pytest.mark.parametrize(
    ("level", "bad"),
    [
        (SecLevel.IP, {"ip": "127.0.0.2"}),
        (SecLevel.ASNUM, {"ip": "127.0.0.2"}),
        (SecLevel.COUNTRY, {"ip": "127.0.0.2"}),
        (SecLevel.USERAGENT, {"user-agent": "other"}),
        (SecLevel.REFERER, {"referer": "http://b.example/"}),
    ],
)
async def test_a_delegated_url_belongs_to_its_first_viewer(
    shelf: Shelf, level: SecLevel, bad: dict[str, str]
) -> None:
    url = shelf.sign(shelf.film, seclevel=SecLevel.DELEGATE | level)
    await admitted(shelf, url, referer=PAGE)
    await refused(shelf, url, str(level.name).lower(), **bad)
    await admitted(shelf, url, referer=PAGE)
    other = shelf.sign(shelf.film, seclevel=SecLevel.DELEGATE | level, expires=0)
    await admitted(shelf, other, **bad)


async def test_delegation_of_strict_referers_needs_one(shelf: Shelf) -> None:
    url = shelf.sign(shelf.film, seclevel=SecLevel.DELEGATE | SecLevel.REFERER_STRICT)
    await refused(shelf, url, "referer")
    await admitted(shelf, url, referer=PAGE)
    await refused(shelf, url, "referer")


async def test_locks_and_used_urls_outlive_the_process(shelf: Shelf) -> None:
    once = shelf.sign(shelf.film, seclevel=SecLevel.USEONCE)
    locked = shelf.sign(shelf.film, seclevel=SecLevel.DELEGATE | SecLevel.IP)
    for url in (once, locked):
        await admitted(shelf, url)
    later = World.open(shelf.rpc.world.store.data)
    try:
        shelf.rpc.world = later
        await refused(shelf, once, "useonce")
        await refused(shelf, locked, "ip", ip="127.0.0.2")
        await admitted(shelf, locked)
    finally:
        later.close()


async def test_a_url_for_one_access_opens_once(shelf: Shelf) -> None:
    url = shelf.sign(shelf.film, seclevel=SecLevel.USEONCE)
    assert (await shelf.rpc.http.head(url)).status_code == 200
    await admitted(shelf, url)
    await refused(shelf, url, "useonce")
    await refused(shelf, url, "useonce", range="bytes=5-9")
    await admitted(shelf, shelf.sign(shelf.film, seclevel=SecLevel.USEONCE, expires=0))


async def test_a_loose_sandbox_lets_everybody_in(shelf: Shelf) -> None:
    shelf.rpc.world.strict = False
    await admitted(shelf, f"http://sandbox.local{shelf.film}")
    assert (await shelf.get(f"http://sandbox.local/embed/{shelf.owner}")).status_code == 200


# -- statistics ------------------------------------------------------------------------------------------


async def test_plays_are_counted_where_they_begin(shelf: Shelf) -> None:
    url = shelf.sign(shelf.film, expires=0)
    await admitted(shelf, url)
    await shelf.get(url, range="bytes=0-")
    await shelf.get(url, range="bytes=100-")
    await shelf.get(url, ip="127.0.0.2")
    await shelf.rpc.http.head(url)
    await shelf.get(shelf.sign(f"/embed/{shelf.owner}", expires=0))
    assert await shelf.views() == 3
    assert (await shelf.views("fr"), await shelf.views("gb"), await shelf.views("it")) == (2, 1, 0)
    shelf.rpc.world.clock.advance(90)
    assert (await shelf.views(interval="last_minute"), await shelf.views(interval="last_hour")) == (0, 3)
    shelf.rpc.world.clock.advance(400 * 86_400)
    assert (await shelf.views(interval="last_year"), await shelf.views()) == (0, 3)


# -- pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/embed/{}", "/player/embed/{}"])
async def test_the_page_plays_and_tells(shelf: Shelf, path: str) -> None:
    reply = await shelf.get(shelf.sign(path.format(shelf.owner), seclevel=SecLevel.IP, ip=HERE))
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<title>&lt;/script&gt;&lt;b&gt;</title>" in reply.text
    [facts] = re.findall(r"var info = (\{.*\});</script>", reply.text)
    info = json.loads(facts)
    assert {"mode", "mp4_url", "ios_url", "swf_url", "thumbnail_url"} <= info.keys()
    assert (info["mode"], info["title"], info["ios_url"]) == ("vod", "</script><b>", None)
    assert f'<source src="{info["mp4_url"]}" type="video/mp4">' in reply.text
    await admitted(shelf, info["mp4_url"])
    await refused(shelf, info["mp4_url"], "signature", ip="127.0.0.2")
    assert (await shelf.get(info["thumbnail_url"])).status_code == 200
    flash = await shelf.get(info["swf_url"])
    assert flash.headers["content-type"] == "application/x-shockwave-flash"
    assert int.from_bytes(flash.content[4:8], "little") == len(flash.content)


async def test_the_page_of_a_refused_url_says_so(shelf: Shelf) -> None:
    url = shelf.sign(f"/embed/{shelf.owner}", seclevel=SecLevel.USEONCE)
    assert (await shelf.get(url)).status_code == 200
    reply = await shelf.get(url)
    assert (reply.status_code, reply.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "refused (useonce)" in reply.text
    assert "<video" not in reply.text


async def test_a_page_with_nothing_to_play_says_so(shelf: Shelf) -> None:
    await shelf.rpc(
        "media.remove_assets", id=shelf.media, assets_names=["mp4_h264_aac", "jpeg_thumbnail_small"]
    )
    reply = await shelf.get(shelf.sign(f"/embed/{shelf.owner}"))
    assert reply.status_code == 200
    assert "nothing to play" in reply.text


async def test_the_service_signs_urls_itself(shelf: Shelf) -> None:
    fields = [
        "embed_url",
        "assets.all.stream_url",
        "assets.all.download_url",
        "assets.mp4_h264_aac.embed_url",
    ]
    told = await shelf.rpc("media.info", id=shelf.media, fields=fields)
    film, picture = told["assets"]["mp4_h264_aac"], told["assets"]["jpeg_thumbnail_small"]
    assert (await shelf.get(told["embed_url"])).status_code == 200
    assert (await shelf.get(film["embed_url"])).status_code == 200
    await admitted(shelf, film["stream_url"])
    await admitted(shelf, film["download_url"])
    await refused(shelf, film["download_url"], "asnum", ip="127.0.0.2")
    assert "auth=" not in picture["stream_url"]
    assert picture["download_url"] is None


async def test_adaptive_streams_play_segment_by_segment(shelf: Shelf, clip: Path) -> None:
    url = await shelf.rpc.upload("a.mp4", clip.read_bytes())
    await shelf.rpc(
        "media.set_assets", id=shelf.media, assets=[{"name": "source", "url": url}, {"name": "abs"}]
    )
    await shelf.rpc.settled(shelf.media)
    url = shelf.sign(f"/route/hls/{shelf.owner}/abs", seclevel=SecLevel.IP | SecLevel.USEONCE, ip=HERE)
    playlist = await shelf.get(url)
    assert playlist.headers["content-type"] == "application/vnd.apple.mpegurl"
    segments = [line for line in playlist.text.splitlines() if not line.startswith("#")]
    assert segments
    for segment in segments:
        reply = await shelf.get(segment)
        assert (reply.status_code, reply.headers["content-type"]) == (200, "video/mp2t")
        await refused(shelf, segment, "signature", ip="127.0.0.2")
    assert await shelf.views() == 1
    page = await shelf.get(shelf.sign(f"/embed/{shelf.owner}"))
    assert 'type="application/vnd.apple.mpegurl"' in page.text
    reply = await shelf.get(shelf.sign(f"/route/dash/{shelf.owner}/abs"))
    assert (reply.status_code, "by hls only" in reply.text) == (404, True)
