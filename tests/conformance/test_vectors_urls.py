"""Signed CloudKey URLs of both eras, as its own clients made them.

The tables are those of the protocol notes (cloudkey-rpc.md 12.2, 19.2, cloudkey-rest.md 16.3);
`cloudkey_sign_url.json` was made by running the released Python clients. The public part is compressed, and
another zlib may compress to other bytes: it is compared unpacked, and the URL of the vector is verified as it
stands.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloudreel.signing import SecLevel, sign_url, verify_url
from cloudreel.signing.public import unpack
from cloudreel.signing.url_checks import split_url

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors" / "cloudkey_sign_url.json").read_text(encoding="utf-8")
)

U = "0123456789abcdef01234567"
K = "00112233445566778899aabbccddeeff00112233"
M = "4c922386dede830447000009"
E = f"http://api.dmcloud.net/embed/{U}/{M}"
C = f"http://cdn.dmcloud.net/route/{U}/{M}/mp4_h264_aac.mp4"
S = f"http://api.dmcloud.net/swf/stream/{U}/{M}"
CDN = "http://cdn.dmcloud.net/route"
AT = 1700000000
VIEWER = {"asnum": "AS41690", "ip": "195.8.215.138", "useragent": "Mozilla/5.0"}
PAGES = ["http://a.example/x y/", "http://b.example/"]

URLS: list[tuple[str, int, int, dict[str, Any], str]] = [
    (E, AT, 0, {}, "10565146408730fe97e5caaf9943bb31"),
    (E.replace("http:", "https:"), AT, 0, {}, "880423c49413270edaa57845e7c72fdd"),
    (E, AT, 16, {}, "1c1b8e9e10218af391ad83321e12047b"),
    (C, AT, 0, {}, "be1ae1c02efb0a93485c0d31f8ad38db"),
    (C, AT, 3, {}, "a959c2f1a5c35b05d0a7ddede76433d3"),
    (C, AT, 14, VIEWER, "9ad0c655b3482746331ac66eca4dafe4"),
    (E, AT, 32, {"countries": ["FR", "gb"]}, "43bb0be25a08c79ff9f690d94aece83c-eJxLTrZNK9JJTwIADL0C0Q=="),
    (
        E,
        AT,
        96,
        {"countries": ["-", "fr", "it"], "referers": PAGES},
        (
            "e744198cff9bac42669488c75c018f6f-eJxLTrbVTSvSySxRK0qzzSgpKVA1dlQ1cgOiRL3UisTcgpxUILtC1cjUyKASyNJGUZOEpAYAU2MW"
            "Sw=="
        ),
    ),
    (
        E,
        AT,
        32768,
        {"referers": ["http://a.example/"]},
        "2c3a66884a5682783770a33e064a2183-eJwrSrPNKCkpUDV2VDVyA6JEvdSKxNyCnFQgGwCBUQjB",
    ),
    (E, AT, 97, {}, "669302c77f18cf397ba2f3805ad3994e"),
    (
        f"{CDN}/http/{U}/{M}/mp4_h264_aac.mp4?filename=my+clip.mp4",
        AT,
        0,
        {},
        "8cefc43515197fca8e4fadfa2c5d025b",
    ),
    (f"http://api.dmcloud.net/player/swf/{U}/{M}", AT, 0, {}, "83e2e858676d2e149d885c60200e747d"),
    (f"http://api.dmcloud.net/stream/{U}/{M}.mov", AT, 0, {}, "16415748844ee610e41b3a1c259030e5"),
    (f"http://api.dmcloud.net/qtref/{U}/{M}.mov", AT, 0, {}, "9e8c846fc0d8174937e56ca77b315af7"),
    (f"{CDN}/hls/{U}/{M}/mp4_h264_aac-42.mp4", AT, 0, {}, "68001f75c28b7fd79af42f4e146028bc"),
    (f"{CDN}/hls/{U}/{M}/abs", AT, 0, {}, "d5e4cd7fef85ff9e5c1a98d58f11af79"),
    (f"{CDN}/hds/{U}/{M}/abs_fa", AT, 0, {}, "f0438daad250c2da209f92b97d81180c"),
    (f"{CDN}/dash/{U}/{M}/mp4_h264_aac.mp4", AT, 0, {}, "e6c8880c72a2ce2f5e996c1923c8b454"),
    (f"{CDN}/{U}/{M}/source.source", AT, 0, {}, "88ab89603c647749c3f3c849df18cca3"),
    # The REST era.
    (S, 0, 0, {}, "22657d0e158953cf4e648cd37b435ee8"),
    (S, AT, 0, {}, "ec6ba775e7d62047bb7af63e16cfcc1f"),
    (S, AT, 3, {}, "0816225ccbc015dc2593ee692969d169"),
    (S, AT, 14, VIEWER, "46a6613973a7d51870acf920ffd137c1"),
    (S, AT, 16, {}, "cba693a68c5ec89c29b902c9868ed90f"),
    (f"{CDN}/{U}/{M}/flv_h263_mp3.flv", AT, 0, {}, "430b7e94a4ecd54d6909f03f31bc8f26"),
]


def check(url: str, api_key: str, expected: str, nonce: str, **options: Any) -> None:
    """Sign as asked and compare with `expected`, which must verify for the viewer it was made for."""
    signed, given = split_url(sign_url(url, api_key, nonce=nonce, **options)), split_url(expected)
    if given.public:
        assert signed[:4] == given[:4]
        assert unpack(signed.public) == unpack(given.public)
    else:
        assert sign_url(url, api_key, nonce=nonce, **options) == expected
    viewer = {name: options[name] for name in ("asnum", "ip", "useragent") if name in options}
    country = next((name for name in options.get("countries") or [] if name != "-"), "fr")
    if (options.get("countries") or [""])[0] == "-":
        country = "zz"
    referer = (options.get("referers") or ["http://anywhere.example/"])[0]
    verdict = verify_url(
        expected, api_key, now=options["expires"], country=country, referer=referer, **viewer
    )
    assert verdict, verdict.explain()


@pytest.mark.parametrize("case", RECORDED)
def test_recorded(case: dict[str, Any]) -> None:
    arguments = dict(case["args"])
    check(arguments.pop("url"), arguments.pop("api_key"), case["expect"], case["nonce"], **arguments)


@pytest.mark.parametrize(("url", "expires", "seclevel", "options", "end"), URLS)
def test_signed_url(url: str, expires: int, seclevel: int, options: dict[str, Any], end: str) -> None:
    mark = "&" if "?" in url else "?"
    expected = f"{url}{mark}auth={expires}-{seclevel}-abcd1234-{end}"
    check(url, K, expected, "abcd1234", expires=expires, seclevel=seclevel, **options)


def test_referers_signed_before_they_were_known() -> None:
    """Release 1.2.7 did not know the bit and wrote no list: the digest is right, and nobody is listed."""
    url = f"{E}?auth={AT}-32768-abcd1234-5eb294e399b67bbb0e8388c8dd0e9ceb"
    assert verify_url(url, K, now=AT, referer="http://a.example/").reason == "referer"


@pytest.mark.parametrize(
    ("countries", "text"), [(["FR", "gb"], "fr,gb"), (["-", "fr", "it"], "-fr,it"), (["fr"], "fr")]
)
def test_countries(countries: list[str], text: str) -> None:
    url = sign_url(E, K, expires=AT, nonce="abcd1234", seclevel=SecLevel.COUNTRY, countries=countries)
    assert unpack(split_url(url).public).countries == text


def test_referers() -> None:
    url = sign_url(E, K, expires=AT, nonce="abcd1234", seclevel=SecLevel.REFERER, referers=PAGES)
    assert unpack(split_url(url).public).referers == "http://a.example/x%20y/ http://b.example/"


def test_levels() -> None:
    names = {member.name: int(member) for member in SecLevel}
    assert SecLevel(0).name == "NONE"
    assert names == {
        "DELEGATE": 1,
        "ASNUM": 2,
        "IP": 4,
        "USERAGENT": 8,
        "USEONCE": 16,
        "COUNTRY": 32,
        "REFERER": 64,
        "REFERER_STRICT": 32768,
    }
