"""Signed requests of Panda and Telestream: HMAC-SHA256 over verb, host, path and canonical query."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from hmac import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cloudreel.errors import SigningError
from cloudreel.signing.digest import HmacKey, utf8
from cloudreel.signing.mistakes import request_mistakes
from cloudreel.signing.params import escape, flat, query_of, texts_of
from cloudreel.signing.plain import plain_query
from cloudreel.signing.verdict import Verdict, hide

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "RequestSigner",
    "canonical_host",
    "canonical_path",
    "parse_timestamp",
    "sign_request",
    "signed_params",
    "string_to_sign",
    "verify_request",
    "window",
]

# Space, TAB, LF, CR, NUL, VT and the slash (panda.md 3.2).
_STRIPPED = " \t\n\r\0\x0b/"
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_UPLOADS = ("/videos.json", "/videos/upload.json")


class RequestSigner:
    """Signs many requests with one secret, which is hashed once and kept in no other form.

    `sign_request` and `signed_params` are this class used for a single request.
    """

    __slots__ = ("_key",)

    def __init__(self, secret_key: str) -> None:
        self._key = HmacKey(secret_key)

    def sign(self, verb: str, host: str, path: str, params: Mapping[str, object]) -> str:
        """Return the signature of a request; arguments and errors as those of `sign_request`."""
        return self._sign(verb, host, path, query_of(texts_of(params)))

    def signed_params(
        self,
        verb: str,
        path: str,
        params: Mapping[str, object] | None,
        *,
        access_key: str,
        host: str,
        timestamp: str,
        cloud_id: str | None = None,
        factory_id: str | None = None,
    ) -> dict[str, str]:
        """Return all parameters of a signed request; arguments and errors as those of `signed_params`."""
        texts = texts_of(params or {})
        texts.pop("signature", None)
        texts["access_key"] = access_key
        if cloud_id is not None:
            texts["cloud_id"] = cloud_id
        if factory_id is not None:
            texts["factory_id"] = factory_id
        texts["timestamp"] = timestamp
        wire = flat(texts)
        wire["signature"] = self._sign(verb, host, path, query_of(texts))
        return wire

    def signed_query(
        self,
        verb: str,
        path: str,
        params: Mapping[str, object] | None,
        *,
        access_key: str,
        host: str,
        timestamp: str,
        cloud_id: str | None = None,
        factory_id: str | None = None,
    ) -> str:
        """Return the query of a signed request as it goes on the wire: `signed_params`, percent-encoded once.

        For plain parameters it is the canonical query itself, so that each value is escaped only once.
        Arguments and errors are those of `signed_params`.
        """
        given = {**params} if params else {}
        given.pop("signature", None)
        given["access_key"] = access_key
        if cloud_id is not None:
            given["cloud_id"] = cloud_id
        if factory_id is not None:
            given["factory_id"] = factory_id
        given["timestamp"] = timestamp
        query = plain_query(given)
        if query is None:
            texts = texts_of(given)
            signed = self._sign(verb, host, path, query_of(texts))
            query = "&".join([f"{escape(name)}={escape(text)}" for name, text in flat(texts).items()])
        else:
            signed = self._sign(verb, host, path, query)
        signed = signed.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")  # all that base64 has
        return f"{query}&signature={signed}"

    def _sign(self, verb: str, host: str, path: str, query: str) -> str:
        if "?" in path:
            raise SigningError(
                f"the path {path!r} holds a query, which is signed apart: pass it as parameters"
            )
        text = string_to_sign(verb, _host_of_ours(host), canonical_path(path), query)
        return self._key.sign(utf8(text))


def sign_request(secret_key: str, verb: str, host: str, path: str, params: Mapping[str, object]) -> str:
    """Return the signature of a request: HMAC-SHA256 in base64, 44 characters (panda.md 3.4).

    Args:
        secret_key: the key that signs.
        verb: of HTTP, in any case.
        host: in any case; a port is dropped.
        path: without the version prefix.
        params: all parameters, ``access_key`` and ``timestamp`` among them, in the types that
            `canonical_query` takes.

    Raises:
        SigningError: a parameter has no text, or the path holds a query.
    """
    return RequestSigner(secret_key).sign(verb, host, path, params)


def signed_params(
    verb: str,
    path: str,
    params: Mapping[str, object] | None,
    *,
    access_key: str,
    secret_key: str,
    host: str,
    timestamp: str,
    cloud_id: str | None = None,
    factory_id: str | None = None,
) -> dict[str, str]:
    """Return `params` as text together with the parameters that sign them (panda.md 3.1).

    These are ``access_key``, ``timestamp``, ``cloud_id`` and ``factory_id`` where given, and ``signature``;
    they replace members of the same name. Nested mappings come back as ``outer[inner]``, None is left out. A
    ``file`` takes no part in the signature; it comes back if it is text and is left out otherwise.

    Args:
        verb: of HTTP, in any case.
        path: without the version prefix.
        params: of the call, None for none; not modified.
        access_key: the public key.
        secret_key: the key that signs.
        host: in any case; a port is dropped.
        timestamp: ISO-8601 with a zone, such as ``2015-08-03T09:15:27.123456+00:00``.
        cloud_id: the cloud that is spoken to (Panda).
        factory_id: the factory that is spoken to (Telestream).

    Raises:
        SigningError: as in `sign_request`.
    """
    return RequestSigner(secret_key).signed_params(
        verb,
        path,
        params,
        access_key=access_key,
        host=host,
        timestamp=timestamp,
        cloud_id=cloud_id,
        factory_id=factory_id,
    )


def verify_request(
    params: Mapping[str, object], *, secret_key: str, verb: str, host: str, path: str, now: float
) -> Verdict:
    """Say whether a request was signed with `secret_key`, and recently (panda.md sections 3 and 6).

    `params` are the parameters as decoded from query, form and multipart text fields together, nested ones as
    ``outer[inner]`` or as mappings. `path` is the path without the version prefix, as it came: a signature
    over it or over its percent-decoded form is accepted. `now` is the time in seconds since 1970. A timestamp
    without a zone is read as UTC.

    The signature binds verb, host name, path, names and texts of all parameters. It binds neither the port,
    nor the version prefix, nor ``file``, nor types (``1`` and ``"1"`` are alike), nor where the parameters
    travel. Whether the access key is known and the signature was used before is the caller's to check. Never
    raises for what a client can send.
    """
    signature, timestamp = params.get("signature"), params.get("timestamp")
    if not (params.get("access_key") and _is_text(signature) and _is_text(timestamp)):
        message = "All required parameters were not supplied: access_key, signature, timestamp"
        return Verdict(False, "missing", message)
    try:
        age = now - parse_timestamp(str(timestamp))
        texts = texts_of(params, wire=True)
        query = query_of(texts)
        verb, name, key = verb.upper(), canonical_host(host), HmacKey(secret_key)
        paths = dict.fromkeys((canonical_path(path), canonical_path(unquote(path))))
        accepted = [string_to_sign(verb, name, each, query) for each in paths]
        right = [key.sign(utf8(text)) for text in accepted]
    except SigningError as error:
        return Verdict(False, "malformed", error.message)

    verified = hide(accepted[0], secret_key)
    allowed = window(verb, path)
    if not abs(age) <= allowed:
        side = "behind" if age > 0 else "ahead of"
        cause = f"the timestamp is {abs(age):.0f} s {side} the verifier's clock, {allowed} s are allowed"
        return Verdict(False, "expired", "Signatures expired", verified, mistake=cause)

    given = str(signature)
    if any(_same(each, given) for each in right):
        return Verdict(True, verified_text=verified)
    repaired = unquote(given).replace(" ", "+")
    refusal = Verdict(False, "signature", "Signatures do not match", verified)
    if any(_same(each, repaired) for each in right):
        cause = "the signature was changed on its way: percent-encode it exactly once, + and / included"
        return refusal._replace(mistake=cause, signed_text=verified)
    for mistake, text in request_mistakes(verb, host, name, path, texts):
        if _same(key.sign(text.encode("utf-8", "surrogatepass")), given):
            return refusal._replace(mistake=mistake, signed_text=hide(text, secret_key))
    return refusal


def string_to_sign(verb: str, host: str, path: str, query: str) -> str:
    """Return the four lines that are hashed; host, path and query are canonical already."""
    return f"{verb.upper()}\n{host}\n{path}\n{query}"


def canonical_host(host: str) -> str:
    """Return `host` in lower case without its port; an IPv6 address in brackets."""
    host = host.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    name, _, rest = host.partition(":")
    return f"[{host}]" if ":" in rest else name


_host_of_ours = lru_cache(maxsize=16)(canonical_host)  # a client signs for few hosts; a verifier reads any


def canonical_path(path: str) -> str:
    """Return `path` without white space and slashes around it, with one slash in front (panda.md 3.2)."""
    return "/" + path.strip(_STRIPPED)


def parse_timestamp(text: str) -> float:
    """Return the seconds since 1970 of an ISO-8601 timestamp, in any shape clients send (panda.md 3.5).

    That is ``Z``, ``+hh:mm``, ``+hhmm`` or no zone (then UTC), and up to nine digits of a second's fraction.
    Raises SigningError for anything else.
    """
    try:
        if _TIMESTAMP.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError:  # a 13th month, a 61st second
        pass
    hint = "; its + must be sent as %2B" if " " in text else ""
    raise SigningError(f"the timestamp {text[:40]!r} is no ISO-8601 time{hint}")


def window(verb: str, path: str) -> int:
    """Return for how many seconds a signature is good: 30 minutes for uploads, else 5 (panda.md 3.6)."""
    return 1800 if verb.upper() == "POST" and canonical_path(path) in _UPLOADS else 300


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _same(right: str, given: str) -> bool:
    return compare_digest(right.encode(), given.encode("utf-8", "surrogatepass"))
