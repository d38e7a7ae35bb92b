from __future__ import annotations

import base64
import copy
import hashlib
import zlib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cloudreel.errors import SigningError
from cloudreel.signing import SecLevel, sign_url, sign_urls, verify_url
from cloudreel.signing.public import unpack
from cloudreel.signing.url_checks import split_url

KEY = "00112233445566778899aabbccddeeff00112233"
URL = "http://api.example/embed/u1/m1"
AT = 1_700_000_000
NONCE = "abcd1234"
PLAIN: dict[str, Any] = {"expires": AT, "nonce": NONCE}

keys = st.text("0123456789abcdef", min_size=20, max_size=40)
nonces = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=12)
times = st.integers(1, 9_999_999_999)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
segments = st.text("abcxyz0189-_.~%é", min_size=1, max_size=12)
urls = st.builds(
    "{}://{}/{}/{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["api.example", "cdn.example:8080", "[::1]:80"]),
    segments,
    segments,
    st.sampled_from(["", "?", "?filename=my+clip.mp4", "?x=1&y=2"]),
)
countries = st.lists(st.sampled_from(["fr", "GB", "De"]), min_size=1, max_size=3)
pages = st.lists(
    st.sampled_from(["http://a.example/x y/", "https://b.example", "http://é.example/?a=1&b=2"]), min_size=1
)


@st.composite
def signings(draw: st.DrawFn) -> dict[str, Any]:
    """Return arguments of `sign_url`, with all that the level asks for."""
    level = draw(st.integers(0, 127) | st.integers(32768, 32768 + 127) | st.just(2**20))
    return {
        "expires": draw(times),
        "nonce": draw(nonces),
        "seclevel": level,
        "asnum": draw(texts),
        "ip": draw(texts),
        "useragent": draw(texts),
        "countries": draw(countries),
        "referers": draw(pages),
    }


def viewer_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `verify_url` that describe a viewer the URL is open to."""
    return {name: options[name] for name in ("asnum", "ip", "useragent")} | {
        "country": options["countries"][0],
        "referer": options["referers"][0] + "page",
    }


@given(urls, keys, signings())
def test_what_is_signed_verifies(url: str, key: str, options: dict[str, Any]) -> None:
    before = copy.deepcopy(options)
    signed = sign_url(url, key, **options)
    assert options == before
    verdict = verify_url(signed, key, now=options["expires"], **viewer_of(options))
    assert verdict, verdict.explain()
    assert verdict.reason == ""


@given(st.lists(st.tuples(urls, nonces), max_size=4), keys, signings())
def test_many_are_signed_as_one_each(pairs: list[tuple[str, str]], key: str, options: dict[str, Any]) -> None:
    del options["nonce"]
    many = sign_urls((url for url, _ in pairs), key, nonces=(nonce for _, nonce in pairs), **options)
    assert many == [sign_url(url, key, nonce=nonce, **options) for url, nonce in pairs]


def test_as_many_nonces_as_urls() -> None:
    with pytest.raises(SigningError, match="2 URLs and 1 nonces"):
        sign_urls([URL, URL], KEY, expires=AT, nonces=["a"])


@given(urls, keys, signings(), st.floats(min_value=0.001, max_value=1e12))
def test_expired(url: str, key: str, options: dict[str, Any], late: float) -> None:
    signed = sign_url(url, key, **options)
    assume(options["expires"] + late > options["expires"])
    verdict = verify_url(signed, key, now=options["expires"] + late, **viewer_of(options))
    assert not verdict
    assert verdict.reason == "expired"


def test_zero_never_expires() -> None:
    signed = sign_url(URL, KEY, expires=0, nonce=NONCE)
    assert verify_url(signed, KEY, now=1e18)


def test_a_clock_without_a_time_opens_nothing() -> None:
    assert verify_url(sign_url(URL, KEY, **PLAIN), KEY, now=float("nan")).reason == "expired"


@given(urls, signings(), st.data())
def test_no_change_of_a_protected_piece_passes(
    url: str, options: dict[str, Any], data: st.DataObject
) -> None:
    options["expires"] = data.draw(st.integers(1_000_000_000, 9_999_999_999))
    options["nonce"] = data.draw(st.text("abcxyz0189", min_size=8, max_size=8))
    bare, expires, level, nonce, digest, public = split_url(sign_url(url, KEY, **options))
    changed = data.draw(
        st.sampled_from(
            [
                (bare + "x", expires, level, nonce, digest, public),
                (bare.replace("//", "//x", 1), expires, level, nonce, digest, public),
                (bare, expires + 1, level, nonce, digest, public),
                (bare, 0, level, nonce, digest, public),
                (bare, expires, level ^ 16, nonce, digest, public),
                (bare, expires, 0 if level else 16, nonce, digest, public),
                (bare, expires, level, nonce + "0", digest, public),
                (bare, expires, level, nonce.swapcase() + "0", digest, public),
                (bare, expires, level, nonce, digest[::-1], public),
                (bare, expires, level, nonce, digest, public + "A"),
                (bare, expires, level, nonce, digest, "" if public else "eJwDAAAAAAE="),
            ]
        )
    )
    assume(changed != (bare, expires, level, nonce, digest, public))
    bare, expires, level, nonce, digest, public = changed
    auth = "-".join([str(expires), str(level), nonce, digest, *([public] if public else [])])
    verdict = verify_url(f"{bare}?auth={auth}", KEY, now=1_000_000_000, **viewer_of(options))
    assert not verdict


@given(st.text("0123456789abcdef", min_size=1, max_size=40))
def test_another_key(key: str) -> None:
    assume(key != KEY)
    assert verify_url(sign_url(URL, KEY, **PLAIN), key, now=AT).reason == "signature"


VIEWER = {"asnum": "AS1", "ip": "192.0.2.1", "useragent": "Player/1"}


@pytest.mark.parametrize(("name", "level"), [("asnum", 2), ("ip", 4), ("useragent", 8)])
def test_another_viewer(name: str, level: int) -> None:
    signed = sign_url(URL, KEY, seclevel=level, **VIEWER, **PLAIN)
    assert verify_url(signed, KEY, now=AT, **VIEWER)
    other = verify_url(signed, KEY, now=AT, **VIEWER | {name: "other"})
    assert (other.ok, other.reason) == (False, "signature")
    assert "another viewer" in other.message
    unknown = verify_url(signed, KEY, now=AT, **VIEWER | {name: None})
    assert (unknown.ok, unknown.reason) == (False, name)


def test_delegate_asks_for_nothing() -> None:
    everything = 1 | 2 | 4 | 8 | 32 | 64 | 32768
    signed = sign_url(URL, KEY, seclevel=everything, **PLAIN)
    assert signed == sign_url(
        URL, KEY, seclevel=everything, **VIEWER, countries=["fr"], referers=["http://a/"], **PLAIN
    )
    assert split_url(signed).public == ""
    assert verify_url(signed, KEY, now=AT)


COUNTRY, REFERER, STRICT = SecLevel.COUNTRY, SecLevel.REFERER, SecLevel.REFERER_STRICT
PAGES = ["http://a.example/x y/", "https://b.example/"]


@pytest.mark.parametrize(
    ("level", "lists", "viewer", "reason"),
    [
        (COUNTRY, {"countries": ["fr", "GB"]}, {"country": "FR"}, ""),
        (COUNTRY, {"countries": ["fr", "GB"]}, {"country": "gb"}, ""),
        (COUNTRY, {"countries": ["fr", "GB"]}, {"country": "de"}, "country"),
        (COUNTRY, {"countries": ["fr", "GB"]}, {}, "country"),
        (COUNTRY, {"countries": ["-", "fr"]}, {"country": "de"}, ""),
        (COUNTRY, {"countries": ["-", "fr"]}, {"country": "fr"}, "country"),
        (COUNTRY, {"countries": ["-", "fr"]}, {}, "country"),
        (REFERER, {"referers": PAGES}, {"referer": "http://a.example/x%20y/z"}, ""),
        (REFERER, {"referers": PAGES}, {"referer": "http://a.example/x y/"}, ""),
        (REFERER, {"referers": PAGES}, {"referer": "https://b.example/"}, ""),
        (REFERER, {"referers": PAGES}, {"referer": "http://b.example/"}, "referer"),
        (REFERER, {"referers": PAGES}, {}, ""),
        (REFERER, {"referers": PAGES}, {"referer": ""}, ""),
        (STRICT, {"referers": PAGES}, {"referer": "https://b.example/x"}, ""),
        (STRICT, {"referers": PAGES}, {}, "referer"),
        (STRICT | REFERER, {"referers": PAGES}, {"referer": ""}, "referer"),
        (
            COUNTRY | REFERER,
            {"countries": ["fr"], "referers": PAGES},
            {"country": "fr", "referer": "http://evil.example/"},
            "referer",
        ),
    ],
)
def test_audience(level: int, lists: dict[str, Any], viewer: dict[str, Any], reason: str) -> None:
    verdict = verify_url(sign_url(URL, KEY, seclevel=level, **lists, **PLAIN), KEY, now=AT, **viewer)
    assert (verdict.ok, verdict.reason) == (reason == "", reason)


def written_by_hand(level: int, public: str, viewer: str = "") -> str:
    digest = hashlib.md5(f"{level}{URL}{AT}{NONCE}{KEY}{viewer}{public}".encode()).hexdigest()
    return f"{URL}?auth={AT}-{level}-{NONCE}-{digest}" + (f"-{public}" if public else "")


PACKED = zlib.compress(b"cc=fr&rf=http%3A%2F%2Fa.example%2F%3F%3E%3E%3E")


@pytest.mark.parametrize(
    "public",
    [
        base64.b64encode(PACKED).decode(),
        base64.b64encode(PACKED).decode().rstrip("="),
        base64.urlsafe_b64encode(PACKED).decode(),
        base64.urlsafe_b64encode(PACKED).decode().rstrip("="),
        base64.encodebytes(PACKED).decode(),
    ],
)
def test_every_alphabet_of_the_public_part(public: str) -> None:
    url = written_by_hand(32 | 64, public)
    encoded = url.replace("\n", "%0A").replace("+", "%2B").replace("=\n", "%3D%0A")
    assert verify_url(encoded, KEY, now=AT, country="fr", referer="http://a.example/?>>>")


@pytest.mark.parametrize(
    "packed",
    [
        b"not zlib",
        zlib.compress(b"cc=fr")[:-2],
        zlib.compress(b"cc=" + b"fr," * 30_000),
        zlib.compress(bytes(10_000_000)),
        zlib.compress(b"cc=\xff\xfe"),
    ],
    ids=["not zlib", "cut short", "just too long", "bomb", "not text"],
)
def test_public_part_that_cannot_be_unpacked(packed: bytes) -> None:
    url = written_by_hand(32, base64.urlsafe_b64encode(packed).decode())
    assert verify_url(url, KEY, now=AT, country="fr").reason == "malformed"


def test_public_part_that_is_no_base64() -> None:
    assert verify_url(written_by_hand(32, "!!!!"), KEY, now=AT, country="fr").reason == "malformed"


def test_a_public_part_moved_into_the_viewer_opens_nothing() -> None:
    """The digest cannot tell a value of the viewer from the public part behind it: no list means nobody."""
    signed = sign_url(URL, KEY, seclevel=8 | 32, useragent="Player", countries=["fr"], **PLAIN)
    public = split_url(signed).public
    stripped = signed.removesuffix(f"-{public}")
    verdict = verify_url(stripped, KEY, now=AT, useragent="Player" + public, country="de")
    assert verdict.reason == "country"


def test_digits_cannot_move_into_the_expiry() -> None:
    """Nothing stands between the pieces of the digest: times beyond ten digits would allow a longer life."""
    bare, expires, level, nonce, digest, _ = split_url(
        sign_url(URL + "/abs-42", KEY, expires=AT, nonce="9bcd1234")
    )
    from_nonce = f"{bare}?auth={expires}9-{level}-{nonce[1:]}-{digest}"
    from_path = f"{bare[:-1]}?auth=2{expires}-{level}-{nonce}-{digest}"
    assert verify_url(from_nonce, KEY, now=AT).reason == "malformed"
    assert verify_url(from_path, KEY, now=AT).reason == "malformed"


def test_what_the_digest_does_not_protect() -> None:
    """The query before auth, what follows it (12.2.2, 12.2.3), and where a path ends and an expiry begins."""
    signed = sign_url(URL + "?filename=a.mp4", KEY, **PLAIN)
    assert verify_url(signed.replace("a.mp4", "b.mp4"), KEY, now=AT)
    assert verify_url(signed.replace("?filename=a.mp4&", "?"), KEY, now=AT)
    assert verify_url(signed + "&skin=modern1&drm_token=x", KEY, now=AT)
    bare, _, level, nonce, digest, _ = split_url(sign_url(URL + "/abs-42", KEY, **PLAIN))
    assert verify_url(f"{bare}170000000?auth=0-{level}-{nonce}-{digest}", KEY, now=AT)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "?",
        "auth=",
        URL,
        URL + "?",
        URL + "?auth=",
        URL + "?x=1",
        f"/embed/u1/m1?auth={AT}-0-{NONCE}-" + "0" * 32,
        f"{URL}?auth={AT}-0-{NONCE}-{'0' * 31}",
        f"{URL}?auth={AT}-0-{NONCE}-{'A' * 32}",
        f"{URL}?auth={AT}-0--{'0' * 32}",
        f"{URL}?auth={AT}-0-a_b-{'0' * 32}",
        f"{URL}?auth=0{AT}-0-{NONCE}-{'0' * 32}",
        f"{URL}?auth={AT}-00-{NONCE}-{'0' * 32}",
        f"{URL}?auth=-1-0-{NONCE}-{'0' * 32}",
        f"{URL}?auth=\u0661-0-{NONCE}-{'0' * 32}",
        f"{URL}?auth={AT}-0-{NONCE}-{'0' * 32}-",
        f"{URL}?auth={AT}-0-{NONCE}-{'0' * 32}&auth={AT}-0-{NONCE}-{'0' * 32}",
        f"{URL}?auth={AT}-0-{NONCE}-{'0' * 32}#fragment",
        f"{URL}?auth={AT}-0-{NONCE}-{'0' * 32}\n",
        f"{URL}\udc80?auth={AT}-0-{NONCE}-{'0' * 32}",
    ],
)
def test_malformed(url: str) -> None:
    verdict = verify_url(url, KEY, now=AT)
    assert (verdict.ok, verdict.reason) == (False, "malformed")
    with pytest.raises(SigningError):
        split_url(url)


hostile = st.text(st.characters(), max_size=60)


@given(
    st.one_of(
        hostile,
        st.builds("{}?auth={}".format, urls, hostile),
        st.builds(
            "{}?auth={}-{}-{}-{}-{}".format,
            urls,
            st.integers(0, 10**12),
            st.integers(0, 2**17),
            nonces,
            st.text("0123456789abcdef", min_size=32, max_size=32),
            hostile,
        ),
    ),
    st.fixed_dictionaries({name: st.none() | hostile for name in [*VIEWER, "country", "referer"]}),
)
def test_nothing_a_viewer_sends_raises(url: str, viewer: dict[str, Any]) -> None:
    verdict = verify_url(url, KEY, now=AT, **viewer)
    assert not verdict
    assert KEY not in verdict.explain()


@given(hostile, st.fixed_dictionaries({name: st.none() | hostile for name in ["country", "referer"]}))
def test_no_public_part_raises(public: str, viewer: dict[str, Any]) -> None:
    assume(not any("\ud800" <= char <= "\udfff" for char in public))
    packed = base64.urlsafe_b64encode(zlib.compress(public.encode())).decode()
    assert verify_url(written_by_hand(32 | 64, packed), KEY, now=AT, **viewer).reason in (
        "",
        "country",
        "referer",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "embed/u1/m1"}, "not absolute"),
        ({"url": ""}, "not absolute"),
        ({"url": "ftp://a.example/x"}, "not absolute"),
        ({"url": URL + "#top"}, "fragment"),
        ({"url": URL + "?x=1#top"}, "fragment"),
        ({"url": URL + " "}, "percent-encode"),
        ({"url": URL + "/a\nb"}, "percent-encode"),
        ({"url": URL + "/\0"}, "percent-encode"),
        ({"url": URL + "/\udc80"}, "percent-encode"),
        ({"url": URL + "?auth=1-0-a-b"}, "auth parameter already"),
        ({"url": URL + "?x=1&auth=1-0-a-b"}, "auth parameter already"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": "ab-cd"}, "nonce"),
        ({"nonce": "é"}, "nonce"),
        ({"expires": -1}, "expires -1"),
        ({"expires": 1.5}, "whole seconds"),
        ({"expires": "1700000000"}, "whole seconds"),
        ({"expires": True}, "whole seconds"),
        ({"expires": None}, "whole seconds"),
        ({"expires": AT * 1000}, "not milliseconds"),
        ({"seclevel": -1}, "SecLevel"),
        ({"seclevel": "2"}, "SecLevel"),
        ({"seclevel": True}, "SecLevel"),
        ({"seclevel": 10**10}, "SecLevel"),
        ({"seclevel": SecLevel.ASNUM}, "asnum is None"),
        ({"seclevel": SecLevel.IP, "ip": ""}, "ip is ''"),
        ({"seclevel": SecLevel.IP, "ip": 1}, "ip is 1"),
        ({"seclevel": SecLevel.USERAGENT}, "useragent is None"),
        ({"seclevel": SecLevel.USERAGENT, "useragent": "\udc80"}, "surrogate"),
        ({"api_key": "\udc80"}, "surrogate"),
        ({"seclevel": COUNTRY}, "countries"),
        ({"seclevel": COUNTRY, "countries": []}, "countries"),
        ({"seclevel": COUNTRY, "countries": "fr"}, "give a list"),
        ({"seclevel": COUNTRY, "countries": ["france"]}, "two letters"),
        ({"seclevel": COUNTRY, "countries": ["-"]}, "two letters"),
        ({"seclevel": COUNTRY, "countries": ["fr", "-", "de"]}, "two letters"),
        ({"seclevel": COUNTRY, "countries": ["fr\n"]}, "two letters"),
        ({"seclevel": COUNTRY, "countries": ["fr", 3]}, "give a list"),
        ({"seclevel": COUNTRY, "countries": ["fr", ""]}, "give a list"),
        ({"seclevel": REFERER}, "referers"),
        ({"seclevel": REFERER, "referers": "http://a.example/"}, "give a list"),
        ({"seclevel": STRICT, "referers": {"http://a.example/": 1}}, "give a list"),
        ({"seclevel": REFERER, "referers": [""]}, "give a list"),
        ({"seclevel": REFERER, "referers": ["\udc80"]}, "surrogate"),
    ],
)
def test_refused_to_sign(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"url": URL, "api_key": KEY} | PLAIN | change
    with pytest.raises(SigningError, match=message) as raised:
        sign_url(**arguments)
    assert KEY not in str(raised.value)
    many = {name: value for name, value in arguments.items() if name not in ("url", "nonce")}
    with pytest.raises(SigningError, match=message):
        sign_urls([URL, arguments["url"]], nonces=["a", arguments["nonce"]], **many)


def test_level_forms() -> None:
    assert (
        sign_url(URL, KEY, seclevel=None, **PLAIN)
        == sign_url(URL, KEY, **PLAIN)
        == sign_url(URL, KEY, seclevel=SecLevel.NONE, **PLAIN)
    )
    assert sign_url(URL, KEY, seclevel=SecLevel.USEONCE, **PLAIN) == sign_url(URL, KEY, seclevel=16, **PLAIN)
    assert split_url(sign_url(URL, KEY, seclevel=SecLevel(1 << 20), **PLAIN)).seclevel == 1 << 20


def test_an_empty_query_is_dropped() -> None:
    assert sign_url(URL + "?", KEY, **PLAIN) == sign_url(URL, KEY, **PLAIN)


def test_a_member_nobody_knows_is_no_list() -> None:
    packed = base64.urlsafe_b64encode(zlib.compress(b"zz=1&cc")).decode()
    assert unpack(packed) == ("", "")
