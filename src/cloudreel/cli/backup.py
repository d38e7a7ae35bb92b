"""``cloudreel backup``: the whole account in a folder."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import anyio
import click
from anyio import to_thread
from anyio.abc import ObjectReceiveStream
from attrs import asdict, define, field
from rich.progress import Progress as Bars
from rich.progress import TaskID

from cloudreel.cli import failures
from cloudreel.cli.accounts import Account, Item, StoredFile, open_account
from cloudreel.cli.options import json_option, service_option
from cloudreel.cli.output import Output, shortened
from cloudreel.cli.vault import Vault
from cloudreel.core.groups import first_failure
from cloudreel.downloads.download import DownloadProgress
from cloudreel.errors import CloudReelError


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--jobs", "-j", default=4, show_default=True, type=click.IntRange(1, 32), help="Videos under way at once."
)
@click.option("--quick", is_flag=True, help="Believe files that have the right size, without reading them.")
@service_option
@json_option
def command(folder: Path, jobs: int, quick: bool, service: str, as_json: bool) -> None:
    """Copy all videos of an account to FOLDER: encodings, and sources where the service shows them.

    Each video has a folder SERVICE/ID with its files and a record of them: sizes, SHA-256, and what the
    service says of the video. Given again, the command reads what is there and fetches what is missing,
    damaged or new; so it goes on after a failure or Ctrl-C. It removes nothing.
    """
    sys.exit(anyio.run(_backup, folder, jobs, quick, service, Output(as_json)))


async def _backup(folder: Path, jobs: int, quick: bool, service: str, output: Output) -> int:
    failure: BaseException | None = None
    with output.bars() as bars:
        copy = Copy(folder, quick, output, bars)
        async with open_account(service) as account:
            sending, receiving = anyio.create_memory_object_stream[Item](jobs)
            try:
                async with anyio.create_task_group() as group, sending:
                    for _ in range(jobs):
                        group.start_soon(copy.work, account, receiving.clone())
                    receiving.close()
                    async for item in account.items():
                        await sending.send(item)
            except BaseExceptionGroup as errors:
                failure = first_failure(errors)
    if failure is not None:
        raise failure
    copy.report()
    return failures.worst(copy.failed)


@define
class Copy:
    """One run: what is done and what has come of it."""

    _folder: Path
    _quick: bool
    _output: Output
    _bars: Bars
    videos: int = 0
    kept: int = 0
    fetched: int = 0
    bytes: int = 0
    failed: list[CloudReelError | OSError] = field(factory=list["CloudReelError | OSError"])

    async def work(self, account: Account, items: ObjectReceiveStream[Item]) -> None:
        """Copy one video after the other."""
        async with items:
            async for item in items:
                self.videos += 1
                try:
                    await self._copy(account, item)
                except (CloudReelError, OSError) as error:
                    self._fail(error, {"id": item.id})

    async def _copy(self, account: Account, item: Item) -> None:
        vault = await to_thread.run_sync(Vault.of, self._folder, account.service, item.id)
        await to_thread.run_sync(vault.write, item)
        for file in await account.files(item.id):
            if await to_thread.run_sync(partial(vault.has, file, quick=self._quick)):
                self.kept += 1
                continue
            try:
                await self._fetch(vault, item, file)
            except (CloudReelError, OSError) as error:
                self._fail(error, {"id": item.id, "file": file.name})

    async def _fetch(self, vault: Vault, item: Item, file: StoredFile) -> None:
        task = self._bars.add_task(shortened(f"{item.title or item.id} {file.name}"), total=file.size)
        try:
            path = await to_thread.run_sync(vault.path, file)
            await file.fetch(path, partial(self._moved, task))
            kept = await to_thread.run_sync(vault.take, item, file)
        finally:
            self._bars.remove_task(task)
        self.fetched += 1
        self.bytes += kept.size
        record = {"id": item.id, "file": file.name, "path": str(path), **asdict(kept)}
        self._output.result(record, path)

    def _moved(self, task: TaskID, progress: DownloadProgress) -> None:
        self._bars.update(task, completed=progress.bytes_received, total=progress.total)

    def _fail(self, error: CloudReelError | OSError, about: dict[str, object]) -> None:
        self.failed.append(error)
        self._output.failed(error, about)

    def report(self) -> None:
        """Say what has come of all."""
        counts = {
            "videos": self.videos,
            "kept": self.kept,
            "fetched": self.fetched,
            "failed": len(self.failed),
        }
        text = f"{self.videos} videos: {self.fetched} files fetched ({self.bytes:,} bytes), {self.kept} kept"
        if self.failed:
            text += f", {len(self.failed)} failed: the same command tries them again"
        self._output.tell({"summary": {**counts, "bytes": self.bytes}}, text)
