"""Objects and methods of the service that need not be written down."""

from __future__ import annotations

from cloudreel.cloudkey import protocol
from cloudreel.core.call import JSON
from cloudreel.core.transport import Transport


class Remote:
    """Base of the service's objects; a method that is not written down works by its name all the same."""

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport = transport
        self._name = name

    def __getattr__(self, name: str) -> AsyncRemoteMethod:
        """Return the remote method of this name; whether it exists is the service's to say."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return AsyncRemoteMethod(self._transport, f"{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<{self._name} at {self._transport.service.base_url}>"


class AsyncRemoteObject(Remote):
    """An object of the service that is not written down; its methods work by their names all the same."""


class AsyncRemoteMethod:
    """A remote method that is not written down."""

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport = transport
        self._name = name

    async def __call__(self, /, **args: object) -> JSON:
        """Call the method and return its result.

        Args:
            args: named arguments, which go out as they are.

        Raises:
            RPCException: the service refused it.
        """
        return await self._transport.send(protocol.any_call(self._name, args))

    def __repr__(self) -> str:
        return f"<{self._name} at {self._transport.service.base_url}>"
