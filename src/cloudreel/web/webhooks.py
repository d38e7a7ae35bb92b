"""Receiving notifications, which are not signed: by a path nobody guesses, and by asking the service."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from hmac import compare_digest
from typing import Final

import anyio
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from cloudreel.errors import CloudReelError, DecodeError
from cloudreel.flixcloud import AsyncFlixCloud
from cloudreel.notifications import JobNotification, Notification, parse
from cloudreel.panda import AsyncPanda
from cloudreel.panda.notifications import LARGEST_BODY
from cloudreel.telestream import AsyncTelestream
from cloudreel.web.bodies import read_body
from cloudreel.web.clients import Clients
from cloudreel.web.secret import check_secret
from cloudreel.web.seen import MemorySeen, Seen
from cloudreel.web.subjects import Event, fetch

PATIENCE: Final = 10.0  # seconds
MEMORY: Final = 86_400.0  # seconds; for so long a notification is repeated (panda.md 9)

log = logging.getLogger("cloudreel")


def webhooks(
    on_event: Callable[[Event], Awaitable[object]],
    *,
    secret: str | Sequence[str],
    seen: Seen | None = None,
    patience: float = PATIENCE,
) -> Router:
    """Return a router that receives notifications and tells of them once the service has confirmed them.

    Mount it, and give the service the address with its name and the secret::

        app.mount("/hooks", webhooks(on_event, secret=SECRET))
        # https://app.example/hooks/telestream/SECRET, .../hooks/panda/SECRET, .../hooks/flixcloud/SECRET

    A notification that comes by another path is answered with 404, one that cannot be read with 400, one of
    more than 1 MiB with 413, one that cannot be confirmed now with 503: the service repeats it for a day.
    Whoever waits with the application's `inbox` is woken before all that, and looks for himself. Keep the
    path out of access logs that others read.

    Args:
        on_event: told of every event once as long as the object stays as it is, after the answer was sent.
            What it raises is the server's to log, and the service does not repeat the notification then:
            leave what must not be lost, and long work, to a queue.
        secret: at least 16 characters that stand in the path as they are, from ``secrets.token_urlsafe()``;
            several while one is replaced by another.
        seen: remembers for a day what was told, None for this process alone; see `Seen`.
        patience: seconds until an answer is given.

    Raises:
        ValueError: a secret is too short, or would have to be escaped.
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    for one in secrets:
        check_secret(one)
    remembered = MemorySeen() if seen is None else seen

    async def receive(request: Request) -> Response:
        service, given = request.path_params["service"], request.path_params["secret"]
        clients = Clients.of(request)
        # All are compared, so that the time tells nothing of which was close.
        known = [compare_digest(one.encode(), given.encode("utf-8", "surrogatepass")) for one in secrets]
        if not any(known) or not _serves(clients, service):
            return _answer(404, "There is nothing here")
        event: Event | None = None
        with anyio.move_on_after(patience) as scope:
            try:
                notification = _read(service, await read_body(request, LARGEST_BODY))
                clients.inbox.put(notification)
                subject = await fetch(clients, service, notification)
            except DecodeError as error:
                return _answer(400, error.message)
            except CloudReelError as error:
                log.warning("A notification of %s could not be confirmed: %s", service, error)
                return _answer(503, "This cannot be confirmed now; please repeat it")
            if subject is not None:
                event = Event(service, notification, subject)
        if scope.cancelled_caught:
            log.warning("A notification of %s could not be confirmed within %g s", service, patience)
            return _answer(503, "This takes too long; please repeat it")
        if event is None:
            return _answer(200, "OK")
        try:
            new = await remembered.first(event.key, MEMORY)
        except CloudReelError as error:
            log.warning("Whether a notification of %s was told already is not known: %s", service, error)
            return _answer(503, "This cannot be remembered now; please repeat it")
        return _answer(200, "OK", BackgroundTask(on_event, event) if new else None)

    return Router([Route("/{service}/{secret}", receive, methods=["POST", "PUT"])])


def _serves(clients: Clients, service: str) -> bool:
    found = {
        "telestream": clients.find(AsyncTelestream),
        "panda": clients.find(AsyncPanda),
        "flixcloud": clients.find(AsyncFlixCloud),
    }
    return found.get(service) is not None


def _read(service: str, body: bytes) -> Notification:
    notification = parse(body)
    if isinstance(notification, JobNotification) != (service == "flixcloud"):
        raise DecodeError(f"This is no notification of {service}")
    return notification


def _answer(status: int, text: str, background: BackgroundTask | None = None) -> Response:
    return PlainTextResponse(text, status, background=background)
