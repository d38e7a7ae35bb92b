"""Many uploads that share one limit."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Collection,
    Iterable,
    Iterator,
)
from functools import partial
from inspect import isasyncgen, iscoroutine
from typing import Any, Generic, Literal, TypeAlias, TypeVar, overload

import anyio

from cloudreel.core.groups import first_failure
from cloudreel.core.twin import original, run
from cloudreel.errors import CloudReelError
from cloudreel.uploads.readers import in_thread
from cloudreel.uploads.session import AsyncUploadSession
from cloudreel.uploads.sync import UploadSession

VideoT = TypeVar("VideoT")

Opening: TypeAlias = "AsyncUploadSession[VideoT] | Awaitable[AsyncUploadSession[VideoT]]"
Openings: TypeAlias = "Iterable[Opening[VideoT]] | AsyncIterable[Opening[VideoT]]"
Failure: TypeAlias = "CloudReelError | OSError"


@overload
async def upload_many(
    sessions: Openings[VideoT], *, limit: int, collect: Literal[False] = False
) -> list[VideoT]: ...


@overload
async def upload_many(
    sessions: Openings[VideoT], *, limit: int, collect: bool
) -> list[VideoT | CloudReelError | OSError]: ...


async def upload_many(
    sessions: Openings[VideoT], *, limit: int, collect: bool = False
) -> list[VideoT] | list[VideoT | CloudReelError | OSError]:
    """Upload many sources, a few at a time, and return their videos in the order of the sessions.

    Sessions that failed or were interrupted are resumed, those that are uploaded give their video, all
    others are started; so the same sessions may be given again after a failure. Each is taken when its turn
    comes: of coroutines or a generator, no more are open than are under way. All share the connections and
    the limits of their client. Sessions of the synchronous clients are for `upload_many_sync`.

    Args:
        sessions: an iterable, async or not, of sessions or of awaitables that open one, such as
            ``factory.upload_session(path)``.
        limit: uploads under way at once.
        collect: whether a failure stands in the list in place of the video, and the others go on. Only what
            becomes of an upload is collected: mistakes such as a `TypeError` are raised.

    Raises:
        CloudReelError, OSError: the first failure, as it came, unless they are collected. The uploads under
            way are interrupted and can be resumed, the rest is not begun.
        TypeError: something given is no session.
    """
    if limit < 1:
        raise ValueError(f"limit must be 1 or more, not {limit}")
    queue = _Queue(sessions, collect=collect)
    failure: BaseException | None = None
    try:
        async with anyio.create_task_group() as group:
            for _ in range(limit):
                group.start_soon(queue.work)
    except BaseExceptionGroup as failures:
        failure = first_failure(failures)
    finally:
        await queue.close()
    # Raised out here, bare, the failure keeps its own cause and gets no group as context.
    if failure is not None:
        raise failure
    return [queue.results[place] for place in sorted(queue.results)]


@overload
def upload_many_sync(
    sessions: Iterable[UploadSession[VideoT]], *, limit: int, collect: Literal[False] = False
) -> list[VideoT]: ...


@overload
def upload_many_sync(
    sessions: Iterable[UploadSession[VideoT]], *, limit: int, collect: bool
) -> list[VideoT | CloudReelError | OSError]: ...


def upload_many_sync(
    sessions: Iterable[UploadSession[VideoT]], *, limit: int, collect: bool = False
) -> list[VideoT] | list[VideoT | CloudReelError | OSError]:
    """Do as `upload_many` does, with sessions of the synchronous clients.

    Args:
        sessions: give a generator to have no more sessions open than are under way; it is stepped through
            in another thread.
        limit: uploads under way at once.
        collect: whether a failure stands in the list in place of the video, and the others go on.

    Raises:
        CloudReelError, OSError: the first failure, as it came, unless they are collected.
    """
    twins: list[UploadSession[VideoT]] = []
    made: list[Any] = run(upload_many, _opened(sessions, twins), limit=limit, collect=collect)
    return [result if twin.video is None else twin.video for twin, result in zip(twins, made, strict=True)]


class _Queue(Generic[VideoT]):
    """The sessions that wait for their turn, and what became of the others, by their places."""

    def __init__(self, sessions: Openings[VideoT], *, collect: bool) -> None:
        self.results: dict[int, Any] = {}
        self._sessions = sessions
        self._rest = aiter(sessions) if isinstance(sessions, AsyncIterable) else iter(sessions)
        self._collect = collect
        self._taken = 0
        self._taking = anyio.Lock()

    async def work(self) -> None:
        """Upload one after the other until none waits any more."""
        rest = self._rest
        while True:
            async with self._taking:
                try:
                    opening = await anext(rest) if isinstance(rest, AsyncIterator) else next(rest)
                except (StopIteration, StopAsyncIteration):
                    return
                place, self._taken = self._taken, self._taken + 1
            try:
                self.results[place] = await _upload(opening)
            except (CloudReelError, OSError) as failure:
                if not self._collect:
                    raise
                self.results[place] = failure

    async def close(self) -> None:
        """Give up what nobody goes on with: a generator, and coroutines that will not be awaited."""
        sessions: object = self._sessions
        if isasyncgen(sessions):
            with anyio.CancelScope(shield=True):
                await sessions.aclose()
        elif isinstance(sessions, Collection) and isinstance(self._rest, Iterator):
            for opening in self._rest:
                if iscoroutine(opening):
                    opening.close()


async def _upload(opening: Opening[VideoT]) -> VideoT:
    given: object = opening
    if isinstance(given, UploadSession):
        raise TypeError("This is a session of a synchronous client; give it to upload_many_sync()")
    session = opening if isinstance(opening, AsyncUploadSession) else await opening
    if session.video is not None:
        return session.video
    if session.status in ("error", "interrupted"):
        return await session.resume()
    return await session.start()  # which says why not where it cannot be started


async def _opened(
    sessions: Iterable[UploadSession[VideoT]], twins: list[UploadSession[VideoT]]
) -> AsyncGenerator[AsyncUploadSession[Any]]:
    rest = iter(sessions)
    # In a thread, as it may call the synchronous API, which would wait for this one.
    while (twin := await in_thread(partial(next, rest, None))) is not None:
        twins.append(twin)
        yield original(twin)
