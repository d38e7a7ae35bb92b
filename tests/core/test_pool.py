"""The connections of a client: opened late, on one event loop, within limits, closed by who opened them."""

from __future__ import annotations

import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import httpx
import httpx_aiohttp
import pytest

from cloudreel.core import options, pool
from cloudreel.core.options import Limits, Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.errors import CloudReelError, WrongEventLoopError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conftest import Wire

SECRET = "s3cr3t-V4lue"


class Watched(httpx.MockTransport):
    """A caller's transport that knows whether it was closed."""

    closed = False

    async def aclose(self) -> None:
        self.closed = True


# -- opening and closing ---------------------------------------------------------------------------------


def test_nothing_is_opened_without_a_loop() -> None:
    assert Pool(Wiring()).clock_offset == 0.0


@pytest.mark.anyio
async def test_one_client_serves_all_calls() -> None:
    made = Pool(Wiring())
    assert made.client() is made.client()
    await made.close()


@pytest.mark.anyio
async def test_our_own_client_is_closed_and_stays_so() -> None:
    made = Pool(Wiring())
    client = made.client()
    await made.close()
    assert client.is_closed
    with pytest.raises(CloudReelError, match="This client is closed"):
        made.client()
    await made.close()  # once more does no harm


@pytest.mark.anyio
async def test_a_client_that_was_never_used_can_be_closed() -> None:
    made = Pool(Wiring())
    await made.close()
    with pytest.raises(CloudReelError, match="This client is closed"):
        made.client()


@pytest.mark.anyio
async def test_the_callers_client_is_used_and_never_closed(wire: Wire) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(wire.handle)) as theirs:
        made = wire.pool(http_client=theirs)
        sender = wire.transport(pool=made)
        await sender.send(wire.call())
        assert made.client() is theirs
        await sender.close()
        assert not theirs.is_closed
        with pytest.raises(CloudReelError, match="This client is closed"):
            await sender.send(wire.call())
    assert len(wire.requests) == 1


@pytest.mark.anyio
async def test_the_callers_transport_is_used_and_never_closed(wire: Wire) -> None:
    theirs = Watched(wire.handle)
    made = Pool(Wiring(transport=theirs))
    await wire.transport(pool=made).send(wire.call())
    await made.close()
    assert len(wire.requests) == 1
    assert not theirs.closed


@pytest.mark.anyio
async def test_copies_share_the_connections(wire: Wire) -> None:
    sender = wire.transport()
    copy = sender.with_options(timeout=1.0, retries=0)
    assert (copy.options, sender.options) == (Options(timeout=1.0, retries=0), Options())
    await sender.close()
    with pytest.raises(CloudReelError, match="This client is closed"):
        await copy.send(wire.call())


# -- how connections are made ----------------------------------------------------------------------------


def test_all_clients_share_one_ssl_context_that_verifies() -> None:
    context = pool.shared_ssl_context()
    assert context is pool.shared_ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize(("plain", "used"), [("", True), ("1", False)])
def test_aiohttp_carries_the_calls_where_asked_for_unless_the_environment_forbids_it(
    monkeypatch: pytest.MonkeyPatch, plain: str, used: bool
) -> None:
    made: list[httpx.Limits] = []

    class Recorded(httpx_aiohttp.AiohttpTransport):
        def __init__(
            self, *, limits: httpx.Limits, verify: ssl.SSLContext, proxy: httpx.Proxy | None
        ) -> None:
            made.append(limits)
            super().__init__(limits=limits, verify=verify, proxy=proxy)

    monkeypatch.setattr(httpx_aiohttp, "AiohttpTransport", Recorded)
    monkeypatch.setenv("CLOUDREEL_PLAIN_HTTP", plain)

    async def main() -> None:
        opened = Pool(Wiring(Limits(3), http="aiohttp"))
        opened.client()
        await opened.close()

    anyio.run(main)
    assert [limits.max_connections for limits in made] == ([3] if used else [])


def test_aiohttp_without_its_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx_aiohttp", None)
    monkeypatch.delenv("CLOUDREEL_PLAIN_HTTP", raising=False)

    async def main() -> None:
        Pool(Wiring(http="aiohttp")).client()

    with pytest.raises(CloudReelError, match=r'pip install "cloudreel\[aiohttp\]"'):
        anyio.run(main)


def test_the_product_tokens_name_the_versions() -> None:
    ours, python, library = options.default_user_agent().split()
    assert ours.startswith("cloudreel/")
    assert python == f"python/{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    assert library == f"httpx/{httpx.__version__}"


def test_wiring_shows_nothing() -> None:
    assert SECRET not in repr(Wiring(proxy=f"http://bob:{SECRET}@proxy.test"))


# -- limits ----------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_no_more_requests_are_under_way_than_allowed(wire: Wire) -> None:
    under_way = most = 0
    full = anyio.Event()

    async def busy(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 3:
            full.set()
        await full.wait()  # were fewer let in, this would never end
        await anyio.lowlevel.checkpoint()
        under_way -= 1
        return httpx.Response(200)

    wire.answers(busy)
    sender = wire.transport(pool=wire.pool(Limits(in_flight=3)))
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(sender.send, wire.call())
    assert (most, under_way, len(wire.requests)) == (3, 0, 20)


@pytest.mark.anyio
async def test_a_call_is_signed_when_its_turn_has_come(wire: Wire) -> None:
    now = 1000.0

    async def later(request: httpx.Request) -> httpx.Response:
        nonlocal now
        await anyio.lowlevel.checkpoint()
        now += 60
        return httpx.Response(200)

    wire.answers(later)
    sender = wire.transport(pool=wire.pool(Limits(in_flight=1)), clock=lambda: now)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(sender.send, wire.call())
    assert wire.signed_at == [1000.0, 1060.0, 1120.0, 1180.0]


@pytest.mark.anyio
async def test_requests_start_in_step_with_the_allowed_rate(wire: Wire) -> None:
    sender = wire.transport(pool=wire.pool(Limits(per_second=50)))
    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(sender.send, wire.call())
    assert anyio.current_time() - began >= 0.09  # the first at once, five more 0.02 s apart


@pytest.mark.anyio
async def test_the_rate_makes_up_no_lost_time(
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
    replace_sleep: Callable[[Callable[[float], Awaitable[None]]], None],
) -> None:
    now = 0.0
    slept: list[float] = []

    async def sleep(delay: float) -> None:
        slept.append(delay)

    monkeypatch.setattr(anyio, "current_time", lambda: now)
    replace_sleep(sleep)
    sender = wire.transport(pool=wire.pool(Limits(per_second=4)))
    for now in (0.0, 0.0, 10.0, 10.0):  # noqa: B007 - the clock reads it
        await sender.send(wire.call())
    assert slept == [0.0, 0.25, 0.0, 0.25]


@pytest.mark.anyio
async def test_a_cancelled_call_gives_its_place_back(wire: Wire) -> None:
    begun = anyio.Event()

    async def stuck(request: httpx.Request) -> httpx.Response:
        begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    wire.answers(stuck, 200)
    sender = wire.transport(pool=wire.pool(Limits(in_flight=1)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sender.send, wire.call())
        await begun.wait()
        tasks.cancel_scope.cancel()
    await sender.send(wire.call())


@pytest.mark.anyio
@pytest.mark.usefixtures("pauses")
async def test_a_call_that_waits_to_be_repeated_holds_no_place(
    wire: Wire, replace_sleep: Callable[[Callable[[float], Awaitable[None]]], None]
) -> None:
    sender = wire.transport(pool=wire.pool(Limits(in_flight=1)))
    quick = anyio.sleep

    async def meanwhile(delay: float) -> None:
        await sender.send(wire.call(path="/other.json"))
        await quick(delay)

    replace_sleep(meanwhile)
    wire.answers(503, 200)
    await sender.send(wire.call())
    assert [sent.url.path for sent in wire.requests] == [
        "/v1/things.json",
        "/v1/other.json",
        "/v1/things.json",
    ]


# -- one event loop, one process -------------------------------------------------------------------------


def test_a_second_event_loop_is_refused_with_advice(wire: Wire, anyio_backend: str) -> None:
    sender = wire.transport()
    anyio.run(sender.send, wire.call(), backend=anyio_backend)
    with pytest.raises(WrongEventLoopError, match=r"another event loop.*synchronous client"):
        anyio.run(sender.send, wire.call(), backend=anyio_backend)
    with pytest.raises(WrongEventLoopError, match="Close this client on the event loop"):
        anyio.run(sender.close, backend=anyio_backend)
    assert len(wire.requests) == 1


def test_a_client_that_was_not_used_yet_belongs_to_no_loop(wire: Wire) -> None:
    sender = wire.transport()
    anyio.run(anyio.lowlevel.checkpoint, backend="trio")
    anyio.run(sender.send, wire.call(), backend="asyncio")
    assert len(wire.requests) == 1


FORKED = """
import os, sys
import anyio, httpx
from cloudreel.core.options import Wiring
from cloudreel.core.pool import Pool
from cloudreel.errors import WrongEventLoopError

used, unused = (Pool(Wiring(transport=httpx.MockTransport(print))) for _ in range(2))

async def touch(pool):
    pool.client()

anyio.run(touch, used)
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
anyio.run(touch, unused)
try:
    anyio.run(touch, used)
except WrongEventLoopError as error:
    print(error, flush=True)
    os._exit(7)
"""


def test_after_a_fork_a_used_client_is_refused_and_an_unused_one_works() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 7
    assert done.stdout.startswith("This client was used before the process forked")
