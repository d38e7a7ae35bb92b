"""Encoding settings of an account (cloudkey-rpc.md 10.4): kept and told, the presets stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey.errors import not_found

if TYPE_CHECKING:
    from cloudreel.sandbox.cloudkey.methods import Caller

__all__ = [
    "disable_asset",
    "enable_asset",
    "get_active_assets",
    "get_asset_setting",
    "reset",
    "set_asset_setting",
]


def enable_asset(caller: Caller, asset: str) -> None:
    """Answer encoding_settings.enable_asset; twice is the same as once."""
    active = get_active_assets(caller)
    if asset not in active:
        _update(caller, _active_assets=[*active, asset])


def disable_asset(caller: Caller, asset: str) -> None:
    """Answer encoding_settings.disable_asset; it need not be enabled."""
    _update(caller, _active_assets=[name for name in get_active_assets(caller) if name != asset])


def get_active_assets(caller: Caller) -> list[str]:
    """Answer encoding_settings.get_active_assets, in the order of enabling."""
    active: list[str] = caller.user["_active_assets"]
    return active


def set_asset_setting(caller: Caller, asset: str, setting: str, value: str) -> None:
    """Answer encoding_settings.set_asset_setting."""
    every = caller.user["_settings"]
    _update(caller, _settings={**every, asset: {**every.get(asset, {}), setting: value}})


def get_asset_setting(caller: Caller, asset: str, setting: str) -> str:
    """Answer encoding_settings.get_asset_setting with the text that was written.

    Raises:
        CallError: 1010 if none was.
    """
    value: str | None = caller.user["_settings"].get(asset, {}).get(setting)
    if value is None:
        raise not_found("setting", f"{setting} of {asset}")
    return value


def reset(caller: Caller) -> None:
    """Answer encoding_settings.reset."""
    _update(caller, _active_assets=[], _settings={})


def _update(caller: Caller, **changes: object) -> None:
    caller.world.store.update("account", caller.user_id, changes)
