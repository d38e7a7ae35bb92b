"""Tasks with names: at most one runs under a name, and it can be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

__all__ = ["Jobs"]


@frozen
class _Job:
    scope: anyio.CancelScope = field(factory=anyio.CancelScope)
    over: anyio.Event = field(factory=anyio.Event)


class Jobs:
    """The background work of one part of the sandbox; what is begun before `start` is passed over."""

    def __init__(self) -> None:
        self._tasks: TaskGroup | None = None
        self._running: dict[str, _Job] = {}

    def start(self, tasks: TaskGroup) -> None:
        """Run jobs in this task group from now on."""
        self._tasks = tasks

    def begin(self, id: str, work: Callable[[str], Awaitable[None]]) -> None:
        """Run ``work(id)``, after the job that was stopped under this name has cleared up."""
        if self._tasks is not None:
            self._tasks.start_soon(self._run, id, work)

    def is_running(self, id: str) -> bool:
        """Say whether a job runs under this name and was not stopped."""
        return id in self._running and not self._running[id].scope.cancel_called

    def stop(self, id: str) -> None:
        """Stop the job of this name, if there is one."""
        if id in self._running:
            self._running[id].scope.cancel()

    async def stop_all(self) -> None:
        """Stop all jobs, and return when they have cleared up."""
        for job in list(self._running.values()):
            job.scope.cancel()
            await job.over.wait()

    async def _run(self, id: str, work: Callable[[str], Awaitable[None]]) -> None:
        while id in self._running:
            await self._running[id].over.wait()
        job = self._running[id] = _Job()
        try:
            with job.scope:
                await work(id)
        finally:
            del self._running[id]
            job.over.set()
