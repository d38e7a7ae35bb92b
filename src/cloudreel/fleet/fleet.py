"""A fleet of workers: one queue, one limit, and tasks that outlive the worker that was at them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar

from taskiq import Context, TaskiqDepends, TaskiqEvents, TaskiqState
from taskiq.serializers import JSONSerializer
from taskiq_redis import RedisAsyncResultBackend

from cloudreel import notifications
from cloudreel.core.inbox import Inbox
from cloudreel.fleet.broker import FleetBroker
from cloudreel.fleet.desk import Desk
from cloudreel.fleet.ledger import Ledger
from cloudreel.fleet.limit import RedisLimit
from cloudreel.fleet.news import News
from cloudreel.fleet.values import Ready, Service, Uploaded, Waited
from cloudreel.fleet.work import Work
from cloudreel.flixcloud import AsyncFlixCloud
from cloudreel.panda import AsyncPanda
from cloudreel.telestream import AsyncTelestream
from cloudreel.uploads import RedisTicketStore, custody

KEEP: Final = 7 * 24 * 3600.0  # seconds

Handler: TypeAlias = Callable[[notifications.Notification], Awaitable[object]]
HandlerT = TypeVar("HandlerT", bound=Handler)


class Fleet:
    """Uploads, waits and notifications as tasks of taskiq, whose queue and memory are in one Redis.

    Make one in a module, ``fleet = Fleet(url)`` and ``broker = fleet.broker``, and start any number of
    workers with ``taskiq worker module:broker``. Tasks are sent with ``await fleet.upload.kiq(path)``,
    inside ``async with fleet`` where the program is no worker.

    A worker that dies is noticed after half a minute, and another goes on with its tasks: with an upload at
    the parts that the service misses, never as a second video. The id of a task tells its upload from
    others, so that one sent again with the same id uploads nothing again; give an id by
    ``fleet.upload.kicker().with_task_id(...)``.

    Whoever can read this Redis can continue the uploads, and whoever can write there commands the workers.

    Args:
        redis_url: such as ``redis://host:6379/0``.
        name: of the fleet; fleets of other names share nothing.
        telestream: makes the client that each worker process has; called when the first task needs it.
        panda: likewise.
        flixcloud: likewise.
        parts_in_flight: parts of files that all workers together send at once, None for no limit.
        per_second: requests that all workers together start per second, None for no limit.
        keep: seconds for which results, and the uploads of task ids, are remembered.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        name: str = "cloudreel",
        telestream: Callable[[], AsyncTelestream] = AsyncTelestream.from_env,
        panda: Callable[[], AsyncPanda] = AsyncPanda.from_env,
        flixcloud: Callable[[], AsyncFlixCloud] = AsyncFlixCloud.from_env,
        parts_in_flight: int | None = None,
        per_second: float | None = None,
        keep: float = KEEP,
    ) -> None:
        self.broker = broker = FleetBroker(
            redis_url, queue_name=f"{{{name}}}:tasks", idle=custody.SECONDS / 2
        )
        results: RedisAsyncResultBackend[Any] = RedisAsyncResultBackend(
            redis_url,
            result_ex_time=round(keep),
            serializer=JSONSerializer(),  # the default, pickle, runs whatever stands in Redis
            prefix_str=f"{{{name}}}:result",
        )
        broker.with_result_backend(results)
        redis = broker.redis
        limit = RedisLimit(redis, parts=parts_in_flight, per_second=per_second, name=name)
        inbox = Inbox()
        self._desk = Desk(telestream, panda, flixcloud, limit)
        self._news = News(redis, f"{{{name}}}:news", inbox)
        self._handlers: list[Handler] = []
        self._listening: asyncio.Task[None] | None = None
        broker.add_event_handler(TaskiqEvents.WORKER_STARTUP, self._open)
        broker.add_event_handler(TaskiqEvents.WORKER_SHUTDOWN, self._close)
        store = RedisTicketStore(redis, prefix=name, ttl=keep)
        work = Work(self._desk, Ledger(redis, prefix=name, keep=keep), store, inbox)

        # taskiq takes functions, not methods.
        async def upload(
            path: str,
            *,
            service: Service = "telestream",
            scope: str | None = None,
            profiles: str | list[str] | None = "h264",
            options: dict[str, Any] | None = None,
            this: Context = TaskiqDepends(),  # noqa: B008  in its place taskiq puts the call
        ) -> Uploaded:
            job = this.message.task_id
            return await work.upload(job, path, service, scope, profiles, options or {})

        async def wait(
            video_id: str,
            *,
            service: Waited = "telestream",
            scope: str | None = None,
            timeout: float | None = None,
        ) -> Ready:
            return await work.wait(video_id, service, scope, timeout)

        async def notify(body: str) -> None:
            notification = notifications.parse(body.encode())
            await self._news.publish(notification)
            for handler in self._handlers:
                await handler(notification)

        self.upload = broker.task("cloudreel.upload")(upload)
        """Upload a file that every worker can read.

        Args:
            path: of the file.
            service: ``telestream`` or ``panda``.
            scope: id of the factory or cloud, None for that of the client.
            profiles: names or ids of profiles to encode to, ``"none"`` for no encoding.
            options: of ``upload_session``, such as ``threads``, ``payload`` or ``path_format``.

        Returns:
            `Uploaded`.
        """
        self.wait = broker.task("cloudreel.wait")(wait)
        """Wait until a video and all its encodings are good, or a job is; what `notify` hears shortens it.

        Args:
            video_id: of the video, or of the job as text.
            service: ``telestream``, ``panda`` or ``flixcloud``.
            scope: id of the factory or cloud, None for that of the client; Flix Cloud has none.
            timeout: seconds, counted anew where another worker goes on; None for no limit.

        Returns:
            `Ready`; the result is the error `JobFailed` or `TimedOut` where it is not.
        """
        self.notify = broker.task("cloudreel.notify")(notify)
        """Wake who waits for what a notification is about, and have `on_notification` called.

        Args:
            body: of the request that brought it: a form, JSON or XML.
        """

    def on_notification(self, handler: HandlerT) -> HandlerT:
        """Have an async function called, in one worker, with each notification; use it as a decorator.

        It is called again where a worker died in the middle. Nothing in a notification is signed: fetch the
        object before believing it.

        Args:
            handler: takes a `Notification`.
        """
        self._handlers.append(handler)
        return handler

    async def __aenter__(self) -> Self:
        await self.broker.startup()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.broker.shutdown()

    async def _open(self, state: TaskiqState) -> None:
        self._listening = asyncio.create_task(self._news.listen())

    async def _close(self, state: TaskiqState) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        await self._desk.close()
