"""How many parts a session has under way, by a clock that jumps over the waits."""

from __future__ import annotations

import random

import anyio
import pytest
import trio.testing

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """A loop whose time passes only where nothing is left to do."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_fewer_parts_go_out_while_the_service_is_in_trouble_and_more_again_afterwards(kit):
    service = kit.Service(random.Random(7).randbytes(200), 1)
    together = []  # parts under way whenever one of them has come

    async def note(index):
        together.append((index, service.in_flight))
        await anyio.sleep(0.01)

    service.before_part = note
    for index in range(40, 80):
        service.fault("PUT", index, 503)
    session = await kit.session(service, threads=8)
    await session.start()
    assert service.received == service.content
    assert max(count for index, count in together if index < 40) == 8
    assert [count for index, count in together if 60 <= index < 80] == [1] * 40
    assert max(count for index, count in together if index >= 150) == 8
