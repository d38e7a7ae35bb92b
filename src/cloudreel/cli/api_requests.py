"""Requests of Panda and Telestream as a command line names them: where they go, and with what. PURE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from attrs import frozen

HOSTS: Final = {
    "telestream": "https://api-gce.pandastream.com/v3.0",
    "panda": "https://api.pandastream.com/v2",
}
VERSIONS: Final = {"telestream": "/v3.0", "panda": "/v2"}
SCOPES: Final = {"telestream": "factory_id", "panda": "cloud_id"}


@frozen
class Address:
    """Where a request goes: ``base`` with its version, ``host`` and ``path`` as they are signed."""

    service: str
    base: str
    host: str
    path: str
    query: Mapping[str, str]

    @classmethod
    def read(cls, url: str, service: str | None, environment: Mapping[str, str]) -> Address:
        """Read a path such as ``/videos.json``, or a whole URL.

        Args:
            url: what to read; its query becomes parameters.
            service: which is meant; a whole URL says so itself.
            environment: ``<SERVICE>_BASE_URL`` says where the service is, for a path.

        Raises:
            ValueError: it is neither a path nor a URL of one of the two services.
        """
        if url.startswith("/"):
            name = service or "telestream"
            base = environment.get(f"{name.upper()}_BASE_URL")
            url = f"{base.rstrip('/')}{VERSIONS[name]}{url}" if base else f"{HOSTS[name]}{url}"
        parts = urlsplit(url)
        name = next((name for name, version in VERSIONS.items() if parts.path.startswith(f"{version}/")), "")
        if parts.scheme not in ("http", "https") or not parts.netloc or not name:
            raise ValueError(
                f"{url.partition('?')[0]!r} is neither a path, as /videos.json, nor a URL with /v2/ or /v3.0/"
            )
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        version = VERSIONS[name]
        base = f"{parts.scheme}://{parts.netloc}{version}"
        return cls(name, base, parts.netloc, parts.path.removeprefix(version), query)


def read_params(pairs: Iterable[str]) -> dict[str, str]:
    """Read parameters, each ``NAME=VALUE``.

    Raises:
        ValueError: one has no ``=``.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise ValueError(f"{pair!r} is not NAME=VALUE")
        found[name] = value
    return found
