"""Signed CloudKey calls and DRM tokens: a value's canonical text and its MD5 (cloudkey-rpc.md 3, 4, 14)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING

from cloudreel.errors import SigningError
from cloudreel.signing.digest import md5_hex
from cloudreel.signing.plain_calls import float_text, plain_text
from cloudreel.signing.shapes import is_count, is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["drm_token", "normalize", "sign_call", "token_auth", "wire_and_sign", "wire_value"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def normalize(value: object) -> str:
    """Return the canonical text of `value`, which calls and DRM tokens hash (cloudkey-rpc.md section 3).

    Text stands for itself, None for nothing, booleans for ``true`` and ``false``; floats take twelve
    significant digits as in Python 2; aware datetimes become whole seconds since 1970. The items of a list
    follow each other without a mark between them, as do the keys and values of a mapping, sorted by the keys'
    text. Hence the text tells neither types nor boundaries apart: ``["ab", "c"]``, ``["a", "bc"]`` and
    ``"abc"`` are alike.

    Raises SigningError for what JSON or the service cannot take: bytes, nan, infinities, datetimes without a
    zone, other types, keys that are the same text, and nesting beyond the interpreter's stack.
    """
    text = plain_text(value)
    if text is not None:
        return text
    parts: list[str] = []
    try:
        _collect(value, parts.append)
    except RecursionError:
        raise SigningError("a value nested this deeply, or inside itself, cannot be signed") from None
    return "".join(parts)


def wire_value(value: object) -> object:
    """Return `value` as it goes into the JSON of a call: what `normalize` signs, in types JSON has.

    Datetimes become whole seconds, keys text, tuples lists; mappings and lists are copies.
    Raises SigningError as `normalize` does.
    """
    try:
        return _wired(value)
    except RecursionError:
        raise SigningError("a value nested this deeply, or inside itself, cannot be sent") from None


def sign_call(
    user_id: str,
    api_key: str,
    call: str,
    args: Mapping[str, object] | Sequence[object] | None,
    *,
    act_as_user: str | None = None,
) -> str:
    """Return the ``auth`` text of a call: who calls, and the request's digest (cloudkey-rpc.md section 4).

    `call` is ``object.method``. `args` are its named arguments, as sent; None means that the request has no
    member ``args``, which is not the same as empty ones. With `act_as_user` the call runs as that user,
    signed with the caller's own key. An empty `user_id` and `api_key` make an anonymous call.

    Raises SigningError for arguments `normalize` refuses.
    """
    text = f"call{call}" if args is None else f"args{normalize(args)}call{call}"
    return _auth(user_id, api_key, text, act_as_user)


def wire_and_sign(
    user_id: str, api_key: str, call: str, args: Mapping[str, object], *, act_as_user: str | None = None
) -> tuple[object, str]:
    """Return the arguments of a call as `wire_value` does, and its auth as `sign_call` does.

    Arguments that are plain are the wired ones themselves, not a copy.

    Raises SigningError for arguments `normalize` refuses.
    """
    text = plain_text(args)
    wired = args if text is not None else wire_value(args)
    if text is None:
        text = normalize(wired)
    return wired, _auth(user_id, api_key, f"args{text}call{call}", act_as_user)


def drm_token(
    user_id: str,
    media_id: str,
    api_key: str,
    *,
    expires: int,
    nonce: str,
    rights: Mapping[str, object] | None = None,
    meta: Mapping[str, object] | None = None,
    callback_url: str | None = None,
    max_replay: int | None = None,
) -> str:
    """Return a DRM token: JSON in URL-safe base64 with padding (cloudkey-rpc.md section 14).

    Args:
        user_id: of the account.
        media_id: of what the token opens.
        api_key: the account's key.
        expires: seconds since 1970.
        nonce: any text but the empty one, used once.
        rights: what the viewer may do, as text by name.
        meta: what the player is told, as text by name.
        callback_url: where the service asks back.
        max_replay: how often the token may be used; 0 and None leave it open.

    Raises:
        SigningError: an argument is malformed.
    """
    if not is_count(expires):
        raise SigningError(f"expires {expires!r}: it must be whole seconds since 1970")
    if not nonce:
        raise SigningError("nonce is empty: give a text that is used once")
    if max_replay is not None and not is_count(max_replay):
        raise SigningError(f"max_replay {max_replay!r}: it must be a whole number of uses")
    options = {"rights": rights, "meta": meta, "callback_url": callback_url, "max_replay": max_replay or None}
    members: dict[str, object] = {
        "user_id": user_id,
        "media_id": media_id,
        "expires": expires,
        "nonce": nonce,
    }
    members |= {name: wire_value(option) for name, option in options.items() if option is not None}
    members["auth"] = token_auth(members, api_key)
    return urlsafe_b64encode(json.dumps(members).encode("ascii")).decode("ascii")


def token_auth(members: Mapping[str, object], api_key: str) -> str:
    """Return the ``auth`` of a DRM token: a digest over its other `members` (cloudkey-rpc.md section 14)."""
    return md5_hex(normalize({name: value for name, value in members.items() if name != "auth"}) + api_key)


def _auth(user_id: str, api_key: str, text: str, act_as_user: str | None) -> str:
    caller = f"{user_id}/{act_as_user}" if act_as_user else user_id
    return f"{caller}:{md5_hex(f'{caller}{text}{api_key}')}"


def _collect(value: object, out: Callable[[str], None]) -> None:
    if isinstance(value, str):
        out(str.__str__(value))  # the value of a StrEnum member or of any other subclass
    elif is_mapping(value):
        members = _text_keyed(value)
        for key in sorted(members):
            out(key)
            _collect(members[key], out)
    elif is_list(value):
        for item in value:
            _collect(item, out)
    else:
        out(_scalar_text(value))


def _wired(value: object) -> object:
    if is_mapping(value):
        return {key: _wired(member) for key, member in _text_keyed(value).items()}
    if is_list(value):
        return [_wired(item) for item in value]
    return _wire_scalar(value)


def _text_keyed(members: Mapping[object, object]) -> dict[str, object]:
    """Return `members` with text for keys: the service sorts them after JSON has made them text (3.3)."""
    keyed: dict[str, object] = {}
    for key, value in members.items():
        name = key if type(key) is str else _key_text(key)
        if name in keyed:
            raise SigningError(f"two keys of a mapping have the same text {name!r}")
        keyed[name] = value
    return keyed


def _key_text(key: object) -> str:
    if isinstance(key, (str, int)):
        return _scalar_text(key)
    raise SigningError(f"a mapping has a key of type {type(key).__name__}; keys are text or whole numbers")


def _scalar_text(value: object) -> str:
    scalar = _wire_scalar(value)
    if scalar is None:
        return ""
    if isinstance(scalar, bool):
        return "true" if scalar else "false"
    if isinstance(scalar, float):
        return float_text(scalar)
    return str(scalar)


def _wire_scalar(value: object) -> str | int | float | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and isfinite(value):
        return float(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return (value - _EPOCH) // _SECOND
    raise SigningError(_refusal(value))


def _refusal(value: object) -> str:
    if isinstance(value, float):
        return f"{value!r} has no JSON form: give a finite number"
    if isinstance(value, datetime):
        return f"the datetime {value.isoformat()} has no zone: give an aware one"
    return (
        f"a value of type {type(value).__name__} has no JSON form: give text, a number, a list or a mapping"
    )
