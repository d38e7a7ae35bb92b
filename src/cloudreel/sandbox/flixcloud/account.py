"""The account: its key, and what the service's own web pages let its owner set."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cloudreel.signing.shapes import is_mapping

if TYPE_CHECKING:
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["change_settings", "new_api_key", "settings"]

_KIND, _ID = "flixcloud_account", "main"
_SETTINGS: Document = {"notification_url": None, "notify_with": "POST", "second_root": False}


def new_api_key() -> str:
    """Return a fresh key; as the service's own it has colons (flixcloud.md section 2)."""
    digits = secrets.token_hex(9)
    return f"{digits[:4]}:{digits[4:10]}:0:{digits[10:14]}:{digits[14:]}"


def settings(world: World) -> Document:
    """Return the settings of the account.

    ``notification_url`` is told of jobs that name none of their own, with the verb ``notify_with``, POST or
    PUT. ``second_root`` makes the service take recipe settings after the root element, where the vendor's
    Ruby library writes them.
    """
    return world.store.get(_KIND, _ID) or _SETTINGS


def change_settings(world: World, given: object) -> Document:
    """Change the settings that are given and return all of them.

    Raises:
        ValueError: there is no such setting, or it cannot have this value.
    """
    if not is_mapping(given) or not given.keys() <= _SETTINGS.keys():
        raise ValueError(f"the settings are a JSON object of {', '.join(_SETTINGS)}")
    changed = settings(world) | {str(name): value for name, value in given.items()}
    url = changed["notification_url"]
    if url is not None and not (isinstance(url, str) and url.startswith(("http://", "https://"))):
        raise ValueError(f"notification_url must be an http or https URL or null, not {url!r}")
    if changed["notify_with"] not in {"POST", "PUT"}:
        raise ValueError(f"notify_with must be POST or PUT, not {changed['notify_with']!r}")
    if not isinstance(changed["second_root"], bool):
        raise ValueError(f"second_root must be true or false, not {changed['second_root']!r}")
    if world.store.update(_KIND, _ID, changed) is None:
        world.store.put(_KIND, _ID, changed)
    return changed
