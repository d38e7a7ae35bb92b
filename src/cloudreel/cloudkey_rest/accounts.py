"""The accounts that calls run as, whose ids and keys stand behind signed URLs."""

from __future__ import annotations

from attrs import evolve, field, frozen

from cloudreel.cloudkey_rest import protocol
from cloudreel.cloudkey_rest.errors import UnreadableAnswer
from cloudreel.cloudkey_rest.models import Account
from cloudreel.cloudkey_rest.protocol import BasicSigner
from cloudreel.core.transport import Transport


@frozen
class Owner:
    """Whose media a signed URL opens, and the key that signs it."""

    id: str
    api_key: str = field(repr=False)


class Accounts:
    """Asks who calls run as, once for each user that is acted as.

    Args:
        transport: of a service whose signer is a `BasicSigner`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: dict[str | None, Account] = {}

    def forget(self) -> None:
        """Ask anew the next time."""
        self._known.clear()

    async def current(self) -> Account:
        """Return the account that calls run as at the moment."""
        service = self._transport.service
        assert isinstance(service.sign, BasicSigner)
        signer = evolve(service.sign)  # a copy: another user may be acted as before the answer comes
        user = signer.acting_as
        if user not in self._known:
            asking = self._transport.for_service(evolve(service, sign=signer))
            self._known[user] = await asking.send(protocol.user_whoami())
        return self._known[user]

    async def owner(self) -> Owner:
        """Return whose URLs are signed: the account that calls run as.

        Raises:
            UnreadableAnswer: the service does not tell the account's key.
        """
        account = await self.current()
        key = account.get("api_key")
        if not key:
            raise UnreadableAnswer(
                f"The service does not tell the API key of {account['username']!r}, so no URL can be signed"
            )
        return Owner(account["id"], key)
