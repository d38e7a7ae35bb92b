"""The original client, cloudkey 1.2.6 from the package index, against a real socket.

It is Python 2. 2to3 translates it when the tests run, and `PATCHES` lists all else that changes: where text
turns into bytes, which are one type there. Its requests are carried by libcurl, as ever.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

pytestmark = pytest.mark.filterwarnings(
    r"ignore:(HTTPPOST|PROGRESSFUNCTION) is deprecated:DeprecationWarning"
)

PATCHES = [
    ("io.StringIO", "io.BytesIO"),  # what libcurl writes to
    ("res = arg.encode('utf8')", "res = arg"),  # normalised text stays text until it is signed
    ("msg + shared_secret", "msg + shared_secret.encode('utf8')"),
    (
        "urlsafe_b64encode(zlib.compress('&'.join(public_secparams)))",
        "urlsafe_b64encode(zlib.compress('&'.join(public_secparams).encode('utf8'))).decode()",
    ),
    ("secparams, public_secparams_encoded))", "secparams, public_secparams_encoded)).encode('utf8'))"),
    ("hashlib.md5('%d%s%d%s%s%s%s'", "hashlib.md5(('%d%s%d%s%s%s%s'"),
    ("urlsafe_b64encode(payload)", "urlsafe_b64encode(payload.encode('utf8')).decode()"),
]

UNKNOWN = "1b87186c84e1b015a0000000"
SHORT = "b87186c84e1b015a0000000"
VIDEO, FLASH, PICTURE = "mp4_h264_aac", "flv_h263_mp3", "jpeg_thumbnail_medium"
AGENT = "Kino/1.0"


@pytest.fixture(scope="module")
def original(translate: Callable[[str, Sequence[tuple[str, str]]], ModuleType]) -> ModuleType:
    return translate("cloudkey", PATCHES)


@pytest.fixture(scope="module")
def sandbox(clip: Path) -> Iterator[Sandbox]:
    """Viewers are on this machine, which is said to be in France."""
    tables = {"asnums": {"127.0.0.1": "AS41690"}, "countries": {"127.0.0.1": "fr"}}
    with Sandbox(map={"http://www.example.com/v.mp4": clip}, **tables) as running:
        yield running


@pytest.fixture
def connect(original: ModuleType, sandbox: Sandbox) -> Callable[[str], Any]:
    def client(account: str) -> Any:
        keys = sandbox.config[account]
        return original.CloudKey(keys["user_id"], keys["api_key"], base_url=sandbox.config["base_url"])

    return client


@pytest.fixture
def cloudkey(connect: Callable[[str], Any]) -> Any:
    """The client of a user without media."""
    client = connect("cloudkey")
    client.system.reset(object="media")
    return client


@pytest.fixture(scope="module")
def film(original: ModuleType, sandbox: Sandbox, clip: Path) -> Iterator[Any]:
    """A client of the root account and a medium of it that is ready to be watched."""
    keys = sandbox.config["cloudkey_root"]
    client = original.CloudKey(keys["user_id"], keys["api_key"], base_url=sandbox.config["base_url"])
    url = client.file.upload_file(str(clip))["url"]
    names = [VIDEO, "abs", PICTURE]
    id = client.media.create(url=url, assets_names=names, meta={"title": "Été"})["id"]
    for name in names:
        assert wait_for_asset(client, id, name) == "ready"
    yield client, id
    client.media.delete(id=id)


def wait_for_asset(cloudkey: Any, id: str, name: str) -> str:
    deadline = time.monotonic() + 120
    while True:
        status: str = cloudkey.media.get_assets(id=id, assets_names=[name])[name]["status"]
        if status in ("ready", "error"):
            return status
        assert time.monotonic() < deadline, f"{name} is {status} for ever"
        time.sleep(0.1)


def watch(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, follow_redirects=True)


def test_a_user_is_told_who_it_is(cloudkey: Any, sandbox: Sandbox) -> None:
    me = cloudkey.user.whoami()
    assert me["id"] == sandbox.config["cloudkey"]["user_id"]
    assert cloudkey.user.info(fields=["id", "username"]) == me


def test_the_guided_tour(cloudkey: Any, clip: Path) -> None:
    seen: list[tuple[float, float]] = []
    stored = cloudkey.file.upload_file(str(clip), lambda current, total: seen.append((current, total)))
    assert (stored["name"], stored["size"]) == ("clip", clip.stat().st_size)
    assert stored["hash"] == hashlib.sha1(clip.read_bytes()).hexdigest()
    assert seen[-1][0] == seen[-1][1] > clip.stat().st_size  # the form around it counts

    created = cloudkey.media.create()
    id = created["id"]
    assert (list(created), len(id)) == (["id"], 24)
    assert cloudkey.media.set_meta(id=id, meta={"title": stored["name"]}) is None
    cloudkey.media.set_assets(id=id, assets=[{"name": "source", "url": stored["url"]}])
    cloudkey.media.set_assets(id=id, assets=[{"name": FLASH}, {"name": VIDEO, "action": "transcode"}])
    assert wait_for_asset(cloudkey, id, FLASH) == wait_for_asset(cloudkey, id, VIDEO) == "ready"
    assert set(cloudkey.media.get_assets(id=id)) == {"source", FLASH, VIDEO}

    fields = ["meta.title", f"assets.{FLASH}.stream_url", f"assets.{FLASH}.embed_url", "created"]
    info = cloudkey.media.info(id=id, fields=fields)
    assert (info["meta"], set(info)) == ({"title": "clip"}, {"meta", "assets", "created"})
    assert watch(info["assets"][FLASH]["stream_url"]).content[:3] == b"FLV"
    assert watch(info["assets"][FLASH]["embed_url"]).status_code == 200
    assert cloudkey.media.list(fields=["id"])["list"] == [{"id": id}]

    assert cloudkey.media.remove_assets(id=id, assets_names=[FLASH]) is None
    deadline = time.monotonic() + 60
    while FLASH in cloudkey.media.get_assets(id=id):
        assert time.monotonic() < deadline, "the asset stays"
        time.sleep(0.1)
    assert cloudkey.media.delete(id=id) is None


def test_a_medium_is_published_in_one_call(cloudkey: Any) -> None:
    meta = {"title": "my first video", "author": "John Doe"}
    url = "http://www.example.com/v.mp4"
    id = cloudkey.media.create(url=url, assets_names=[VIDEO, PICTURE, VIDEO], meta=meta)["id"]
    assets = cloudkey.media.get_assets(id=id, assets_names=[VIDEO, PICTURE])
    assert {asset["status"] for asset in assets.values()} <= {"pending", "processing"}
    assert wait_for_asset(cloudkey, id, VIDEO) == wait_for_asset(cloudkey, id, PICTURE) == "ready"
    assert cloudkey.media.get_meta(id=id) == meta


def test_what_cannot_be_fetched_fails(cloudkey: Any) -> None:
    id = cloudkey.media.create(url="http://localhost/", assets_names=[FLASH])["id"]
    assert wait_for_asset(cloudkey, id, FLASH) == "error"
    assert cloudkey.media.get_assets(id=id, assets_names=[FLASH]) == {FLASH: {"status": "error"}}


@pytest.mark.parametrize("value", ["", "Straße & ?=%", "日本", 42, -1, 4.5, 1e-5, True, False, None])
def test_signed_values_arrive(cloudkey: Any, value: object) -> None:
    id = cloudkey.media.create(meta={"clé": value})["id"]
    assert cloudkey.media.get_meta(id=id, keys=["clé"]) == {"clé": value}
    cloudkey.media.remove_meta(id=id, keys=["clé", "never set"])
    assert cloudkey.media.get_meta(id=id) == {}


def test_media_are_listed_page_by_page(cloudkey: Any) -> None:
    ids = [cloudkey.media.create()["id"] for _ in range(12)]
    assert len(cloudkey.media.list(fields=["id"])["list"]) == 10
    page = cloudkey.media.list(fields=["id"], per_page=5, page=3)
    assert (page["total"], page["pages"], page["on_this_page"], page["page"]) == (12, 3, 2, 3)
    pages = [cloudkey.media.list(fields=["id"], per_page=5, page=number)["list"] for number in (1, 2, 3)]
    assert [medium["id"] for page in pages for medium in page] == ids


def test_a_form_is_posted_by_somebody_else(cloudkey: Any) -> None:
    target = "http://www.example.com/done?a=b&c"
    told = cloudkey.file.upload(target=target, status=True, jsonp_cb="?")
    assert httpx.get(told["status"].replace("=?", "=cb")).text.startswith("cb(")
    posted = httpx.post(told["url"], files={"file": ("my clip.mp4", b"some bytes")})
    assert (posted.status_code, posted.headers["location"].startswith(f"{target}&")) == (302, True)


REFUSED: list[tuple[str, dict[str, Any], str, int]] = [
    ("media.info", {"id": UNKNOWN, "fields": ["id"]}, "NotFound", 1010),
    ("media.delete", {"id": SHORT}, "InvalidParameter", 630),
    ("media.set_meta", {"id": UNKNOWN}, "InvalidParameter", 630),
    ("media.list", {"fields": "id"}, "InvalidParameter", 630),
    ("media.publish", {}, "InvalidMethod", 620),
    ("lottery.draw", {"number": 7}, "InvalidObject", 610),
    ("user.list", {}, "AuthenticationError", 400),
]


@pytest.mark.parametrize(("call", "args", "name", "code"), REFUSED)
def test_refusals_have_their_class(
    original: ModuleType, cloudkey: Any, call: str, args: dict[str, Any], name: str, code: int
) -> None:
    subject, _, method = call.partition(".")
    with pytest.raises(original.RPCException, match=f"^{code}: .") as caught:
        getattr(getattr(cloudkey, subject), method)(**args)
    assert (type(caught.value).__name__, caught.value.code) == (name, code)


@pytest.mark.parametrize("key", [None, "0" * 40])
def test_a_wrong_key_is_refused(
    original: ModuleType, cloudkey: Any, sandbox: Sandbox, key: str | None
) -> None:
    stranger = original.CloudKey(key and cloudkey._user_id, key, base_url=sandbox.config["base_url"])
    with pytest.raises(original.AuthenticationError):
        stranger.user.info()


def test_no_answer_and_no_file(original: ModuleType, cloudkey: Any, tmp_path: Path) -> None:
    with pytest.raises(original.TransportException):
        original.CloudKey("0" * 24, "0" * 40, base_url="http://127.0.0.1:9").media.list()
    with pytest.raises(IOError, match="No such file"):
        cloudkey.file.upload_file(str(tmp_path / "none.mp4"))


def test_root_acts_as_others(original: ModuleType, connect: Callable[[str], Any]) -> None:
    root, user = connect("cloudkey_root"), connect("cloudkey")
    other = root.user.create(username=f"user-{time.time_ns()}", password="invented")
    root.act_as_user(other)
    assert root.user.info()["id"] == other
    root.act_as_user("f" * 24)
    with pytest.raises(original.AuthenticationError):
        root.user.info()
    root.act_as_user(None)
    root.user.delete(id=other)
    user.act_as_user(root._user_id)
    with pytest.raises(original.AuthenticationError):
        user.user.info()


def test_players_are_opened(film: Any, sandbox: Sandbox) -> None:
    cloudkey, id = film
    page = watch(cloudkey.media.get_embed_url(id=id, skin="modern1"))
    assert (page.status_code, "Été" in page.text) == (200, True)
    token = {"rights": {"playback_window": "600"}, "data": {"firstname": "john"}}
    assert watch(cloudkey.media.get_embed_url(id=id, drm_token=token)).status_code == 200
    assert watch(cloudkey.media.get_swf_url(id=id)).content[1:3] == b"WS"
    assert watch(cloudkey.media.get_qtref_url(id=id)).content[4:8] == b"ftyp"
    secure = cloudkey.media.get_embed_url(id=id, secure=True)
    assert secure.startswith(sandbox.base_url.replace("http:", "https:"))


def test_streams_are_played(film: Any, sandbox: Sandbox, clip: Path) -> None:
    cloudkey, id = film
    here = {"id": id, "cdn_url": sandbox.config["cloudkey"]["cdn_url"]}
    stream_url = cloudkey.media.get_stream_url
    assert watch(stream_url(**here)).content[4:8] == b"ftyp"
    assert watch(stream_url(**here, version=42)).status_code == 200
    assert watch(stream_url(**here), Range="bytes=4-7").content == b"ftyp"
    assert watch(stream_url(**here, asset_name="source")).content == clip.read_bytes()
    assert watch(stream_url(**here, asset_name=PICTURE)).content[:2] == b"\xff\xd8"
    named = watch(stream_url(**here, filename="é &.mp4"))
    assert "%C3%A9%20%26.mp4" in named.headers["content-disposition"]
    assert "attachment" in watch(stream_url(**here, download=True)).headers["content-disposition"]
    playlist = watch(stream_url(**here, asset_name="abs", protocol="hls")).text
    segments = [line for line in playlist.splitlines() if not line.startswith("#")]
    assert [watch(segment).status_code for segment in segments] == [200] * len(segments)
    assert segments


@pytest.mark.parametrize("kind", ["get_embed_url", "get_swf_url", "get_qtref_url", "get_stream_url"])
def test_signed_urls_are_for_those_they_are_for(
    original: ModuleType, film: Any, sandbox: Sandbox, kind: str
) -> None:
    cloudkey, id = film
    level = original.SecLevel
    here = {"cdn_url": sandbox.config["cloudkey"]["cdn_url"]} if kind == "get_stream_url" else {}

    def seen(viewer: str = AGENT, referer: str = "", **options: Any) -> int:
        url = getattr(cloudkey.media, kind)(id=id, **here, **options)
        return watch(url, **{"User-Agent": viewer, "Referer": referer}).status_code

    assert seen(expires=time.time() + 3600) == 200
    assert seen(expires=time.time() - 1) == 403
    assert seen(seclevel=level.USERAGENT, useragent=AGENT) == 200
    assert seen(seclevel=level.USERAGENT, useragent="Other/2.0") == 403
    mine = {"asnum": "AS41690", "ip": "127.0.0.1"}
    assert seen(seclevel=level.ASNUM | level.IP, **mine) == 200
    assert seen(seclevel=level.ASNUM | level.IP, **{**mine, "ip": "195.8.215.138"}) == 403
    assert seen(seclevel=level.COUNTRY, countries=["FR", "gb"]) == 200
    assert seen(seclevel=level.COUNTRY, countries=["-", "fr"]) == 403
    pages = {"seclevel": level.REFERER, "referers": ["http://a.example/x y/"]}
    assert seen(referer="http://a.example/x%20y/z", **pages) == seen(**pages) == 200
    assert seen(referer="http://b.example/", **pages) == 403

    delegated = getattr(cloudkey.media, kind)(id=id, **here, seclevel=level.DELEGATE | level.USERAGENT)
    viewers = [watch(delegated, **{"User-Agent": viewer}).status_code for viewer in (AGENT, "B", AGENT)]
    assert viewers == [200, 403, 200]
    once = getattr(cloudkey.media, kind)(id=id, **here, seclevel=level.USEONCE)
    assert [watch(once).status_code for _ in range(2)] == [200, 403]


def test_tampered_urls_are_refused(film: Any) -> None:
    cloudkey, id = film
    url = cloudkey.media.get_embed_url(id=id)
    address, _, auth = url.partition("?auth=")
    expires, level, nonce, digest = auth.split("-")
    other = address.replace(id, cloudkey.media.create()["id"])
    for tampered in (
        address,
        f"{other}?auth={auth}",
        f"{address}?auth=4102444800-{level}-{nonce}-{digest}",
        f"{address}?auth={expires}-1-{nonce}-{digest}",
        f"{address}?auth={expires}-{level}-abcd1234-{digest}",
        f"{address}?auth={expires}-{level}-{nonce}-{'0' * 32}",
    ):
        assert watch(tampered).status_code == 403, tampered
    assert watch(url).status_code == 200
