"""Finding ffmpeg and running it: one process at a time per slot, never longer than asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib import import_module
from typing import TYPE_CHECKING

import anyio
import attrs

from cloudreel.errors import CloudReelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anyio.abc import ByteReceiveStream

START_SECONDS = 30.0
LOG_BYTES = 64 * 1024
"""How much of what ffmpeg says is kept: the end of it, where the reason stands."""


class FfmpegMissing(CloudReelError):
    """There is no ffmpeg on this machine that the sandbox could use."""


@attrs.frozen
class Finished:
    """What is left of a process: its exit code and the end of what it wrote to stderr."""

    code: int
    log: str


def find_ffmpeg() -> str:
    """Return the path of the ffmpeg to use: ``$CLOUDREEL_FFMPEG``, the system's, or imageio-ffmpeg's.

    Raises:
        FfmpegMissing: if there is none.
    """
    found = os.environ.get("CLOUDREEL_FFMPEG") or shutil.which("ffmpeg")
    if found:
        return found
    try:
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise FfmpegMissing(
            'The sandbox needs ffmpeg and found none: install it, or `pip install "cloudreel[sandbox]"`, '
            "or name one in CLOUDREEL_FFMPEG."
        ) from error


async def run(arguments: Sequence[str], *, on_line: Callable[[str], None] | None = None) -> Finished:
    """Run ffmpeg to its end and return how it went; cancelling kills the process.

    Args:
        on_line: is given every line that ffmpeg writes to stdout.
    """
    command = [find_ffmpeg(), "-hide_banner", "-nostdin", *arguments]
    log = bytearray()
    # Cancelled while it starts, it would be killed and not waited for.
    with anyio.fail_after(START_SECONDS, shield=True):
        process = await anyio.open_process(command, stdin=subprocess.DEVNULL)
    async with process:
        async with anyio.create_task_group() as group:
            if process.stderr is not None:
                group.start_soon(_keep_end, process.stderr, log)
            if process.stdout is not None:
                await _lines(process.stdout, on_line)
        code = await process.wait()
    return Finished(code, log.decode("utf-8", "replace"))


async def _keep_end(stream: ByteReceiveStream, log: bytearray) -> None:
    async for chunk in stream:
        log += chunk
        del log[:-LOG_BYTES]


async def _lines(stream: ByteReceiveStream, on_line: Callable[[str], None] | None) -> None:
    rest = b""
    async for chunk in stream:
        *lines, rest = (rest + chunk).split(b"\n")
        if on_line is not None:
            for line in lines:
                on_line(line.decode("utf-8", "replace"))
