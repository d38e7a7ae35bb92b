"""What the namespaces of one client share: its connections, and whom its calls run as."""

from __future__ import annotations

import copy
from typing import Self, TypeVar, Unpack

from attrs import evolve, field, frozen

from cloudreel.cloudkey_rest import protocol
from cloudreel.cloudkey_rest.errors import UnreadableAnswer
from cloudreel.cloudkey_rest.models import Account
from cloudreel.cloudkey_rest.protocol import BasicSigner
from cloudreel.core.call import Call
from cloudreel.core.options import OptionChanges
from cloudreel.core.transport import Transport

T = TypeVar("T")


@frozen
class Owner:
    """Whose media a signed URL opens, and the key that signs it."""

    id: str
    api_key: str = field(repr=False)


class Session:
    """Sends the calls of one client, and knows the account that they run as.

    Args:
        transport: its service's signer is a `BasicSigner`.
        base_url: what players' URLs begin with.
        cdn_url: what assets' URLs begin with.
    """

    def __init__(self, transport: Transport, base_url: str, cdn_url: str) -> None:
        self.transport = transport
        self.base_url = base_url
        self.cdn_url = cdn_url
        self._account: Account | None = None

    def with_options(self, **changes: Unpack[OptionChanges]) -> Self:
        """Return a session with other options over the same connections."""
        other = copy.copy(self)
        other.transport = self.transport.with_options(**changes)
        return other

    def act_as(self, username: str | None) -> None:
        """Have later calls run as another user; what is known of the account is forgotten."""
        service = self.transport.service
        assert isinstance(service.sign, BasicSigner)
        signer = evolve(service.sign, acting_as=username)
        self.transport = self.transport.for_service(evolve(service, sign=signer))
        self._account = None

    def as_user(self, username: str | None) -> Self:
        """Return a session over the same connections whose calls run as another user."""
        other = copy.copy(self)
        other.act_as(username)
        return other

    async def send(self, call: Call[T]) -> T:
        """Send a call."""
        return await self.transport.send(call)

    async def account(self) -> Account:
        """Return the answer of ``user.whoami``, asked for once per user."""
        if self._account is not None:
            return self._account
        transport = self.transport
        account = await transport.send(protocol.user_whoami())
        if transport is self.transport:  # nobody else is acted as meanwhile
            self._account = account
        return account

    async def owner(self) -> Owner:
        """Return whose URLs are signed: the account that calls run as.

        Raises:
            UnreadableAnswer: the service does not tell the account's key.
        """
        account = await self.account()
        key = account.get("api_key")
        if not key:
            raise UnreadableAnswer(
                f"The service does not tell the API key of {account['username']!r}, so no URL can be signed"
            )
        return Owner(account["id"], key)
