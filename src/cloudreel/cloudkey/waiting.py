"""Following the assets of a medium until nothing more will happen to them by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import anyio

from cloudreel.cloudkey.errors import AssetFailed, NotFound
from cloudreel.cloudkey.models import Assets

FIRST_PAUSE: Final = 0.25  # seconds
LONGEST_PAUSE: Final = 10.0
GROWTH: Final = 1.5

READY: Final = "ready"
ERROR: Final = "error"


class AssetWatch(AsyncIterator[Assets]):
    """What ``look`` sees whenever it differs from before, until every asset is ready, failed or gone.

    A plain iterator: an async generator that is left early waits for its loop to close it.

    Args:
        look: asks the service.
        poll: seconds between looks; None begins quickly and slows down to one look in ten seconds.
    """

    def __init__(self, look: Callable[[], Awaitable[Assets]], poll: float | None) -> None:
        self._look = look
        self._poll = poll
        self._pause = FIRST_PAUSE
        self._seen: Assets | None = None

    async def __anext__(self) -> Assets:
        """Return the next state that is new."""
        while self._seen is None or not _final(self._seen):
            if self._seen is not None:
                await anyio.sleep(self._next_pause())
            assets = await self._look()
            if assets != self._seen:
                self._seen = assets
                return assets
        raise StopAsyncIteration

    def _next_pause(self) -> float:
        if self._poll is not None:
            return self._poll
        pause, self._pause = self._pause, min(self._pause * GROWTH, LONGEST_PAUSE)
        return pause


def check(id: str, name: str, assets: Assets) -> None:
    """Make sure that an asset is ready or may still become so.

    Raises:
        AssetFailed: it ended in failure.
        NotFound: nobody has asked for it, or it was removed.
    """
    asset = assets.get(name)
    if asset is None:
        raise NotFound(
            f"Media {id} has no asset {name!r}, nor will it come by itself; have it made by set_assets"
        )
    if asset.get("status") == ERROR:
        raise AssetFailed(f"Asset {name!r} of media {id} failed", job={"name": name, **asset})


def _final(assets: Assets) -> bool:
    return all(not asset or asset.get("status") in (READY, ERROR) for asset in assets.values())
