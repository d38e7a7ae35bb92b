"""What a signature costs, beside the same one by the old clients."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType

from measure import Effort, Peer, Work, compare
from old_clients import NEEDS, old_client
from table import Row

from cloudreel.cloudkey.nonces import fresh_nonce
from cloudreel.core.call import Request
from cloudreel.panda.signer import HmacSigner
from cloudreel.signing import (
    SecLevel,
    drm_token,
    normalize,
    sign_url,
    sign_urls,
    signed_params,
    verify_request,
    verify_url,
)
from cloudreel.signing.calls import wire_and_sign
from cloudreel.signing.digest import md5

OWNER, MEDIUM = "0123456789abcdef01234567", "4c922386dede830447000009"
URL = f"http://cdn.dmcloud.net/route/{OWNER}/{MEDIUM}/mp4_h264_aac.mp4"
KEY = "00112233445566778899aabbccddeeff00112233"
BULK = 200
LEVEL = int(SecLevel.IP | SecLevel.COUNTRY | SecLevel.REFERER)
IP, COUNTRIES, REFERERS = "195.8.215.138", ["fr", "us"], ["http://www.example.com/"]

SMALL: dict[str, object] = {"id": MEDIUM, "fields": ["id", "meta.title"]}
DEEP: dict[str, object] = {
    "fields": [f"meta.{n}" for n in range(20)],
    "filter": {
        "created": {"from": 1400000000, "to": 1500000000},
        "meta": {f"k{n}": {"is": f"text{n}", "not": n} for n in range(12)},
    },
    "page": 2,
    "per_page": 100,
}
PARAMS: dict[str, object] = {
    "file_name": "a film.mp4",
    "file_size": 104857600,
    "multi_chunk": "true",
    "path_format": ":video_id/:profile",
    "payload": "from a benchmark",
    "profiles": "h264,webm",
    "source": "http://example.com/a b.mp4?x=1",
    "title": "été",
}
PAGE: dict[str, object] = {"page": 2, "per_page": 100}
HOST = "api.example.com"
SCOPE = {"access_key": "my_access_key", "factory_id": "my_factory"}
SECRET = "my_secret_key"
POST = ("POST", "/videos/upload.json")
GET = ("GET", "/videos.json")
MOMENT = 1_767_323_045.678901
STAMP = "2026-01-02T03:04:05.678901+00:00"


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each signer and verifier, and for those of many at once."""
    yield from urls(effort)
    yield from calls(effort)
    yield from requests(effort)


def urls(effort: Effort) -> Iterator[Row]:
    """Yield what signed URLs of CloudKey cost."""

    def ours() -> str:
        return sign_url(URL, KEY, expires=int(time.time()) + 7200, nonce=fresh_nonce())

    def bulk() -> list[str]:
        nonces = [fresh_nonce() for _ in range(count)]
        return sign_urls([URL] * count, KEY, expires=int(time.time()) + 7200, nonces=nonces)

    def bound() -> str:
        return sign_url(
            URL,
            KEY,
            expires=int(time.time()) + 7200,
            nonce=fresh_nonce(),
            seclevel=LEVEL,
            ip=IP,
            countries=COUNTRIES,
            referers=REFERERS,
        )

    def old_bound(old: ModuleType) -> Work:
        return partial(old.sign_url, URL, KEY, seclevel=LEVEL, ip=IP, countries=COUNTRIES, referers=REFERERS)

    def floor() -> str:
        return f"{URL}?auth=1900000000-0-abcd1234-{md5(message).hexdigest()}"

    count = effort.count(BULK)
    message = f"0{URL}1900000000abcd1234{KEY}".encode()
    signed = sign_url(URL, KEY, expires=1_900_000_000, nonce="abcd1234")
    peer = cloudkey(lambda old: partial(old.sign_url, URL, KEY))
    many = cloudkey(lambda old: lambda: [old.sign_url(URL, KEY) for _ in range(count)])
    yield compare("CloudKey URL signed", ours, peer, effort, target=0.24, floor=floor)
    yield compare(f"{count} CloudKey URLs signed, each", bulk, many, effort, target=0.15, per=count)
    yield compare("CloudKey URL for an IP, countries, pages", bound, cloudkey(old_bound), effort)
    yield compare("CloudKey URL verified", partial(verify_url, signed, KEY, now=MOMENT), peer, effort)


def calls(effort: Effort) -> Iterator[Row]:
    """Yield what signed calls and tokens of CloudKey cost."""

    def old_sign(arguments: dict[str, object]) -> Peer:
        def make(old: ModuleType) -> Work:
            head = f"{OWNER}args"
            return lambda: old.sign(KEY, f"{head}{old.normalize(arguments)}callmedia.list")

        return cloudkey(make)

    def old_token(old: ModuleType) -> Work:
        return partial(old.gen_drm_token, OWNER, MEDIUM, KEY, rights={"play": "yes"}, expires=1_900_000_000)

    text = normalize(DEEP)
    message = f"{OWNER}args{text}callmedia.list{KEY}".encode()
    sizes = {"small": SMALL, f"of {len(text)} characters": DEEP}
    for name, arguments in sizes.items():
        ours = partial(wire_and_sign, OWNER, KEY, "media.list", arguments)
        yield compare(
            f"CloudKey call signed, {name}",
            ours,
            old_sign(arguments),
            effort,
            target=0.54 if arguments is DEEP else None,
            floor=(lambda: md5(message).hexdigest()) if arguments is DEEP else None,
        )
    token = partial(
        drm_token, OWNER, MEDIUM, KEY, expires=1_900_000_000, nonce="abcd1234", rights={"play": "yes"}
    )
    yield compare("CloudKey DRM token", token, cloudkey(old_token), effort)


def requests(effort: Effort) -> Iterator[Row]:
    """Yield what signed requests of Panda and Telestream cost, from parameters to the query on the wire."""
    signer = HmacSigner(HOST, SCOPE["access_key"], SECRET, factory_id=SCOPE["factory_id"])
    key, outer = hashlib.sha256(SECRET.encode()), hashlib.sha256(SECRET.encode())
    pairs = [f"{name}={value}" for name, value in PARAMS.items()]

    def floor() -> bytes:
        inner, last = key.copy(), outer.copy()
        inner.update("&".join(sorted(pairs)).encode())
        last.update(inner.digest())
        return last.digest()

    for name, (verb, path), params in (("11 parameters", POST, PARAMS), ("5 parameters", GET, PAGE)):
        request = Request(verb, path, params)
        yield compare(
            f"Telestream request signed, {name}",
            partial(signer, request, MOMENT),
            Peer("telestream-cloud", partial(telestream, verb, path, params), needs=("telestream_cloud",)),
            effort,
            target=0.09 if params is PARAMS else None,
            floor=floor if params is PARAMS else None,
        )
    panda = Peer("panda", partial(old_panda, *POST, PARAMS), needs=(*NEEDS, "panda"))
    yield compare(
        "Panda request signed, 11 parameters", partial(signer, Request(*POST, PARAMS), MOMENT), panda, effort
    )
    signed = partial(signed_params, *POST, PARAMS, secret_key=SECRET, host=HOST, timestamp=STAMP, **SCOPE)
    verify = partial(
        verify_request, signed(), secret_key=SECRET, verb=POST[0], host=HOST, path=POST[1], now=MOMENT
    )
    signing = Peer("telestream-cloud", partial(telestream, *POST, PARAMS), "signs", ("telestream_cloud",))
    yield compare("Telestream request verified", verify, signing, effort)


def cloudkey(make: Callable[[ModuleType], Work]) -> Peer:
    """Return the old client of CloudKey as a peer."""
    return Peer("cloudkey", lambda: make(old_client("cloudkey")), needs=(*NEEDS, "cloudkey"))


def telestream(verb: str, path: str, params: dict[str, object]) -> Work:
    """Return what makes and signs a request in the old client of Telestream."""
    from telestream_cloud.request import TelestreamCloudRequest

    account = {**SCOPE, "secret_key": SECRET, "api_host": HOST, "api_port": 443, "api_version": "3.0"}
    return lambda: TelestreamCloudRequest(verb, path, account, dict(params))


def old_panda(verb: str, path: str, params: dict[str, object]) -> Work:
    """Return what makes and signs a request in the old client of Panda."""
    request = old_client("panda").request.PandaRequest
    account = {
        "cloud_id": "my_cloud",
        "access_key": SCOPE["access_key"],
        "secret_key": SECRET,
        "api_host": HOST,
        "api_port": 443,
        "api_version": 2,
    }
    return lambda: request(verb, path, account, dict(params))
