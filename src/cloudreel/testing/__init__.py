"""The pytest plugin: a sandbox and clients of it as plain fixtures, under pytest-asyncio, anyio and without.

It is there as soon as cloudreel is installed beside pytest, and loads nothing until a fixture is asked for.
Every test gets a sandbox that knows nothing of the tests before; the server behind it is started once::

    @pytest.mark.anyio
    async def test_an_upload_survives_a_broken_line(async_telestream, fault, tmp_path):
        fault("drop", path="/upload/*", after_bytes=1000)
        ...

``@pytest.mark.cloudreel(...)`` takes the arguments of :class:`cloudreel.sandbox.Sandbox` for one test, class
or module, and ``asgi=True`` for a sandbox without a socket, which serves async clients only.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudreel.cloudkey import AsyncCloudKey, CloudKey
    from cloudreel.cloudkey_rest import AsyncCloudKeyRest, CloudKeyRest
    from cloudreel.flixcloud import AsyncFlixCloud, FlixCloud
    from cloudreel.panda import AsyncPanda, Panda
    from cloudreel.sandbox import Sandbox
    from cloudreel.telestream import AsyncTelestream, Telestream
    from cloudreel.testing.helpers import Clock, Faults
    from cloudreel.testing.places import Place, Places

__all__: list[str] = []

MARKER = (
    "cloudreel(*, asgi=False, **options): what the sandbox of a test is like: the arguments of "
    "cloudreel.sandbox.Sandbox, and whether it does without a socket."
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def cloudreel_places() -> Iterator[Places]:
    """The sandboxes that run while the tests do."""
    from cloudreel.testing.places import Places

    places = Places()
    yield places
    places.close()


@pytest.fixture
def cloudreel_place(request: pytest.FixtureRequest, cloudreel_places: Places) -> Iterator[Place]:
    """The sandbox of this test, and how to get at it."""
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("cloudreel"))):  # the closest one wins
        if marker.args:
            raise pytest.UsageError(f"@pytest.mark.cloudreel takes keyword arguments only, not {marker.args}")
        options |= marker.kwargs
    with cloudreel_places.place(**options) as place:
        if iscoroutinefunction(getattr(request.node, "obj", None)):
            request.node.obj = place.around(request.node.obj)
        yield place


@pytest.fixture
def sandbox(cloudreel_place: Place) -> Sandbox:
    """A sandbox of all five services that knows nothing of the tests before."""
    return cloudreel_place.sandbox


@pytest.fixture
def fault(cloudreel_place: Place) -> Faults:
    """Have something go wrong: ``fault("drop", path="/upload/*", after_bytes=1000)``."""
    from cloudreel.testing.helpers import Faults

    return Faults(cloudreel_place)


@pytest.fixture
def clock(sandbox: Sandbox) -> Clock:
    """The sandbox's clock: ``clock.advance(3600)`` lets every URL of an hour expire."""
    from cloudreel.testing.helpers import Clock

    return Clock(sandbox.world.clock)


@pytest.fixture
def async_telestream(cloudreel_place: Place) -> Iterator[AsyncTelestream]:
    """An async Telestream client of the sandbox, closed on the event loop it was used on."""
    with cloudreel_place.transport() as transport:
        yield cloudreel_place.sandbox.telestream(transport=transport)


@pytest.fixture
def async_panda(cloudreel_place: Place) -> Iterator[AsyncPanda]:
    """An async Panda client of the sandbox, closed on the event loop it was used on."""
    with cloudreel_place.transport() as transport:
        yield cloudreel_place.sandbox.panda(transport=transport)


@pytest.fixture
def async_cloudkey(cloudreel_place: Place) -> Iterator[AsyncCloudKey]:
    """An async CloudKey client of the sandbox, closed on the event loop it was used on."""
    with cloudreel_place.transport() as transport:
        yield cloudreel_place.sandbox.cloudkey(transport=transport)


@pytest.fixture
def async_cloudkey_rest(cloudreel_place: Place) -> Iterator[AsyncCloudKeyRest]:
    """An async client of CloudKey's REST era, closed on the event loop it was used on."""
    with cloudreel_place.transport() as transport:
        yield cloudreel_place.sandbox.cloudkey_rest(transport=transport)


@pytest.fixture
def async_flixcloud(cloudreel_place: Place) -> Iterator[AsyncFlixCloud]:
    """An async Flix Cloud client of the sandbox, closed on the event loop it was used on."""
    with cloudreel_place.transport() as transport:
        yield cloudreel_place.sandbox.flixcloud(transport=transport)


@pytest.fixture
def telestream(sandbox: Sandbox) -> Iterator[Telestream]:
    """A blocking Telestream client of the sandbox."""
    with sandbox.sync.telestream() as client:
        yield client


@pytest.fixture
def panda(sandbox: Sandbox) -> Iterator[Panda]:
    """A blocking Panda client of the sandbox."""
    with sandbox.sync.panda() as client:
        yield client


@pytest.fixture
def cloudkey(sandbox: Sandbox) -> Iterator[CloudKey]:
    """A blocking CloudKey client of the sandbox."""
    with sandbox.sync.cloudkey() as client:
        yield client


@pytest.fixture
def cloudkey_rest(sandbox: Sandbox) -> Iterator[CloudKeyRest]:
    """A blocking client of CloudKey's REST era."""
    with sandbox.sync.cloudkey_rest() as client:
        yield client


@pytest.fixture
def flixcloud(sandbox: Sandbox) -> Iterator[FlixCloud]:
    """A blocking Flix Cloud client of the sandbox."""
    with sandbox.sync.flixcloud() as client:
        yield client
