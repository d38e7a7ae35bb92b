"""Credentials and endpoints from environment variables."""

from __future__ import annotations

import pytest

from cloudreel.core import environment
from cloudreel.errors import CloudReelError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without any of the variables."""
    for name in ("KEY", "ACME_BASE_URL", "ACME_API_HOST", "ACME_API_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_not_set_or_empty_is_missing(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("KEY", value)
    assert environment.optional("KEY") is None
    with pytest.raises(CloudReelError, match="The environment variable KEY is not set"):
        environment.required("KEY")


def test_what_is_set_is_read_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("a", "b"):
        monkeypatch.setenv("KEY", value)
        assert environment.required("KEY") == environment.optional("KEY") == value


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, {}),
        ({"BASE_URL": "http://h.test"}, {"scheme": "http", "api_host": "h.test", "api_port": 80}),
        ({"BASE_URL": "https://h.test/"}, {"scheme": "https", "api_host": "h.test", "api_port": 443}),
        ({"BASE_URL": "http://h.test:8080"}, {"scheme": "http", "api_host": "h.test", "api_port": 8080}),
        ({"BASE_URL": "http://[::1]:81"}, {"scheme": "http", "api_host": "::1", "api_port": 81}),
        ({"API_HOST": "h.test"}, {"api_host": "h.test"}),
        ({"API_PORT": "81"}, {"api_port": "81"}),
        ({"API_HOST": "h.test", "API_PORT": "81"}, {"api_host": "h.test", "api_port": "81"}),
        (
            {"BASE_URL": "https://h.test", "API_HOST": "other.test", "API_PORT": "81"},
            {"scheme": "https", "api_host": "other.test", "api_port": "81"},
        ),
    ],
)
def test_an_endpoint_is_what_the_environment_says_of_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], found: dict[str, str | int]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"ACME_{name}", value)
    assert environment.endpoint("ACME") == found


@pytest.mark.parametrize(
    "base", ["h.test", "ftp://h.test", "http://", "/v3.0", "http://h.test:port", "http://["]
)
def test_a_base_url_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    monkeypatch.setenv("ACME_BASE_URL", base)
    with pytest.raises(CloudReelError, match="ACME_BASE_URL is no http"):
        environment.endpoint("ACME")
