"""Running the encodings: a few ffmpeg processes at a time, progress that only rises, nothing left behind."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import attrs

from cloudreel.errors import CloudReelError
from cloudreel.sandbox.media import command
from cloudreel.sandbox.media.ffmpeg import run
from cloudreel.sandbox.media.hls import Variant, master_playlist
from cloudreel.sandbox.media.probe import MIME_TYPES, MediaInfo, NotMedia, last_lines, parse_info

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudreel.sandbox.media.presets import Recipe

PROBE_SECONDS = 60


class EncodingFailed(CloudReelError):
    """ffmpeg could not make an encoding; ``log`` is the end of all it said."""

    def __init__(self, log: str) -> None:
        super().__init__(last_lines(log))
        self.log = log


@attrs.frozen
class Encoded:
    """What an encoding made: names of files beside its stem, and what the main one is.

    ``info`` is None where the main file is no media itself (thumbnails, playlists of playlists).
    """

    files: list[str]
    screenshots: list[str]
    info: MediaInfo | None
    log: str


class Transcoder:
    """Probes and encodes with at most ``limit`` ffmpeg processes at a time.

    Args:
        work: a folder for unfinished files, on the same disk as the finished ones.
        limit: how many processes may run at once; by default one per processor.
    """

    def __init__(self, work: Path, *, limit: int | None = None) -> None:
        self.work = work
        self._slots = anyio.Semaphore(limit or os.cpu_count() or 1)

    async def probe(self, source: Path) -> MediaInfo:
        """Return what a file is.

        Raises:
            NotMedia: if it holds no picture and no sound, or cannot be understood in a minute.
        """
        return await self._probe(source, command.read(source))

    async def probe_picture(self, file: Path) -> MediaInfo:
        """Return what a picture is; its file's name must have no extension.

        Raises:
            NotMedia: if it is none, or cannot be understood in a minute.
        """
        return await self._probe(file, command.read_picture(file))

    async def encode(
        self,
        source: Path,
        recipe: Recipe,
        stem: Path,
        *,
        progress: Callable[[float], None],
        watermark: Path | None = None,
    ) -> Encoded:
        """Make ``stem + extname`` (and segments ``stem_N.ts``, screenshots ``stem_N.jpg``) from a source.

        Files appear at the stem when all of them are whole; cancelling kills the process and leaves none.

        Args:
            progress: is called with per cents that only rise, and with 100 once the files stand.
            watermark: a picture to lay over the lower right corner; its name must have no extension.

        Raises:
            EncodingFailed: with the log, if ffmpeg could not do it.
        """
        await anyio.Path(stem.parent).mkdir(parents=True, exist_ok=True)
        await anyio.Path(self.work).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.work) as room:
            draft = Path(room) / stem.name
            if recipe.preset == "hls.variant.playlist":
                made = await self._playlist(recipe, stem, draft)
            else:
                made = await self._encode(source, recipe, draft, progress, watermark)
            for name in {*made.files, *made.screenshots}:
                await anyio.Path(draft.with_name(name)).replace(stem.with_name(name))
        progress(100.0)
        return made

    async def _probe(self, file: Path, arguments: list[str]) -> MediaInfo:
        async with self._slots:
            with anyio.move_on_after(PROBE_SECONDS):
                said = await run(arguments)
                size = (await anyio.Path(file).stat()).st_size
                text = said.log.replace(f"file:{file}", file.name)
                return parse_info(text, file_size=size, suffix=file.suffix)
        raise NotMedia(f"ffmpeg could not tell what the file is within {PROBE_SECONDS} seconds")

    async def _encode(
        self,
        source: Path,
        recipe: Recipe,
        draft: Path,
        progress: Callable[[float], None],
        watermark: Path | None,
    ) -> Encoded:
        try:
            info = await self.probe(source)
        except NotMedia as error:
            raise EncodingFailed(str(error)) from error
        seconds = command.seconds_to_encode(info, recipe)
        if recipe.preset == "thumbnail":
            log = await self._run(command.stills(source, info, recipe, draft), seconds, progress)
            shots = _numbered(draft, command.still_extname(recipe))
            return Encoded(shots, shots, None, log)
        log = await self._run(command.encode(source, info, recipe, draft, watermark), seconds, progress)
        shots = []
        if recipe.frame_count and recipe.preset not in command.AUDIO_ONLY:
            log += await self._run(command.stills(source, info, recipe, draft), 0, progress)
            shots = _numbered(draft, command.still_extname(recipe))
        target = draft.name + recipe.extname
        segments = _numbered(draft, ".ts")
        if segments:
            result = await self._stream_info(draft, segments, seconds, recipe)
        else:
            result = await self.probe(draft.with_name(target))
        return Encoded([target, *segments], shots, result, log)

    async def _stream_info(
        self, draft: Path, segments: list[str], seconds: float, recipe: Recipe
    ) -> MediaInfo:
        """Describe a stream by its first segment, its whole length and size, and its playlist's name."""
        first = await self.probe(draft.with_name(segments[0]))
        size = sum(draft.with_name(name).stat().st_size for name in segments)
        return attrs.evolve(
            first,
            container="hls",
            duration_ms=round(seconds * 1000),
            file_size=size,
            extname=recipe.extname,
            mime_type=MIME_TYPES.get(recipe.extname, first.mime_type),
        )

    async def _playlist(self, recipe: Recipe, stem: Path, draft: Path) -> Encoded:
        found: list[Variant] = []
        for name in recipe.variants:
            playlist = stem.with_name(name)
            segments = _numbered(playlist.with_suffix(""), ".ts")
            if not segments:
                raise EncodingFailed(f"HLSVariantsNotFound: the variant {name} has no segments")
            info = await self.probe(playlist.with_name(segments[0]))
            size = sum(playlist.with_name(segment).stat().st_size for segment in segments)
            found.append(Variant(name, _rate(size, info, len(segments)), info.width, info.height))
        if not found:
            raise EncodingFailed("HLSVariantsNotFound: the video has no finished HLS variant")
        target = draft.name + recipe.extname
        await anyio.Path(draft.with_name(target)).write_text(master_playlist(found))
        return Encoded([target], [], None, "")

    async def _run(self, arguments: list[str], seconds: float, progress: Callable[[float], None]) -> str:
        highest = 0.0

        def on_line(line: str) -> None:
            nonlocal highest
            match = re.match(r"out_time_us=(\d+)", line)
            done = min(int(match[1]) / seconds / 10_000, 99.0) if match and seconds else 0.0
            if done > highest:
                highest = done
                progress(done)

        async with self._slots:
            finished = await run(arguments, on_line=on_line)
        if finished.code:
            raise EncodingFailed(finished.log)
        return finished.log


def _numbered(stem: Path, extname: str) -> list[str]:
    """Return the names ``stem_1.ext``, ``stem_2.ext`` ... that exist, in this order."""
    pattern = re.compile(re.escape(stem.name) + r"_(\d+)" + re.escape(extname))
    matches = (pattern.fullmatch(path.name) for path in stem.parent.iterdir())
    return [match[0] for match in sorted((m for m in matches if m), key=lambda match: int(match[1]))]


def _rate(size: int, info: MediaInfo, segments: int) -> int:
    """Return a stream's rate in kbit/s, guessed from its first segment's length and all of its bytes."""
    seconds = max((info.duration_ms or 0) / 1000 * segments, 1.0)
    return max(round(size * 8 / seconds / 1000), 1)
