"""The clients of an application: opened when it starts, closed when it ends, found by every request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeAlias, TypeVar

from starlette.requests import HTTPConnection

from cloudreel.cloudkey import AsyncCloudKey
from cloudreel.cloudkey_rest import AsyncCloudKeyRest
from cloudreel.core.inbox import Inbox
from cloudreel.errors import CloudReelError
from cloudreel.flixcloud import AsyncFlixCloud
from cloudreel.panda import AsyncPanda
from cloudreel.telestream import AsyncTelestream

Client: TypeAlias = AsyncTelestream | AsyncPanda | AsyncFlixCloud | AsyncCloudKey | AsyncCloudKeyRest
ClientT = TypeVar("ClientT", AsyncTelestream, AsyncPanda, AsyncFlixCloud, AsyncCloudKey, AsyncCloudKeyRest)
Lifespan: TypeAlias = "Callable[[object], AbstractAsyncContextManager[dict[str, Clients]]]"

STATE = "cloudreel"  # the name of the clients in the state of an application's requests


class Clients:
    """The open clients of one run of an application, one of a kind, and its inbox for notifications."""

    def __init__(self, clients: Iterable[Client]) -> None:
        self._clients = tuple(clients)
        self.inbox = Inbox()
        kinds = [type(client) for client in self._clients]
        if len(set(kinds)) < len(kinds):
            raise ValueError("An application has one client of a kind here; keep further ones yourself")

    def find(self, kind: type[ClientT]) -> ClientT | None:
        """Return the client of a kind, None if there is none."""
        return next((client for client in self._clients if isinstance(client, kind)), None)

    def get(self, kind: type[ClientT]) -> ClientT:
        """Return the client of a kind.

        Raises:
            CloudReelError: the application has none.
        """
        client = self.find(kind)
        if client is None:
            raise CloudReelError(
                f"This application has no {kind.__name__}: give it to lifespan(), as in "
                f"lifespan({kind.__name__}.from_env)"
            )
        return client

    @classmethod
    def of(cls, request: HTTPConnection) -> Clients:
        """Return the clients of the application that a request came to.

        Raises:
            CloudReelError: it was not made with `lifespan`, or its lifespan does not run.
        """
        clients = getattr(request.state, STATE, None)
        if not isinstance(clients, Clients):
            raise CloudReelError(
                "This application has no clients: make it with lifespan=cloudreel.web.lifespan(...), and "
                "have its lifespan run by what serves it"
            )
        return clients


def lifespan(*make: Callable[[], Client]) -> Lifespan:
    """Return the lifespan of an application that opens clients once, and closes them in the end.

    Give it to FastAPI or Starlette as ``lifespan=``. An application with a lifespan of its own enters this
    one in there, and yields what it gives together with its own::

        async with lifespan(AsyncTelestream.from_env)(app) as state:
            yield {**state, "database": database}

    Args:
        make: what makes each client, such as ``AsyncTelestream.from_env``, or a class or function of yours.

    Raises:
        ValueError: when the application starts, if two of the clients are of one kind.
    """

    @asynccontextmanager
    async def opened(_: object) -> AsyncGenerator[dict[str, Clients]]:
        async with AsyncExitStack() as stack:
            clients: list[Client] = []
            for one in make:
                client = one()
                stack.push_async_callback(client.close)
                clients.append(client)
            yield {STATE: Clients(clients)}

    return opened


async def telestream(request: HTTPConnection) -> AsyncTelestream:
    """Return the application's client of Telestream Cloud; for ``Depends``, or awaited with a request.

    Raises:
        CloudReelError: the application has none.
    """
    return Clients.of(request).get(AsyncTelestream)


async def panda(request: HTTPConnection) -> AsyncPanda:
    """Return the application's client of Panda; see `telestream`."""
    return Clients.of(request).get(AsyncPanda)


async def flixcloud(request: HTTPConnection) -> AsyncFlixCloud:
    """Return the application's client of Flix Cloud; see `telestream`."""
    return Clients.of(request).get(AsyncFlixCloud)


async def cloudkey(request: HTTPConnection) -> AsyncCloudKey:
    """Return the application's client of CloudKey; see `telestream`."""
    return Clients.of(request).get(AsyncCloudKey)


async def cloudkey_rest(request: HTTPConnection) -> AsyncCloudKeyRest:
    """Return the application's client of CloudKey's REST era; see `telestream`."""
    return Clients.of(request).get(AsyncCloudKeyRest)


async def inbox(request: HTTPConnection) -> Inbox:
    """Return where the application's webhooks put what they receive: ``await video.wait(notified=inbox)``."""
    return Clients.of(request).inbox
