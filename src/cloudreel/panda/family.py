"""What the facades of the Panda family have in common: how they sign, and the calls of any path."""

from __future__ import annotations

from cloudreel.core.call import Response
from cloudreel.core.facade import Client
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.service import Service
from cloudreel.panda import protocol
from cloudreel.panda.protocol import Params
from cloudreel.panda.scopes import signer_of
from cloudreel.panda.signer import HmacSigner


def family_service(name: str, base_url: str, errors: ErrorFamily, signer: HmacSigner) -> Service:
    """Return a service of the family as the transport has to know it."""
    return Service(name, base_url, errors, signer, protocol.read_failure, protocol.is_clock_skew)


class FamilyClient(Client):
    """Base of the family's facades."""

    def signed_params(self, verb: str, path: str, params: Params | None = None) -> dict[str, str]:
        """Return the parameters of a request with its signature, for a browser or another client to send.

        Args:
            verb: the HTTP method.
            path: below the API version, such as ``/videos.json``.
            params: what is to be signed with it; nested mappings come back as ``outer[inner]``.

        Returns:
            All parameters as text, valid for 30 minutes where a video is posted, else for 5 (panda.md 3.6).
        """
        return signer_of(self._transport).params(verb, path, params, self._transport.now())

    def url(self, path: str) -> str:
        """Return the whole URL of a path, which is where `signed_params` are to be sent.

        Args:
            path: below the API version, such as ``/videos.json``.
        """
        return self._transport.service.base_url + protocol.canonical(path)

    async def _exchange(self, verb: str, path: str, params: Params | None) -> Response:
        return await self._transport.exchange(protocol.raw(verb, path, params))
