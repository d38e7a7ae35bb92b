"""`cloudreel demo`: real videos go up to the sandbox, and come back encoded. One act per service."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import anyio
import click
from rich.console import Console

from cloudreel.cli import failures
from cloudreel.cli.demo import cloudkey, flixcloud, panda, telestream
from cloudreel.cli.demo.stage import CLIP_SECONDS, FILMS, WATERMARK, Report, Stage, make_clip, make_watermark
from cloudreel.cli.options import json_option
from cloudreel.cli.output import Output
from cloudreel.errors import CloudReelError
from cloudreel.sandbox import Sandbox

PART_SIZE = 2**20
ACTS = {
    "Telestream": telestream.act,
    "CloudKey": cloudkey.act,
    "Panda": panda.act,
    "Flix Cloud": flixcloud.act,
}


@click.command("demo")
@json_option
def command(as_json: bool) -> None:
    """Show it all at work against a sandbox; exit code 0 only if everything in it was true."""
    sys.exit(failures.DONE if run(as_json=as_json) else failures.FAILED)


def run(*, as_json: bool = False) -> bool:
    """Play the demo and return whether everything in it was true.

    Args:
        as_json: print one JSON object per line of the reports, and nothing else.
    """
    console, output = Console(quiet=as_json), Output(as_json)
    started = time.monotonic()
    good = True
    with (
        tempfile.TemporaryDirectory(prefix="cloudreel-demo-") as folder,
        Sandbox(part_size=PART_SIZE, map={FILMS: Path(folder)}) as sandbox,
    ):
        console.print(f"The sandbox serves at {sandbox.config['base_url']}")
        clip = make_clip(Path(folder) / "clip.mp4")
        make_watermark(clip.path.with_name(WATERMARK))
        console.print(f"Made a film: {CLIP_SECONDS} s, 1280x720, {clip.size / 1e6:.1f} MB")
        for name, act in ACTS.items():
            report = Report(name)
            try:
                anyio.run(act, Stage(console, report, sandbox, clip))
            except (CloudReelError, OSError, LookupError) as error:
                report.add("unexpected", f"{type(error).__name__}: {error}", False)
            console.print(report.table())
            if as_json:
                for what, result, true in report.lines:
                    output.result({"act": name, "what": what, "result": result, "good": true})
            good = good and report.good
    console.print(
        f"{'All of it was true' if good else 'Not all of it was true'}, in {time.monotonic() - started:.0f} s"
    )
    return good
