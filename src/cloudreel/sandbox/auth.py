"""Who asks: reading a signed request of the Panda family and deciding whether to believe it.

Parameters travel in the query, in a form or in a multipart body, in any mixture; the signature covers the
decoded whole (panda.md sections 2 and 3). Signature version 2 signs the query, which holds a digest of a JSON
body (telestream.md section 4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
from attrs import define, field, frozen

from cloudreel.sandbox.forms import ReceivedFile, decode_form, read_body, read_form, whole_number
from cloudreel.sandbox.journal import note
from cloudreel.sandbox.refusals import Refusal, bad_request, missing_parameters, not_found
from cloudreel.signing import verify_request

if TYPE_CHECKING:
    from starlette.requests import Request

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document
    from cloudreel.signing import Verdict

__all__ = ["ApiRequest", "Service", "receive"]

_AUTH = ("access_key", "signature", "timestamp")
_NOT_FOR_HANDLERS = {*_AUTH, "signature_version", "checksum"}
_REPLAY_SECONDS = 3600.0


@frozen
class Service:
    """What tells one member of the Panda family from another."""

    name: str
    """Also the name of its credentials in the sandbox's configuration."""
    prefix: str
    scope: str
    """What an account is divided into: ``factory``."""
    scopes: str
    """Its plural, as in paths."""
    scope_names: tuple[str, ...]
    """The parameter that names it, its usual name first."""
    by_parts: bool
    """Whether an upload session may be asked for parts, with ``multi_chunk``."""

    @property
    def scope_model(self) -> str:
        """The name error messages use."""
        return self.scope.capitalize()


@define
class ApiRequest:
    """A request that may be answered: signed, in time, not seen before.

    ``params`` are decoded; a nested one is ``outer[inner]``, those of a JSON body may be any JSON value.
    ``world`` and ``service`` are what it is answered with.
    ``scope`` is the stored factory or cloud the request is about, None where it is about none.
    """

    world: World
    service: Service
    params: dict[str, JSON]
    path: Mapping[str, str]
    scope: Document | None
    file: ReceivedFile | None = field(default=None)

    @property
    def scope_id(self) -> str:
        """The id of the factory or cloud the request is about."""
        if self.scope is None:
            raise missing_parameters(self.service.scope_names[:1])
        id: str = self.scope["id"]
        return id

    def text(self, name: str) -> str | None:
        """Return one parameter as text; None if it is absent or empty. A list is joined by commas."""
        value = self.params.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list):
            return ",".join(str(item) for item in value)
        return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)

    def now(self) -> float:
        """Return the sandbox's time as epoch seconds."""
        return self.world.clock.now()

    def whole(self, name: str, default: int, *, low: int) -> int:
        """Return one parameter as a whole number of at least ``low``.

        Raises:
            Refusal: it is something else.
        """
        text = self.text(name)
        if text is None:
            return default
        value = whole_number(text)
        if value is None or value < low:
            raise bad_request(f"{name} must be a whole number of at least {low}, not {text[:40]}")
        return value

    def flag(self, name: str) -> bool:
        """Say whether a parameter is set to something like true."""
        return (self.text(name) or "").lower() in {"true", "1"}


async def receive(request: Request, world: World, service: Service) -> ApiRequest:
    """Read a request and check it; its file, if any, is stored and the caller's to keep or discard.

    Raises:
        Refusal: for whatever is wrong with it: 400, 401 or 404 as in panda.md section 6.
    """
    query = decode_form(request.scope["query_string"])
    file = None
    if request.headers.get("content-type", "").startswith("application/json"):
        signed = query
        params: dict[str, JSON] = {**query, **await _read_json(request, query)}
    else:
        form = await read_form(request, world.store.folder("incoming"))
        file = form.file
        signed = {**query, **form.fields}
        params = {**signed}
    try:
        _check_signature(request, world, service, signed)
        scope = None if _is_about_scopes(request, service) else _find_scope(world, service, params)
    except Refusal:
        if file is not None:
            file.discard()
        raise
    hidden = {*_NOT_FOR_HANDLERS, *service.scope_names}
    params = {name: value for name, value in params.items() if name not in hidden}
    return ApiRequest(world, service, params, request.path_params, scope, file)


async def _read_json(request: Request, query: Mapping[str, str]) -> dict[str, JSON]:
    body = await read_body(request)
    if not body:
        return {}
    if query.get("signature_version") != "2":
        raise bad_request("A JSON body needs signature_version=2 and its checksum in the query")
    if query.get("checksum") != hashlib.sha256(body).hexdigest():
        message = "Signatures do not match"
        raise Refusal(401, "NotAuthorized", message, "checksum is not the SHA-256 of the body that arrived")
    try:
        document: JSON = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The body is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise bad_request("The body is no JSON object")
    return document


def _check_signature(request: Request, world: World, service: Service, signed: Mapping[str, str]) -> None:
    if any(not signed.get(name) for name in _AUTH):
        raise missing_parameters(_AUTH)
    if not world.strict:
        return
    credentials = world.credentials[service.name]
    if signed["access_key"] != credentials["access_key"]:
        explain = "The access_key is not the one in the sandbox's configuration"
        raise Refusal(401, "NotAuthorized", "Signatures do not match", explain)
    verdict = _verify(request, world, service, signed, credentials["secret_key"])
    note(request, verdict=verdict)
    if not verdict:
        raise Refusal(401, "NotAuthorized", verdict.message, verdict.explain())
    now = world.clock.now()
    if request.method == "POST":
        fresh = world.store.use_signature(signed["signature"], now=now, until=now + _REPLAY_SECONDS)
        if not fresh:
            explain = "A POST is accepted once: sign again, with a new timestamp, for every attempt"
            raise Refusal(401, "NotAuthorized", "Signature already used", explain)


def _verify(
    request: Request, world: World, service: Service, signed: Mapping[str, str], secret_key: str
) -> Verdict:
    """Verify against the host the client asked for, or the one it was told: ports may be forwarded."""
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw_path.partition(b"?")[0].decode("latin-1").removeprefix(service.prefix)

    def verdict(host: str) -> Verdict:
        return verify_request(
            signed,
            secret_key=secret_key,
            verb=request.method,
            host=host,
            path=path,
            now=world.clock.now(),
        )

    asked = verdict(request.headers.get("host", ""))
    return asked or verdict(urlsplit(world.base_url).netloc) or asked


def _is_about_scopes(request: Request, service: Service) -> bool:
    # Not of request.url: before Starlette 1.10, its path ends at a decoded ? or #.
    path: str = request.scope["path"]
    return path.startswith((f"{service.prefix}/{service.scopes}.", f"{service.prefix}/{service.scopes}/"))


def _find_scope(world: World, service: Service, params: Mapping[str, JSON]) -> Document:
    ids = {str(params[name]) for name in service.scope_names if params.get(name)}
    if len(ids) > 1:
        raise bad_request(f"{' and '.join(service.scope_names)} name different ones: send one of them")
    if not ids:
        raise missing_parameters(service.scope_names[:1])
    id = ids.pop()
    scope = world.store.get(service.scope, id)
    if scope is None:
        raise not_found(service.scope_model, id)
    return scope
