"""Farms of nodes, one of which serves a given content (cloudkey-rpc.md 10.4)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cloudreel.sandbox.cloudkey.errors import invalid, not_found

if TYPE_CHECKING:
    from cloudreel.sandbox.cloudkey.methods import Caller
    from cloudreel.sandbox.store import Document

__all__ = ["add_node", "get_node", "list_node", "remove", "select_node"]


def add_node(
    caller: Caller, name: str, node: str, weight: int = 1, enabled: bool = False, comment: str = ""
) -> None:
    """Answer farm.add_node: the node is added to the farm, or changed if it is in it."""
    if weight < 0:
        raise invalid("weight must not be negative")
    members = {"comment": comment, "enabled": enabled, "name": node, "weight": weight}
    if caller.world.store.update("farm_node", _id(caller, name, node), members) is None:
        caller.world.store.put("farm_node", _id(caller, name, node), members, scope=_farm(caller, name))


def get_node(caller: Caller, name: str, node: str) -> Document:
    """Answer farm.get_node."""
    found = caller.world.store.get("farm_node", _id(caller, name, node))
    if found is None:
        raise not_found("node", f"{node} in farm {name}")
    return found


def list_node(caller: Caller, name: str) -> list[Document]:
    """Answer farm.list_node."""
    return caller.world.store.list("farm_node", scope=_farm(caller, name))


def select_node(caller: Caller, name: str, content: str) -> Document:
    """Answer farm.select_node: always the same enabled node for a content, by weight.

    Every node draws a number from the content and its own name, and the highest wins (rendezvous hashing): a
    node more or less moves no content between the others.
    """
    nodes = [node for node in list_node(caller, name) if node["enabled"] and node["weight"]]
    if not nodes:
        raise not_found("enabled node in farm", name)

    def score(node: Document) -> float:
        digest = hashlib.sha256(f"{node['name']}\0{content}".encode()).digest()
        drawn: float = ((int.from_bytes(digest[:8], "big") + 1) / 2**64) ** (1 / node["weight"])
        return drawn

    return max(nodes, key=score)


def remove(caller: Caller, name: str) -> None:
    """Answer farm.remove; the farm need not exist."""
    for node in list_node(caller, name):
        caller.world.store.delete("farm_node", _id(caller, name, node["name"]))


def _farm(caller: Caller, name: str) -> str:
    return f"{caller.user_id}/{name}"


def _id(caller: Caller, farm: str, node: str) -> str:
    return f"{caller.user_id}/{len(farm)}/{farm}/{node}"
