"""Sending one file to the upload node in one streamed request; both eras of CloudKey do it this way."""

from __future__ import annotations

import random
import secrets
from collections.abc import Awaitable, Callable

import anyio
from attrs import evolve

from cloudreel.cloudkey import node
from cloudreel.cloudkey.models import UploadedFile
from cloudreel.core import retry
from cloudreel.core.failures import read_status
from cloudreel.core.groups import first_failure
from cloudreel.core.transport import Transport
from cloudreel.errors import (
    DecodeError,
    RateLimitError,
    ServiceError,
    TransportError,
)
from cloudreel.uploads.events import Bell, Events, ProgressCallback, report
from cloudreel.uploads.multipart import MultipartBody
from cloudreel.uploads.plan import Plan
from cloudreel.uploads.sources import Source, SourceLike, open_source


def at_node(transport: Transport) -> Transport:
    """Return the transport for calls to the upload node, which is given no credentials."""
    return transport.for_service(evolve(transport.service, read_failure=read_status))


async def upload_file(
    transport: Transport,
    source: SourceLike,
    ask_url: Callable[[], Awaitable[str]],
    progress: ProgressCallback | None,
) -> UploadedFile:
    """Send a source to the upload node and return the node's reply.

    An upload that breaks off is begun again at a fresh address, as often as the transport's ``retries`` say.

    Args:
        transport: of the service.
        source: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
        ask_url: asks the service for an address.
        progress: called with a `Progress` at most ten times a second, and at the end; may be async.

    Raises:
        FileNotFoundError: there is no such file; nothing was sent.
        UploadError: the source is empty (nothing was sent), or it changed meanwhile.
        CloudReelError: the service or the node refused, or did not answer.
    """
    async with await open_source(source) as opened:
        return await _Upload(at_node(transport), opened, ask_url).run(progress)


class _Upload:
    """One file on its way; to the progress it is an upload of one part."""

    def __init__(
        self,
        transport: Transport,
        source: Source,
        ask_url: Callable[[], Awaitable[str]],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        # The next attempt needs another address, which the transport cannot ask for.
        self._once = transport.with_options(retries=0)
        self._retries = transport.options.retries
        self._source = source
        self._ask_url = ask_url
        self._jitter = jitter
        self._plan = Plan(source.size, source.size)
        self._bell = Bell()
        self._body = MultipartBody(source, boundary=secrets.token_hex(16), sent=self._sent)

    async def run(self, progress: ProgressCallback | None) -> UploadedFile:
        if progress is None:
            return await self._attempts()
        reply: UploadedFile | None = None
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(report, self._events(), progress)
                reply = await self._attempts()
                self._bell.end()
        except BaseExceptionGroup as failures:
            failure = first_failure(failures)
        # Raised out here, bare, the failure keeps its own cause and gets no group as context.
        if failure is not None:
            raise failure
        assert reply is not None
        return reply

    async def _attempts(self) -> UploadedFile:
        attempt = 0
        while True:
            attempt += 1
            await self._source.verify(
                self._source.fingerprint
            )  # it may have changed since an attempt that failed
            url = await self._ask_url()
            self._plan.start_clock(anyio.current_time())
            try:
                reply = await self._send(url)
            except (TransportError, RateLimitError, ServiceError) as error:
                delay = retry.decide(
                    attempt,
                    retry.outcome_of(error),
                    repeatable=True,
                    retries=self._retries,
                    jitter=self._jitter(),
                )
                if delay is None:
                    raise
                await anyio.sleep(delay)
            else:
                self._plan.confirm(0)
                return reply

    async def _send(self, url: str) -> UploadedFile:
        reply = await self._once.send(node.store(url, self._body, self._body.content_type))
        for _ in range(node.MOST_REDIRECTS):
            if not isinstance(reply, node.Redirect):
                return reply
            again = node.store(reply.url, self._body, self._body.content_type)
            reply = await self._once.send(again if reply.again else node.fetch(reply.url))
        raise self._once.service.errors.leaf(DecodeError)("The upload node redirects and redirects")

    def _sent(self, count: int) -> None:
        self._plan.sent(0, count)
        self._bell.ring()

    def _events(self) -> Events:
        clock = anyio.current_time
        return Events(self._bell, lambda: self._plan.progress(clock()), clock)
