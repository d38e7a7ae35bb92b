"""What cannot be sent is told at once: no further attempt could do better."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import anyio
import anyio.abc
import httpx
import pytest

from cloudreel.core.call import Body, Call, Request
from cloudreel.core.options import Limits, Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Transport
from cloudreel.errors import TransportError
from cloudreel.uploads.bodies import SourceBody
from cloudreel.uploads.sources import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Wire

pytestmark = pytest.mark.anyio

UNSENDABLE = "film/1.0\r\nX-Other: 1"


@pytest.fixture
async def heard(anyio_backend: str) -> AsyncIterator[tuple[str, bytearray]]:
    """The address of a service that says nothing, and all that it hears."""
    said = bytearray()

    async def listen(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            async for data in stream:
                said.extend(data)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, listen)
            yield f"http://127.0.0.1:{port}", said
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("body", ["none", "bytes", "file"])
@pytest.mark.parametrize("fast_path", [True, False])
async def test_a_header_that_is_none(
    heard: tuple[str, bytearray],
    wire: Wire,
    pauses: list[float],
    tmp_path: Path,
    body: str,
    fast_path: bool,
) -> None:
    base_url, said = heard
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(1000))
    pool = Pool(Wiring(Limits(), fast_path=fast_path))
    sender = Transport(wire.service(base_url), pool, Options(user_agent=UNSENDABLE, retries=2))
    async with await open_source(path) as source:
        bodies: dict[str, bytes | Body | None] = {"bytes": b"x", "file": SourceBody(source, 0, 1000)}
        with pytest.raises(TransportError, match="acme PUT /x: this cannot be sent") as caught:
            await sender.send(Call(Request("PUT", "/x", content=bodies.get(body)), id))
    await sender.close()
    assert (caught.value.attempts, pauses) == (1, [])
    assert isinstance(caught.value.__cause__, httpx.LocalProtocolError)
    assert b"X-Other" not in said
