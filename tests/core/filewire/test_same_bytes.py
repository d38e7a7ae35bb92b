"""Both ways to send a part put the same bytes on the line; and which of them is taken when."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudreel.core.call import Call, Request
from cloudreel.core.failures import ErrorFamily
from cloudreel.core.options import Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Service, Transport
from cloudreel.errors import CloudReelError
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.multipart import MultipartBody
from cloudreel.uploads.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloudreel.core.call import Body
    from conftest import Kit, Server


def sender_over(wiring: Wiring) -> tuple[Transport, Pool]:
    """Return a sender of unsigned calls, and its pool."""
    errors = ErrorFamily(CloudReelError, {})
    service = Service("acme", "http://acme.test", errors, lambda request, now: request, lambda response: None)
    pool = Pool(wiring)
    return Transport(service, pool, Options(retries=0)), pool


async def send_both_ways(
    path: Path, url: str, headers: dict[str, str], make_body: Callable[..., Body], trust: object
) -> list[int]:
    """Send a part by wire and by httpx; return which of them used the wire."""
    used: list[int] = []
    for fast_path in (True, False):
        sender, pool = sender_over(Wiring(verify=trust, fast_path=fast_path))
        async with await open_source(path) as source:
            put = Call(Request("PUT", url, headers=headers, content=make_body(source)), id, signed=False)
            await sender.send(put)
        used.append(pool.wire is not None)
        await sender.close()
    return used


header_names = st.from_regex(r"X-[A-Za-z0-9-]{1,20}", fullmatch=True)
header_values = st.from_regex(r"[!-~]([ -~]{0,40}[!-~])?", fullmatch=True)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    start=st.integers(0, 999_999),
    length=st.one_of(st.integers(1, 200_000), st.sampled_from([64 * 1024, 64 * 1024 + 1, 256 * 1024])),
    headers=st.dictionaries(header_names, header_values, max_size=4),
    query=st.text(st.sampled_from("abc123%20&=/?é "), max_size=12),
    form=st.booleans(),
    backend=st.sampled_from(["asyncio", "trio"]),
)
def test_both_ways_put_the_same_bytes_on_the_line(
    server: Server,
    path: Path,
    kit: type[Kit],
    start: int,
    length: int,
    headers: dict[str, str],
    query: str,
    form: bool,
    backend: str,
) -> None:
    length = min(length, len(kit.CONTENT) - start)
    make_body: Callable[..., Body] = partial(SourceBody, offset=start, length=length)
    if form:
        make_body = partial(MultipartBody, boundary="b0undary")
    server.requests.clear()
    used = anyio.run(
        send_both_ways, path, f"{server.url}&{query}", headers, make_body, kit.trust(), backend=backend
    )
    by_wire, by_httpx = server.requests
    assert used == [True, False]
    assert by_wire == by_httpx
    assert by_wire.count(b"X-") >= len(headers)


# -- which way is taken ----------------------------------------------------------------------------------


async def wired(wiring: Wiring) -> bool:
    """Return whether file parts go out by wire."""
    pool = Pool(wiring)
    pool.client()
    await pool.close()
    return pool.wire is not None


@pytest.mark.anyio
async def test_our_own_connections_use_the_wire() -> None:
    assert await wired(Wiring())
    assert await wired(Wiring(verify=False))


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_wire_stays_out_of_what_the_caller_chose() -> None:
    assert not await wired(Wiring(http="aiohttp"))
    assert not await wired(Wiring(fast_path=False))
    assert not await wired(Wiring(proxy="http://proxy.test:3128"))
    assert not await wired(Wiring(transport=httpx.MockTransport(lambda request: httpx.Response(200))))
    async with httpx.AsyncClient() as theirs:
        assert not await wired(Wiring(http_client=theirs))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLOUDREEL_PLAIN_HTTP", "1"),
        ("HTTPS_PROXY", "http://proxy.test:3128"),
        ("http_proxy", "http://proxy.test:3128"),
        ("ALL_PROXY", "http://proxy.test:3128"),
    ],
)
async def test_the_wire_stays_out_of_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert not await wired(Wiring())


@pytest.mark.anyio
async def test_the_wire_stays_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert not await wired(Wiring())


@pytest.mark.anyio
async def test_what_is_in_no_file_goes_by_httpx(server: Server, kit: type[Kit]) -> None:
    sender, pool = sender_over(Wiring(verify=kit.trust()))
    async with await open_source(kit.CONTENT) as source:
        body = SourceBody(source, 5, 300_000)
        await sender.send(Call(Request("PUT", server.url, content=body), id, signed=False))
    assert pool.wire is not None
    assert pool.wire._idle == []
    await sender.close()
    assert server.requests[0].endswith(b"\r\n\r\n" + kit.CONTENT[5:300_005])
