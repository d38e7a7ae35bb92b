"""What every facade is: calls over one pool of connections, which its copies share."""

from __future__ import annotations

import copy
from types import TracebackType
from typing import Self, Unpack

from cloudreel.core.options import OptionChanges
from cloudreel.core.transport import Transport


class Client:
    """Base of the facades; a constructor sets ``_transport`` and does no I/O."""

    _transport: Transport
    _owns_pool = True

    def with_options(self, **changes: Unpack[OptionChanges]) -> Self:
        """Return a copy with other options that shares the connections; closing it closes nothing.

        Args:
            changes: ``timeout``, ``retries``, ``deadline``, ``user_agent``, ``hooks`` or ``shared_limit``, as
                in the constructor.
        """
        return self._copied(self._transport.with_options(**changes))

    async def close(self) -> None:
        """Close the connections. Nothing can be called afterwards."""
        if self._owns_pool:
            await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _copied(self, transport: Transport) -> Self:
        other = copy.copy(self)
        other._transport = transport
        other._owns_pool = False
        return other
