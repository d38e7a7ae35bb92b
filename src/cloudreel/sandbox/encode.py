"""The background of the Panda family: sources are fetched and analysed, encodings run, results are told.

A video goes from ``processing`` to ``success`` or ``fail`` once its source is known; only then do its
encodings start (panda.md 7.3). All state is in the store, so an interrupted run is taken up by the next one.
"""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import anyio
import attrs

from cloudreel.sandbox.documents import date, failure, info_members, restarted, source_name
from cloudreel.sandbox.jobs import Jobs
from cloudreel.sandbox.media import EncodingFailed, FfmpegMissing, NotMedia, recipe_from_profile
from cloudreel.sandbox.media.probe import MIME_TYPES
from cloudreel.sandbox.net import FetchFailed
from cloudreel.sandbox.outputs import output_stem, output_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from anyio.abc import TaskGroup

    from cloudreel.sandbox.media import Encoded, Recipe
    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["Encoder"]

_PLAYLIST = "hls.variant.playlist"


class _Failed(Exception):
    """An encoding cannot be made; carries the service's error class."""

    def __init__(self, error_class: str, message: str) -> None:
        super().__init__(message)
        self.error_class = error_class


class Encoder:
    """Runs what is to be done for videos and encodings, each in a task of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs = Jobs()

    def start(self, tasks: TaskGroup) -> None:
        """Work in this task group from now on, first on what an earlier run left unfinished."""
        self._jobs.start(tasks)
        for video in self._world.store.list("video"):
            if video["status"] == "processing":
                self.submit_video(video["id"])
            else:
                self._advance(video["id"])

    def submit_video(self, id: str) -> None:
        """Fetch (if need be) and analyse a video, then run its encodings."""
        self._jobs.begin(id, self._analyse)

    def submit_encoding(self, id: str) -> None:
        """Run an encoding that was added or is to be tried again, as soon as its video permits."""
        encoding = self._world.store.get("encoding", id)
        if encoding is not None:
            self._advance(encoding["video_id"])

    def retry(self, id: str) -> None:
        """Put a failed encoding back to its beginning and run it again."""
        self._world.store.update("encoding", id, restarted(self._world.clock.now()))
        self.submit_encoding(id)

    def cancel(self, id: str) -> None:
        """Stop an encoding; its process is killed, the encoding has failed."""
        self.stop(id)
        self._fail(id, "EncodingError", "The encoding was cancelled")

    def stop(self, id: str) -> None:
        """Stop whatever runs for a video or an encoding, leaving its document alone."""
        self._jobs.stop(id)

    async def stop_all(self) -> None:
        """Stop everything, and return when it has stopped."""
        await self._jobs.stop_all()

    # Videos

    async def _analyse(self, id: str) -> None:
        world = self._world
        video = world.store.get("video", id)
        if video is None or video["status"] != "processing":
            return
        try:
            source = await self._source(video)
            info = await world.transcoder.probe(source)
        except FetchFailed as error:
            changes = failure("DownloadFailed", str(error), now=world.clock.now())
        except NotMedia as error:
            changes = failure("FormatNotRecognised", str(error), now=world.clock.now())
        except (OSError, FfmpegMissing) as error:
            changes = failure("UnexpectedError", str(error), now=world.clock.now())
        else:
            changes = {
                "status": "success",
                **info_members(info),
                "updated_at": date(world.clock.now()),
                "_metadata": dict(info.metadata),
            }
        video = world.store.update("video", id, changes)
        if video is not None:
            world.notifier.tell("video-created", video, self._encoding_ids(id))
            self._advance(id)

    async def _source(self, video: Document) -> Path:
        store = self._world.store
        if video["_source"] is None:
            target = store.folder("sources") / source_name(video["id"], video["extname"])
            await self._world.net.fetch(video["source_url"], target)
            changes = {"_source": str(target.relative_to(store.data)), "file_size": target.stat().st_size}
            store.update("video", video["id"], changes)
            return target
        return store.data / str(video["_source"])

    def _encoding_ids(self, video_id: str) -> dict[str, object]:
        encodings = self._world.store.list("encoding", parent=video_id)
        return {f"encoding_ids[{number}]": encoding["id"] for number, encoding in enumerate(encodings)}

    # Encodings

    def _advance(self, video_id: str) -> None:
        """Start what may start: all encodings, but playlists of variants only after the variants."""
        store = self._world.store
        video = store.get("video", video_id)
        if video is None or video["status"] == "processing":
            return
        waiting = store.list("encoding", parent=video_id, status="processing")
        if video["status"] == "fail":
            for encoding in waiting:
                self._fail(encoding["id"], "VideoStatusInvalid", "The video could not be processed")
            return
        first = [encoding for encoding in waiting if not _is_playlist(encoding)]
        for encoding in first or waiting:
            if not self._jobs.is_running(encoding["id"]):
                self._jobs.begin(encoding["id"], self._encode)

    async def _encode(self, id: str) -> None:
        world = self._world
        encoding = world.store.get("encoding", id)
        video = world.store.get("video", encoding["video_id"]) if encoding else None
        if encoding is None or video is None or encoding["status"] != "processing":
            return
        began = world.clock.now()
        world.store.update("encoding", id, {"started_encoding_at": date(began), "updated_at": date(began)})
        stem = output_stem(world, encoding)
        try:
            recipe = self._recipe(video, encoding)
            if video["_source"] is None:
                raise _Failed("FileNotFound", "The source of the video was deleted")
            source = world.store.data / video["_source"]
            made = await world.transcoder.encode(source, recipe, stem, progress=self._progress(video, id))
            if not made.files:
                raise EncodingFailed(f"{made.log}\nThe encoding made no file")
        except _Failed as error:
            self._fail(id, error.error_class, str(error))
        except (OSError, FfmpegMissing) as error:
            self._fail(id, "UnexpectedError", str(error))
        except (EncodingFailed, NotMedia) as error:  # NotMedia: what was made cannot be read
            stem.parent.mkdir(parents=True, exist_ok=True)
            stem.with_name(f"{stem.name}.log").write_text(str(error))
            log_url = f"{output_url(world, encoding)}.log"
            self._fail(id, "EncodingError", _last_line(str(error)), logfile_url=log_url)
        else:
            self._finish(id, _made_members(encoding, made, stem, began=began, now=world.clock.now()))

    def _recipe(self, video: Document, encoding: Document) -> Recipe:
        profile = encoding["_profile"]
        if profile.get("command"):
            raise _Failed("CommandInvalid", "The sandbox runs presets only, no commands")
        try:
            recipe = recipe_from_profile({**profile, **video["_clip"]})
        except ValueError as error:
            raise _Failed("CommandInvalid", str(error)) from error
        if recipe.preset != _PLAYLIST:
            return recipe
        variants = self._variants(encoding)
        if not variants:
            raise _Failed("HLSVariantsNotFound", "The video has no successful HLS variant to list")
        return attrs.evolve(recipe, variants=variants)

    def _variants(self, playlist: Document) -> tuple[str, ...]:
        """The playlists this one refers to: those of its video that lie in its own folder."""
        pattern = playlist["_profile"].get("variants") or "hls.*"
        folder = posixpath.dirname(playlist["path"])
        encodings = self._world.store.list("encoding", parent=playlist["video_id"], status="success")
        return tuple(
            posixpath.basename(encoding["files"][0])
            for encoding in encodings
            if encoding["extname"] == ".m3u8"
            and not _is_playlist(encoding)
            and posixpath.dirname(encoding["path"]) == folder
            and fnmatchcase(encoding["profile_name"], pattern)
        )

    def _progress(self, video: Document, id: str) -> Callable[[float], None]:
        world = self._world
        next_at = anyio.current_time()

        def progress(percent: float) -> None:
            nonlocal next_at
            world.store.update("encoding", id, {"encoding_progress": round(percent, 2)})
            if anyio.current_time() >= next_at:
                next_at = anyio.current_time() + world.progress_gap
                fields = {"encoding_id": id, "progress": round(percent)}
                world.notifier.tell("encoding-progress", video, fields)

        return progress

    def _fail(self, id: str, error_class: str, message: str, **more: object) -> None:
        self._finish(id, {**failure(error_class, message, now=self._world.clock.now()), **more})

    def _finish(self, id: str, changes: Document) -> None:
        """Settle an encoding that is still open, tell about it, and go on with its video."""
        store, notifier = self._world.store, self._world.notifier
        encoding = store.get("encoding", id)
        if encoding is None or encoding["status"] != "processing":
            return
        store.update("encoding", id, changes)
        video = store.get("video", encoding["video_id"])
        if video is None:
            return
        notifier.tell("encoding-complete", video, {"encoding_id": id})
        if not store.list("encoding", parent=video["id"], status="processing"):
            notifier.tell("video-encoded", video, self._encoding_ids(video["id"]))
        elif video["status"] == "success":
            self._advance(video["id"])


def _is_playlist(encoding: Document) -> bool:
    return bool(encoding["_profile"].get("preset_name") == _PLAYLIST)


def _made_members(encoding: Document, made: Encoded, stem: Path, *, began: float, now: float) -> Document:
    folder = posixpath.dirname(encoding["path"])
    known = info_members(made.info) if made.info is not None else {}
    main = stem.with_name(made.files[0])
    mime_type = known.get("mime_type") if made.info and made.info.extname == main.suffix else None
    return {
        "status": "success",
        "encoding_progress": 100,
        "encoding_time": round(now - began, 2),
        **known,
        "mime_type": mime_type or MIME_TYPES.get(main.suffix),
        "file_size": known.get("file_size") or main.stat().st_size,
        "files": [posixpath.join(folder, name) for name in made.files],
        "screenshots": [posixpath.join(folder, name) for name in made.screenshots],
        "updated_at": date(now),
    }


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "ffmpeg failed without a word"
