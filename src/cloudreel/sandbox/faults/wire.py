"""The connection under a request, as far as faults need it."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

Loss: TypeAlias = Literal["broken", "garbage", "silence"]


class ConnectionLost(ConnectionError):
    """The sandbox broke a connection that has no socket; ``loss`` is how the client would have seen it."""

    def __init__(self, text: str, loss: Loss = "broken") -> None:
        super().__init__(text)
        self.loss: Loss = loss


class Wire(Protocol):
    """A connection that can be spoiled. The server leaves it in the state of its requests as ``wire``."""

    @property
    def spent(self) -> bool:
        """Whether as many bytes went out as `limit` allows."""
        ...

    def write(self, data: bytes) -> None:
        """Send these bytes as they are."""
        ...

    def limit(self, count: int) -> None:
        """Let this many more bytes out and swallow what follows; only `finish` and `reset` end it then."""
        ...

    def finish(self) -> None:
        """Send what is left, then end the connection."""
        ...

    def reset(self) -> None:
        """Break the connection now; what was not sent yet is lost."""
        ...

    async def drained(self) -> None:
        """Wait until the peer's side has everything that was sent, or the peer has left."""
        ...

    async def gone(self) -> None:
        """Wait until the peer has left."""
        ...
