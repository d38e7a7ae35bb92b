"""What a caller may be told of each request: when it is sent, answered, and tried again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeAlias, TypeVar

from attrs import frozen

from cloudreel.errors import CloudReelError


@frozen
class RequestEvent:
    """An attempt that is about to be sent.

    Args:
        service: such as ``telestream``.
        method: of HTTP.
        url: with every secret masked; of an upload location, the host alone.
        attempt: which one of its call, from 1.
    """

    service: str
    method: str
    url: str
    attempt: int


@frozen
class ResponseEvent(RequestEvent):
    """An attempt that was answered, be it with a refusal.

    Args:
        status: of HTTP.
        seconds: from the request to the end of the answer; of a download, to its beginning.
    """

    status: int
    seconds: float


@frozen
class RetryEvent(RequestEvent):
    """An attempt that failed, and will be followed by another.

    Args:
        error: what would have been raised.
        delay: seconds until the next attempt.
    """

    error: CloudReelError
    delay: float


Event = TypeVar("Event", bound=RequestEvent)
Hook: TypeAlias = Callable[[Event], Awaitable[object] | object]


@frozen
class Hooks:
    """Functions that are told of each request, sync or async; what they raise ends the call and is raised.

    Args:
        on_request: before each attempt.
        on_response: after each attempt that was answered.
        on_retry: after each attempt that failed and will be followed by another.
    """

    on_request: Hook[RequestEvent] | None = None
    on_response: Hook[ResponseEvent] | None = None
    on_retry: Hook[RetryEvent] | None = None


NO_HOOKS = Hooks()


async def tell(hook: Hook[Event] | None, event: Event) -> None:
    """Call a hook, if there is one, and wait for it."""
    if hook is not None:
        told = hook(event)
        if isawaitable(told):
            await told
