"""What has become of the assets of a medium. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cloudreel.cloudkey.errors import AssetFailed, NotFound
from cloudreel.cloudkey.models import Assets

READY: Final = "ready"
ERROR: Final = "error"


def ready(id: str, names: Sequence[str], assets: Assets) -> bool:
    """Return whether all assets named are ready, and make sure that the others may still become so.

    Args:
        id: of the medium.
        names: of the assets that are waited for.
        assets: what the service says of them.

    Raises:
        AssetFailed: one of them ended in failure.
        NotFound: nobody has asked for one of them, or it was removed.
    """
    for name in names:
        asset = assets.get(name)
        if asset is None:
            raise NotFound(
                f"Media {id} has no asset {name!r}, nor will it come by itself; have it made by set_assets"
            )
        if asset.get("status") == ERROR:
            raise AssetFailed(f"Asset {name!r} of media {id} failed", job={"name": name, **asset})
    return all(assets[name].get("status") == READY for name in names)


def final(assets: Assets) -> bool:
    """Return whether every asset is ready, failed or gone."""
    return all(not asset or asset.get("status") in (READY, ERROR) for asset in assets.values())
