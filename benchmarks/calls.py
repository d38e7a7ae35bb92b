"""What a small call costs: a signed GET of 20 videos, alone and from many tasks at once."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from functools import partial

import httpx
import orjson
from answers import CERTIFICATE, answering
from measure import Effort, Peer, Work, compare
from table import Row

from cloudreel.core.options import Http
from cloudreel.panda.signer import HmacSigner
from cloudreel.telestream import AsyncTelestream

ACCESS_KEY, SECRET_KEY, FACTORY = "my_access_key", "my_secret_key", "my_factory"
PATH, PARAMS = "/videos.json", {"page": 1, "per_page": 20}
CALLS = 200  # for a sample, and as many as there are tasks
HOST = "127.0.0.1"
KINDS: tuple[Http, ...] = ("httpx", "aiohttp")
TARGETS = {("aiohttp", 16): 0.25}
Call = Callable[[], Awaitable[object]]


def rows(effort: Effort) -> Iterator[Row]:
    """Yield rows for plain httpx and for the extra aiohttp, over http and https."""
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        port = stack.enter_context(answering())
        secure = stack.enter_context(answering(https=True))
        trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
        ours = {kind: client(port, kind) for kind in KINDS}
        safe = {kind: client(secure, kind, trusting) for kind in KINDS}
        stock = httpx.AsyncClient(timeout=60)  # with the default of 5 s, many tasks wait too long
        safe_stock = httpx.AsyncClient(verify=trusting, timeout=60)
        signer = HmacSigner(HOST, ACCESS_KEY, SECRET_KEY, factory_id=FACTORY)
        plainly = partial(fetched, stock, f"http://{HOST}:{port}/v3.0", signer)
        safely = partial(fetched, safe_stock, f"https://{HOST}:{secure}/v3.0", signer)
        closes = [opened.close for opened in (*ours.values(), *safe.values())]
        stack.callback(lambda: runner.run(all_of([*closes, stock.aclose, safe_stock.aclose])))

        def batch(call: Call, tasks: int, calls: int = CALLS) -> Work:
            count = max(effort.count(tasks), effort.count(calls))
            return lambda: runner.run(spread(call, effort.count(tasks), count))

        def row(kind: Http, tasks: int, peer: Peer, target: float | None, scheme: str = "http") -> Row:
            count = max(effort.count(tasks), effort.count(CALLS))
            work = batch(partial(listed, (ours if scheme == "http" else safe)[kind]), tasks)
            question = f"call by {kind}, {scheme}, {effort.count(tasks)} tasks"
            return compare(question, work, peer, effort, target=target, per=count)

        count = effort.count(CALLS)
        seed = Peer("telestream-cloud", lambda: one_by_one(port, count), "in turn", ("telestream_cloud",))
        for kind in KINDS:
            yield row(kind, 16, seed, 0.35 if kind == "aiohttp" else None)
            for tasks in (1, 16, 100, 1000):
                peer = Peer("httpx", partial(batch, plainly, tasks))
                yield row(kind, tasks, peer, TARGETS.get((kind, tasks)))
            many = effort.count(1000)
            few = partial(batch, partial(listed, ours[kind]), 16, many)
            flat = Peer("cloudreel", few, f"{effort.count(16)} tasks")
            yield row(kind, 1000, flat, 1.25)
            peer = Peer("httpx", partial(batch, safely, 16))
            yield row(kind, 16, peer, None, "https")


def client(port: int, kind: Http, verify: ssl.SSLContext | bool = True) -> AsyncTelestream:
    """Return one of our clients."""
    scheme = "http" if verify is True else "https"
    return AsyncTelestream(
        ACCESS_KEY, SECRET_KEY, FACTORY, HOST, port, scheme=scheme, http=kind, verify=verify
    )


async def listed(client: AsyncTelestream) -> object:
    """Make the call with our client."""
    return orjson.loads((await client.get(PATH, PARAMS)).content)


async def fetched(client: httpx.AsyncClient, base_url: str, signer: HmacSigner) -> object:
    """Make the call with a bare client of httpx and our signer."""
    answer = await client.get(base_url + PATH, params=signer.params("GET", PATH, PARAMS, time.time()))
    return orjson.loads(answer.content)


def one_by_one(port: int, calls: int) -> Work:
    """Return what makes the calls with the old client, which opens a connection for each."""
    from telestream_cloud.request import TelestreamCloudRequest

    def work() -> None:
        for _ in range(calls):
            orjson.loads(TelestreamCloudRequest("GET", PATH, old_account(port), dict(PARAMS)).send().content)

    return work


def old_account(port: int) -> dict[str, object]:
    """Return what the old client knows of the service."""
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "factory_id": FACTORY}
    return {**keys, "api_host": HOST, "api_port": port, "api_version": "3.0"}


async def all_of(calls: list[Call]) -> None:
    """Make calls one after the other."""
    for call in calls:
        await call()


async def spread(call: Call, tasks: int, calls: int) -> None:
    """Make calls from many tasks at once."""
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(worker())
