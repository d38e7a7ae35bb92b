"""The background of Flix Cloud: inputs are fetched, transcoded and stored, and the owner is told.

A job goes through the service's states in their order (flixcloud.md section 5). All state is in the store:
a job that was interrupted begins anew with the next start, one that had ended only has its owner told.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import anyio
from anyio import lowlevel, to_thread

from cloudreel.sandbox.documents import source_name
from cloudreel.sandbox.flixcloud import jobs, storage
from cloudreel.sandbox.flixcloud.account import settings
from cloudreel.sandbox.flixcloud.documents import notification, notification_fields
from cloudreel.sandbox.flixcloud.recipes import RECIPES, adjusted, thumbnail_recipe
from cloudreel.sandbox.jobs import Jobs
from cloudreel.sandbox.media import EncodingFailed, FfmpegMissing, NotMedia
from cloudreel.sandbox.media.command import AUDIO_ONLY
from cloudreel.sandbox.net import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from anyio.abc import TaskGroup

    from cloudreel.sandbox.media import Encoded, MediaInfo
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["JobRunner"]

_TRIES = 3


class _Failed(Exception):
    """A job cannot be done; the text is its error message."""


class JobRunner:
    """Runs the jobs, each in a task of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs = Jobs()

    def start(self, tasks: TaskGroup) -> None:
        """Work in this task group from now on, first on what an earlier run left unfinished."""
        self._jobs.start(tasks)
        for job in self._world.store.list("job"):
            if job["task_state"] not in jobs.FINAL:
                self.submit(job["id"])

    def submit(self, id: int) -> None:
        """Run a job from its beginning, or tell of its end."""
        self._jobs.begin(str(id), self._run)

    def cancel(self, id: str) -> bool:
        """Stop a job and tell its owner; say whether it had not ended yet."""
        job = self._world.store.get("job", id)
        if job is None or job["_outcome"] is not None:
            return False
        self._jobs.stop(id)
        self._end(id, "cancelled_job")
        self.submit(job["id"])
        return True

    async def stop_all(self) -> None:
        """Stop everything, and return when it has stopped."""
        await self._jobs.stop_all()

    async def _run(self, id: str) -> None:
        job = self._world.store.get("job", id)
        if job is None:
            return
        if job["_outcome"] is None:
            try:
                members = await self._make(job)
            except _Failed as error:
                self._end(id, "failed_job", str(error))
            else:
                self._end(id, "successful_job", **members)
        await self._notify(id)

    # Making

    async def _make(self, job: Document) -> Document:
        """Do what a job asks for; return what is known of its files then."""
        id, room = str(job["id"]), self._world.store.folder(f"flixcloud/{job['id']}")
        await self._step(id, "waiting_to_download_input_files")
        await self._step(id, "downloading_input_files")
        source, info = await self._input(job, room)
        watermark = await self._watermark(job, room)
        await self._step(id, "waiting_to_transcode")
        made, thumbnails = await self._transcode(job, source, info, watermark, room / "made")
        await self._step(id, "waiting_to_upload_output_files")
        await self._step(id, "uploading_output_files")
        members = {"input": job["input"] | jobs.media_members(info, jobs.transfer_cost(info.file_size))}
        if watermark is not None:
            size = watermark.stat().st_size
            members["watermark"] = job["watermark"] | {"size": size, "cost": jobs.transfer_cost(size)}
        return members | await self._output(job, made, thumbnails, room / "made")

    async def _step(self, id: str, state: str) -> None:
        self._set(id, jobs.step(state))
        await lowlevel.checkpoint()  # whoever looks may see every state

    async def _input(self, job: Document, room: Path) -> tuple[Path, MediaInfo]:
        store = self._world.store
        url: str = job["input"]["url"]
        suffix = PurePosixPath(unquote(urlsplit(url).path)).suffix
        source = await self._download(job, "input", room / source_name("input", suffix))
        self._set(str(job["id"]), {"_source": str(source.relative_to(store.data))})
        with self._blaming("The input file is no media that can be transcoded"):
            info = await self._world.transcoder.probe(source)
        if info.width is None and (job["thumbnails"] or _preset(job) not in AUDIO_ONLY):
            raise _Failed("The input file has no picture")
        return source, info

    async def _watermark(self, job: Document, room: Path) -> Path | None:
        if job["watermark"] is None:
            return None
        picture = await self._download(job, "watermark", room / "watermark")
        with self._blaming("The watermark file is no picture"):
            await self._world.transcoder.probe_picture(picture)
        return picture

    async def _download(self, job: Document, kind: str, target: Path) -> Path:
        url, login = job[kind]["url"], job["_logins"][kind]
        await anyio.Path(target).unlink(missing_ok=True)
        with self._blaming(f"The {kind} file could not be downloaded"):
            stored = storage.find(self._world, url, login)
            if stored is not None:
                await to_thread.run_sync(shutil.copyfile, stored, target)
            else:
                await self._world.net.fetch(url, target, login=login and tuple(login))
        return target

    async def _transcode(
        self, job: Document, source: Path, info: MediaInfo, watermark: Path | None, folder: Path
    ) -> tuple[Encoded, Encoded | None]:
        id, encode = str(job["id"]), self._world.transcoder.encode
        recipe = adjusted(RECIPES[job["recipe_id"]][1], job["_settings"])
        await self._step(id, "transcoding")
        with self._blaming("The input file could not be transcoded"):
            progress = partial(self._progress, id)
            made = await encode(source, recipe, folder / "output", progress=progress, watermark=watermark)
            if job["thumbnails"] is None:
                return made, None
            stills = thumbnail_recipe(job["_settings"])
            return made, await encode(source, stills, folder / "thumbnail", progress=lambda _: None)

    async def _output(
        self, job: Document, made: Encoded, thumbnails: Encoded | None, folder: Path
    ) -> Document:
        """Send what was made where the job wants it, the thumbnails after the output."""
        id, info = str(job["id"]), made.info
        files = [("output", folder / made.files[0], storage.place(job["output"]["url"]))]
        stills = thumbnails.files if thumbnails else []
        for number, name in enumerate(stills):
            target = f"{storage.folder_place(job['thumbnails']['url'])}{job['_prefix']}{number:04}.png"
            files.append(("thumbnails", folder / name, target))
        sizes = [file.stat().st_size for _, file, _ in files]
        for number, (kind, file, place) in enumerate(files, start=1):
            with self._blaming(f"The {kind} could not be stored"):
                await storage.put(self._world, file, place, job["_logins"][kind])
            self._progress(id, 100 * number / len(files))
        size, total = sizes[0], sum(sizes[1:])
        cost = jobs.output_cost(size, info.duration_ms if info else None)
        members = {
            "output": job["output"] | (jobs.media_members(info, cost) if info else {"size": size}),
            "_stored": {"output": files[0][2], "thumbnails": [place for _, _, place in files[1:]]},
        }
        if thumbnails is not None:
            told = {"total_size": total, "number_of_thumbnails": len(stills)}
            members["thumbnails"] = job["thumbnails"] | told | {"cost": jobs.transfer_cost(total)}
        return members

    @contextmanager
    def _blaming(self, what: str) -> Generator[None]:
        """Let a job fail with a message that says what went wrong."""
        try:
            yield
        except (FetchFailed, NotMedia, EncodingFailed, FfmpegMissing, OSError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            text = f"{what}: {why}".replace(str(self._world.store.data), "")
            # It goes into XML, which cannot hold everything that a process may write.
            raise _Failed("".join(char if char.isprintable() else " " for char in text)) from error

    # What the store knows

    def _progress(self, id: str, percent: float) -> None:
        job = self._world.store.get("job", id)
        if job is not None:
            self._set(id, jobs.progressed(job, percent))

    def _end(self, id: str, outcome: str, error: str | None = None, **members: object) -> None:
        job = self._world.store.get("job", id)
        if job is not None:
            self._set(id, {**members, **jobs.ended(job, outcome, error, self._world.clock.now())})

    def _set(self, id: str, changes: Document) -> None:
        """Change a job that has not ended: who was stopped meanwhile must not touch it any more."""
        job = self._world.store.get("job", id)
        if job is not None and job["_outcome"] is None:
            self._world.store.update("job", id, changes)

    async def _notify(self, id: str) -> None:
        """Tell the owner how a job ended; only then it is in its final state."""
        store = self._world.store
        job = store.update("job", id, {"task_state": "waiting_to_notify"})
        if job is None:
            return
        await lowlevel.checkpoint()
        store.update("job", id, {"task_state": "notifying"})
        account = settings(self._world)
        url = job["notification_url"] or account["notification_url"]
        if url is not None:
            delivery = f"flixcloud-{id}"
            if store.get("delivery", delivery) is None:
                fields = notification_fields(job)
                document: Document = {
                    "id": delivery,
                    "url": url,
                    "body": fields,
                    "attempts": [],
                    "delivered": False,
                    "_delay": 0,
                    "_tries": _TRIES,
                    "_method": account["notify_with"],
                    "_xml": notification(fields).decode(),
                }
                store.put("delivery", delivery, document, scope="flixcloud")
            await self._world.notifier.deliver(delivery)
        store.update("job", id, {"task_state": job["_outcome"]})


def _preset(job: Document) -> str:
    return RECIPES[job["recipe_id"]][1].preset
