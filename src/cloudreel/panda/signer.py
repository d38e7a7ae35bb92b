"""How requests to Panda and Telestream are addressed and signed. PURE. Facts: panda.md 1 to 4."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from attrs import field, frozen

from cloudreel.core import codec
from cloudreel.core.call import Credential, Request, reveal
from cloudreel.signing.requests import RequestSigner


class _Prepared:
    """The signer of the secret that was used last, which is hashed once."""

    def __init__(self) -> None:
        self._kept: tuple[str, RequestSigner] | None = None  # one value, so that threads cannot mix two

    def signer(self, secret: str) -> RequestSigner:
        """Return what signs with a secret."""
        kept = self._kept
        if kept is None or kept[0] != secret:
            kept = self._kept = (secret, RequestSigner(secret))
        return kept[1]


@frozen
class HmacSigner:
    """Signs requests for one access key and one cloud or factory; a `cloudreel.core.call.Signer`."""

    host: str
    access_key: Credential
    secret_key: Credential = field(repr=False)
    cloud_id: str | None = None
    factory_id: str | None = None
    _prepared: _Prepared = field(factory=_Prepared, init=False, repr=False, eq=False)

    def __call__(self, request: Request, now: float) -> Request:
        """Return the request with its query, signed at ``now``, UNIX seconds."""
        query = self._prepared.signer(reveal(self.secret_key)).signed_query(
            request.method,
            request.path,
            wire_params(request.params),
            access_key=reveal(self.access_key),
            host=self.host,
            timestamp=timestamp(now),
            cloud_id=self.cloud_id,
            factory_id=self.factory_id,
        )
        return request.with_query(query)

    def params(self, verb: str, path: str, params: Mapping[str, object] | None, now: float) -> dict[str, str]:
        """Return all parameters of a request, the signature among them."""
        return self._prepared.signer(reveal(self.secret_key)).signed_params(
            verb,
            path,
            wire_params(params or {}),
            access_key=reveal(self.access_key),
            host=self.host,
            timestamp=timestamp(now),
            cloud_id=self.cloud_id,
            factory_id=self.factory_id,
        )


def timestamp(now: float) -> str:
    """Return the ISO 8601 time of a signature, always with microseconds and zone (panda.md 3.5)."""
    second, microsecond = divmod(round(now * 1_000_000), 1_000_000)
    return f"{_until_second(second)}.{microsecond:06}+00:00"


@lru_cache(maxsize=16)
def _until_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


def wire_params(params: Mapping[str, object]) -> Mapping[str, object]:
    """Return parameters as they are signed: ``pipeline`` is the one mapping that goes as JSON text."""
    pipeline = params.get("pipeline")
    if pipeline is None or isinstance(pipeline, str):
        return params
    return {**params, "pipeline": codec.to_json_text(pipeline)}


def base_url(scheme: str | None, host: str, port: int | str, version: str) -> str:
    """Return the URL that paths are appended to; the port is written unless it is 80 (panda.md 1)."""
    chosen = scheme or ("https" if str(port) == "443" else "http")
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{chosen}://{name}{'' if str(port) == '80' else f':{port}'}/v{version}"
