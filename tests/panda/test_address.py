"""The one-line address of an account, as it stands in PANDASTREAM_URL."""

from __future__ import annotations

import pytest

from cloudreel.errors import CloudReelError
from cloudreel.panda.address import Address, read_address


def address(port: int, host: str = "api.example", cloud_id: str | None = "0f3c") -> Address:
    return {
        "access_key": "4b1e",
        "secret_key": "9ac2",
        "cloud_id": cloud_id,
        "api_host": host,
        "api_port": port,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://4b1e:9ac2@api.example:443/0f3c", address(443)),
        ("http://4b1e:9ac2@api.example:443/0f3c", address(443)),
        ("https://4b1e:9ac2@api.example:8080/0f3c\n", address(8080)),
        ("https://4b1e:9ac2@api.example/0f3c/", address(443)),
        ("http://4b1e:9ac2@api.example/0f3c", address(80)),
        ("https://4b1e:9ac2@api.example:443", address(443, cloud_id=None)),
        ("https://4b1e:9ac2@[::1]:81/0f3c", address(81, "::1")),
        ("https://4%62%31e:9ac%32@api.example:443/0f3c", address(443)),
    ],
)
def test_an_address(text: str, expected: Address) -> None:
    assert read_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "s3cret",
        "ftp://4b1e:s3cret@api.example/0f3c",
        "https://s3cret@api.example/0f3c",
        "https://:s3cret@api.example/0f3c",
        "https://4b1e:s3cret@/0f3c",
        "https://4b1e:s3cret@api.example:port/0f3c",
        "https://4b1e:s3cret@api.example:99999/0f3c",
        "https://4b1e:s3cret@[::1/0f3c",
    ],
)
def test_what_is_none_is_told_without_its_secret(text: str) -> None:
    with pytest.raises(CloudReelError, match="PANDASTREAM_URL must read") as caught:
        read_address(text)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
