"""``cloudreel upload``: files to a service, with tickets for what breaks off."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from cloudreel.cli import failures
from cloudreel.cli.accounts import Outcome, UploadOrder, open_account
from cloudreel.cli.options import json_option, service_option
from cloudreel.cli.output import Output, shortened
from cloudreel.cli.stopping import Terminated, unless_terminated
from cloudreel.uploads import FileTicketStore, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


def default_folder() -> Path:
    """Return where tickets lie unless told otherwise."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "cloudreel" / "tickets"


@click.command("upload")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--profile",
    "-p",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="What to encode to; may be repeated.  [default: h264, of CloudKey mp4_h264_aac]",
)
@click.option("--resume", is_flag=True, help="Go on with unfinished uploads of the same files.")
@click.option(
    "--jobs", "-j", default=4, show_default=True, type=click.IntRange(1, 64), help="Files under way at once."
)
@click.option(
    "--threads",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Parts of one file under way at once.",
)
@click.option(
    "--ticket-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    envvar="CLOUDREEL_TICKET_DIR",
    help="Where tickets of unfinished uploads lie.  [default: $XDG_STATE_HOME/cloudreel/tickets]",
)
@service_option
@json_option
def command(
    files: tuple[Path, ...],
    profiles: tuple[str, ...],
    resume: bool,
    jobs: int,
    threads: int,
    ticket_dir: Path | None,
    service: str,
    as_json: bool,
) -> None:
    """Upload files, a few at a time, and have them encoded.

    Prints the id of each video as soon as the service has it, and its file. What breaks off, or is stopped
    with Ctrl-C or SIGTERM, goes on where it was when the same command is given again with --resume, on this
    host or on another with the same tickets. CloudKey takes a file in one request, so there nothing can be
    resumed.
    """
    files, output = tuple(dict.fromkeys(files)), Output(as_json)
    order = UploadOrder(profiles, FileTicketStore(ticket_dir or default_folder()), resume, jobs, threads)
    with output.bars() as bars:
        told = Told(output, bars)
        try:
            outcomes = anyio.run(unless_terminated, _upload(files, order, service, told))
        except (KeyboardInterrupt, Terminated) as stop:
            bars.stop()
            told.left([path for path in files if path not in told.finished], files)
            sys.exit(failures.TERMINATED if isinstance(stop, Terminated) else failures.INTERRUPTED)
    failed = {
        path: outcome for path, outcome in zip(files, outcomes, strict=True) if not isinstance(outcome, str)
    }
    for path, error in failed.items():
        output.failed(error, {"file": str(path)})
    if failed:
        told.left(list(failed), files)
    sys.exit(failures.worst(failed.values()))


async def _upload(files: Sequence[Path], order: UploadOrder, service: str, told: Told) -> list[Outcome]:
    async with open_account(service) as account:
        if order.resume and not account.resumable:
            told.output.note(f"{service} takes a file in one request: all are uploaded from the beginning")
        return await account.upload(files, order, told)


class Told:
    """Shows how uploads go on: a bar for each, and a result as soon as there is one."""

    def __init__(self, output: Output, bars: Bars) -> None:
        self.output = output
        self.opened: set[Path] = set()
        """Those that the service knows of and that can be resumed."""
        self.finished: set[Path] = set()
        self._bars = bars
        self._tasks: dict[Path, TaskID] = {}

    def begun(self, path: Path, remark: str | None) -> None:
        """Take note that the service knows of an upload, which can be resumed."""
        self.opened.add(path)
        if remark is not None:
            self.output.note(f"{path}: {remark}")

    def moved(self, path: Path, progress: Progress) -> None:
        """Move a file's bar."""
        if path not in self._tasks:
            self._tasks[path] = self._bars.add_task(shortened(path.name), total=progress.total)
        self._bars.update(self._tasks[path], completed=progress.bytes_sent)

    def stored(self, path: Path, id: str) -> None:
        """Print what a file has become."""
        self.finished.add(path)
        self.output.result({"id": id, "file": str(path)}, id, path)

    def left(self, paths: Sequence[Path], files: Sequence[Path]) -> None:
        """Say which files are left, and how to go on if one of them can be resumed."""
        record: dict[str, object] = {"left": [str(path) for path in paths]}
        text = f"{len(paths)} of {len(files)} not uploaded"
        if self.opened.intersection(paths):
            record["resume"] = way_on(paths, sys.argv[1:], files)
            text = f"{text}; to go on:\n  {record['resume']}"
        self.output.tell(record, text)


def way_on(left: Sequence[Path], arguments: Sequence[str], files: Sequence[Path]) -> str:
    """Return the command that goes on with the files that are left.

    Args:
        arguments: of the command that has ended, of which the options are kept.
        files: of that command.
    """
    names = {str(path) for path in files}
    options = [each for each in arguments[1:] if each not in names and each != "--resume"]
    return shlex.join(["cloudreel", "upload", "--resume", *options, *(str(path) for path in left)])
