"""``cloudreel get``: the files of a video."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from pathlib import Path

import anyio
import click
from rich.progress import TaskID

from cloudreel.cli import failures
from cloudreel.cli.accounts import StoredFile, open_account
from cloudreel.cli.options import json_option, service_option
from cloudreel.cli.output import Output, shortened
from cloudreel.cli.paths import safe_path
from cloudreel.downloads.download import DownloadProgress
from cloudreel.errors import CloudReelError, NotFoundError


@click.command("get")
@click.argument("id")
@click.argument("names", nargs=-1, metavar="[FILE]...")
@click.option(
    "--to",
    "-o",
    "folder",
    default=Path(),
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the files go.  [default: .]",
)
@service_option
@json_option
def command(id: str, names: tuple[str, ...], folder: Path, service: str, as_json: bool) -> None:
    """Download the files of a video: all, or those named as `cloudreel ls ID` names them.

    A name may be a pattern such as 'h264/*', or a folder such as h264. A file of the same name is replaced
    once the new one is whole.
    """
    sys.exit(anyio.run(_get, id, names, folder, service, Output(as_json)))


async def _get(id: str, names: tuple[str, ...], folder: Path, service: str, output: Output) -> int:
    failed: list[CloudReelError | OSError] = []
    async with open_account(service) as account:
        files = chosen(await account.files(id), names)
        if not files:
            there = f"{id} has no file {' or '.join(names)}" if names else f"{id} has no files yet"
            raise NotFoundError(f"{there}; `cloudreel ls {id}` lists what there is")
        with output.bars() as bars:
            for file in files:
                path = folder / safe_path(file.name)
                task = bars.add_task(shortened(file.name), total=file.size)

                def moved(progress: DownloadProgress, task: TaskID = task) -> None:
                    bars.update(task, completed=progress.bytes_received, total=progress.total)

                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    size = await file.fetch(path, moved)
                except (CloudReelError, OSError) as error:
                    failed.append(error)
                    output.failed(error, {"file": file.name})
                else:
                    output.result({"id": id, "name": file.name, "size": size, "path": str(path)}, path)
    return failures.worst(failed)


def chosen(files: list[StoredFile], names: tuple[str, ...]) -> list[StoredFile]:
    """Return the files that one of the names means; all where there is none."""
    if not names:
        return files
    return [file for file in files if any(_means(name.rstrip("/"), file.name) for name in names)]


def _means(name: str, file: str) -> bool:
    return fnmatchcase(file, name) or file.startswith(f"{name}/")
