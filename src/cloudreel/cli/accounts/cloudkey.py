"""Accounts with CloudKey, of either era: media, and assets that are files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

import anyio

from cloudreel.cli.accounts.account import (
    Account,
    Item,
    Outcome,
    StoredFile,
    UploadObserver,
    UploadOrder,
    Work,
)
from cloudreel.cloudkey import AsyncCloudKey
from cloudreel.cloudkey_rest import AsyncCloudKeyRest
from cloudreel.core.waiting import watch
from cloudreel.downloads.download import DownloadCallback
from cloudreel.errors import CloudReelError
from cloudreel.signing.shapes import is_list, is_mapping
from cloudreel.uploads import Progress
from cloudreel.uploads.session import ProgressCallback

READY, ERROR = "ready", "error"
SOURCE = "source"
DEFAULT_PRESETS = ("mp4_h264_aac",)

FIELDS = ["id", "created", "meta", "assets"]


class MediaAccount(Account):
    """What the two eras have in common."""

    resumable: ClassVar[bool] = False

    @abstractmethod
    def _media(self) -> AsyncIterator[Mapping[str, object]]: ...

    @abstractmethod
    async def _medium(self, id: str) -> Mapping[str, object]: ...

    @abstractmethod
    async def _assets(self, id: str) -> dict[str, Mapping[str, object]]: ...

    @abstractmethod
    async def _fetch(
        self, id: str, name: str, destination: Path, progress: DownloadCallback | None
    ) -> int: ...

    @abstractmethod
    async def _send(self, path: Path, presets: Sequence[str], progress: ProgressCallback) -> str: ...

    async def items(self) -> AsyncIterator[Item]:
        """Iterate over all media."""
        async for medium in self._media():
            yield _item(medium)

    async def find(self, id: str) -> Item:
        """Return one medium."""
        return _item(await self._medium(id))

    async def files(self, id: str) -> list[StoredFile]:
        """Return the assets that are ready; sets of streams are no files."""
        assets = await self._assets(id)
        return [
            StoredFile(
                file_name_of(name, asset),
                _number(asset, "file_size"),
                _text(asset, "checksum"),
                f"{asset.get('created')} {asset.get('file_size')}",
                partial(self._fetch, id, name),
            )
            for name, asset in assets.items()
            if asset.get("status") == READY and not name.startswith("abs")
        ]

    async def busy(self) -> list[str]:
        """Return the ids of the media with assets under way."""
        return [
            str(medium["id"])
            async for medium in self._media()
            if any(asset.get("status") not in (READY, ERROR) for asset in assets_of(medium).values())
        ]

    async def watch(self, id: str, poll: float | None) -> AsyncIterator[list[Work]]:
        """Iterate over the assets of a medium whenever they have changed."""

        async def look() -> list[Work]:
            return [_work(id, name, asset) for name, asset in (await self._assets(id)).items()]

        def final(works: list[Work]) -> bool:
            return all(work.good is not None for work in works)

        async for works in watch(look, final, poll=poll, news=list[Work]):
            yield works

    async def upload(
        self, paths: Sequence[Path], order: UploadOrder, observer: UploadObserver
    ) -> list[Outcome]:
        """Upload each file in one request, and make a medium of it."""
        outcomes: dict[int, Outcome] = {}
        turns = anyio.Semaphore(order.jobs)

        async def one(place: int, path: Path) -> None:
            def moved(progress: Progress) -> None:
                observer.moved(path, progress)

            async with turns:
                try:
                    id = await self._send(path, order.profiles or DEFAULT_PRESETS, moved)
                except (CloudReelError, OSError) as error:
                    outcomes[place] = error
                else:
                    observer.stored(path, id)
                    outcomes[place] = id

        async with anyio.create_task_group() as group:
            for place, path in enumerate(paths):
                group.start_soon(one, place, path)
        return [outcomes[place] for place in sorted(outcomes)]


class CloudKeyAccount(MediaAccount):
    """An account of the RPC era."""

    service: ClassVar[str] = "cloudkey"

    def __init__(self, client: AsyncCloudKey) -> None:
        self._client = client

    async def remove(self, id: str) -> None:
        """Delete a medium and its assets."""
        await self._client.media.delete(id=id)

    def _media(self) -> AsyncIterator[Mapping[str, object]]:
        return aiter(self._client.media.iterate(fields=FIELDS))

    async def _medium(self, id: str) -> Mapping[str, object]:
        return await self._client.media.info(id=id, fields=FIELDS)

    async def _assets(self, id: str) -> dict[str, Mapping[str, object]]:
        return {name: asset for name, asset in (await self._client.media.get_assets(id=id)).items() if asset}

    async def _fetch(self, id: str, name: str, destination: Path, progress: DownloadCallback | None) -> int:
        return await self._client.media.download(id, name, destination, progress=progress)

    async def _send(self, path: Path, presets: Sequence[str], progress: ProgressCallback) -> str:
        url = (await self._client.file.upload_file(path, progress))["url"]
        made = await self._client.media.create(url=url, assets_names=presets, meta={"title": path.name})
        return made["id"]


class CloudKeyRestAccount(MediaAccount):
    """An account of the REST era."""

    service: ClassVar[str] = "cloudkey_rest"

    def __init__(self, client: AsyncCloudKeyRest) -> None:
        self._client = client

    async def remove(self, id: str) -> None:
        """Delete a medium and its assets."""
        await self._client.media.delete(id=id)

    async def _media(self) -> AsyncIterator[Mapping[str, object]]:
        async for medium in self._client.media.iterate():
            yield medium

    async def _medium(self, id: str) -> Mapping[str, object]:
        return await self._client.media.info(id=id)

    async def _assets(self, id: str) -> dict[str, Mapping[str, object]]:
        return {asset["name"]: asset for asset in await self._client.media.list_asset(id=id)}

    async def _fetch(self, id: str, name: str, destination: Path, progress: DownloadCallback | None) -> int:
        return await self._client.media.download(id=id, preset=name, dest=destination, progress=progress)

    async def _send(self, path: Path, presets: Sequence[str], progress: ProgressCallback) -> str:
        url = (await self._client.file.upload_file(path, progress))["url"]
        made = await self._client.media.publish(url=url, presets=presets, meta={"title": path.name})
        return made["id"]


def assets_of(medium: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """Return the assets of a medium by name: one era has a mapping of them, the other a list."""
    assets = medium.get("assets")
    if is_mapping(assets):
        return {str(name): _members(asset) for name, asset in assets.items() if asset}
    if is_list(assets):
        return {str(_members(asset)["name"]): _members(asset) for asset in assets}
    return {}


def file_name_of(name: str, asset: Mapping[str, object]) -> str:
    """Return the name of an asset's file; the extension is what the service says, or begins the name."""
    extension = _text(asset, "file_extension") or ("" if name == SOURCE else name.partition("_")[0])
    return f"{name}.{extension.lstrip('.')}" if extension else name


def _item(medium: Mapping[str, object]) -> Item:
    meta, created = medium.get("meta"), medium.get("created")
    source = assets_of(medium).get(SOURCE, {})
    title = meta.get("title") if is_mapping(meta) else None
    when = datetime.fromtimestamp(created, UTC) if isinstance(created, int | float) else None
    return Item(
        str(medium["id"]), str(title or ""), status_of(medium), _number(source, "file_size"), when, medium
    )


def status_of(medium: Mapping[str, object]) -> str:
    """Return what becomes of a medium: ``error``, ``processing`` or ``ready``, as its assets do."""
    states = {str(asset.get("status")) for asset in assets_of(medium).values()}
    if ERROR in states:
        return ERROR
    return READY if states <= {READY} else "processing"


def _work(id: str, name: str, asset: Mapping[str, object]) -> Work:
    status = str(asset.get("status"))
    percent = 100.0 if status == READY else float(_number(asset, "progress") or 0)
    return Work(id, name, status, percent, {READY: True, ERROR: False}.get(status))


def _members(value: object) -> Mapping[str, object]:
    return {str(name): each for name, each in value.items()} if is_mapping(value) else {}


def _number(asset: Mapping[str, object], name: str) -> int | None:
    value = asset.get(name)
    return value if isinstance(value, int) else None


def _text(asset: Mapping[str, object], name: str) -> str | None:
    value = asset.get(name)
    return value if isinstance(value, str) else None
