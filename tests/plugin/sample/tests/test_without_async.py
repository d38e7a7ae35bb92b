"""No loop at all, and loops of a test's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from newsroom import publish, published

from cloudreel import ServiceError

if TYPE_CHECKING:
    from cloudreel import AsyncTelestream, CloudKey, CloudKeyRest, FlixCloud, Panda, Telestream
    from cloudreel.sandbox import Sandbox
    from cloudreel.testing.helpers import Faults


def test_every_service_answers(
    telestream: Telestream,
    panda: Panda,
    cloudkey: CloudKey,
    cloudkey_rest: CloudKeyRest,
    flixcloud: FlixCloud,
) -> None:
    assert [factory.name for factory in telestream.flip.factories.all()] == ["main"]
    assert [cloud["name"] for cloud in panda.clouds.all()] == ["main"]
    assert cloudkey.user.info()["id"]
    assert cloudkey_rest.user.whoami()["id"]
    assert "mpg2avi" in [recipe.name for recipe in flixcloud.recipes()]


@pytest.mark.parametrize("turn", range(3))
def test_each_test_begins_with_nothing(telestream: Telestream, sandbox: Sandbox, turn: int) -> None:
    assert published(telestream) == []
    telestream.flip.factories.all()[0].videos.create(file=b"a film", profiles="none", payload=f"film {turn}")
    assert published(telestream) == [f"film {turn}"]
    assert len(sandbox.world.snapshot()["videos"]) == 1


def test_a_program_of_its_own_loop(async_telestream: AsyncTelestream, telestream: Telestream) -> None:
    asyncio.run(publish(async_telestream, b"a film", "from a program"))
    assert published(telestream) == ["from a program"]


def test_faults_end_with_the_test(telestream: Telestream, fault: Faults) -> None:
    fault("status", path="/v3.0/*", times=100, status=500)
    with pytest.raises(ServiceError):
        telestream.with_options(retries=0).flip.factories.all()


def test_and_are_gone_in_the_next(telestream: Telestream, fault: Faults) -> None:
    assert fault.left == []
    fault("status", path="/v3.0/*", times=100)
    fault.clear()
    assert telestream.with_options(retries=0).flip.factories.all()
