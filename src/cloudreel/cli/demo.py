"""`cloudreel demo`: a real video goes up to the sandbox over a line that breaks, and comes back encoded."""

from __future__ import annotations

import hashlib
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import click
import httpx
from anyio import to_thread
from attrs import define, field, frozen
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table

from cloudreel.errors import CloudReelError, TransportError
from cloudreel.panda.waiting import percent_of
from cloudreel.sandbox import Sandbox
from cloudreel.sandbox.media import Transcoder, find_ffmpeg
from cloudreel.telestream import AsyncFactory, AsyncTelestream, AsyncVideo, parse_notification

PART_SIZE = 2**20
CLIP_SECONDS = 20
BREAKS = 2
PROFILES = ("h264", "webm")
BROKEN_LINE = [  # what becomes of the parts, in the order they are sent
    {"method": "PUT", "path": "/upload/*", "action": "delay", "seconds": 0.1, "times": 7},
    {"method": "PUT", "path": "/upload/*", "action": "drop", "after_bytes": 300_000},
    {"method": "PUT", "path": "/upload/*", "action": "delay", "seconds": 0.1, "times": 2},
    {"method": "PUT", "path": "/upload/*", "action": "drop", "after_bytes": 500_000},
]
PATIENCE = 110.0  # seconds for everything; the encodes take most of them


@frozen
class Clip:
    """The film that is uploaded: where it is, its bytes, their digest."""

    path: Path
    size: int
    sha256: str


@define
class Report:
    """What happened, line by line, and whether it was what had to happen."""

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
        table = Table(title="What happened", title_justify="left", show_header=False)
        for what, result, good in self.lines:
            table.add_row("[green]ok[/]" if good else "[red]no[/]", what, result)
        return table


@click.command()
def command() -> None:
    """Show it all at work against a sandbox; exit code 0 only if everything in it was true."""
    sys.exit(0 if run() else 1)


def run() -> bool:
    """Play the demo and return whether everything in it was true."""
    console = Console()
    report = Report()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cloudreel-demo-") as folder, Sandbox(part_size=PART_SIZE) as sb:
        console.print(f"The sandbox serves at {sb.config['base_url']}")
        clip = make_clip(Path(folder) / "clip.mp4")
        console.print(f"Made a clip: {CLIP_SECONDS} s, 1280x720, {clip.size / 1e6:.1f} MB")
        try:
            anyio.run(_telestream, console, report, sb, clip)
        except (CloudReelError, OSError, queue.Empty) as error:
            report.add("unexpected", f"{type(error).__name__}: {error}", False)
    report.add("time", f"{time.monotonic() - started:.0f} s")
    console.print(report.table())
    return report.good


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


async def _telestream(console: Console, report: Report, sb: Sandbox, clip: Clip) -> None:
    with anyio.fail_after(PATIENCE), _listener() as (hook, inbox):
        async with sb.telestream() as client:
            factory = (await client.flip.factories.all())[0]
            await factory.update_notifications({"url": hook, "delay": 0, "events": {"video_encoded": True}})
            video = await _upload(console, report, sb, client, clip)
            await _follow(console, report, video)
            await _hear(report, inbox, video)
            await _fetch(report, factory, video, clip.path.parent)


async def _upload(
    console: Console, report: Report, sb: Sandbox, client: AsyncTelestream, clip: Clip
) -> AsyncVideo:
    # With the usual retries nobody would see the line break: they would repair it out of sight.
    factory = (await client.with_options(retries=0).flip.factories.all())[0]
    await _control(sb, "faults", BROKEN_LINE)
    with _bars(console) as bars:
        task = bars.add_task("uploading", total=clip.size)
        session = await factory.upload_session(
            clip.path,
            threads=4,
            profiles=PROFILES,
            progress=lambda p: bars.update(task, completed=p.bytes_confirmed),
        )
        video: AsyncVideo | None = None
        breaks = 0
        while video is None:
            try:
                video = await (session.resume() if breaks else session.start())
            except TransportError:
                breaks += 1
                done = session.progress
                console.print(f"The line broke with {done.parts_done} of {done.parts} parts stored; resuming")
    state = await _control(sb, "state")
    stored = next(upload for upload in state["uploads"] if upload["id"] == session.ticket().session_id)
    report.add("upload", f"{session.progress.parts} parts, 4 at a time, {clip.size:,} bytes")
    report.add("broken and resumed", f"{breaks} times", breaks == BREAKS)
    report.add("parts sent twice", str(stored["repeated"]), stored["repeated"] == 0)
    same = stored["sha256"] == clip.sha256
    report.add("stored", f"sha256 {clip.sha256[:16]}..." if same else "something else than was sent", same)
    return video


async def _follow(console: Console, report: Report, video: AsyncVideo) -> None:
    with _bars(console) as bars:
        tasks = {name: bars.add_task(name, total=100) for name in PROFILES}
        async for event in video.watch(poll=0.3):
            for encoding in event.encodings:
                bars.update(tasks[encoding.profile_name or ""], completed=percent_of(encoding))
    await video.wait(timeout=PATIENCE)
    for encoding in await video.encodings.all():
        shape = f"{encoding.width}x{encoding.height}, {encoding.file_size or 0:,} bytes"
        report.add(f"encoding {encoding.profile_name}", f"{shape}, {encoding.encoding_time:.1f} s")


async def _hear(report: Report, inbox: queue.Queue[bytes], video: AsyncVideo) -> None:
    body = await to_thread.run_sync(lambda: inbox.get(timeout=20))
    heard = parse_notification(body)
    good = heard.event == "video-encoded" and heard.video_id == video.details["id"]
    report.add("notification", f"{heard.event} of Video {heard.video_id}", good)


async def _fetch(report: Report, factory: AsyncFactory, video: AsyncVideo, folder: Path) -> None:
    encoding = (await video.encodings.all(profile_name="h264"))[0]
    output = folder / encoding.files[0]
    async with httpx.AsyncClient() as web:
        answer = await web.get(f"{factory.url}{encoding.files[0]}")
    output.write_bytes(answer.raise_for_status().content)
    info = await Transcoder(folder).probe(output)
    seconds = (info.duration_ms or 0) / 1000
    good = info.video_codec == "h264" and abs(seconds - CLIP_SECONDS) < 1
    shape = f"{info.width}x{info.height}, {seconds:.1f} s"
    report.add("output", f"{info.video_codec} and {info.audio_codec}, {shape}", good)


async def _control(sb: Sandbox, name: str, body: object = None) -> dict[str, Any]:
    """Speak to the sandbox's control surface."""
    async with httpx.AsyncClient(base_url=sb.config["base_url"]) as web:
        if body is None:
            answer = await web.get(f"/__sandbox__/{name}")
        else:
            answer = await web.post(f"/__sandbox__/{name}", json=body)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


@contextmanager
def _listener() -> Generator[tuple[str, queue.Queue[bytes]]]:
    """Serve an address that takes notifications; yields its URL and the bodies that come."""
    inbox: queue.Queue[bytes] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the demo tells what came."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", inbox
        finally:
            server.shutdown()
            thread.join()


def _bars(console: Console) -> Bars:
    return Bars(TextColumn("{task.description:>10}"), BarColumn(), TaskProgressColumn(), console=console)
