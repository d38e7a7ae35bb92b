"""Accounts of CloudKey and the calls about them (cloudkey-rpc.md 10.3, 10.4)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey.errors import AUTHENTICATION, EXISTS, CallError, invalid, not_found
from cloudreel.sandbox.cloudkey.library import new_media_id, remove_all_media
from cloudreel.sandbox.cloudkey.paging import envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.cloudkey.methods import Caller, Id
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = [
    "create",
    "delete",
    "furnish_account",
    "info",
    "list_",
    "organisation",
    "player_presets",
    "search",
    "set_",
    "whoami",
]

_FIELDS = (
    *("id", "username", "email", "first_name", "last_name", "created", "is_active", "last_login"),
    *("permissions", "streaming_active", "api_key", "org_id"),
)
_BARE = tuple(field for field in _FIELDS if field != "api_key")


def furnish_account(
    world: World, id: str, *, username: str, password: str, api_key: str, is_root: bool = False
) -> Document:
    """Store a new account and return it; times are whole epoch seconds."""
    account: Document = {
        "id": id,
        "username": username,
        "email": "",
        "first_name": "",
        "last_name": "",
        "created": int(world.clock.now()),
        "is_active": True,
        "last_login": None,
        "permissions": ["root"] if is_root else [],
        "streaming_active": False,
        "api_key": api_key,
        "org_id": id,
        "_password": password,
        "_root": is_root,
        "_active_assets": [],
        "_settings": {},
    }
    return world.store.put("account", id, account)


def info(caller: Caller, id: Id | None = None, fields: list[str] | None = None) -> Document:
    """Answer user.info: the account the call runs as, or for root any."""
    if id is None or id == caller.user_id:
        return _shown(caller.user, fields)
    _require_root(caller)
    return _shown(_found(caller, id), fields)


def whoami(caller: Caller) -> Document:
    """Answer user.whoami, an early form of info."""
    return _shown(caller.user, ["id", "username"])


def create(caller: Caller, username: str, password: str) -> str:
    """Answer user.create with the new id; of each name there is one user."""
    _require_root(caller)
    _check_name(caller, username)
    id: str = _created(caller, username, password)["id"]
    return id


def delete(caller: Caller, id: Id) -> None:
    """Answer user.delete; the account's media go with it."""
    _require_root(caller)
    account = _found(caller, id)
    remove_all_media(caller.world, account["id"])
    caller.world.store.delete("account", account["id"])


def list_(caller: Caller) -> list[Document]:
    """Answer user.list."""
    _require_root(caller)
    return [_shown(account, None) for account in caller.world.store.list("account")]


def search(
    caller: Caller,
    org_id: Id | None = None,
    fields: list[str] | None = None,
    page: int = 1,
    per_page: int = 10,
) -> dict[str, JSON]:
    """Answer user.search: the users of an organisation."""
    _require_root(caller)
    accounts = caller.world.store.list("account")
    found = [account for account in accounts if org_id in {None, account["org_id"]}]
    reply = envelope(found, lambda account: _shown(account, fields), page=page, per_page=per_page)
    return reply | {"has_more": reply["page"] < reply["pages"]}


def set_(caller: Caller, id: Id | None, fields: dict[str, JSON]) -> Document:
    """Answer user.set: change a user, or make one where the id is null."""
    _require_root(caller)
    changes = {name: value for name, value in fields.items() if value is not None}
    for name, value in changes.items():
        if name not in {"org_id", "username", "password", "email"} or not isinstance(value, str):
            raise invalid(f"fields holds org_id, username, password and email as texts, not {name}")
    username, password = changes.pop("username", None), changes.pop("password", None)
    account = None if id is None else _found(caller, id)
    if username is not None and (account is None or username != account["username"]):
        _check_name(caller, str(username))
    if account is None:
        if username is None or password is None:
            raise invalid("fields needs username and password to make a user")
        account = _created(caller, str(username), str(password))
    new = {"username": username, "_password": password}
    changed = {**changes, **{name: value for name, value in new.items() if value is not None}}
    caller.world.store.update("account", account["id"], changed)
    return {"id": account["id"]}


def organisation(caller: Caller) -> Document:
    """Answer organisation.get."""
    return {"id": caller.user["org_id"]}


def player_presets(caller: Caller) -> list[Document]:
    """Answer player_preset.list: one preset that has always been there."""
    return [{"id": caller.user["org_id"], "name": "default"}]


def _created(caller: Caller, username: str, password: str) -> Document:
    id = new_media_id()
    key = secrets.token_hex(20)
    return furnish_account(caller.world, id, username=username, password=password, api_key=key)


def _check_name(caller: Caller, username: str) -> None:
    if not username or ":" in username:
        raise invalid("username must not be empty and holds no colon")
    if caller.world.store.list("account", username=username):
        raise CallError(EXISTS, f"There is a user {username} already")


def _found(caller: Caller, id: str) -> Document:
    account = caller.world.store.get("account", id)
    if account is None:
        raise not_found("user", id)
    return account


def _require_root(caller: Caller) -> None:
    if not caller.is_root:
        raise CallError(AUTHENTICATION, "Only a root account may do this")


def _shown(account: Document, fields: Sequence[str] | None) -> Document:
    unknown = [field for field in fields or () if field not in _FIELDS]
    if unknown:
        raise invalid(f"A user has no field {unknown[0]}")
    return {field: account[field] for field in (_BARE if fields is None else fields)}
