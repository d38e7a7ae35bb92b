"""The calls that only Telestream v3.0 has. PURE. The rest is `cloudreel.panda.protocol`."""

from __future__ import annotations

from cloudreel.core import codec
from cloudreel.core.call import Call, Request, Response
from cloudreel.panda.protocol import NONE, Params, segment
from cloudreel.telestream.models import FactoryFields

_factory = codec.record_of(FactoryFields)
_factories = codec.records_of(FactoryFields, "factories")


def list_factories(params: Params = NONE) -> Call[list[FactoryFields]]:
    """Return the call that lists the factories of the account."""
    return Call(Request("GET", "/factories.json", params), _factories)


def find_factory(factory_id: str) -> Call[FactoryFields]:
    """Return the call that fetches one factory."""
    return Call(Request("GET", f"/factories/{segment(factory_id)}.json"), _factory)


def create_factory(params: Params) -> Call[FactoryFields]:
    """Return the call that creates a factory."""
    return Call(Request("POST", "/factories.json", params), _factory, repeatable=False)


def update_factory(factory_id: str, params: Params) -> Call[FactoryFields]:
    """Return the call that changes fields of a factory."""
    return Call(Request("PUT", f"/factories/{segment(factory_id)}.json", params), _factory)


def delete_factory(factory_id: str) -> Call[None]:
    """Return the call that asks to delete a factory; the service refuses it (telestream.md 6)."""
    return Call(Request("DELETE", f"/factories/{segment(factory_id)}.json"), _nothing)


def _nothing(response: Response) -> None:
    return None
