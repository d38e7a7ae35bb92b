"""What the acts of the demo share: the film, the report, the sandbox's control surface, a viewer."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field, frozen
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table

from cloudreel.sandbox import Sandbox
from cloudreel.sandbox.media import Transcoder, find_ffmpeg

CLIP_SECONDS = 20
FILMS = "http://films.example/"
"""Where the sandbox finds the films of the demo: the folder of the clip, by another name."""
WATERMARK = "watermark.png"


@frozen
class Clip:
    """The film that is uploaded: where it is, its bytes, their digest."""

    path: Path
    size: int
    sha256: str


@define
class Report:
    """What happened, line by line, and whether it was what had to happen."""

    title: str
    lines: list[tuple[str, str, bool]] = field(factory=list[tuple[str, str, bool]])

    def add(self, what: str, result: str, good: bool = True) -> None:
        """Take a line down."""
        self.lines.append((what, result, good))

    @property
    def good(self) -> bool:
        """Whether everything was as it had to be."""
        return all(good for _, _, good in self.lines)

    def table(self) -> Table:
        """Return the lines as a table for people."""
        table = Table(title=self.title, title_justify="left", show_header=False)
        for what, result, good in self.lines:
            table.add_row("[green]ok[/]" if good else "[red]no[/]", what, result)
        return table


@frozen
class Stage:
    """What an act is given."""

    console: Console
    report: Report
    sandbox: Sandbox
    clip: Clip

    def bars(self) -> Bars:
        """Return progress bars for people."""
        columns = (TextColumn("{task.description:>22}"), BarColumn(), TaskProgressColumn())
        return Bars(*columns, console=self.console)

    async def control(self, name: str, body: object = None) -> dict[str, Any]:
        """Speak to the sandbox's control surface."""
        async with httpx.AsyncClient(base_url=self.sandbox.config["base_url"]) as web:
            if body is None:
                answer = await web.get(f"/__sandbox__/{name}")
            else:
                answer = await web.post(f"/__sandbox__/{name}", json=body)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def play(self, what: str, url: str) -> None:
        """Fetch a video as a viewer would, look into it, and report."""
        output = self.clip.path.with_name("played.mp4")
        async with httpx.AsyncClient() as web:
            answer = await web.get(url)
        output.write_bytes(answer.raise_for_status().content)
        info = await Transcoder(output.parent).probe(output)
        seconds = (info.duration_ms or 0) / 1000
        good = info.video_codec == "h264" and abs(seconds - CLIP_SECONDS) < 1
        shape = f"{info.width}x{info.height}, {seconds:.1f} s"
        self.report.add(what, f"{info.video_codec} and {info.audio_codec}, {shape}", good)


def make_clip(path: str | Path) -> Clip:
    """Make a test film with a tone, H.264 and AAC."""
    path = Path(path)
    picture = f"testsrc2=size=1280x720:rate=25:duration={CLIP_SECONDS}"
    tone = f"sine=frequency=440:duration={CLIP_SECONDS}"
    command = [find_ffmpeg(), "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M"]
    command += ["-bufsize", "4M", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return Clip(path, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


def make_watermark(path: Path) -> None:
    """Make a small half-transparent picture."""
    picture = "color=c=orange@0.6:size=160x90,format=rgba"
    command = [find_ffmpeg(), "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-frames:v", "1", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
