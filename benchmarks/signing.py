"""What a signature costs, beside the old client's and beside nothing but the hash."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from importlib.metadata import version

from run import Row, compare
from telestream_cloud.request import TelestreamCloudRequest

from cloudreel.signing import SecLevel, sign_call, sign_url, sign_urls, signed_params

URL = "http://cdn.dmcloud.net/route/0123456789abcdef01234567/4c922386dede830447000009/mp4_h264_aac.mp4"
KEY = "00112233445566778899aabbccddeeff00112233"
PARAMS = {
    "file_name": "a film.mp4",
    "file_size": 104857600,
    "multi_chunk": "true",
    "path_format": ":video_id/:profile",
    "payload": "from a benchmark",
    "profiles": "h264,webm",
    "source": "http://example.com/a b.mp4?x=1",
    "title": "été",
}
SCOPE = {"access_key": "my_access_key", "secret_key": "my_secret_key", "factory_id": "my_factory"}
NOW = "2026-01-02T03:04:05.678901+00:00"


def rows() -> Iterator[Row]:
    """Yield one row a question."""
    old = {**SCOPE, "api_host": "api.example.com", "api_port": 443, "api_version": "3.0"}
    message = f"4{URL}1900000000abcd1234{KEY}195.8.215.138".encode()
    args = {"fields": ["id", "created", "meta.title"], "page": 2, "per_page": 20}

    def url() -> str:
        return sign_url(
            URL, KEY, expires=1900000000, nonce="abcd1234", seclevel=SecLevel.IP, ip="195.8.215.138"
        )

    def bulk() -> list[str]:
        return sign_urls([URL] * 200, KEY, expires=1900000000, nonces=["abcd1234"] * 200)

    def request() -> dict[str, str]:
        return signed_params(
            "POST", "/videos/upload.json", PARAMS, host="api.example.com", timestamp=NOW, **SCOPE
        )

    def old_request() -> str:
        made = TelestreamCloudRequest("POST", "/videos/upload.json", old, dict(PARAMS), NOW)
        return str(made.requests_url)

    yield compare("sign_url", url, "hashlib.md5 of the message", lambda: hashlib.md5(message).hexdigest())
    yield compare("sign_urls, 200 of them", bulk, "sign_url 200 times", lambda: [url() for _ in range(200)])
    yield compare(
        "sign_call",
        lambda: sign_call("0123456789abcdef01234567", KEY, "media.list", args),
        "hashlib.md5 of the message",
        lambda: hashlib.md5(message).hexdigest(),
    )
    yield compare(
        "signed_params, 11 parameters",
        request,
        f"telestream-cloud {version('telestream-cloud')}",
        old_request,
    )
    yield compare(
        "signed_params, 11 parameters",
        request,
        "hmac.new of the message",
        lambda: hmac.new(KEY.encode(), message, "sha256").digest(),
    )
