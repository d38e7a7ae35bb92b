"""Calls about one cloud or factory, over the connections of all."""

from __future__ import annotations

from attrs import evolve

from cloudreel.core.transport import Transport
from cloudreel.panda.signer import HmacSigner


def signer_of(transport: Transport) -> HmacSigner:
    """Return what signs a transport's calls."""
    signer = transport.service.sign
    assert isinstance(signer, HmacSigner)
    return signer


def for_cloud(transport: Transport, cloud_id: str | None) -> Transport:
    """Return a transport whose calls are about one Panda cloud; the one given stays as it is."""
    return _signed_by(transport, evolve(signer_of(transport), cloud_id=cloud_id))


def for_factory(transport: Transport, factory_id: str) -> Transport:
    """Return a transport whose calls are about one factory; the one given stays as it is."""
    return _signed_by(transport, evolve(signer_of(transport), factory_id=factory_id))


def _signed_by(transport: Transport, signer: HmacSigner) -> Transport:
    return transport.for_service(evolve(transport.service, sign=signer))
