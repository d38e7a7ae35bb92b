"""The background of CloudKey: assets are fetched or transcoded, each in a task of its own.

An asset goes from ``pending`` over ``processing`` to ``ready`` or ``error``; one that is made of another
waits for it (cloudkey-rpc.md 7.5). All state is in the store, so an interrupted run is taken up by the next.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import anyio
from anyio import lowlevel, to_thread

from cloudreel.sandbox.cloudkey.assets import RECIPES, asset_id, details, is_thumbnail, picture_details, still
from cloudreel.sandbox.cloudkey.library import media_folder
from cloudreel.sandbox.cloudkey.node import node_file
from cloudreel.sandbox.documents import source_name
from cloudreel.sandbox.jobs import Jobs
from cloudreel.sandbox.media import EncodingFailed, FfmpegMissing, NotMedia
from cloudreel.sandbox.net import FetchFailed

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["AssetMaker"]


class _Failed(Exception):
    """An asset cannot be made; the text says why."""


class AssetMaker:
    """Makes the assets that media ask for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs = Jobs()

    def start(self, tasks: TaskGroup) -> None:
        """Work in this task group from now on, first on what an earlier run left unfinished."""
        self._jobs.start(tasks)
        for asset in self._world.store.list("asset"):
            if asset["status"] in {"pending", "processing"}:
                self.submit(asset["id"])

    def submit(self, id: str) -> None:
        """Make an asset as soon as the one it is made of permits."""
        self._jobs.begin(id, self._make)

    def submit_waiting(self, media_id: str, name: str) -> None:
        """Take up what waits for an asset of this name: it is ready, failed or gone."""
        for asset in self._world.store.list("asset", parent=media_id, status="pending"):
            if asset["_url"] is None and asset["_source"] == name:
                self.submit(asset["id"])

    def stop(self, id: str) -> None:
        """Stop whatever runs for an asset, leaving its document alone."""
        self._jobs.stop(id)

    async def stop_all(self) -> None:
        """Stop everything, and return when it has stopped."""
        await self._jobs.stop_all()

    async def _make(self, id: str) -> None:
        store = self._world.store
        asset = store.get("asset", id)
        if asset is None or asset["status"] not in {"pending", "processing"}:
            return
        try:
            source = self._source(asset)
            if source is not None and source["status"] != "ready":
                return  # its end begins this again
            store.update("asset", id, {"status": "processing"})
            folder = media_folder(self._world, asset["media_id"])
            folder.mkdir(parents=True, exist_ok=True)
            if source is None:
                changes = await self._fetch(asset, folder)
            else:
                changes = await self._transcode(asset, source, folder)
        except (_Failed, FetchFailed, EncodingFailed, NotMedia, FfmpegMissing, OSError) as error:
            changes = {"status": "error", "error_message": str(error)}
        await lowlevel.checkpoint()  # who was stopped meanwhile must not touch the document any more
        store.update("asset", id, changes)
        self.submit_waiting(asset["media_id"], asset["name"])

    def _source(self, asset: Document) -> Document | None:
        """Return the asset this one is made of, None if it is fetched."""
        if asset["_url"] is not None:
            return None
        source = self._world.store.get("asset", asset_id(asset["media_id"], asset["_source"]))
        if source is None:
            raise _Failed(f"The media has no asset {asset['_source']} to make it of")
        if source["status"] == "error":
            raise _Failed(f"Its asset {asset['_source']} could not be had: {source['error_message']}")
        return source

    async def _fetch(self, asset: Document, folder: Path) -> Document:
        """Take a file as it is; one that cannot be decoded is a source as well (cloudkey-rest.md 14.34)."""
        url: str = asset["_url"]
        target = folder / source_name(asset["name"], Path(unquote(urlsplit(url).path)).suffix)
        target.unlink(missing_ok=True)
        uploaded = node_file(self._world, url)
        try:
            if uploaded is not None:
                await to_thread.run_sync(_link, uploaded, target)
            else:
                await self._world.net.fetch(url, target)
            members = await self._details(asset, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return self._ready([target], members)

    async def _transcode(self, asset: Document, source: Document, folder: Path) -> Document:
        world, name = self._world, asset["name"]
        if name not in RECIPES:
            raise _Failed(f"The sandbox cannot make {name}; it makes {', '.join(RECIPES)}")
        if is_thumbnail(source["name"]):
            raise _Failed(f"{source['name']} is a picture, of which {name} cannot be made")

        def progress(percent: float) -> None:
            world.store.update("asset", asset["id"], {"progress": round(percent)})

        file = world.store.data / source["_files"][0]
        recipe = still(asset) if is_thumbnail(name) else RECIPES[name]
        made = await world.transcoder.encode(file, recipe, folder / name, progress=progress)
        if not made.files:
            raise _Failed("There is no picture at that time")
        if made.info is None:
            data = await to_thread.run_sync((folder / made.files[0]).read_bytes)
            members = picture_details(data)
        else:
            members = details(made.info)
        return self._ready([folder / file for file in made.files], members)

    async def _details(self, asset: Document, file: Path) -> Document:
        if is_thumbnail(asset["name"]):
            return picture_details(await to_thread.run_sync(file.read_bytes))
        checksum = await to_thread.run_sync(_md5, file)
        try:
            members = details(await self._world.transcoder.probe(file))
        except NotMedia:
            size = (await anyio.Path(file).stat()).st_size
            members = {"file_size": size, "file_extension": file.suffix.lstrip(".")}
        return members | {"checksum": checksum}

    def _ready(self, files: list[Path], members: Document) -> Document:
        created = int(self._world.clock.now())
        return {
            "status": "ready",
            "progress": 100,
            "_files": [str(file.relative_to(self._world.store.data)) for file in files],
            "_details": {**members, "created": created},
        }


def _link(file: Path, target: Path) -> None:
    """Give an uploaded file a second name instead of a second copy, where the disk can."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
