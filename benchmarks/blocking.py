"""What the synchronous clients cost: nothing but the crossing, and a small call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial

import orjson
from answers import answering
from anyio.from_thread import start_blocking_portal
from calls import ACCESS_KEY, FACTORY, HOST, KINDS, PARAMS, PATH, SECRET_KEY, client, listed
from measure import Effort, Peer, Work, compare
from table import Row, under

from cloudreel.core import portal
from cloudreel.panda.signer import HmacSigner
from cloudreel.telestream import AsyncTelestream, Telestream

LARGEST_CROSSING, MOST_ABOVE = 85.0, 240.0  # microseconds


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for the crossing, and rows for a call beside requests and beside our own async clients."""
    with start_blocking_portal() as theirs:
        peer = Peer("anyio", lambda: partial(theirs.call, nothing), "blocking portal")
        crossing = compare("an empty crossing", partial(portal.run, nothing), peer, effort)
        yield crossing
        yield under("an empty crossing", crossing.seconds[0] * 1e6, LARGEST_CROSSING, "us")
    with asyncio.Runner() as runner, answering() as port:
        signer = HmacSigner(HOST, ACCESS_KEY, SECRET_KEY, factory_id=FACTORY)
        for kind in KINDS:
            sync = Telestream(ACCESS_KEY, SECRET_KEY, FACTORY, HOST, port, scheme="http", http=kind)
            awaited = client(port, kind)
            session = Peer("requests", partial(kept, port, signer), "Session", ("requests",))
            ours = partial(fetched, sync)
            yield compare(f"sync call by {kind}", ours, session, effort)
            own = Peer("cloudreel", partial(partial, awaiting, runner, awaited), "async")
            call = compare(f"sync call by {kind}", ours, own, effort)
            yield call
            more = (call.seconds[0] - call.seconds[1]) * 1e6
            yield under(f"sync call by {kind}, above the async one", more, MOST_ABOVE, "us")
            sync.close()
            runner.run(awaited.close())


def awaiting(runner: asyncio.Runner, client: AsyncTelestream) -> object:
    """Make the call with our async client."""
    return runner.run(listed(client))


async def nothing() -> None:
    """Do nothing, on another loop."""


def fetched(client: Telestream) -> object:
    """Make the call with our client."""
    return orjson.loads(client.get(PATH, PARAMS).content)


def kept(port: int, signer: HmacSigner) -> Work:
    """Return what makes the call with requests over a kept connection, signed by us."""
    from requests import Session

    session = Session()
    session.trust_env = False  # it would look for proxies at each call
    url = f"http://{HOST}:{port}/v3.0{PATH}"

    def work() -> object:
        params = signer.params("GET", PATH, PARAMS, time.time())
        return orjson.loads(session.get(url, params=params).content)

    return work
