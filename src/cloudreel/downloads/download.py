"""Fetching one file over a line that may break, from wherever a service says it is."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Final, TypeAlias

import anyio
from attrs import evolve, frozen

from cloudreel.core import retry
from cloudreel.core.call import Request
from cloudreel.core.failures import read_status
from cloudreel.core.streams import Stream
from cloudreel.core.transport import Transport
from cloudreel.downloads.answers import Part, Unusable, read_part, read_redirect, request_headers
from cloudreel.downloads.destinations import Destination, Target, open_target
from cloudreel.errors import ApiError, CloudReelError, RequestTimedOut, TransportError

CHUNK: Final = 256 * 1024  # bytes that are written at a time
MOST_REDIRECTS: Final = 5

log = logging.getLogger("cloudreel")


@frozen
class DownloadProgress:
    """How far a download has come; it never goes backwards.

    Args:
        bytes_received: bytes of the file that have come, each counted once.
        total: bytes of the file, None until the service says.
    """

    bytes_received: int
    total: int | None


DownloadCallback: TypeAlias = Callable[[DownloadProgress], Awaitable[object] | object]


async def download(
    transport: Transport,
    ask_url: Callable[[], Awaitable[str]],
    destination: Destination,
    *,
    size: int | None = None,
    progress: DownloadCallback | None = None,
) -> int:
    """Fetch a file and return how many bytes it has.

    A download that breaks off goes on where it stopped, if the service vouches that the file is still the
    same; else it begins again, which only a path allows. It is given up after as many failures in a row, with
    nothing new between them, as the transport's ``retries`` say. Redirects are followed, five at most, never
    from https to http. Memory holds a few hundred KiB, and a slow destination is waited for.

    Args:
        transport: of the service.
        ask_url: returns the URL to fetch, asked anew for each attempt. It is taken for a secret.
        destination: a path, whose file is replaced in one step when the download is whole; or an object with
            a sync or async ``write``, which is not closed.
        size: bytes that the service says the file has.
        progress: called with a `DownloadProgress` after every 256 KiB and at the end; may be async, and is
            waited for.

    Raises:
        NotFoundError: there is no such file (the service's own class, as of the others).
        AuthenticationError: the URL is not accepted.
        TransportError: the line broke for good, or what came is not the file, or not all of it.
        OSError: the destination cannot be written.
    """
    plain = transport.for_service(evolve(transport.service, read_failure=read_status))
    target = await open_target(destination)
    try:
        received = await _Download(plain, ask_url, target, size, progress).run()
        await target.finish()
    finally:
        with anyio.CancelScope(shield=True):
            await target.discard()
    return received


class _Download:
    """One file on its way."""

    def __init__(
        self,
        transport: Transport,
        ask_url: Callable[[], Awaitable[str]],
        target: Target,
        size: int | None,
        progress: DownloadCallback | None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._ask_url = ask_url
        self._target = target
        self._size = size
        self._progress = progress
        self._jitter = jitter
        self._request = Request("GET", "", secret_url=True)  # the last one
        self._tries = 0
        self._known: Part | None = None  # what the answers said of the file
        self._received = 0  # bytes written or waiting to be
        self._farthest = 0  # the most that ever was received
        self._waiting = bytearray()
        self._handing_over = False  # whether the destination or the callback has its turn

    async def run(self) -> int:
        started = time.monotonic()
        try:
            with anyio.move_on_after(self._transport.options.deadline):
                await self._attempts()
                shown = self._transport.service.shown(self._request)
                log.info("%s: %d bytes in %.3f s", shown, self._received, time.monotonic() - started)
                return self._received
            deadline = self._transport.options.deadline
            raise self._error(RequestTimedOut, f"the deadline of {deadline:g} s has passed")
        except CloudReelError as error:
            log.warning("%s", error)
            raise

    async def _attempts(self) -> None:
        failures = 0
        while True:
            before = self._farthest
            url = await self._ask_url()
            self._tries += 1
            try:
                if await self._attempt(url):
                    return None
                raise self._error(TransportError, "the answer ended before the file did")
            except Unusable as why:
                raise self._error(TransportError, str(why)) from None
            except (TransportError, ApiError) as error:
                if self._handing_over:  # it stands on a client of its own, which has failed
                    raise
                failures = 1 if self._farthest > before else failures + 1
                delay = retry.decide(
                    failures,
                    retry.outcome_of(error),
                    repeatable=True,
                    retries=self._transport.options.retries,
                    jitter=self._jitter(),
                )
                if delay is None:
                    error.attempts = self._tries
                    raise
                log.debug("%s; going on at byte %d in %.2f s", error, self._received, delay)
            if self._known is not None and self._received == self._known.total:
                return await self._flush()  # only the end of the answer was lost
            await anyio.sleep(delay)

    async def _attempt(self, url: str) -> bool:
        """Take what comes, and return whether it is the rest of the file."""
        for _ in range(MOST_REDIRECTS + 1):
            headers = request_headers(self._received, self._known)
            self._request = Request("GET", url, headers=headers, secret_url=True)
            async with self._transport.stream(self._request) as stream:
                target = read_redirect(url, stream.response)
                if target is None:
                    return await self._take(stream)
            url = target
        raise Unusable(f"the service redirects more than {MOST_REDIRECTS} times")

    async def _take(self, stream: Stream) -> bool:
        part = read_part(stream.response, self._received)
        known = await self._adopt(part)
        position = part.offset
        while piece := await stream.read():
            held = self._received - position  # by a service that begins at the first byte again
            position += len(piece)
            if known.total is not None and position > known.total:
                raise Unusable(f"more comes than the {known.total} bytes that the file has")
            if held < len(piece):
                await self._put(piece[held:] if held > 0 else piece)
        if known.total is not None and self._received < known.total:
            return False
        await self._flush()
        return True

    async def _adopt(self, part: Part) -> Part:
        """Return what is known of the file now; take back what was received if that may be of another."""
        if self._size is not None and part.total not in (None, self._size):
            raise Unusable(f"the file should have {self._size} bytes, and it has {part.total}")
        total = self._size
        if self._known is not None and part.same_file(self._known):
            total = self._known.total
        elif self._received:
            if part.offset:
                raise Unusable("the file has changed, and only a part of the new one came")
            if not self._target.rewindable:
                raise Unusable(
                    "nothing says that the file is still the same, and what was written cannot be taken "
                    "back; download it to a path"
                )
            self._waiting.clear()
            self._received = 0
            await self._target.rewind()
        self._known = part if part.total is not None else evolve(part, total=total)
        return self._known

    async def _put(self, piece: bytes) -> None:
        self._waiting += piece
        self._received += len(piece)
        self._farthest = max(self._farthest, self._received)
        if len(self._waiting) >= CHUNK:
            await self._flush()

    async def _flush(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        self._handing_over = True
        if data:
            await self._target.write(data)
        if self._progress is not None:
            total = self._known.total if self._known is not None else None
            result = self._progress(DownloadProgress(self._farthest, total))
            if isawaitable(result):
                await result
        self._handing_over = False

    def _error(self, category: type[CloudReelError], text: str) -> CloudReelError:
        service = self._transport.service
        return service.failed(category, text, self._request, self._tries)
